/* brake_test.c - each rule of the brake, up, down and not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "brake.h"
#include "clock.h"

#define S US_PER_S

static struct brake_evidence evidence;
static struct brake_event last;
static unsigned events;

static const struct brake_policy policy = {
	.slo_ms = 100,
	.idle_await_ms = 0.5,
	.connections_limit = 1000,
	.exporter = true,
	.canary = true,
};

static int setup(void **state)
{
	memset(&evidence, 0, sizeof(evidence));
	for (int i = 0; i < LOAD_COUNT; i++)
		evidence.load[i] = NAN;
	evidence.now_us = 1000 * S;
	evidence.p95_ms = 40;
	evidence.failure_share = 0;
	evidence.server_reachable = true;
	evidence.x_mb_min = 600;
	evidence.n = 5;
	memset(&last, 0, sizeof(last));
	events = 0;
	*state = brake_new(&policy);
	return 0;
}

static int teardown(void **state)
{
	brake_free(*state);
	return 0;
}

/* The same evidence for SECONDS more; returns the last order. */
static struct brake_order run(void *brake, int seconds)
{
	struct brake_order order = {0};
	struct brake_event event[BRAKE_EVENTS];
	size_t count;

	for (int i = 0; i < seconds; i++) {
		evidence.now_us += S;
		order = brake_step(brake, &evidence, event, &count);
		for (size_t e = 0; e < count; e++) {
			last = event[e];
			events++;
			assert_true(strlen(last.text) > 20);
		}
	}
	return order;
}

static void calm_does_nothing(void **state)
{
	struct brake_order order = run(*state, 300);

	assert_false(order.hold || order.stop);
	assert_true(order.rate_mb_min == 0);
	assert_int_equal(order.pause, 0);
	assert_int_equal(events, 0);
}

static void canary_holds_within_a_second(void **state)
{
	run(*state, 10);
	evidence.p95_ms = 96;
	assert_true(run(*state, 1).hold);
	assert_string_equal(last.rule, "canary");
	assert_true(last.figure == 96 && last.ceiling == 95);
	assert_non_null(strstr(last.text, "96 ms"));
}

static void canary_releases_with_hysteresis(void **state)
{
	evidence.p95_ms = 97;
	run(*state, 5);
	evidence.p95_ms = 85;
	assert_true(run(*state, 200).hold);
	evidence.p95_ms = 79;
	assert_true(run(*state, 29).hold);
	assert_false(run(*state, 3).hold);
	assert_int_equal(events, 2);
}

static void canary_escalates(void **state)
{
	evidence.p95_ms = 120;
	assert_true(run(*state, 29).rate_mb_min == 0);
	struct brake_order order = run(*state, 3);
	assert_true(fabs(order.rate_mb_min - 420) < 1);
	assert_int_equal(order.pause, 0);
	order = run(*state, 32);
	assert_int_equal(order.pause, 1);
	order = run(*state, 25);
	assert_int_equal(order.pause, 2);
	evidence.n = 1;
	assert_int_equal(run(*state, 100).pause, 2);
	/* And back, one step at a time. */
	evidence.p95_ms = 50;
	assert_int_equal(run(*state, 32).pause, 1);
	order = run(*state, 30);
	assert_int_equal(order.pause, 0);
	assert_true(order.rate_mb_min > 0);
	order = run(*state, 30);
	assert_true(order.rate_mb_min == 0 && order.hold);
	assert_false(run(*state, 30).hold);
	assert_int_equal(brake_state(*state), BRAKE_RELEASED);
}

/* A figure between the two bounds goes on being worse, once it was, and the
 * event names the bound that it is beyond. */
static void says_the_bound_that_is_passed(void **state)
{
	evidence.p95_ms = 120;
	run(*state, 5);
	evidence.p95_ms = 97;
	run(*state, 30);
	assert_int_equal(last.to, BRAKE_LIMITING);
	assert_true(last.figure == 97 && last.ceiling == 95);
}

