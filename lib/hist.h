/*
 * hist.h - latencies in log-linear bins: small, mergeable, exact to 1.6 %.
 *
 * Bins are 1 us wide up to 64 us; from there each doubling has 32 bins, up
 * to 2^42 us; longer goes to the last bin. Histograms merge, averages do
 * not. Plain data of fixed size; owned by one thread at a time.
 */
#ifndef SLUICE_HIST_H
#define SLUICE_HIST_H

#include <stdint.h>

#define HIST_SUB_BITS 5
#define HIST_BINS     1216

struct hist {
	uint32_t bin[HIST_BINS];
	uint64_t count;
	int64_t min_us, max_us; /* exact; of nothing: 0 */
};

/* The bin of a latency; negative counts as 0. */
unsigned hist_bin(int64_t us);

/* Middle of a bin, in microseconds. */
double hist_bin_us(unsigned bin);

void hist_clear(struct hist *hist);
void hist_add(struct hist *hist, int64_t us);

/* Adds what is only known to its bin. */
void hist_add_bin(struct hist *hist, unsigned bin, uint32_t count);

/* The latency that SHARE (0..1) of all do not exceed; NAN of nothing. */
double hist_quantile_us(const struct hist *hist, double share);

/* The same of bare counts, HIST_BINS of them. */
double hist_quantile_bins(const uint32_t *bins, double share);

#endif
