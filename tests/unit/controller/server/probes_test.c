/* probes_test.c - percentiles and shares of the online probe. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "clock.h"
#include "probes.h"

static void knows_nothing_of_nothing(void **state)
{
	struct probes p = {.count = 0};

	(void)state;
	assert_true(isnan(probes_p95_ms(&p)));
	assert_true(isnan(probes_idle_p95_ms(&p)));
	assert_true(isnan(probes_failure_share(&p, US_PER_S)));
	assert_true(isnan(probes_slo_kept(&p, 100)));
	assert_true(isnan(probes_wave_failures(&p)));
}

static void takes_the_last_sixty(void **state)
{
	struct probes p = {.count = 0};

	(void)state;
	for (int i = 0; i < 100; i++)
		probes_add(&p, i * US_PER_S, 900 * US_PER_MS, false, 100);
	for (int i = 1; i <= 60; i++)
		probes_add(&p, (100 + i) * US_PER_S, i * US_PER_MS, false, 100);
	/* rank 0.95 x 60 = 57 */
	assert_true(probes_p95_ms(&p) == 57);
	for (int i = 0; i < 3; i++)
		probes_add(&p, (161 + i) * US_PER_S, -1, false, 100);
	/* 57 good ones are left, of 4 to 60 ms: rank 55 */
	assert_true(probes_p95_ms(&p) == 58);
	assert_true(
		fabs(probes_failure_share(&p, 164 * US_PER_S) - 0.05) < 1e-9);
	/* Old failures are forgotten. */
	assert_true(isnan(probes_failure_share(&p, 300 * US_PER_S)));
}

static void keeps_the_idle_baseline_apart(void **state)
{
	struct probes p = {.count = 0};

	(void)state;
	for (int i = 0; i < 20; i++)
		probes_add(&p, i * US_PER_S, 10 * US_PER_MS, true, 100);
	for (int i = 0; i < 50; i++)
		probes_add(
			&p, (20 + i) * US_PER_S, 500 * US_PER_MS, false, 100);
	assert_true(probes_idle_p95_ms(&p) == 10);
	assert_true(probes_p95_ms(&p) == 500);
}

static void judges_windows_of_thirty_seconds(void **state)
{
	struct probes p = {.count = 0};

	(void)state;
	probes_wave(&p, 0);
	for (int i = 0; i < 30; i++)
		probes_add(&p, i * US_PER_S, 50 * US_PER_MS, false, 100);
	/* Shorter than a window: what there is counts. */
	assert_true(probes_slo_kept(&p, 100) == 1);
	assert_true(probes_slo_kept(&p, 40) == 0);
	for (int i = 30; i < 61; i++)
		probes_add(&p, i * US_PER_S, 150 * US_PER_MS, false, 100);
	assert_int_equal(p.windows, 2);
	assert_true(probes_slo_kept(&p, 100) == 0.5);
	probes_add(&p, 61 * US_PER_S, -1, false, 100);
	assert_true(fabs(probes_wave_failures(&p) - 1.0 / 62) < 1e-9);
	probes_wave(&p, 62 * US_PER_S);
	assert_true(isnan(probes_slo_kept(&p, 100)));
	assert_true(isnan(probes_wave_failures(&p)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_nothing_of_nothing),
		cmocka_unit_test(takes_the_last_sixty),
		cmocka_unit_test(keeps_the_idle_baseline_apart),
		cmocka_unit_test(judges_windows_of_thirty_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
