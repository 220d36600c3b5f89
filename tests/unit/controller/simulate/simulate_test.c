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

#include "err.h"
#include "forecast.h"
#include "guess.h"
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

/* One sync alone moves what was said; many move what the narrowest part
 * lets through; no part is faster than itself. */
static void a_guess_is_its_parts(void **state)
{
	struct guess guess = {.x1_mb_min = 60,
		.nic_mbit = 100,
		.cores = 2,
		.core_mb_min = 500,
		.disk_mb_min = 2000,
		.disk_parallel = 8,
		.online = 0.1};
	struct network network;
	struct network_curve *curve;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(guess_network(&network, &guess, &err), 0);
	curve = network_solve(&network, 200);
	near_to(network_x(curve, 1), 60, 1e-6);
	near_to(network_x(curve, 200), 750, 1); /* 100 Mbit/s */
	network_free(curve);
	guess.nic_mbit = 0;
	assert_int_equal(guess_network(&network, &guess, &err), 0);
	curve = network_solve(&network, 200);
	near_to(network_x(curve, 200), 900, 1); /* two cores, 10 % taken */
	network_free(curve);
	guess.x1_mb_min = 400;
	assert_int_equal(guess_network(&network, &guess, &err), -1);
	assert_non_null(strstr(err.text, "cannot move 400 MB/min"));
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

/* So slow that a double has no minutes any more: it ends all the same. */
static void forecast_ends(void **state)
{
	static const double x = 1e-18;
	struct forecast_law law = {constant, &x, 0};
	struct forecast_plan plan = {.clients = 3,
		.batch = 2,
		.median_mb = 60,
		.window_from_h = 22,
		.window_to_h = 23,
		.start_h = 22,
		.seed = 1};
	struct forecast f;

	(void)state;
	forecast_run(&f, &law, &plan);
	assert_true(f.hours > 1e18);
}

static void a_study_keeps_its_promises(void **state)
{
	static struct study first, second;

	(void)state;
	first = second = (struct study){.servers = 1, .clients = 30, .seed = 3};
	study_run(&first, NULL);
	study_run(&second, NULL);
	assert_memory_equal(first.row, second.row, sizeof(first.row));
	study_free(&first);
	study_free(&second);
	first = (struct study){.servers = 5, .clients = 100, .seed = 3};
	study_run(&first, NULL);
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

/* Servers that sink, change, or have users of all kinds: hardly an advice
 * after the pilots is above 1.5 x the optimum all the same. */
static void trouble_does_not_make_it_bold(void **state)
{
	(void)state;
	for (int t = TROUBLE_DRIFT; t < TROUBLE_COUNT; t++) {
		struct study study = {.servers = 3,
			.clients = 60,
			.seed = 11,
			.trouble = (enum server_trouble)t};
		study_run(&study, NULL);
		const struct study_row *ours = &study.row[STRATEGY_SLUICE];
		assert_true(ours->advice_high < 0.1);
		assert_true(ours->above_slo < 0.1);
		assert_true(study.row[STRATEGY_ORACLE].regret_mean == 0);
		study_free(&study);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_queue_is_mva),
		cmocka_unit_test(a_thrashing_disk_falls),
		cmocka_unit_test(a_guess_is_its_parts),
		cmocka_unit_test(forecast_adds_up),
		cmocka_unit_test(forecast_keeps_the_window),
		cmocka_unit_test(forecast_ends),
		cmocka_unit_test(a_study_keeps_its_promises),
		cmocka_unit_test(trouble_does_not_make_it_bold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
