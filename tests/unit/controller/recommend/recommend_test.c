/* recommend_test.c - verdicts, limits and sentences, bad data included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "random.h"
#include "record.h"

#define PER_LEVEL 36 /* buckets: three minutes */
#define MOST	  4096

static struct bucket bucket[MOST];
static size_t count;
static struct recommend_facts facts;
static struct recommendation out;

static int setup(void **state)
{
	(void)state;
	count = 0;
	memset(&facts, 0, sizeof(facts));
	facts.clients_left = 200;
	return 0;
}

/* PER_LEVEL buckets at N, with a little noise. */
static void add(unsigned wave, unsigned n, double x)
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

static void add_table(const double *x, unsigned levels)
{
	for (unsigned n = 1; n <= levels; n++)
		add(n == 1 ? 1 : 2, n, x[n - 1]);
	facts.wave = 2;
	facts.wave_slots = levels;
	facts.admitted = facts.done = levels;
}

static void decide(void)
{
	recommend(&out, bucket, count, &facts, &recommend_policy_default);
	assert_true(out.batch_size >= 1);
	assert_true(out.reason_count > 0);
}

static void assert_says(const char *text)
{
	for (unsigned i = 0; i < out.reason_count; i++)
		if (strstr(out.reasons[i], text))
			return;
	for (unsigned i = 0; i < out.reason_count; i++)
		print_message("%s\n", out.reasons[i]);
	fail_msg("no reason says \"%s\"", text);
}

static void set_load(unsigned n, enum load_metric metric, double value)
{
	for (size_t i = 0; i < count; i++)
		if (bucket[i].n == (float)n)
			bucket[i].load[metric] = (float)value;
}

static const double rising[] = {52, 101, 141, 172, 193};

static void knee_of_the_golden_curve(void **state)
{
	(void)state;
	add_table(rising, 5);
	decide();
	assert_int_equal(out.verdict, VERDICT_PASS);
	assert_int_equal(out.limit[LIMIT_KNEE].n, out.batch_size);
	assert_int_equal(out.binding, LIMIT_KNEE);
	assert_true(out.batch_size >= 6 && out.batch_size <= 7);
	assert_int_equal(out.n_cap, 10);
	assert_true(out.gain > 0 && out.gain_low < out.gain);
	assert_says("Recommended ");
	assert_says("throughput knee");
	assert_says("no exporter");
}

static void same_input_same_text(void **state)
{
	(void)state;
	add_table(rising, 5);
	decide();
	char *first = recommendation_encode(&out);
	decide();
	char *second = recommendation_encode(&out);
	assert_string_equal(first, second);
	free(first);
	free(second);
}

static void zero_buckets(void **state)
{
	(void)state;
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(out.batch_size, 1);
	assert_says("nothing has been measured yet");
}

static void pilot_of_one_goes_by_plan(void **state)
{
	(void)state;
	add(1, 1, 50);
	facts.wave = facts.wave_slots = facts.admitted = facts.done = 1;
	decide();
	assert_int_equal(out.verdict, VERDICT_PASS);
	assert_int_equal(out.batch_size, 5);
	assert_int_equal(out.binding, LIMIT_PLAN);
	assert_says("the plan's 5 is advised, not a fit");
}

static void one_other_n_only(void **state)
{
	(void)state;
	add(1, 5, 190);
	facts.wave = 1;
	facts.wave_slots = 5;
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(out.batch_size, 5);
	assert_says("at 5 syncs at once: a curve needs a second number");
}

static void linear_goes_to_the_step_limit(void **state)
{
	static const double x[] = {52, 104, 156, 208, 260};

	(void)state;
	add_table(x, 5);
	decide();
	assert_true(out.batch_size >= 9 && out.batch_size <= 10);
	assert_true(out.explore);
	assert_says("No limit seen up to 5 syncs");
	assert_string_equal(out.bottleneck, "none");
}

static void equal_x_needs_no_company(void **state)
{
	static const double x[] = {100, 100, 100, 100, 100};

	(void)state;
	add_table(x, 5);
	decide();
	assert_int_equal(out.batch_size, 1);
}

