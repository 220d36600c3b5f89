/* levels_test.c - pooling, standard errors, and the bootstrap's spread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "fit.h"
#include "levels.h"
#include "random.h"

#define MANY 200000

static struct bucket bucket[MANY];

static void make(size_t i, unsigned wave, unsigned n, double x)
{
	bucket_init(&bucket[i], (double)i * 5, 5);
	bucket[i].wave = wave;
	bucket[i].n = (float)n;
	bucket[i].x_mb_min = (float)x;
}

static void near_to(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("got %.12g, want %.12g", got, want);
}

/* By hand: mean 101, sd sqrt(2); the floors of 5 % and 3 % rule, and six
 * correlated buckets weigh as much as max(1, 6 * 0.3 / 1.7). */
static void standard_error_has_floors(void **state)
{
	static const double x[] = {100, 102, 100, 102, 99, 103};
	size_t count;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		make(i, 1, 2, x[i]);
	struct levels *levels = levels_new(bucket, 6, &level_policy_default);
	const struct level *row = levels_rows(levels, &count);
	assert_int_equal(count, 1);
	near_to(row->x_mb_min, 101, 1e-9);
	near_to(row->sd, sqrt(2.4), 1e-6);
	double k_eff = fmax(1, 6 * 0.3 / 1.7);
	near_to(row->se, hypot(5.05 / sqrt(k_eff), 3.03), 1e-6);
	assert_true(row->observed); /* 30 s */
	levels_free(levels);
	levels = levels_new(bucket, 5, &level_policy_default);
	assert_int_equal(levels_n_obs(levels), 0); /* 25 s */
	levels_free(levels);
}

static void flags_drop(void **state)
{
	(void)state;
	for (size_t i = 0; i < 20; i++) {
		make(i, 1, 3, 10);
		if (i >= 10) {
			bucket[i].x_mb_min = 1000;
			bucket[i].flags = 1U << (i % BUCKET_FLAGS);
		}
	}
	struct levels *levels = levels_new(bucket, 20, &level_policy_default);
	near_to(levels_find(levels, 3)->x_mb_min, 10, 1e-9);
	assert_int_equal(levels_total(levels), 20);
	assert_int_equal(levels_damaged(levels), 2);
	assert_int_equal(levels_usable(levels), 10);
	levels_free(levels);
}

static void ages_weigh_half(void **state)
{
	(void)state;
	for (size_t i = 0; i < 30; i++)
		make(i, i < 10 ? 1 : i < 20 ? 2 : 3, 4, i < 10 ? 40 : 100);
	struct levels *levels = levels_new(bucket, 30, &level_policy_default);
	near_to(levels_find(levels, 4)->x_mb_min, 80, 1e-9);
	levels_weigh(levels, true);
	near_to(levels_find(levels, 4)->x_mb_min,
		(0.25 * 40 + 0.5 * 100 + 100) / 1.75, 1e-9);
	double x;
	double se;
	assert_true(levels_of_wave(levels, 1, 4, &x, &se));
	near_to(x, 40, 1e-9);
	assert_false(levels_of_wave(levels, 9, 4, &x, &se));
	levels_free(levels);
}

/* The spread of replicates is that of a mean of independent blocks: sd of a
 * bucket over the root of their number. */
static void bootstrap_spread_is_right(void **state)
{
	uint64_t random = 7;
	double sum = 0;
	double sum_squares = 0;

	(void)state;
	for (size_t i = 0; i < 600; i++)
		make(i, 1, 1, 100 + 10 * random_normal(&random));
	struct levels *levels = levels_new(bucket, 600, &level_policy_default);
	for (int b = 0; b < 4000; b++) {
		double x;
		levels_resample(levels, &random, &x);
		sum += x;
		sum_squares += x * x;
	}
	double mean = sum / 4000;
	double sd = sqrt(sum_squares / 4000 - mean * mean);
	near_to(mean, levels_find(levels, 1)->x_mb_min, 0.05);
	/* 50 blocks: their own spread is known to a tenth. */
	near_to(sd, 10 / sqrt(600), 0.12);
	levels_free(levels);
}

static void bootstrap_is_repeatable(void **state)
{
	static struct fit_band a, b;

	(void)state;
	for (size_t i = 0; i < 400; i++) {
		unsigned n = 1 + (unsigned)i / 100;
		make(i, 1, n, 50.0 * n / (1 + 0.05 * n) + (double)(i % 7));
	}
	struct levels *levels = levels_new(bucket, 400, &level_policy_default);
	fit_bootstrap(&a, levels, 5);
	fit_bootstrap(&b, levels, 5);
	assert_int_equal(a.count, FIT_REPLICATES);
	assert_memory_equal(&a, &b, sizeof(a));
	fit_bootstrap(&b, levels, 6);
	assert_memory_not_equal(&a, &b, sizeof(a));
	levels_free(levels);
}

/* More data than blocks: they are merged, the means stay. */
static void many_buckets_cost_little(void **state)
{
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		make(i, (unsigned)(i / 20000), 1 + (unsigned)(i % 50000) / 5000,
			200);
	struct levels *levels = levels_new(bucket, MANY, &level_policy_default);
	double x[16];
	uint64_t random = 1;
	levels_resample(levels, &random, x);
	for (int i = 0; i < 10; i++)
		near_to(x[i], 200, 1e-6);
	levels_free(levels);
}

