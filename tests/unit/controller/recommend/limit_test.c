/* limit_test.c - every limit binds where it should, and says so. */
#include "recommend_world.h"

static void linear_goes_to_the_step_limit(void **state)
{
	static const double x[] = {52, 104, 156, 208, 260};

	(void)state;
	add_table(x, 5);
	decide();
	assert_true(out.batch_size >= 9 && out.batch_size <= 10);
	assert_true(out.explore);
	if (out.batch_size == 10)
		assert_int_equal(out.binding, LIMIT_STEP);
	assert_says("No limit seen up to 5 syncs");
	assert_string_equal(out.bottleneck, "none");
}

static void fewer_clients_than_slots(void **state)
{
	(void)state;
	add_table(rising, 5);
	facts.clients_left = 2;
	decide();
	assert_int_equal(out.batch_size, 2);
	assert_int_equal(out.binding, LIMIT_CLIENTS);
	assert_says("Only 2 clients are left: more slots would stay empty");
}

/* Ten were never seen: 24 clients cannot repay that, what was observed they
 * may fill, and thirty can. */
static void a_trial_is_for_those_who_repay_it(void **state)
{
	static const double x[] = {52, 104, 156, 208, 260};

	(void)state;
	add_table(x, 5);
	facts.clients_left = 24;
	decide();
	assert_int_equal(out.batch_size, 8);
	assert_int_equal(out.binding, LIMIT_CLIENTS);
	assert_says("24 clients are left: too few to repay the trial of more "
		    "than 8 at once, which takes 3 for each slot");
	facts.clients_left = 8;
	decide();
	assert_int_equal(out.batch_size, 5);
	facts.clients_left = 4;
	decide();
	assert_int_equal(out.batch_size, 4);
	assert_says("Only 4 clients are left: more slots would stay empty");
	facts.clients_left = 30;
	decide();
	assert_true(out.batch_size >= 9);
	assert_int_not_equal(out.binding, LIMIT_CLIENTS);
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

/* Load so much at n syncs: the limit binds at 3, and the knee is next. */
static void each_load_binds(void **state)
{
	static const struct {
		enum load_metric metric;
		enum limit_id id;
		double idle, per_mb, per_sync;
		const char *says, *recommends;
	} row[] = {
		{LOAD_CPU, LIMIT_CPU, 0.1, 0.0045, 0,
			"CPU would be at 87 % with 4 syncs; the ceiling is 85 %",
			"Recommended 3: CPU (3); next limit: throughput knee"},
		{LOAD_NIC, LIMIT_NIC, 0.1, 0.0045, 0,
			"The network link would be at 87 % with 4 syncs",
			"Recommended 3: network link (3); next limit: thr"},
		{LOAD_DISK_UTIL, LIMIT_DISK_UTIL, 0.1, 0.0045, 0,
			"The disk would be at 87 % with 4 syncs",
			"Recommended 3: disk busy (3); next limit: thr"},
		{LOAD_MEM_AVAILABLE, LIMIT_MEMORY, 0.5, 0, -0.11,
			"Memory in use would be at 94 % with 4 syncs; the "
			"ceiling is 90 %",
			"Recommended 3: memory (3); next limit: throughput"},
		{LOAD_DISK_READ_AWAIT, LIMIT_DISK_LATENCY, 0, 0, 5.5,
			"A disk read would take 22.0 ms with 4 syncs; the "
			"ceiling is 20.0 ms",
			"Recommended 3: disk latency (3); next limit: thr"},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		setup(state);
		add_table(rising, 5);
		facts.exporter = facts.disk_rotational = true;
		for (unsigned n = 1; n <= 5; n++)
			set_load(n, row[i].metric,
				row[i].idle + row[i].per_mb * rising[n - 1] +
					row[i].per_sync * n);
		decide();
		assert_int_equal(out.binding, row[i].id);
		assert_int_equal(out.next_limit, LIMIT_KNEE);
		assert_int_equal(out.batch_size, 3);
		assert_says(row[i].says);
		assert_says(row[i].recommends);
	}
}

/* A link that is 63 % full with five is full with eight, whatever the curve
 * says, also where no ceiling is kept below that. */
static void what_is_full_moves_no_more(void **state)
{
	static const double x[] = {60, 120, 180, 240, 300};
	struct recommend_policy policy = recommend_policy_default;

	(void)state;
	add_table(x, 5);
	facts.exporter = true;
	for (unsigned n = 1; n <= 5; n++) {
		set_load(n, LOAD_CPU, 0.05 * n);
		set_load(n, LOAD_NIC, 0.05 + x[n - 1] * 0.95 / 480);
	}
	policy.nic_max = 1;
	recommend(&out, bucket, count, &facts, &policy);
	assert_int_equal(out.limit[LIMIT_NIC].n, LIMIT_NONE);
	assert_int_equal(out.batch_size, 8);
	assert_int_equal(out.binding, LIMIT_KNEE);
	assert_true(fabs(out.capacity - 480) < 10);
	assert_says("is all that can be had: network link in use reaches");
}

/* min(60 n, 480): the corner was passed, so eight it is, not two thirds of
 * the way to where a smooth curve would peak. */
static void a_plateau_seen_is_believed(void **state)
{
	static const double x[] = {60, 120, 180, 240, 300, 360, 420, 480, 480,
		480, 480, 480, 480, 480, 480, 480};

	(void)state;
	add_table(x, 16);
	decide();
	assert_int_equal(out.batch_size, 8);
	assert_int_equal(out.binding, LIMIT_KNEE);
	assert_says("Beyond ");
	setup(state);
	add_table(x, 10);
	decide();
	assert_int_equal(out.batch_size, 8);
}

/* What was moved at so many syncs, and the share of the resource in use. */
struct seen {
	unsigned wave, n;
	double x, used;
	unsigned buckets; /* at most PER_LEVEL */
};

static void add_seen(
	const struct seen *seen, size_t levels, enum load_metric metric)
{
	struct recommend_policy policy = recommend_policy_default;

	setup(NULL);
	facts.exporter = facts.disk_rotational = true;
	for (size_t i = 0; i < levels; i++) {
		add(seen[i].wave, seen[i].n, seen[i].x);
		set_load(seen[i].n, LOAD_CPU, 0.01);
		set_load(seen[i].n, metric, seen[i].used);
		count -= PER_LEVEL - seen[i].buckets;
	}
	facts.wave = seen[levels - 1].wave;
	facts.wave_slots = seen[levels - 1].n;
	facts.admitted = facts.done = facts.wave_slots;
	policy.cpu_max = policy.nic_max = policy.disk_util_max = 1;
	recommend(&out, bucket, count, &facts, &policy);
}
#define SEEN(metric, ...)                                                      \
	do {                                                                   \
		static const struct seen s_[] = {__VA_ARGS__};                 \
		add_seen(s_, sizeof(s_) / sizeof(*s_), metric);                \
	} while (0)

/* A disk whose limit is 500 MB/min. Its cache was warm in the pilots, so that
 * they promise 800; eight syncs that keep it busy say what it can. */
static void what_was_moved_near_full_beats_a_line(void **state)
{
	(void)state;
	SEEN(LOAD_DISK_UTIL, {1, 1, 60, 0.115, 36}, {2, 5, 301, 0.373, 36});
	assert_true(out.capacity > 600);
	assert_int_equal(out.batch_size, 10);
	/* Ten busy seconds of a ramp are no capacity. */
	SEEN(LOAD_DISK_UTIL, {1, 1, 60, 0.115, 36}, {2, 4, 248, 0.88, 2},
		{2, 5, 301, 0.373, 36});
	assert_true(out.capacity > 600);
	SEEN(LOAD_DISK_UTIL, {1, 1, 60, 0.115, 36}, {2, 3, 181, 0.125, 36},
		{2, 5, 301, 0.373, 36}, {3, 8, 462, 0.924, 36});
	assert_true(out.capacity > 490 && out.capacity < 520);
	assert_true(out.batch_size >= 8 && out.batch_size <= 9);
	assert_says("is all that can be had: disk busy reaches 100 % there");
}

/* Four fifths of a disk in use promise 640 MB/min, also where 510 are all it
 * gives: a plateau that was seen is what counts. */
static void a_plateau_beats_what_utilisation_promises(void **state)
{
	(void)state;
	SEEN(LOAD_DISK_UTIL, {1, 1, 58, 0.09, 36}, {2, 4, 237, 0.37, 36},
		{2, 6, 358, 0.56, 36}, {3, 7, 434, 0.68, 36},
		{3, 8, 467, 0.8, 36}, {4, 9, 513, 0.8, 36},
		{4, 10, 510, 0.8, 36});
	assert_true(out.capacity > 600);
	assert_true(out.batch_size >= 8 && out.batch_size <= 10);
	assert_int_equal(out.binding, LIMIT_KNEE);
	SEEN(LOAD_DISK_UTIL, {1, 1, 58, 0.09, 36}, {2, 5, 297, 0.45, 36},
		{3, 9, 513, 0.8, 36}, {3, 10, 510, 0.8, 36});
	assert_true(out.batch_size >= 8 && out.batch_size <= 10);
	SEEN(LOAD_DISK_UTIL, {1, 1, 58, 0.09, 36}, {2, 4, 237, 0.37, 36},
		{2, 6, 358, 0.56, 36}, {3, 7, 434, 0.68, 36},
		{3, 8, 467, 0.8, 36}, {4, 9, 513, 0.8, 36},
		{4, 10, 510, 0.8, 36}, {5, 14, 494, 0.8, 36});
	assert_true(out.batch_size >= 8 && out.batch_size <= 10);
}

/* 30 % of a processor, swept to 8 at 589 MB/min. */
static void a_processor_that_is_full_is_read_there(void **state)
{
	(void)state;
	SEEN(LOAD_CPU, {1, 1, 79, 0.129, 36}, {2, 5, 399, 0.606, 36});
	assert_int_equal(out.batch_size, 8);
	SEEN(LOAD_CPU, {1, 1, 79, 0.131, 36}, {2, 3, 239, 0.392, 36},
		{2, 5, 401, 0.619, 36}, {3, 6, 486, 0.8, 36},
		{3, 7, 559, 0.95, 36}, {3, 8, 580, 0.985, 36});
	assert_true(out.capacity > 575 && out.capacity < 605);
	assert_true(out.batch_size >= 7 && out.batch_size <= 8);
}

/* What people who work online use is no part of what a MB needs. */
static void idle_use_is_not_the_syncs(void **state)
{
	(void)state;
	SEEN(LOAD_CPU, {0, 0, 0, 0.3, 36}, {1, 1, 60, 0.35, 36},
		{2, 5, 300, 0.55, 36});
	assert_true(fabs(out.capacity - 840) < 10);
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

/* Idle 40 ms and 60 ms at one sync: the objective is 90 ms. TIMES three
 * minutes of data at two syncs. */
static void two_syncs(double p95_ms, unsigned times)
{
	setup(NULL);
	add(0, 0, 0);
	add(1, 1, 52);
	for (unsigned i = 0; i < times; i++)
		add(2, 2, 101);
	facts.canary = true;
	facts.wave = facts.wave_slots = 2;
	facts.admitted = facts.done = 4;
	probes(0, 40);
	probes(1, 60);
	probes(2, p95_ms);
	decide();
}

/* Three minutes just below the objective do not forbid a size: it is tried
 * again, an hour of the same settles it, and so does an hour with room. */
static void an_unlucky_minute_is_tried_again(void **state)
{
	(void)state;
	two_syncs(89.5, 1);
	assert_int_equal(out.batch_size, 2);
	assert_true(out.explore);
	/* Two were seen, but as new ground only one is not. */
	assert_int_equal(out.n_obs, 2);
	assert_int_equal(out.known, 1);
	two_syncs(89.5, 20);
	assert_int_equal(out.batch_size, 1);
	assert_int_equal(out.binding, LIMIT_CANARY);
	assert_false(out.explore);
	two_syncs(85, 20);
	assert_int_equal(out.batch_size, 2);
	assert_int_equal(out.known, 2);
	assert_false(out.explore);
	two_syncs(95, 1);
	assert_int_equal(out.batch_size, 1);
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
	assert_int_equal(out.binding, LIMIT_CONNECTIONS);
	assert_says("The server takes 100 connections and has 90: room for 4");
	facts.connections_limit = 0;
	facts.window_s = 600;
	facts.mb_left_q90 = 430;
	decide();
	/* 43 MB/min each are needed: X(n)/n at 3 is 47, at 4 it is 43. */
	assert_true(out.limit[LIMIT_WINDOW].n >= 3 &&
		out.limit[LIMIT_WINDOW].n <= 4);
	assert_int_equal(out.binding, LIMIT_WINDOW);
	assert_says("a large mailbox would take");
	assert_says("the window is 10 min");
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
	assert_int_equal(out.binding, LIMIT_HYSTERESIS);
	assert_says("less than the 250 it promised at least: back to 5");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(linear_goes_to_the_step_limit),
		T(fewer_clients_than_slots),
		T(a_trial_is_for_those_who_repay_it),
		T(cpu_limits),
		T(a_ceiling_of_all_is_none),
		T(disk_latency_limits),
		T(each_load_binds),
		T(what_is_full_moves_no_more),
		T(a_plateau_seen_is_believed),
		T(what_was_moved_near_full_beats_a_line),
		T(a_plateau_beats_what_utilisation_promises),
		T(a_processor_that_is_full_is_read_there),
		T(idle_use_is_not_the_syncs),
		T(waiting_users_limit),
		T(an_unlucky_minute_is_tried_again),
		T(slo_rule),
		T(connections_and_window_limit),
		T(growth_that_disappoints_is_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
