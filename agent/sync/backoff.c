/*
 * backoff.c - decorrelated jitter over a small generator of our own.
 *
 * Used by the engine between connections and by the control link between
 * requests. Pure, no thread of its own.
 */
#include "backoff.h"

#include "clock.h"
#include "err.h"

/* splitmix64: any seed is good, and equal seeds repeat. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int64_t uniform(uint64_t *state, int64_t low, int64_t high)
{
	uint64_t span = (uint64_t)(high - low) + 1;

	return low + (int64_t)(next_random(state) % span);
}

void backoff_init(struct backoff *backoff, int64_t base_us, int64_t cap_us,
	unsigned limit, uint64_t seed)
{
	*backoff = (struct backoff){
		.base_us = base_us,
		.cap_us = cap_us > base_us ? cap_us : base_us,
		.limit = limit,
		.random = seed,
	};
	backoff_reset(backoff);
}

void backoff_reset(struct backoff *backoff)
{
	backoff->failures = 0;
	backoff->last_us = backoff->base_us;
}

bool backoff_next(
	struct backoff *backoff, const struct err *err, int64_t *wait_us)
{
	int64_t high = backoff->last_us;
	int64_t named_us = (int64_t)err->retry_after_s * US_PER_S;
	int64_t wait;

	if (err_retry(err) == ERR_RETRY_NEVER)
		return false;
	backoff->failures++;
	if (backoff->limit && backoff->failures > backoff->limit)
		return false;
	high = high > backoff->cap_us / 3 ? backoff->cap_us : high * 3;
	wait = uniform(&backoff->random, backoff->base_us, high);
	backoff->last_us = wait;
	*wait_us = named_us ? named_us + wait : wait;
	return true;
}
