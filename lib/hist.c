/*
 * hist.c - log-linear histograms of latencies.
 *
 * Used by the canary, by pooled percentiles of the model and by reports.
 * Pure; owned by one thread at a time.
 */
#include "hist.h"

#include <math.h>
#include <string.h>

#define LINEAR (2U << HIST_SUB_BITS) /* bins of one microsecond */

unsigned hist_bin(int64_t us)
{
	if (us < 0)
		us = 0;
	if (us < (int64_t)LINEAR)
		return (unsigned)us;
	unsigned top = 63 - (unsigned)__builtin_clzll((uint64_t)us);
	unsigned shift = top - HIST_SUB_BITS;
	unsigned bin = ((shift + 1) << HIST_SUB_BITS) +
		(unsigned)((us >> shift) & ((1 << HIST_SUB_BITS) - 1));

	return bin < HIST_BINS ? bin : HIST_BINS - 1;
}

double hist_bin_us(unsigned bin)
{
	if (bin < LINEAR)
		return bin;
	unsigned shift = (bin >> HIST_SUB_BITS) - 1;
	unsigned sub = bin & ((1 << HIST_SUB_BITS) - 1);
	double low = ldexp((1 << HIST_SUB_BITS) + (int)sub, (int)shift);

	return low + (ldexp(1, (int)shift) - 1) / 2;
}

void hist_clear(struct hist *hist)
{
	memset(hist, 0, sizeof(*hist));
}

static void extend(struct hist *hist, int64_t min_us, int64_t max_us)
{
	if (hist->count == 0 || min_us < hist->min_us)
		hist->min_us = min_us;
	if (hist->count == 0 || max_us > hist->max_us)
		hist->max_us = max_us;
}

void hist_add(struct hist *hist, int64_t us)
{
	if (us < 0)
		us = 0;
	extend(hist, us, us);
	hist->bin[hist_bin(us)]++;
	hist->count++;
}

void hist_add_bin(struct hist *hist, unsigned bin, uint32_t count)
{
	if (count == 0)
		return;
	if (bin >= HIST_BINS)
		bin = HIST_BINS - 1;
	int64_t us = (int64_t)hist_bin_us(bin);
	extend(hist, us, us);
	hist->bin[bin] += count;
	hist->count += count;
}

double hist_quantile_bins(const uint32_t *bins, double share)
{
	uint64_t count = 0;
	uint64_t seen = 0;
	unsigned last = 0;

	for (unsigned i = 0; i < HIST_BINS; i++)
		count += bins[i];
	uint64_t rank = (uint64_t)ceil(share * (double)count);
	for (unsigned i = 0; i < HIST_BINS && (seen < rank || !seen); i++) {
		seen += bins[i];
		last = i;
	}
	return count ? hist_bin_us(last) : NAN;
}

double hist_quantile_us(const struct hist *hist, double share)
{
	double us = hist_quantile_bins(hist->bin, share);

	/* fmin() and fmax() would turn NAN into a number. */
	if (isnan(us))
		return NAN;
	if (share >= 1)
		return (double)hist->max_us;
	return fmin(fmax(us, (double)hist->min_us), (double)hist->max_us);
}
