/*
 * backoff.h - when to try again after a failure, and when to give up.
 *
 * Decorrelated jitter: each wait is uniform between the shortest wait and
 * three times the previous one, capped, so that many agents that lost the
 * same server do not come back together. A wait that the server names is
 * the least we stay away. Errors that a person must remove stop at once.
 * Pure; seeded, hence repeatable.
 */
#ifndef SLUICE_BACKOFF_H
#define SLUICE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct err;

struct backoff {
	int64_t base_us;
	int64_t cap_us;
	unsigned limit; /* failures in a row before giving up; 0: never */
	unsigned failures;
	int64_t last_us;
	uint64_t random;
};

/* SEED may be anything, equal seeds give equal waits. */
void backoff_init(struct backoff *backoff, int64_t base_us, int64_t cap_us,
	unsigned limit, uint64_t seed);

/* Something was achieved: the next failure counts as the first. */
void backoff_reset(struct backoff *backoff);

/* After the failure ERR: true and the time to wait, or false to give up. */
bool backoff_next(
	struct backoff *backoff, const struct err *err, int64_t *wait_us);

#endif
