/* simulate_test.c - the queueing network against textbook results, the
 * forecast against sums, and a small study against its promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "forecast.h"
#include "network.h"
#include "study.h"

static void near_to(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("got %.12g, want %.12g", got, want);
}

/* A delay and one queue: the machine repairman model, by mean value
 * analysis R = D (1 + Q). */
static void one_queue_is_mva(void **state)
{
	struct network net = {.z_s = 0.5,
		.cpu_s = 1e-9,
		.cores = 1,
		.link_s = 0.1,
		.disk_s = 1e-9,
		.disk_parallel = 1};
	struct network_curve *curve = network_solve(&net, 60);
	double queue = 0;

	(void)state;
	for (unsigned n = 1; n <= 60; n++) {
		double r = 0.1 * (1 + queue);
		double x = n / (0.5 + r);
		queue = x * r;
		near_to(network_x(curve, n), 60 * x, 1e-4 * x);
	}
	near_to(network_x(curve, 60), 600, 0.01);
	network_free(curve);
}

static void a_thrashing_disk_falls(void **state)
{
	struct network net = {.z_s = 0.2,
		.cpu_s = 0.01,
		.cores = 4,
		.link_s = 0.001,
		.disk_s = 0.1,
		.disk_parallel = 1,
		.disk_thrash = 0.1,
		.probe_rtt_ms = 5,
		.probe_disk_ms = 8,
		.probe_reads = 1};
	struct network_curve *curve = network_solve(&net, 90);
	double cpu;
	double link;
	double disk;

	(void)state;
	assert_true(network_x(curve, 40) < network_x(curve, 4));
	assert_true(network_p95_ms(curve, 8) > 2 * network_p95_ms(curve, 1));
	network_utilisation(curve, 20, &cpu, &link, &disk);
	assert_true(disk > 0.95 && cpu < 0.2 && link < 0.05);
	near_to(cpu, network_x(curve, 20) / 60 * 0.01 / 4, 1e-9);
	network_free(curve);
}

static double constant(const void *law, double n)
{
	(void)n;
	return *(const double *)law;
}

/* 100 mailboxes of 60 MB at 600 MB/min are ten minutes, however many at
 * once. */
static void forecast_adds_up(void **state)
{
	static const double x = 600;
	struct forecast_law law = {constant, &x, 0};
	struct forecast_plan plan = {
		.clients = 100, .batch = 10, .median_mb = 60, .seed = 1};
	struct forecast f;

	(void)state;
	forecast_run(&f, &law, &plan);
	near_to(f.hours, 10.0 / 60, 1e-9);
	near_to(f.hours_low, f.hours_high, 1e-9);
	near_to(f.user_minutes, 1, 1e-9);
	near_to(f.left[0], 100, 0);
	near_to(f.left[FORECAST_POINTS - 1], 0, 0);
}

/* A window of one hour a day: nothing starts outside, what runs ends. */
static void forecast_keeps_the_window(void **state)
{
	static const double x = 60;
	struct forecast_law law = {constant, &x, 0};
	struct forecast_plan plan = {.clients = 120,
		.batch = 1,
		.median_mb = 60,
		.window_from_h = 22,
		.window_to_h = 23,
		.start_h = 22,
		.seed = 1};
	struct forecast f;

	(void)state;
	forecast_run(&f, &law, &plan);
	near_to(f.hours, 25, 0.02); /* an hour today, an hour tomorrow */
	plan.start_h = 12;
	forecast_run(&f, &law, &plan);
	near_to(f.hours, 35, 0.02);
}

static void a_study_keeps_its_promises(void **state)
{
	static struct study first, second;

	(void)state;
	study_run(&first, 1, 30, 3, NULL);
	study_run(&second, 1, 30, 3, NULL);
	assert_memory_equal(first.row, second.row, sizeof(first.row));
	study_free(&first);
	study_free(&second);
	study_run(&first, 5, 100, 3, NULL);
	const struct study_row *ours = &first.row[STRATEGY_SLUICE];
	assert_true(first.row[STRATEGY_ORACLE].regret_mean == 0);
	assert_true(first.row[STRATEGY_ORACLE].above_slo == 0);
	assert_true(ours->above_slo < first.row[STRATEGY_AIMD].above_slo);
	assert_true(ours->above_slo < first.row[STRATEGY_FIXED_20].above_slo);
	assert_true(
		ours->regret_mean < first.row[STRATEGY_N_MINUS_2].regret_mean);
	assert_true(ours->first_high == 0);
	assert_true(ours->above_slo < 0.02);
	study_free(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_queue_is_mva),
		cmocka_unit_test(a_thrashing_disk_falls),
		cmocka_unit_test(forecast_adds_up),
		cmocka_unit_test(forecast_keeps_the_window),
		cmocka_unit_test(a_study_keeps_its_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
