/*
 * rate.h - a token bucket that may go into debt.
 *
 * Whoever has moved bytes pays for them afterwards and is told how long to
 * stay quiet, so that a transfer of any size is accepted and the average
 * holds. Pure: the time is an argument. The caller serialises.
 */
#ifndef SLUICE_RATE_H
#define SLUICE_RATE_H

#include <stddef.h>
#include <stdint.h>

struct rate {
	uint64_t bytes_s; /* 0: no limit */
	int64_t level;	  /* bytes that may pass at once; below 0: debt */
	int64_t at_us;	  /* when level was right */
};

/* A change of the rate keeps what was saved up or owed, within the new
 * burst of a quarter of a second. */
void rate_set(struct rate *rate, uint64_t bytes_s, int64_t now_us);

/* Pay for BYTES; returns for how many microseconds nothing more may pass. */
int64_t rate_pay(struct rate *rate, size_t bytes, int64_t now_us);

/* The largest piece to move at once: a twentieth of a second, at least one
 * packet; WANTED without a limit. */
size_t rate_chunk(const struct rate *rate, size_t wanted);

#endif
