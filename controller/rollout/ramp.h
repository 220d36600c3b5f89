/*
 * ramp.h - when one more sync may start, and how large a mailbox.
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

/* Whether the largest mailbox, at its share of SLOTS, decides when all that is
 * LEFT is done (Graham's bound); then it must not wait for the end of a
 * trial. Both in the same unit. */
bool ramp_tail_is_long(double left, double largest, unsigned slots);

#endif
