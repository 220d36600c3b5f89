/* backoff_test.c - waits grow, stay bounded, repeat by seed, and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backoff.h"
#include "clock.h"
#include "err.h"

static void waits_are_bounded_and_repeat(void **state)
{
	struct err err = {.kind = ERR_NETWORK};
	struct backoff one;
	struct backoff two;
	int64_t a;
	int64_t b;

	(void)state;
	backoff_init(&one, 1000, 50000, 0, 7);
	backoff_init(&two, 1000, 50000, 0, 7);
	for (int i = 0; i < 1000; i++) {
		assert_true(backoff_next(&one, &err, &a));
		assert_true(backoff_next(&two, &err, &b));
		assert_int_equal(a, b);
		assert_true(a >= 1000 && a <= 50000);
		assert_true(i > 0 || a <= 3000);
	}
}

/* Many that lost the same server do not come back together. */
static void waits_are_spread(void **state)
{
	struct err err = {.kind = ERR_NETWORK};
	unsigned tenths[10] = {0};

	(void)state;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct backoff backoff;
		int64_t wait;

		backoff_init(&backoff, 1000, 50000, 0, seed);
		assert_true(backoff_next(&backoff, &err, &wait));
		tenths[(wait - 1000) * 10 / 2001]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(tenths[i], 60, 140);
}

static void gives_up_in_time(void **state)
{
	struct err err = {.kind = ERR_NETWORK};
	struct backoff backoff;
	int64_t wait;

	(void)state;
	backoff_init(&backoff, 1000, 50000, 2, 1);
	assert_true(backoff_next(&backoff, &err, &wait));
	assert_true(backoff_next(&backoff, &err, &wait));
	assert_false(backoff_next(&backoff, &err, &wait));
	backoff_reset(&backoff);
	assert_true(backoff_next(&backoff, &err, &wait));
	err.kind = ERR_AUTH;
	assert_false(backoff_next(&backoff, &err, &wait));
}

static void a_named_time_is_the_least(void **state)
{
	struct err err = {.kind = ERR_THROTTLED, .retry_after_s = 9};
	struct backoff backoff;
	int64_t wait;

	(void)state;
	backoff_init(&backoff, 1000, 50000, 0, 1);
	assert_true(backoff_next(&backoff, &err, &wait));
	assert_true(wait > 9 * US_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_are_bounded_and_repeat),
		cmocka_unit_test(waits_are_spread),
		cmocka_unit_test(gives_up_in_time),
		cmocka_unit_test(a_named_time_is_the_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