static void pooled_percentiles(void **state)
{
	size_t count;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		int64_t us[5];
		make(i, 1, 2, 50);
		for (int p = 0; p < 5; p++)
			us[p] = 1000 * (int64_t)(1 + (i * 5 + (size_t)p) % 100);
		bucket_set_probes(&bucket[i], us, 5, 1);
	}
	struct levels *levels = levels_new(bucket, 100, &level_policy_default);
	const struct level *row = levels_rows(levels, &count);
	assert_int_equal(row->probes, 600);
	assert_int_equal(row->failures, 100);
	near_to(row->p95_ms, 95, 95 * 0.017);
	levels_free(levels);
	levels = levels_new(bucket, 2, &level_policy_default);
	assert_true(isnan(levels_find(levels, 2)->p95_ms)); /* 10 probes */
	levels_free(levels);
}

/* Only a p95 for each bucket, of five probes: the largest. Their mean is not
 * the p95 of all, by far. */
static void p95s_of_few_probes_are_no_p95(void **state)
{
	uint64_t random = 11;
	size_t count;

	(void)state;
	for (size_t i = 0; i < 6000; i++) {
		double most = 0;
		make(i, 1, 1 + (unsigned)(i / 3000), 50);
		bucket[i].probes = i < 3000 ? 5 : 40;
		double latency[40];
		for (unsigned p = 0; p < bucket[i].probes; p++)
			latency[p] = 20 + 30 * random_exponential(&random);
		/* The r-th smallest: the largest of 5, the third of 40. */
		for (unsigned r = 0; r < (i < 3000 ? 1 : 3); r++) {
			unsigned at = 0;
			for (unsigned p = 1; p < bucket[i].probes; p++)
				if (latency[p] > latency[at])
					at = p;
			most = latency[at];
			latency[at] = 0;
		}
		bucket[i].p95_ms = (float)most;
	}
	struct levels *levels = levels_new(bucket, 6000, &level_policy_default);
	const struct level *row = levels_rows(levels, &count);
	double truth = 20 - 30 * log(0.05);
	near_to(row[0].p95_ms, truth, 0.03 * truth);
	near_to(row[1].p95_ms, truth, 0.03 * truth);
	levels_free(levels);
}

static const struct level *two_minutes(size_t count, const double *x)
{
	static struct levels *levels;
	size_t rows;

	for (size_t i = 0; i < count * 24; i++)
		make(i, 1, 1 + (unsigned)i / 24, x[i / 24]);
	levels_free(levels);
	levels = levels_new(bucket, count * 24, &level_policy_default);
	return levels_rows(levels, &rows);
}

/* X is concave up to its largest, so that a level far below its neighbours
 * tells of something else; one that falls beyond does not. */
static void what_no_law_can_reach_is_left_out(void **state)
{
	static const double stall[] = {50, 98, 60, 180, 210, 205};
	static const double slow[] = {40, 200, 290, 370, 440, 200};
	static const double falling[] = {50, 98, 140, 180, 210, 60};
	static const double broken[] = {50, 98, 140, 180, 210, 40};
	const struct level *row = two_minutes(6, stall);

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_true(row[i].left_out == (i == 2));
	/* One client alone is slow: 100 is what the others say. */
	row = two_minutes(6, slow);
	for (int i = 0; i < 6; i++)
		assert_true(row[i].left_out == (i == 0));
	row = two_minutes(6, falling);
	for (int i = 0; i < 6; i++)
		assert_false(row[i].left_out);
	row = two_minutes(6, broken);
	for (int i = 0; i < 6; i++)
		assert_true(row[i].left_out == (i == 5));
}

static void a_breakdown_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < 36; i++)
		make(i, 1,
			i < 12		 ? 1
				: i < 24 ? 5
					 : 8,
			i < 12		 ? 50
				: i < 24 ? 220
					 : 0);
	struct levels *levels = levels_new(bucket, 36, &level_policy_default);
	assert_int_equal(levels_n_obs(levels), 5);
	assert_int_equal(levels_broken(levels)->n, 8);
	levels_free(levels);
	/* Ten seconds of it are not observed: left out, no more. */
	levels = levels_new(bucket, 26, &level_policy_default);
	assert_int_equal(levels_n_obs(levels), 5);
	assert_null(levels_broken(levels));
	assert_true(levels_find(levels, 8)->left_out);
	levels_free(levels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standard_error_has_floors),
		cmocka_unit_test(flags_drop),
		cmocka_unit_test(ages_weigh_half),
		cmocka_unit_test(bootstrap_spread_is_right),
		cmocka_unit_test(bootstrap_is_repeatable),
		cmocka_unit_test(many_buckets_cost_little),
		cmocka_unit_test(pooled_percentiles),
		cmocka_unit_test(p95s_of_few_probes_are_no_p95),
		cmocka_unit_test(what_no_law_can_reach_is_left_out),
		cmocka_unit_test(a_breakdown_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
