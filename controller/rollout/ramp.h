/*
 * ramp.h - when one more sync may start.
 *
 * Slots that others have left are refilled at once: the server has borne as
 * many before. Growth beyond the most that were active in this wave waits
 * for the stagger since the last growth. The study of controller/simulate
 * asks the same function. Pure; any thread.
 */
#ifndef SLUICE_RAMP_H
#define SLUICE_RAMP_H

#include <stdbool.h>
#include <stdint.h>

/* One is due at NOW_US while ACTIVE run, PEAK were the most at once, and the
 * last growth was at GROWN_US; 0: none yet. */
bool ramp_is_due(unsigned active, unsigned peak, int64_t grown_us,
	int64_t stagger_us, int64_t now_us);

/* ACTIVE with the one that has started. */
void ramp_started(
	unsigned active, unsigned *peak, int64_t *grown_us, int64_t now_us);

#endif