static void falling_x_shrinks(void **state)
{
	static const double x[] = {52, 96, 118, 121, 116};

	(void)state;
	add_table(x, 5);
	decide();
	assert_int_equal(out.batch_size, 3);
	assert_says("Throughput falls beyond");
}

static void damaged_numbers_are_left_out(void **state)
{
	(void)state;
	add_table(rising, 5);
	decide();
	unsigned clean = out.batch_size;
	for (size_t i = 0; i < count; i += 10)
		bucket[i].x_mb_min = i % 20 ? NAN : -1;
	bucket[1].n = NAN;
	bucket[2].n = 1e9F;
	bucket[3].x_mb_min = INFINITY;
	decide();
	assert_int_equal(out.batch_size, clean);
	assert_says("21 of 180 buckets hold no usable numbers");
}

static void nothing_usable(void **state)
{
	(void)state;
	add_table(rising, 5);
	for (size_t i = 0; i < count; i++)
		bucket[i].flags = BUCKET_SETTLING;
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(out.batch_size, 1);
	assert_says("None of 180 buckets is usable");
}

/* X stands still because the fleet's host does: no knee of the server. */
static void a_load_generator_is_no_knee(void **state)
{
	static const double flat[] = {52, 101, 141, 143, 143};

	(void)state;
	add_table(flat, 5);
	decide();
	assert_int_equal(out.verdict, VERDICT_PASS);
	unsigned knee = out.batch_size;
	for (size_t i = 0; i < count; i++)
		if (bucket[i].n >= 4)
			bucket[i].flags |= BUCKET_GENERATOR;
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_says("The load generator was the bottleneck in 50 % of the "
		    "wave's 144 buckets");
	assert_says("lower bound");
	assert_int_equal(out.n_obs, 3);
	assert_true(out.limit[LIMIT_KNEE].n > knee);
	/* A moment of it is only said. */
	for (size_t i = 0; i < count; i++)
		bucket[i].flags = i == count - 1 ? BUCKET_GENERATOR : 0;
	decide();
	assert_int_equal(out.verdict, VERDICT_PASS);
	assert_says("in 1 % of the wave's 144 buckets");
}

static void fewer_clients_than_slots(void **state)
{
	(void)state;
	add_table(rising, 5);
	facts.clients_left = 2;
	decide();
	assert_int_equal(out.batch_size, 2);
	assert_int_equal(out.binding, LIMIT_CLIENTS);
}

/* A wave of 3 clients can never show 8 at once: that is no doubt. */
static void a_small_wave_is_no_doubt(void **state)
{
	(void)state;
	add_table(rising, 3);
	facts.wave_slots = 8;
	facts.admitted = 3;
	decide();
	assert_int_equal(out.verdict, VERDICT_PASS);
}

static void slots_never_reached_is_a_doubt(void **state)
{
	(void)state;
	add_table(rising, 3);
	facts.wave_slots = 8;
	facts.admitted = 24;
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_says("8 syncs at once were never seen");
}

static void cpu_limits(void **state)
{
	(void)state;
	add_table(rising, 5);
	facts.exporter = true;
	for (unsigned n = 1; n <= 5; n++)
		set_load(n, LOAD_CPU, 0.1 + 0.0036 * rising[n - 1]);
	decide();
	/* 0.85 is reached at 208 MB/min, between 6 and 7. */
	assert_int_equal(out.limit[LIMIT_CPU].n, 6);
	assert_string_equal(out.bottleneck, "cpu");
	assert_says("CPU-bound");
	assert_says("no disk read latency: it does not limit");
}

static void a_ceiling_of_all_is_none(void **state)
{
	struct recommend_policy policy = recommend_policy_default;

	(void)state;
	add_table(rising, 5);
	facts.exporter = true;
	for (unsigned n = 1; n <= 5; n++)
		set_load(n, LOAD_CPU, 0.5 + 0.003 * rising[n - 1]);
	decide();
	assert_true(out.limit[LIMIT_CPU].n <= 5);
	policy.cpu_max = 1;
	recommend(&out, bucket, count, &facts, &policy);
	assert_int_equal(out.limit[LIMIT_CPU].n, LIMIT_NONE);
}

