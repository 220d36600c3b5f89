/*
 * rollout.h - the rollout's state machines: pure, driven by time and reports.
 *
 * struct rollout is all of it in memory. Functions take the time as an
 * argument, do no I/O and leave what they changed marked (…_changed,
 * transitions), so that the caller can write it in one transaction and call
 * rollout_written(). Commands for agents are left in the clients' rows. One
 * thread.
 */
#ifndef SLUICE_ROLLOUT_H
#define SLUICE_ROLLOUT_H

#include <stddef.h>

#include "judge.h"
#include "scenario.h"
#include "standing.h"

struct err;

struct rollout {
	struct rollout_row row;
	struct client_row *clients; /* by id, from 1 */
	size_t client_count;
	struct wave_row *waves; /* by number, from 1 */
	size_t wave_count;
	const struct scenario *scenario;

	bool row_changed;
	bool *client_changed, *wave_changed; /* one per row */
	struct transition_row *transitions;
	size_t transition_count;
};

/* Takes over the arrays; SCENARIO is borrowed. */
void rollout_init(struct rollout *, const struct rollout_row *,
	struct client_row *, size_t client_count, struct wave_row *,
	size_t wave_count, const struct scenario *);
void rollout_free(struct rollout *);
void rollout_written(struct rollout *);

/* NULL when there is none. */
struct client_row *rollout_client(struct rollout *, const char *name);
void rollout_touch(struct rollout *, const struct client_row *);

/* The newest wave that is not over; NULL: none. */
struct wave_row *rollout_wave(struct rollout *);
unsigned rollout_count(const struct rollout *, enum client_state);
unsigned rollout_active(const struct rollout *);

/* The only ways to change a state. What is not in the table of legal
 * transitions is refused with ERR_REFUSED; staying where one is succeeds and
 * records nothing. REASON may be "". */
int rollout_set_state(struct rollout *, enum rollout_state to, int64_t now_us,
	const char *who, const char *reason, struct err *);
int wave_set_state(struct rollout *, struct wave_row *, enum wave_state to,
	int64_t now_us, const char *who, const char *reason, struct err *);
int client_set_state(struct rollout *, struct client_row *,
	enum client_state to, int64_t now_us, const char *who,
	const char *reason, struct err *);

/* Give the client's agent a new command; it is obeyed once. */
void client_command(struct rollout *, struct client_row *, enum command);

/* An attempt ended badly: a later wave tries again, or the client gives up
 * when it may not or has no retry left. */
void client_fail(struct rollout *, struct client_row *, bool retryable,
	int64_t now_us, const char *reason);

/* Seconds for all that CLIENT holds at BYTES_S or at its own line's speed,
 * whichever is slower; 0: not known. */
double client_predicted_s(const struct client_row *, double bytes_s);

/* ---- agents */

/* A new agent for CLIENT; one it had is forgotten. */
void rollout_enrolled(struct rollout *, struct client_row *,
	const struct enroll *, const char *agent, int64_t now_us);

/* A report that was not counted before. */
void rollout_report(struct rollout *, struct client_row *,
	const struct report *, int64_t now_us);

/* ---- waves */

struct wave_order {
	enum wave_kind kind;
	unsigned batch_size;
	unsigned clients; /* 0: steps.wave times batch size */
	bool barrier;
	bool explore; /* typical mailboxes; ends when the size was seen */
};

/* Plan and start a wave. ERR_REFUSED says why not now: another one runs, the
 * rollout is paused, no client is ready. */
int rollout_begin_wave(struct rollout *, const struct wave_order *,
	int64_t now_us, const char *who, struct err *);

/* What the second brought; see judge.h for what is measured. */
struct rollout_inputs {
	int64_t now_us;
	int minute;	       /* local, of the day */
	bool preflight_ready;  /* the server may be loaded now */
	const char *not_ready; /* else why */
	bool refused;	       /* and that is worth an event */
	bool hopeless;	       /* and it will not be by waiting alone */
	const char *hold;      /* start nothing because; NULL: go on */
	const char *cut;       /* end the wave now because; NULL: no */
	const char *stop;      /* pause the rollout because; NULL: no */
	unsigned pause_newest; /* how many syncs the brake wants still */
	unsigned n_observed;   /* largest number of syncs seen so far */
	double sync_bytes_s;   /* of one sync lately; 0: not known */
	struct judge_measured measured; /* of the current wave */
};

/* One second: silence, stalls, admission, gates, the end. */
void rollout_tick(struct rollout *, const struct rollout_inputs *);

/* Give every client its rate: the least of its line, limits.rate and, while
 * FLEET_BYTES_S (0: none) caps them all together, its share of that. What a
 * slow line leaves goes to the others; who is paused has no share. */
void rollout_share_rate(struct rollout *, uint64_t fleet_bytes_s);

/* ---- what a person may do; all may be repeated */
int rollout_pause(struct rollout *, int64_t now_us, const char *who,
	const char *reason, struct err *);
int rollout_resume(struct rollout *, bool force, int64_t now_us,
	const char *who, struct err *);

/* Open the gate; SKIP, if not NULL, is why a gate that did not pass is
 * opened all the same, and is recorded. */
int rollout_promote(struct rollout *, const char *skip, int64_t now_us,
	const char *who, struct err *);
int rollout_abort(struct rollout *, bool kill, int64_t now_us, const char *who,
	struct err *);
int rollout_exclude(struct rollout *, const char *client, const char *reason,
	int64_t now_us, const char *who, struct err *);
int rollout_include(struct rollout *, const char *client, int64_t now_us,
	const char *who, struct err *);

/* CLIENT NULL: all that failed or gave up. *COUNT: how many. */
int rollout_retry(struct rollout *, const char *client, int64_t now_us,
	const char *who, unsigned *count, struct err *);

#endif
