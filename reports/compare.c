/*
 * compare.c - gather_comparison(): what each wave moved, at what n, and what
 * it cost the waiting users, so that waves can be seen side by side. Pure.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "archived.h"
#include "findings.h"
#include "gather.h"
#include "hist.h"
#include "levels.h"
#include "recommend.h"

static int ascending(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static double median_speed(const struct findings *findings, unsigned wave)
{
	double *speeds = xcalloc(findings->client_count + 1, sizeof(*speeds));
	double median = NAN;
	size_t count = 0;

	for (size_t i = 0; i < findings->client_count; i++)
		if (findings->clients[i].wave == wave &&
			findings->clients[i].mb_min > 0)
			speeds[count++] = findings->clients[i].mb_min;
	qsort(speeds, count, sizeof(*speeds), ascending);
	if (count)
		median = (speeds[(count - 1) / 2] + speeds[count / 2]) / 2;
	free(speeds);
	return median;
}

/* The buckets of WAVE, for free(). */
static struct bucket *buckets_of(
	const struct findings *findings, unsigned wave, size_t *count)
{
	struct bucket *own = xcalloc(findings->bucket_count + 1, sizeof(*own));

	*count = 0;
	for (size_t i = 0; i < findings->bucket_count; i++)
		if (findings->buckets[i].wave == wave)
			own[(*count)++] = findings->buckets[i];
	return own;
}

static void take_rate(struct finding_wave *wave, const struct bucket *buckets,
	size_t bucket_count)
{
	struct levels *levels = levels_new(
		buckets, bucket_count, &level_policy_default);
	size_t count;
	const struct level *rows = levels_rows(levels, &count);
	double seconds = 0;

	wave->n = wave->n_mb_min = NAN;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].n == 0 || rows[i].seconds < seconds)
			continue;
		seconds = rows[i].seconds;
		wave->n = rows[i].n;
		wave->n_mb_min = rows[i].x_mb_min;
	}
	levels_free(levels);
}

static double probes_p95_ms(const struct bucket *buckets, size_t count)
{
	struct hist *hist = xcalloc(1, sizeof(*hist));
	double p95_us;

	hist_clear(hist);
	for (size_t i = 0; i < count; i++)
		for (uint32_t p = 0; p < buckets[i].probes_kept; p++)
			hist_add_bin(hist, buckets[i].probe[p], 1);
	p95_us = hist_quantile_us(hist, 0.95);
	free(hist);
	return p95_us / 1000;
}

static unsigned brakes_in(
	const struct finding_wave *wave, const struct archived *archived)
{
	unsigned count = 0;

	for (size_t i = 0; i < archived->event_count; i++) {
		const struct event_row *row = &archived->events[i];

		count += strcmp(row->subject, "brake") == 0 &&
			row->at_us >= wave->from_us &&
			(!wave->to_us || row->at_us <= wave->to_us);
	}
	return count;
}

/* The last recommendation that knew WAVE as the last. */
static void take_advice(
	struct finding_wave *wave, const struct archived *archived)
{
	const struct recommendation_row *last = NULL;

	for (size_t i = 0; i < archived->advice_count; i++)
		if (archived->advice[i].wave == wave->number)
			last = &archived->advice[i];
	if (!last)
		return;
	wave->advised = last->batch_size;
	wave->limit = gather_limit(last->binding);
}

void gather_comparison(
	struct findings *findings, const struct archived *archived)
{
	for (size_t i = 0; i < findings->wave_count; i++) {
		struct finding_wave *wave = &findings->waves[i];
		size_t count;
		struct bucket *own = buckets_of(findings, wave->number, &count);

		take_rate(wave, own, count);
		wave->canary_p95_ms = probes_p95_ms(own, count);
		wave->median_mb_min = median_speed(findings, wave->number);
		wave->brakes = brakes_in(wave, archived);
		take_advice(wave, archived);
		free(own);
	}
}