static void disk_latency_limits(void **state)
{
	(void)state;
	add_table(rising, 5);
	facts.exporter = facts.disk_rotational = true;
	for (unsigned n = 1; n <= 5; n++)
		set_load(n, LOAD_DISK_READ_AWAIT, 4.0 * n);
	decide();
	/* Straight to the ceiling of 20 ms, give or take rounding. */
	assert_true(out.limit[LIMIT_DISK_LATENCY].n >= 4 &&
		out.limit[LIMIT_DISK_LATENCY].n <= 5);
	facts.disk_rotational = false;
	decide();
	assert_int_equal(out.limit[LIMIT_DISK_LATENCY].n, 1);
	assert_int_equal(out.batch_size, 1);
	assert_says("A disk read would take");
}

static void probes(unsigned n, double p95_ms)
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

static void waiting_users_limit(void **state)
{
	(void)state;
	add(0, 0, 0);
	add_table(rising, 5);
	facts.canary = true;
	for (unsigned n = 0; n <= 5; n++)
		probes(n, 40 + 8.0 * n);
	decide();
	/* Idle 40 ms: the objective is 90 ms; 0.75..0.95 of it. */
	assert_true(fabs(out.slo_ms - 90) < 2);
	assert_int_equal(out.binding, LIMIT_CANARY);
	assert_int_equal(out.batch_size, 5);
	assert_says("Waiting users: at 6 syncs");
}

static void users_above_the_slo_fail_the_wave(void **state)
{
	(void)state;
	add(0, 0, 0);
	add_table(rising, 5);
	facts.canary = true;
	for (unsigned n = 0; n <= 5; n++)
		probes(n, n < 3 ? 40 : 140);
	decide();
	assert_int_equal(out.verdict, VERDICT_FAIL);
	assert_true(out.batch_size < 5);
	assert_says("Waiting users were above the SLO");
}

static void an_slo_below_idle_is_refused(void **state)
{
	(void)state;
	add(0, 0, 0);
	add_table(rising, 5);
	for (unsigned n = 0; n <= 5; n++)
		probes(n, 40);
	facts.canary = true;
	facts.slo_ms = 30;
	decide();
	assert_int_equal(out.verdict, VERDICT_FAIL);
	assert_says("is below the p95 of the idle server");
}

static void slo_rule(void **state)
{
	(void)state;
	assert_true(recommend_slo_ms(0, 40) == 90);
	assert_true(recommend_slo_ms(0, 80) == 160);
	assert_true(recommend_slo_ms(70, 80) == 70);
	assert_true(recommend_slo_ms(500, 80) == 160);
	assert_true(recommend_slo_ms(500, NAN) == 500);
	assert_true(isnan(recommend_slo_ms(0, NAN)));
}

static void failures_fail(void **state)
{
	(void)state;
	add_table(rising, 5);
	facts.admitted = 15;
	facts.done = 12;
	facts.failed = 3;
	decide();
	assert_int_equal(out.verdict, VERDICT_FAIL);
	assert_says("3 of 15 clients of the wave failed; at most 1 may");
	facts.failed = 1;
	facts.done = 14;
	decide();
	assert_int_equal(out.verdict, VERDICT_PASS);
}

/* An exporter that died in the middle of the wave. */
static void lost_exporter_is_a_doubt(void **state)
{
	(void)state;
	add_table(rising, 5);
	facts.exporter = true;
	for (size_t i = 0; i < count; i++)
		if (i % 2)
			bucket[i].load[LOAD_CPU] = 0.3F;
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_true(out.batch_size <= 5);
	assert_says("buckets have server load");
}

static void a_silent_canary_is_a_doubt(void **state)
{
	(void)state;
	add_table(rising, 5);
	facts.canary = true;
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_says("buckets have canary probes");
	assert_says("The canary gave too few latencies");
}

