/*
 * recommend_world.h - invented buckets and what is said of them, for the
 * tests of recommend().
 */
#ifndef SLUICE_RECOMMEND_WORLD_H
#define SLUICE_RECOMMEND_WORLD_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "random.h"
#include "recommend.h"

#define PER_LEVEL 36 /* buckets: three minutes */
#define MOST	  4096
static struct bucket bucket[MOST];
static size_t count;
static struct recommend_facts facts;
static struct recommendation out;

static inline int setup(void **state)
{
	(void)state;
	count = 0;
	memset(&facts, 0, sizeof(facts));
	facts.clients_left = 200;
	return 0;
}

/* PER_LEVEL buckets at N, with a little noise. */
static inline void add(unsigned wave, unsigned n, double x)
{
	uint64_t random = wave * 1000 + n;

	for (int i = 0; i < PER_LEVEL; i++, count++) {
		struct bucket *b = &bucket[count];
		bucket_init(b, (double)count * 5, 5);
		b->wave = wave;
		b->n = b->active = (float)n;
		b->x_mb_min = (float)(x * (1 + 0.02 * random_normal(&random)));
	}
}

static inline void add_table(const double *x, unsigned levels)
{
	for (unsigned n = 1; n <= levels; n++)
		add(n == 1 ? 1 : 2, n, x[n - 1]);
	facts.wave = 2;
	facts.wave_slots = levels;
	facts.admitted = facts.done = levels;
}

static inline void decide(void)
{
	recommend(&out, bucket, count, &facts, &recommend_policy_default);
	assert_true(out.batch_size >= 1);
	assert_true(out.reason_count > 0);
}

static inline void assert_says(const char *text)
{
	for (unsigned i = 0; i < out.reason_count; i++)
		if (strstr(out.reasons[i], text))
			return;
	for (unsigned i = 0; i < out.reason_count; i++)
		print_message("%s\n", out.reasons[i]);
	fail_msg("no reason says \"%s\"", text);
}

static inline void set_load(unsigned n, enum load_metric metric, double value)
{
	for (size_t i = 0; i < count; i++)
		if (bucket[i].n == (float)n)
			bucket[i].load[metric] = (float)value;
}

static const double rising[] = {52, 101, 141, 172, 193};

static inline void probes(unsigned n, double p95_ms)
{
	for (size_t i = 0; i < count; i++) {
		int64_t us[5];
		if (bucket[i].n != (float)n)
			continue;
		for (int p = 0; p < 5; p++)
			us[p] = (int64_t)(p95_ms * 1000);
		bucket_set_probes(&bucket[i], us, 5, 0);
	}
}

#endif
