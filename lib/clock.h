/*
 * clock.h - the two clocks, in microseconds.
 *
 * Durations and deadlines use the monotonic clock; only what a person reads
 * or another machine compares uses wall time. Any thread.
 */
#ifndef SLUICE_CLOCK_H
#define SLUICE_CLOCK_H

#include <stdint.h>

#define US_PER_S  INT64_C(1000000)
#define US_PER_MS INT64_C(1000)

/* Never goes back, says nothing across a reboot. */
int64_t clock_monotonic_us(void);

/* Since 1970-01-01 UTC; may jump. */
int64_t clock_wall_us(void);

/* "2026-03-01T12:00:00Z"; TEXT holds at least 32 bytes. Returns TEXT. */
char *clock_format_utc(int64_t wall_us, char *text);

void clock_sleep_us(int64_t us);

#endif
