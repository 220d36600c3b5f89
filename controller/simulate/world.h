/*
 * world.h - one rollout on one simulated server, in steps of 5 s.
 *
 * The world moves the clients that a policy lets run, makes the noise, and
 * reports what the real controller would see: buckets and probes. A policy
 * sees nothing else. Deterministic from its seed; one thread.
 */
#ifndef SLUICE_WORLD_H
#define SLUICE_WORLD_H

#include "brake.h"
#include "bucket.h"
#include "server.h"

#define WORLD_STEP_S	  5
#define WORLD_STEP_PROBES 5

enum world_order {
	WORLD_RANDOM, /* as the clients come */
	WORLD_LONGEST /* largest mailboxes first */
};

struct world; /* opaque */

/* What a policy may know; the counts are of clients. */
struct world_view {
	double now_s;
	unsigned active; /* syncs running, paused ones not */
	unsigned started, done, total;
	double x_mb_min; /* of the last step */
	const struct bucket *buckets;
	size_t bucket_count;
	double p95_recent_ms; /* of the last 60 probes */
};

struct world_result {
	double makespan_s;
	double above_slo; /* share of the time, by the true p95 */
	double worst;	  /* largest true p95 over the SLO */
	double overload;  /* time average of max(0, n / n_opt - 1) */
};

struct world *world_new(const struct server *server, unsigned clients,
	enum world_order order, uint64_t seed);
void world_free(struct world *world);

void world_look(const struct world *world, struct world_view *view);

/* What is left of those not yet done, MB: all, and the largest. */
void world_left(const struct world *world, double *mb_left, double *largest);

/* What holds until it is said otherwise: syncs to keep active, seconds
 * between two starts, the wave for the buckets, how many active ones are known
 * ground (beyond them WORLD_LONGEST starts typical sizes), and the brake's
 * order. */
void world_set(struct world *world, unsigned slots, double stagger_s,
	unsigned wave, unsigned known, const struct brake_order *brake);

/* Adds an idle stretch before the first start. */
void world_idle(struct world *world, unsigned steps);

/* Moves on by one step; false when every client is done. */
bool world_step(struct world *world);

void world_result(const struct world *world, struct world_result *result);

#endif
