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

/* COUNT probes a second apart, every EVERY-th of them of HIGH_MS. */
static void add_probes(
	struct probes *p, int64_t from_s, int count, int every, int64_t high_ms)
{
	for (int i = 0; i < count; i++)
		probes_add(p, (from_s + i) * US_PER_S,
			((i + 1) % every ? 50 : high_ms) * US_PER_MS, false,
			100);
}

static void judges_windows_of_thirty_seconds(void **state)
{
	struct probes p = {.count = 0};
	unsigned above;

	(void)state;
	probes_wave(&p, 0);
	assert_int_equal(probes_windows(&p, &above), 0);
	add_probes(&p, 0, 30, 100, 0);
	/* Shorter than a window: what there is counts. */
	assert_int_equal(probes_windows(&p, &above), 1);
	assert_int_equal(above, 0);
	add_probes(&p, 30, 31, 1, 150);
	assert_int_equal(probes_windows(&p, &above), 2);
	assert_int_equal(above, 1);
	probes_add(&p, 61 * US_PER_S, -1, false, 100);
	assert_true(fabs(probes_wave_failures(&p) - 1.0 / 62) < 1e-9);
	probes_wave(&p, 62 * US_PER_S);
	assert_int_equal(probes_windows(&p, &above), 0);
	assert_true(isnan(probes_wave_failures(&p)));
}

/* Where one of twenty may be above, two or three of thirty are by chance. */
static void three_of_thirty_are_chance(void **state)
{
	struct probes p = {.count = 0};
	unsigned above;

	(void)state;
	probes_wave(&p, 0);
	add_probes(&p, 0, 300, 10, 150);
	probes_add(&p, 300 * US_PER_S, 0, false, 100);
	assert_int_equal(probes_windows(&p, &above), 10);
	assert_int_equal(above, 0);
	probes_wave(&p, 300 * US_PER_S);
	add_probes(&p, 300, 31, 7, 150);
	assert_int_equal(probes_windows(&p, &above), 1);
	assert_int_equal(above, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_nothing_of_nothing),
		cmocka_unit_test(takes_the_last_sixty),
		cmocka_unit_test(keeps_the_idle_baseline_apart),
		cmocka_unit_test(judges_windows_of_thirty_seconds),
		cmocka_unit_test(three_of_thirty_are_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
