/*
 * moments.c - gather_moments(): the time series of a report. Pure.
 *
 * Windows as long as a bucket, or longer when a rollout has more than
 * MOMENT_MAX of them. The canary's percentiles look back over PROBE_SPAN_US,
 * for a window alone has too few probes to tell a p95.
 */
#include <math.h>
#include <stdlib.h>

#include "alloc.h"
#include "archived.h"
#include "findings.h"
#include "gather.h"

#define MOMENT_MAX    600
#define BUCKET_US     INT64_C(5000000)
#define PROBE_SPAN_US INT64_C(30000000)
#define PROBE_MIN     5

/* Running means; counts apart because not everything is always measured. */
struct sums {
	double sum[10];
	unsigned count[10];
};

enum sum_index {
	SUM_N,
	SUM_X,
	SUM_CPU,
	SUM_IOWAIT,
	SUM_WRITE_AWAIT,
	SUM_READ_AWAIT,
	SUM_QUEUE,
	SUM_READ,
	SUM_WRITE,
	SUM_NET,
};

static void add(struct sums *sums, enum sum_index index, double value)
{
	if (!isfinite(value))
		return;
	sums->sum[index] += value;
	sums->count[index]++;
}

static double mean(const struct sums *sums, enum sum_index index)
{
	return sums->count[index] ? sums->sum[index] / sums->count[index] : NAN;
}

static void add_load(struct sums *sums, const struct load_row *row)
{
	add(sums, SUM_CPU, (double)row->load[LOAD_CPU]);
	add(sums, SUM_IOWAIT, (double)row->load[LOAD_CPU_IOWAIT]);
	add(sums, SUM_WRITE_AWAIT, (double)row->load[LOAD_DISK_WRITE_AWAIT]);
	add(sums, SUM_READ_AWAIT, (double)row->load[LOAD_DISK_READ_AWAIT]);
	add(sums, SUM_QUEUE, (double)row->load[LOAD_DISK_QUEUE]);
	add(sums, SUM_READ, (double)row->load[LOAD_DISK_READ_MB_S]);
	add(sums, SUM_WRITE, (double)row->load[LOAD_DISK_WRITE_MB_S]);
	add(sums, SUM_NET, (double)row->load[LOAD_NET_TX_MB_S]);
}

/* Index of the window, or -1 outside the report's time. */
static long window_of(
	const struct findings *findings, int64_t at_us, int64_t width_us)
{
	if (at_us < findings->from_us || at_us >= findings->to_us)
		return -1;
	return (long)((at_us - findings->from_us) / width_us);
}

static int by_value(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static double quantile(const double *sorted, size_t count, double share)
{
	size_t index = (size_t)ceil(share * (double)count);

	return sorted[index ? index - 1 : 0];
}

/* Probes are in order of time; *FIRST moves with the window. */
static void probe_window(struct finding_moment *moment,
	const struct archived *archived, size_t *first, double *latencies)
{
	int64_t end_us = moment->at_us + moment->width_us;
	int64_t start_us = end_us -
		(moment->width_us > PROBE_SPAN_US ? moment->width_us
						  : PROBE_SPAN_US);
	size_t count = 0;

	while (*first < archived->probe_count &&
		archived->probes[*first].start_us < start_us)
		(*first)++;
	for (size_t i = *first; i < archived->probe_count; i++) {
		const struct probe_row *row = &archived->probes[i];

		if (row->start_us >= end_us)
			break;
		moment->probes++;
		if (row->latency_us >= 0)
			latencies[count++] = (double)row->latency_us / 1e3;
		else
			moment->probe_failures++;
	}
	moment->p50_ms = moment->p95_ms = moment->p99_ms = NAN;
	if (count < PROBE_MIN)
		return;
	qsort(latencies, count, sizeof(*latencies), by_value);
	moment->p50_ms = quantile(latencies, count, 0.50);
	moment->p95_ms = quantile(latencies, count, 0.95);
	moment->p99_ms = quantile(latencies, count, 0.99);
}

static void fill_sums(struct sums *sums, const struct findings *findings,
	const struct archived *archived, int64_t width_us)
{
	for (size_t i = 0; i < archived->bucket_count; i++) {
		const struct bucket *row = &archived->buckets[i];
		double middle_s = row->start_s + (double)row->seconds / 2;
		long at = window_of(
			findings, (int64_t)(middle_s * 1e6), width_us);

		if (at < 0)
			continue;
		add(&sums[at], SUM_N, (double)row->n);
		add(&sums[at], SUM_X, (double)row->x_mb_min);
	}
	for (size_t i = 0; i < archived->load_count; i++) {
		long at = window_of(
			findings, archived->loads[i].at_us, width_us);

		if (at >= 0)
			add_load(&sums[at], &archived->loads[i]);
	}
}

static void put_moment(struct findings *findings, const struct sums *sums,
	int64_t at_us, int64_t width_us)
{
	struct finding_moment *moment = findings_add(
		&findings->moments, &findings->moment_count, sizeof(*moment));

	moment->at_us = at_us;
	moment->width_us = width_us;
	moment->n = mean(sums, SUM_N);
	moment->mb_min = mean(sums, SUM_X);
	moment->cpu = mean(sums, SUM_CPU);
	moment->iowait = mean(sums, SUM_IOWAIT);
	moment->write_await_ms = mean(sums, SUM_WRITE_AWAIT);
	moment->read_await_ms = mean(sums, SUM_READ_AWAIT);
	moment->queue = mean(sums, SUM_QUEUE);
	moment->read_mb_s = mean(sums, SUM_READ);
	moment->write_mb_s = mean(sums, SUM_WRITE);
	moment->net_mb_s = mean(sums, SUM_NET);
}

void gather_moments(struct findings *findings, const struct archived *archived)
{
	int64_t span_us = findings->to_us - findings->from_us;
	int64_t width_us = BUCKET_US;
	double *latencies;
	struct sums *sums;
	size_t count, first = 0;

	if (!findings->from_us)
		return;
	if (span_us / width_us >= MOMENT_MAX)
		width_us = (span_us / MOMENT_MAX / BUCKET_US + 1) * BUCKET_US;
	count = (size_t)(span_us / width_us) + 1;
	sums = xcalloc(count, sizeof(*sums));
	latencies = xcalloc(archived->probe_count + 1, sizeof(*latencies));
	fill_sums(sums, findings, archived, width_us);
	for (size_t i = 0; i < count; i++) {
		put_moment(findings, &sums[i],
			findings->from_us + (int64_t)i * width_us, width_us);
		probe_window(
			&findings->moments[i], archived, &first, latencies);
	}
	free(latencies);
	free(sums);
}
