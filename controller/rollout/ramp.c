/*
 * ramp.c - see ramp.h.
 *
 * Asked by waves.c for a rollout and by controller/simulate for the study.
 * Pure; any thread.
 */
#include "ramp.h"

#define TAIL_SHARE 0.5 /* of the time that all of them take */

bool ramp_is_due(unsigned active, unsigned peak, int64_t grown_us,
	int64_t stagger_us, int64_t now_us)
{
	return active < peak || grown_us == 0 ||
		now_us - grown_us >= stagger_us;
}

void ramp_started(
	unsigned active, unsigned *peak, int64_t *grown_us, int64_t now_us)
{
	/* A replacement does not put off the next growth. */
	if (active <= *peak)
		return;
	*peak = active;
	*grown_us = now_us;
}

bool ramp_tail_is_long(double left, double largest, unsigned slots)
{
	return largest * slots > TAIL_SHARE * left;
}
