/*
 * imap_flight.h - the windows under way and the commands they became.
 *
 * A window is a flight; its items are asked for by one or more jobs, each
 * one UID FETCH command. A job that fails is split until the item at fault
 * is alone. Pure bookkeeping: no I/O. One thread.
 *
 *   queue    jobs still to be sent, in order
 *   sent     jobs whose answers are awaited; the first is being answered
 */
#ifndef SLUICE_IMAP_FLIGHT_H
#define SLUICE_IMAP_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uid_set.h"
#include "window.h"

/* A mailbox being opened: what EXAMINE says, shared by the jobs that rely
 * on it. */
struct selection {
	char *wire; /* the mailbox's name */
	struct collection_state state;
	bool known;   /* the answer is complete */
	bool refused; /* and it is NO */
	unsigned users;
};

struct flight {
	struct window window;
	struct uid_set wanted;	  /* of windows that name their items */
	struct uid_set delivered; /* and failed and gone ones */
	bool all;		  /* WANTED is not known: everything */
	bool delta;		  /* only what changed, `gone` is told */
	bool started;		  /* sink.state was called */
	enum window_result result;
	uint32_t uid_validity; /* when it started */
	unsigned strikes;      /* sessions that ended when it was opened */
	unsigned jobs;	       /* in queue and sent */
	struct flight *next;
};

enum job_kind {
	JOB_EXAMINE,
	JOB_FETCH,
	JOB_SEARCH, /* finds out what WANTED is */
	JOB_LIST,   /* what imap_ask_folders() has sent */
};

struct job {
	enum job_kind kind;
	struct flight *flight; /* NULL for JOB_EXAMINE, JOB_LIST */
	struct selection *selection;
	uint32_t uid;	   /* asks for this one alone; 0: */
	size_t first, end; /* for these members of wanted, or for all */
	unsigned tag;
	unsigned strikes; /* times that it ended the connection */
	bool plain;	  /* without BODYSTRUCTURE */
	bool spoilt;	  /* an answer came that was not understood */
	struct job *next;
};

struct job_list {
	struct job *first, **last;
	unsigned count;
};

void job_list_init(struct job_list *list);
void job_push_back(struct job_list *list, struct job *job);
void job_push_front(struct job_list *list, struct job *job);
struct job *job_pop(struct job_list *list);
void job_list_free(struct job_list *list);

struct selection *selection_new(const char *wire);
struct selection *selection_use(struct selection *selection);
void selection_drop(struct selection *selection);

struct job *job_new(enum job_kind kind, struct flight *flight);
void job_free(struct job *job);

/* WINDOW is copied; its ids go to WANTED. */
struct flight *flight_new(const struct window *window, bool delta);
void flight_free(struct flight *flight);

/* Whether UID was asked for and has not been dealt with. */
bool flight_wants(const struct flight *flight, uint32_t uid);

/* The members of WANTED in JOB's part that nothing was heard of: how many,
 * and the first. Not for a job that asks for all. */
size_t job_missing(const struct job *job, uint32_t *first);

/* Jobs for what JOB left missing, in order, to the front of QUEUE: halves,
 * or single ones with EACH. JOB asks for members of WANTED and stays the
 * caller's. */
void job_split(const struct job *job, bool each, struct job_list *queue);

/* A job for one UID alone. */
struct job *job_for_uid(struct flight *flight, uint32_t uid);

#endif
