/* recommend_test.c - verdicts and sentences, bad data included. */
#include "recommend_world.h"

#include "err.h"
#include "record.h"

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

static void equal_x_needs_no_company(void **state)
{
	static const double x[] = {100, 100, 100, 100, 100};

	(void)state;
	add_table(x, 5);
	decide();
	assert_int_equal(out.batch_size, 1);
	assert_int_equal(out.binding, LIMIT_KNEE);
	assert_says("One sync alone moves 10");
	assert_says("as much as 5 together: more only share it");
	assert_says("1 would move as much");
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

/* Eight bring the server down: neither a law through that, which would promise
 * twice as much of twice as many, nor one that has not seen it. */
static void a_breakdown_is_not_doubled(void **state)
{
	static const double left[] = {30, 5, 0.1, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		setup(state);
		add(1, 1, 50);
		add(2, 5, 225);
		add(3, 8, left[i]);
		facts.wave = 3;
		facts.wave_slots = 8;
		facts.admitted = facts.done = 8;
		decide();
		assert_int_equal(out.verdict, VERDICT_PASS);
		assert_int_equal(out.n_obs, 5);
		assert_in_range(out.batch_size, 5, 6);
		assert_true(fabs(out.x_now - 225) < 15);
		assert_says("At 8 syncs throughput broke down to ");
		assert_says("no more than 6 are tried");
	}
}

/* Five seconds in which the server stood still do not bend a curve of many
 * minutes, nor does a pilot whose only client was slow. */
static void a_stall_does_not_bend_the_curve(void **state)
{
	(void)state;
	add(1, 1, 50);
	add(2, 5, 225);
	add(2, 8, 240);
	facts.wave = 2;
	facts.wave_slots = 8;
	decide();
	unsigned clean = out.batch_size;
	add(2, 3, 20);
	count -= PER_LEVEL - 1;
	decide();
	assert_in_range(out.batch_size, clean - 1, clean + 1);
	assert_says("3 syncs (20 MB/min) moved far less than fewer or more "
		    "did: left out of the curve");
	setup(state);
	add(1, 1, 15);
	add(2, 4, 190);
	add(2, 5, 225);
	add(2, 8, 240);
	facts.wave = 2;
	facts.wave_slots = 8;
	decide();
	assert_in_range(out.batch_size, 5, 8);
	assert_true(fabs(out.x_now - 240) < 15);
	assert_says("1 sync (15 MB/min) moved far less than fewer or more did");
}

/* Who gives rows and no batch size has run what was seen: that is repeated. */
static void without_a_size_in_force_doubt_repeats_what_was_seen(void **state)
{
	(void)state;
	add(1, 1, 50);
	add(2, 5, 225);
	uint64_t random = 3;
	for (size_t i = 0; i < count; i++)
		bucket[i].x_mb_min *= (float)exp(0.25 * random_normal(&random));
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(out.batch_size, 5);
	assert_says("so at most 5");
}

static void seconds_are_no_observation(void **state)
{
	(void)state;
	add(1, 1, 50);
	count = 2;
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(out.batch_size, 1);
	assert_says("Only one sync at once was seen, and not for 30 s");
	facts.exporter = true;
	add(2, 5, 225);
	count = 4;
	set_load(1, LOAD_CPU, 0.2);
	set_load(5, LOAD_CPU, 0.8);
	decide();
	assert_int_equal(out.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(out.batch_size, 5);
	assert_says("No number of syncs was seen for 30 s: measure longer");
	assert_says("CPU busy 80 % at 5 syncs");
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
	assert_says("200 clients with 20500 MB are left: about ");
	facts.clients_left = 0;
	decide();
	assert_says("20500 MB are left: about ");
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
		T(equal_x_needs_no_company),
		T(falling_x_shrinks),
		T(a_breakdown_is_not_doubled),
		T(a_stall_does_not_bend_the_curve),
		T(without_a_size_in_force_doubt_repeats_what_was_seen),
		T(seconds_are_no_observation),
		T(damaged_numbers_are_left_out),
		T(nothing_usable),
		T(a_load_generator_is_no_knee),
		T(a_small_wave_is_no_doubt),
		T(slots_never_reached_is_a_doubt),
		T(users_above_the_slo_fail_the_wave),
		T(an_slo_below_idle_is_refused),
		T(failures_fail),
		T(lost_exporter_is_a_doubt),
		T(a_silent_canary_is_a_doubt),
		T(drift_forgets_slowly),
		T(eta_has_the_tail),
		T(inputs_survive_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
