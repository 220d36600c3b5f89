/*
 * imap_fetch.h - one call of source_fetch() on an IMAP session; shared by
 * imap_fetch.c (answers) and imap_jobs.c (commands).
 */
#ifndef SLUICE_IMAP_FETCH_H
#define SLUICE_IMAP_FETCH_H

#include "err.h"
#include "imap_flight.h"
#include "imap_source.h"

struct fetch_run {
	struct imap_source *source;
	const struct feed *feed;
	uint64_t item_bytes_max, in_flight_bytes;
	unsigned windows_max;

	struct flight *flights, **flights_last; /* in the feed's order */
	unsigned flight_count;
	uint64_t bytes_ahead;	    /* expected of them together */
	struct job_list queue;	    /* to be sent */
	struct job_list sent;	    /* the first is being answered */
	struct selection *selected; /* by the newest EXAMINE; or NULL */
	bool dry;		    /* the feed had nothing */
	bool list_due;		    /* its last window was handed out */
	unsigned timed;		    /* the tag whose deadline runs */

	bool sink_failed;	  /* the error is the engine's */
	unsigned drops, timeouts; /* of sessions, since the last item */

	/* The item being received. */
	bool open; /* sink.begin was called */
	uint64_t
		oversize_bytes; /* announced, and more than the limit; else 0 */
	uint64_t data_bytes;
	struct buf raw;	    /* of the newest answer not understood */
	const char *reason; /* why not */
};

/* Read one answer and do what it asks for. */
int fetch_take_answer(struct fetch_run *run, struct err *err);

/* Send the question of source_list() behind what is in flight. */
int fetch_ask_folders(struct fetch_run *run, struct err *err);

/* JOB, taken off the list, was answered with its tag. */
int fetch_job_done(struct fetch_run *run, struct job *job,
	const struct answer *answer, struct err *err);

/* Compare the mailbox with what the window means, once per session, and
 * tell the engine its state, once per window. */
int fetch_start(struct fetch_run *run, struct job *job, struct err *err);

/* Give an item up, or note that it is gone. */
int fetch_fail(struct fetch_run *run, struct flight *flight, uint32_t uid,
	enum item_fault fault, const char *reason, struct err *err);
int fetch_too_large(struct fetch_run *run, struct flight *flight, uint32_t uid,
	struct err *err);
int fetch_gone(struct fetch_run *run, struct flight *flight, uint32_t uid,
	struct err *err);

#endif
