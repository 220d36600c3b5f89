/* await_test.c - the latency of the last operations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "await.h"

static void quiet_seconds_hide_nothing(void **state)
{
	struct await l = {0};

	(void)state;
	assert_true(isnan(await_ms(&l)));
	for (int s = 0; s < 100; s++) {
		/* Every third second nothing is read. */
		await_add(&l, 10, s % 3 ? 30 : NAN, s % 3 ? 50 : 0, 1);
		if (s)
			assert_true(fabs(await_ms(&l) - 30) < 1e-9);
	}
	for (int s = 0; s < 100; s++)
		await_add(&l, 10, NAN, 0, 1);
	assert_true(isnan(await_ms(&l)));
}

static void one_slow_read_is_one_of_many(void **state)
{
	struct await l = {0};

	(void)state;
	for (int s = 0; s < 30; s++)
		await_add(&l, 10, 2, 100, 1);
	await_add(&l, 10, 80, 1, 1);
	assert_true(await_ms(&l) < 2.2);
	/* A lasting change is believed within seconds. */
	for (int s = 0; s < 20; s++)
		await_add(&l, 10, 40, 100, 1);
	assert_true(await_ms(&l) > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_seconds_hide_nothing),
		cmocka_unit_test(one_slow_read_is_one_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