/* The administrator's times instead of the standard ones. */
static void is_as_patient_as_told(void **state)
{
	struct brake_policy hasty = policy;

	hasty.cap_us = 10 * S;
	hasty.pause_us = 15 * S;
	hasty.again_us = 5 * S;
	hasty.release_us = 4 * S;
	brake_set_policy(*state, &hasty);
	evidence.p95_ms = 120;
	assert_true(run(*state, 10).rate_mb_min == 0);
	assert_true(run(*state, 2).rate_mb_min > 0);
	assert_int_equal(run(*state, 2).pause, 0);
	assert_int_equal(run(*state, 4).pause, 1);
	assert_int_equal(run(*state, 5).pause, 2);
	evidence.p95_ms = 50;
	assert_int_equal(run(*state, 4).pause, 2);
	assert_int_equal(run(*state, 1).pause, 1);
	assert_true(run(*state, 11).hold);
	assert_false(run(*state, 1).hold);
}

static void far_above_the_slo_stops(void **state)
{
	evidence.p95_ms = 301;
	run(*state, 59);
	struct brake_order order = run(*state, 5);
	assert_true(order.stop && order.hold);
	assert_int_equal(order.pause, UINT32_MAX);
	evidence.p95_ms = 10;
	assert_true(run(*state, 600).stop);
	brake_reset(*state, evidence.now_us);
	brake_reset(*state, evidence.now_us);
	assert_false(run(*state, 1).hold);
}

static void probe_errors_stop(void **state)
{
	evidence.failure_share = 0.25F;
	assert_true(run(*state, 65).stop);
	assert_string_equal(last.rule, "canary_errors");
}

static void unreachable_stops_after_30_s(void **state)
{
	evidence.server_reachable = false;
	assert_false(run(*state, 29).stop);
	assert_true(run(*state, 3).stop);
	assert_string_equal(last.rule, "unreachable");
}

static void a_full_disk_stops_at_once(void **state)
{
	evidence.load[LOAD_DISK_FREE] = 0.04F;
	assert_true(run(*state, 1).stop);
	assert_string_equal(last.rule, "disk_full");
}

