/*
 * sync_private.h - what engine.c, half.c and sync_control.c share, and
 * nobody else.
 */
#ifndef SLUICE_SYNC_PRIVATE_H
#define SLUICE_SYNC_PRIVATE_H

#include <pthread.h>

#include "backoff.h"
#include "err.h"
#include "pipe.h"
#include "reconcile.h"
#include "sync.h"

struct crew;
struct work;
struct writer;

/* The mail or the DAV side of an account: a session and a crew. The mail's
 * belongs to the thread in sync_run(), the other one to a thread that lives
 * for a round. */
struct half {
	struct sync *sync;
	bool dav;
	bool absent;	/* the account has no such side */
	bool throttled; /* in this run: one DAV request at a time */
	struct source *source;
	struct crew *crew;
	struct reconcile all; /* of the round */
	int status;
	struct err err;
};

struct sync {
	struct sync_setup setup;
	struct policy *policy; /* renewed, in place of the setup's; or NULL */
	struct wire *wire;
	struct writer *writer;
	struct half mail, dav;
	struct backoff backoff;
	bool restless; /* the last session found a change in every round */
	struct record_call fold; /* under way between rounds */
	struct err fold_err;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t cond;   /* paused or cancelled changed */
	enum sync_state state;
	bool paused, cancelled;
	uint64_t total_bytes, predicted_bytes;
	bool total_exact;
	uint64_t estimates[2], predictions[2]; /* mail, DAV */
	uint64_t retries, round_trips;
	unsigned connections;
	uint64_t start_app, start_wire;
	unsigned rounds;
	int64_t active_us, active_since; /* 0: not active */
};

/* engine.c */
bool sync_held(void *sync);
/* Waits out a pause. -1 when cancelled. The mail's thread only. */
int sync_wait_resumed(struct sync *sync, struct err *err);
/* The folders are being listed. The mail's thread only. */
void sync_listing(struct sync *sync);
void sync_estimate(struct sync *sync, const struct half *half);

/* half.c */
/* DAV is looked for where the account names it or its domain may. */
bool half_expected(const struct account *account, bool dav);
/* After a failed open: no address was given and no service was found; an
 * account without DAV is complete without it. Not one of which STORE has
 * contacts or calendars: that is said in ERR. */
bool half_may_be_absent(const struct account *account, bool dav,
	struct store *store, struct err *err);
int half_connect(struct half *half, struct err *err);
void half_hang_up(struct half *half);
/* After a failure of the DAV's: a server that throttled us is asked by one
 * connection for the rest of the run. */
void half_heed(struct half *half);
/* Another session over the LINE of the first; any thread. */
int half_open_another(void *half, const struct source_line *line,
	struct source **source, struct err *err);
struct pipe *half_pipe(const struct half *half);
/* crew_run(); what was lost in it is a difference of the round. */
int half_work(struct half *half, struct work *work, struct err *err);
/* Lists the folders and runs their passes. */
int half_round(struct half *half, struct err *err);
/* Everything pushed so far is committed and readable. */
int half_settle(struct half *half, struct err *err);
uint64_t half_differences(const struct half *half);
uint64_t half_predict(const struct half *half);

#endif
