/*
 * kept.h - the rollout's buckets in memory, in order of time.
 *
 * What the archive holds, for the recommendation and for the questions that
 * are asked every second. Pure; owned by the gauge.
 */
#ifndef SLUICE_KEPT_H
#define SLUICE_KEPT_H

#include "bucket.h"

#define KEPT_N_MAX 4096

struct kept {
	struct bucket *rows;
	size_t count, capacity;
	double seconds_at[KEPT_N_MAX]; /* of usable ones with so many syncs */
};

void kept_free(struct kept *kept);

/* Adds BUCKET, or replaces the one that starts when it does. */
void kept_put(struct kept *kept, const struct bucket *bucket);

/* The largest n with at least SECONDS of usable data; 0: none. */
unsigned kept_observed(const struct kept *kept, double seconds);

/* Usable seconds of WAVE in which BATCH syncs were active, all but a tenth
 * of them at least: large batches are rarely full. */
double kept_seen_s(const struct kept *kept, unsigned wave, unsigned batch);

/* MB/min of one sync in the newest minutes that tell; 0: nothing does. */
double kept_sync_mb_min(const struct kept *kept);

#endif
