/*
 * recommend_bench.c - what one recommendation costs on a long rollout: COUNT
 * buckets (10^6, two months of 5 s) of 48 levels, with canary and exporter.
 * Prints one JSON object: the best of several runs in CPU milliseconds, and
 * as a multiple of one pass that only sums the same buckets. Usage:
 * recommend_bench [COUNT].
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "alloc.h"
#include "random.h"
#include "recommend.h"

#define RUNS   7
#define LEVELS 48
#define STEADY 40   /* buckets at one n */
#define WAVE   3000 /* buckets */

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void fill(struct bucket *bucket, size_t count)
{
	uint64_t random = 5;

	for (size_t i = 0; i < count; i++) {
		struct bucket *b = &bucket[i];
		double n = (double)(1 + i / STEADY % LEVELS);
		double noise = 1 + 0.05 * random_normal(&random);
		int64_t us[5];
		bucket_init(b, (double)i * 5, 5);
		b->n = b->active = (float)n;
		b->wave = (uint32_t)(1 + i / WAVE);
		b->x_mb_min = (float)(noise * n /
			(0.02 + 0.0005 * (n - 1) + 0.00002 * n * (n - 1)));
		for (int p = 0; p < 5; p++)
			us[p] = (int64_t)((40 + n) * 1000 *
				(1 + 0.2 * random_unit(&random)));
		bucket_set_probes(b, us, 5, 0);
		b->load[LOAD_CPU] = b->load[LOAD_NIC] = (float)(0.01 * n);
		b->load[LOAD_MEM_AVAILABLE] = 0.5F;
		b->load[LOAD_DISK_READ_AWAIT] = 2;
	}
}

/* Reading them is the least that anything can cost. */
static double one_pass(const struct bucket *bucket, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)bucket[i].x_mb_min +
			(double)bucket[i].load[LOAD_CPU];
	return sum;
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	struct bucket *bucket = xcalloc(count + 1, sizeof(*bucket));
	struct recommendation *out = xcalloc(1, sizeof(*out));
	struct recommend_facts facts = {.wave_slots = LEVELS,
		.admitted = 100,
		.done = 100,
		.clients_left = 500,
		.canary = true,
		.exporter = true};
	double best = 1e9;
	double pass = 1e9;
	double sum = 0;

	fill(bucket, count);
	if (count)
		facts.wave = bucket[count - 1].wave;
	for (int i = 0; i < RUNS; i++) {
		double start = cpu_ms();
		sum += one_pass(bucket, count);
		double middle = cpu_ms();
		recommend(
			out, bucket, count, &facts, &recommend_policy_default);
		double end = cpu_ms();
		pass = middle - start < pass ? middle - start : pass;
		best = end - middle < best ? end - middle : best;
	}
	printf("{\"buckets\": %zu, \"cpu_ms\": %.1f, \"passes\": %.1f, "
	       "\"batch_size\": %u, \"check\": %.0f}\n",
		count, best, best / pass, out->batch_size, sum);
	free(out);
	free(bucket);
	return 0;
}
