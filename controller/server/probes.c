/* probes.c - see probes.h. Pure. */
#include "probes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "clock.h"

#define WINDOW_US      (30 * US_PER_S)
#define RECENT_MIN     5
#define IDLE_MIN       10
#define FAILURE_AGE_US (60 * US_PER_S)

static int compare(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Sorts VALUES. */
static double p95_ms(int64_t *values, size_t count)
{
	size_t rank = (size_t)ceil(0.95 * (double)count);

	qsort(values, count, sizeof(*values), compare);
	return (double)values[rank - 1] / US_PER_MS;
}

void probes_wave(struct probes *probes, int64_t now_us)
{
	probes->wave_us = probes->window_us = now_us;
	probes->window_count = probes->window_above = 0;
	probes->windows = probes->windows_above = 0;
	probes->count = probes->failed = 0;
}

static bool is_window(const struct probes *probes)
{
	return probes->window_count >= RECENT_MIN;
}

/* More of its probes are than chance explains. */
static bool is_above(const struct probes *probes)
{
	return probes->window_above > chance_most(probes->window_count);
}

static void close_window(struct probes *probes, int64_t now_us)
{
	if (now_us - probes->window_us < WINDOW_US)
		return;
	if (is_window(probes)) {
		probes->windows++;
		probes->windows_above += is_above(probes);
	}
	probes->window_count = probes->window_above = 0;
	probes->window_us = now_us;
}

void probes_add_idle(struct probes *probes, int64_t latency_us)
{
	probes->idle_us[probes->idle_next] = latency_us;
	probes->idle_next = (probes->idle_next + 1) % PROBES_IDLE;
	if (probes->idle_count < PROBES_IDLE)
		probes->idle_count++;
}

void probes_add(struct probes *probes, int64_t start_us, int64_t latency_us,
	bool idle, double slo_ms)
{
	probes->recent_us[probes->recent_next] = latency_us;
	probes->recent_at_us[probes->recent_next] = start_us;
	probes->recent_next = (probes->recent_next + 1) % PROBES_RECENT;
	if (probes->recent_count < PROBES_RECENT)
		probes->recent_count++;
	probes->count++;
	probes->failed += latency_us < 0;
	close_window(probes, start_us);
	if (latency_us < 0)
		return;
	if (slo_ms > 0) {
		probes->window_count++;
		probes->window_above += (double)latency_us / US_PER_MS > slo_ms;
	}
	if (idle)
		probes_add_idle(probes, latency_us);
}

double probes_p95_ms(const struct probes *probes)
{
	int64_t good[PROBES_RECENT];
	size_t count = 0;

	for (size_t i = 0; i < probes->recent_count; i++)
		if (probes->recent_us[i] >= 0)
			good[count++] = probes->recent_us[i];
	return count < RECENT_MIN ? NAN : p95_ms(good, count);
}

double probes_idle_p95_ms(const struct probes *probes)
{
	int64_t idle[PROBES_IDLE];

	if (probes->idle_count < IDLE_MIN)
		return NAN;
	memcpy(idle, probes->idle_us, sizeof(idle));
	return p95_ms(idle, probes->idle_count);
}

double probes_failure_share(const struct probes *probes, int64_t now_us)
{
	unsigned count = 0, failed = 0;

	for (size_t i = 0; i < probes->recent_count; i++) {
		if (now_us - probes->recent_at_us[i] > FAILURE_AGE_US)
			continue;
		count++;
		failed += probes->recent_us[i] < 0;
	}
	return count ? (double)failed / count : NAN;
}

unsigned probes_windows(const struct probes *probes, unsigned *above)
{
	if (probes->windows || !is_window(probes)) {
		*above = probes->windows_above;
		return probes->windows;
	}
	*above = is_above(probes);
	return 1;
}

double probes_wave_failures(const struct probes *probes)
{
	return probes->count ? (double)probes->failed / probes->count : NAN;
}
