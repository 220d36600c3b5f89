/* kept.c - see kept.h. Pure. */
#include "kept.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define ROWS   1024
#define FILLED 0.9   /* of the batch */
#define LATELY 60    /* buckets … */
#define LOOKED 20000 /* … among so many */

void kept_free(struct kept *kept)
{
	free(kept->rows);
	*kept = (struct kept){.rows = NULL};
}

static void count_seconds(
	struct kept *kept, const struct bucket *bucket, double sign)
{
	if (bucket_usable(bucket) && bucket->n < KEPT_N_MAX)
		kept->seconds_at[(size_t)bucket->n] += sign *
			(double)bucket->seconds;
}

void kept_put(struct kept *kept, const struct bucket *bucket)
{
	size_t at = kept->count;

	/* A revision is near the end. */
	while (at > 0 && kept->rows[at - 1].start_s > bucket->start_s)
		at--;
	count_seconds(kept, bucket, 1);
	if (at > 0 && kept->rows[at - 1].start_s == bucket->start_s) {
		count_seconds(kept, &kept->rows[at - 1], -1);
		kept->rows[at - 1] = *bucket;
		return;
	}
	if (kept->count == kept->capacity) {
		kept->capacity = kept->capacity ? 2 * kept->capacity : ROWS;
		kept->rows = xrealloc(
			kept->rows, kept->capacity, sizeof(*kept->rows));
	}
	memmove(&kept->rows[at + 1], &kept->rows[at],
		(kept->count - at) * sizeof(*kept->rows));
	kept->rows[at] = *bucket;
	kept->count++;
}

unsigned kept_observed(const struct kept *kept, double seconds)
{
	for (unsigned n = KEPT_N_MAX; n-- > 1;)
		if (kept->seconds_at[n] >= seconds)
			return n;
	return 0;
}

double kept_seen_s(const struct kept *kept, unsigned wave, unsigned batch)
{
	double seconds = 0;

	for (size_t i = kept->count; i-- > 0;) {
		const struct bucket *bucket = &kept->rows[i];

		/* Between two waves buckets belong to none. */
		if (bucket->wave && bucket->wave < wave)
			break;
		if (bucket->wave == wave && bucket_usable(bucket) &&
			(double)bucket->n >= FILLED * batch)
			seconds += (double)bucket->seconds;
	}
	return seconds;
}

double kept_sync_mb_min(const struct kept *kept)
{
	size_t end = kept->count > LOOKED ? kept->count - LOOKED : 0;
	double moved = 0, syncs = 0;
	unsigned rows = 0;

	for (size_t i = kept->count; i > end && rows < LATELY; i--) {
		const struct bucket *bucket = &kept->rows[i - 1];

		if (!bucket_usable(bucket) || !(bucket->n > 0))
			continue;
		moved += (double)bucket->x_mb_min;
		syncs += (double)bucket->n;
		rows++;
	}
	return syncs > 0 ? moved / syncs : 0;
}
