/*
 * sync.h - one synchronisation of one account into one store.
 *
 * Made, run and freed by one thread; sync_run() blocks it until the store is
 * proven to hold what the policy asks for, or something stands against it.
 * The other calls may come from any thread meanwhile.
 */
#ifndef SLUICE_SYNC_H
#define SLUICE_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "source.h"
#include "state.h"
#include "store.h"

struct err;
struct policy;
struct sync;
struct wire;

typedef int (*sync_open)(struct source **source, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err);

struct sync_setup {
	const struct account *account; /* must outlive the sync */
	const char *directory;	       /* of the store; the same */
	const struct policy *policy;   /* the same; or NULL and: */
	/* Asked before each round, so that it sees what was changed
	 * meanwhile; the answer, for policy_free(), takes the place of
	 * POLICY. NULL: that stays. */
	struct policy *(*renew_policy)(const void *context, struct err *err);
	const void *renew_context; /* must outlive the sync */
	enum compress compress;
	unsigned connections;	  /* to the mail server, at most; 0: 4 */
	uint64_t rate_bytes_s;	  /* 0: no limit */
	uint64_t window_bytes;	  /* the largest; 0: 16 MiB */
	uint64_t in_flight_bytes; /* 0: the source's default */
	size_t queue_bytes;	  /* between the threads; 0: 1 MiB */
	/* All on the thread in sync_run(): each block is stored when it is
	 * full, and the DAV side is copied before the mail. For many in one
	 * process. */
	bool one_thread;
	unsigned attempts;   /* failures in a row; 0: 6 */
	int64_t backoff_us;  /* the shortest wait; 0: 0.3 s */
	bool prove;	     /* list every folder once, also those that look
		       unchanged */
	uint64_t seed;	     /* of the waits */
	sync_open open_mail; /* NULL: imap_source_open() */
	sync_open open_dav;  /* NULL: dav_source_open() */
};

/* Counts are what the store holds; "run" is since sync_new(). */
struct sync_progress {
	enum sync_state state;
	bool verified;
	uint64_t total_bytes; /* app_bytes when all is done; 0: not yet known */
	uint64_t app_bytes;   /* cumulative over the life of the store */
	uint64_t wire_bytes;  /* the same */
	uint64_t run_app_bytes, run_wire_bytes;
	uint64_t run_commits;
	int64_t active_us; /* of this run, pauses taken out */
	uint64_t retries;
	uint64_t missized;	  /* came longer or shorter than announced */
	uint64_t round_trips;	  /* see source_round_trips() */
	unsigned connections;	  /* to the mail server at once, at most */
	uint64_t predicted_bytes; /* of the local database; 0: not yet known */
	unsigned rounds;
	struct store_totals totals;
};

/* Opens the store and takes its lock. */
int sync_new(
	struct sync **sync, const struct sync_setup *setup, struct err *err);
void sync_free(struct sync *sync);

/* 0 when done and verified. -1: ERR_CANCELLED, or why a person is needed.
 * What was committed stays, and the next run goes on from there. */
int sync_run(struct sync *sync, struct err *err);

/* Any thread. A pause lets the windows under way arrive. */
void sync_pause(struct sync *sync);
void sync_resume(struct sync *sync);
void sync_cancel(struct sync *sync);
void sync_set_rate(struct sync *sync, uint64_t bytes_s);
void sync_progress(struct sync *sync, struct sync_progress *progress);

#endif