static void connections_and_window_limit(void **state)
{
	(void)state;
	add_table(rising, 5);
	facts.connections_limit = 100;
	facts.connections_used = 90;
	facts.connections_per_client = 2;
	decide();
	assert_int_equal(out.limit[LIMIT_CONNECTIONS].n, 4);
	assert_int_equal(out.batch_size, 4);
	facts.connections_limit = 0;
	facts.window_s = 600;
	facts.mb_left_q90 = 430;
	decide();
	/* 43 MB/min each are needed: X(n)/n at 3 is 47, at 4 it is 43. */
	assert_true(out.limit[LIMIT_WINDOW].n >= 3 &&
		out.limit[LIMIT_WINDOW].n <= 4);
	assert_int_equal(out.binding, LIMIT_WINDOW);
}

static void growth_that_disappoints_is_undone(void **state)
{
	struct recommend_past past = {3, 8, 5, 250};

	(void)state;
	add_table(rising, 5);
	add(3, 8, 190);
	facts.wave = 3;
	facts.wave_slots = 8;
	facts.past = &past;
	facts.past_count = 1;
	decide();
	assert_int_equal(out.limit[LIMIT_HYSTERESIS].n, 5);
	assert_true(out.batch_size <= 5);
}

static void drift_forgets_slowly(void **state)
{
	(void)state;
	add_table(rising, 5);
	for (unsigned n = 1; n <= 5; n++)
		add(3, n, rising[n - 1] / 2);
	facts.wave = 3;
	decide();
	assert_true(out.drift);
	/* Half weight of the old wave: nearer to the new than the mean. */
	assert_true(out.x_now < 0.72 * 193);
	assert_says("those count half per wave of age");
}

static void eta_has_the_tail(void **state)
{
	(void)state;
	add_table(rising, 5);
	facts.mb_left = 20500;
	decide();
	double without = out.eta_seconds;
	facts.mb_left_max = 300;
	decide();
	assert_true(without > 5000 && without < 7000);
	assert_true(out.eta_seconds > without);
}

static void inputs_survive_json(void **state)
{
	struct recommend_past past = {1, 2, 3, 4.5};
	struct recommend_facts back;
	struct recommend_policy policy;
	struct recommend_data data;
	struct err err = ERR_INIT;

	(void)state;
	add_table(rising, 5);
	facts.slo_ms = 1.0 / 3;
	facts.exporter = true;
	facts.past = &past;
	facts.past_count = 1;
	data = recommend_data_of(bucket, count);
	char *text = recommend_input_encode(
		&facts, &recommend_policy_default, &data);
	memset(&data, 0, sizeof(data));
	assert_int_equal(
		recommend_input_decode(&back, &policy, &data, text, &err), 0);
	assert_int_equal(data.count, count);
	char *again = recommend_input_encode(&back, &policy, &data);
	assert_string_equal(text, again);
	free(text);
	free(again);
	free((void *)back.past);
	bucket[7].n = 99;
	assert_true(recommend_data_of(bucket, count).digest != data.digest);
	assert_int_equal(
		recommend_input_decode(&back, &policy, &data, "[", &err), -1);
	assert_int_equal(recommend_input_decode(&back, &policy, &data,
				 "{\"facts\":{\"wave\":\"x\"}}", &err),
		-1);
	assert_non_null(strstr(err.text, "wave has the wrong type"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(knee_of_the_golden_curve),
		T(same_input_same_text),
		T(zero_buckets),
		T(pilot_of_one_goes_by_plan),
		T(one_other_n_only),
		T(linear_goes_to_the_step_limit),
		T(equal_x_needs_no_company),
		T(falling_x_shrinks),
		T(damaged_numbers_are_left_out),
		T(nothing_usable),
		T(a_load_generator_is_no_knee),
		T(fewer_clients_than_slots),
		T(a_small_wave_is_no_doubt),
		T(slots_never_reached_is_a_doubt),
		T(cpu_limits),
		T(a_ceiling_of_all_is_none),
		T(disk_latency_limits),
		T(waiting_users_limit),
		T(users_above_the_slo_fail_the_wave),
		T(an_slo_below_idle_is_refused),
		T(slo_rule),
		T(failures_fail),
		T(lost_exporter_is_a_doubt),
		T(a_silent_canary_is_a_doubt),
		T(connections_and_window_limit),
		T(growth_that_disappoints_is_undone),
		T(drift_forgets_slowly),
		T(eta_has_the_tail),
		T(inputs_survive_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
