/*
 * meter.h - how far a synchronisation is, how fast, and for how long still.
 *
 * The speed is the mean of the last half minute, so that it follows a server
 * that slows down without jumping at every window. Pure: the caller brings
 * the clock; owned by one thread.
 */
#ifndef SLUICE_METER_H
#define SLUICE_METER_H

#include <stdbool.h>
#include <stdint.h>

#define METER_SLOTS 32

struct meter {
	struct {
		int64_t at_us;
		uint64_t bytes;
	} slots[METER_SLOTS]; /* a ring, one entry a second */
	unsigned first;
	unsigned count;
	uint64_t done_bytes;
	uint64_t total_bytes;
};

/* DONE of TOTAL bytes at NOW; a step back in DONE starts afresh. */
void meter_update(struct meter *meter, int64_t now_us, uint64_t done_bytes,
	uint64_t total_bytes);

/* 0 until there are two points in time. */
double meter_mb_min(const struct meter *meter);

/* 0 to 1; 0 while no total is known, 1 only when all is there. */
double meter_fraction(const struct meter *meter);

/* False while the speed is unknown or nothing moves. */
bool meter_eta_us(const struct meter *meter, int64_t *eta_us);

/* MB per minute of BYTES in US microseconds; 0 for no time. */
double mb_per_minute(uint64_t bytes, int64_t us);

#endif