/* What holds, after how long, and what releases. */
static void loads_hold(void **state)
{
	static const struct {
		enum load_metric metric;
		float bad, middling, good;
		int hold_s, calm_s;
		const char *rule;
	} rows[] = {
		{LOAD_CPU, 0.90F, 0.75F, 0.60F, 3, 60, "cpu"},
		{LOAD_NIC, 0.90F, 0.75F, 0.60F, 3, 60, "nic"},
		{LOAD_DISK_READ_AWAIT, 8, 4.5F, 3, 60, 60, "disk_latency"},
		{LOAD_MEM_AVAILABLE, .05F, .11F, .20F, 60, 60, "memory"},
		{LOAD_SWAP_IN, 50, 0.9F, 0, 60, 60, "swap"},
		{LOAD_CONNECTIONS, 900, 700, 600, 0, 60, "connections"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		teardown(state);
		setup(state);
		evidence.load[rows[i].metric] = rows[i].bad;
		if (rows[i].hold_s)
			assert_false(run(*state, rows[i].hold_s - 1).hold);
		assert_true(run(*state, 3).hold);
		assert_string_equal(last.rule, rows[i].rule);
		evidence.load[rows[i].metric] = rows[i].middling;
		assert_true(run(*state, 200).hold);
		evidence.load[rows[i].metric] = rows[i].good;
		assert_true(run(*state, rows[i].calm_s - 2).hold);
		assert_false(run(*state, 5).hold);
	}
}

/* The ceiling that the administrator names, above or below the usual one. */
static void keeps_the_named_disk_latency(void **state)
{
	struct brake_policy named = policy;

	named.await_max_ms = 2;
	brake_set_policy(*state, &named);
	evidence.load[LOAD_DISK_READ_AWAIT] = 3;
	assert_true(run(*state, 65).hold);
	assert_true(last.ceiling == 2);
	teardown(state);
	setup(state);
	named.await_max_ms = 50;
	brake_set_policy(*state, &named);
	evidence.load[LOAD_DISK_READ_AWAIT] = 30;
	assert_false(run(*state, 200).hold);
}

static void very_slow_reads_stop(void **state)
{
	evidence.load[LOAD_DISK_READ_AWAIT] = 120;
	assert_true(run(*state, 65).stop);
	assert_string_equal(last.rule, "disk_latency");
}

static void a_busy_cpu_does_not_keep_others_holding(void **state)
{
	/* 75 % is above the release value of a rule that never braked. */
	evidence.load[LOAD_CPU] = 0.75F;
	evidence.p95_ms = 97;
	assert_true(run(*state, 2).hold);
	evidence.p95_ms = 50;
	assert_false(run(*state, 35).hold);
}

static void silence_holds(void **state)
{
	evidence.load_age_us = 16 * S;
	assert_true(run(*state, 1).hold);
	assert_string_equal(last.rule, "exporter_silent");
	evidence.load_age_us = 0;
	assert_false(run(*state, 10).hold);
	evidence.canary_age_us = 40 * S;
	assert_true(run(*state, 1).hold);
	assert_string_equal(last.rule, "canary_silent");
}

static void a_distressed_server_is_not_touched(void **state)
{
	char text[256];

	(void)state;
	assert_true(brake_may_start(&policy, &evidence, text, sizeof(text)));
	evidence.load[LOAD_CPU] = 0.93F;
	assert_false(brake_may_start(&policy, &evidence, text, sizeof(text)));
	assert_non_null(strstr(text, "CPU busy 93 %"));
	assert_non_null(strstr(text, "nothing was started"));
	evidence.load[LOAD_CPU] = 0.1F;
	evidence.server_reachable = false;
	assert_false(brake_may_start(&policy, &evidence, text, sizeof(text)));
	assert_non_null(strstr(text, "cannot be reached"));
}

/* A controller that was killed does not let go what it had stopped. */
static void goes_on_where_it_was(void **state)
{
	struct brake_order order, before;
	struct brake *next = brake_new(&policy);

	evidence.p95_ms = 120;
	run(*state, 90);
	before = run(*state, 1);
	assert_true(before.pause >= 1 && before.rate_mb_min > 0);
	brake_restore(next, brake_state(*state), &before, evidence.now_us);
	evidence.p95_ms = 50;
	order = run(next, 59);
	assert_int_equal(order.pause, before.pause);
	assert_true(order.hold && order.rate_mb_min == before.rate_mb_min);
	assert_true(run(next, 3).pause < before.pause);
	brake_free(next);

	next = brake_new(&policy);
	evidence.p95_ms = 301;
	before = run(*state, 61);
	assert_true(before.stop);
	brake_restore(next, brake_state(*state), &before, evidence.now_us);
	evidence.p95_ms = 50;
	assert_true(run(next, 600).stop);
	brake_reset(next, evidence.now_us);
	assert_false(run(next, 1).hold);
	brake_free(next);
}

/* Only what it stopped waits for a person; a hold ends when its cause does. */
static void a_person_does_not_lift_a_hold(void **state)
{
	evidence.load[LOAD_CPU] = 0.95F;
	assert_true(run(*state, 10).hold);
	brake_reset(*state, evidence.now_us);
	assert_true(run(*state, 1).hold);
	assert_true(run(*state, 30).hold);
}

static void what_was_before_a_rest_is_past(void **state)
{
	evidence.load[LOAD_DISK_READ_AWAIT] = 8;
	assert_false(run(*state, 59).hold);
	brake_rest(*state);
	evidence.now_us += 3600 * S;
	assert_false(run(*state, 59).hold);
	assert_true(run(*state, 3).hold);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(calm_does_nothing),
		T(canary_holds_within_a_second),
		T(canary_releases_with_hysteresis),
		T(canary_escalates),
		T(says_the_bound_that_is_passed),
		T(is_as_patient_as_told),
		T(far_above_the_slo_stops),
		T(probe_errors_stop),
		T(unreachable_stops_after_30_s),
		T(a_full_disk_stops_at_once),
		T(loads_hold),
		T(keeps_the_named_disk_latency),
		T(very_slow_reads_stop),
		T(a_busy_cpu_does_not_keep_others_holding),
		T(silence_holds),
		T(a_distressed_server_is_not_touched),
		T(goes_on_where_it_was),
		T(a_person_does_not_lift_a_hold),
		T(what_was_before_a_rest_is_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
