/* rate_test.c - the average holds whatever the pieces are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "rate.h"

static void without_a_limit_nothing_waits(void **state)
{
	struct rate rate = {0};

	(void)state;
	assert_int_equal(rate_pay(&rate, 1 << 30, 5), 0);
	assert_int_equal(rate_chunk(&rate, 123456), 123456);
}

/* Moves BYTES in pieces of PIECE and returns the time it took. */
static int64_t drive(uint64_t bytes_s, uint64_t bytes, size_t piece)
{
	struct rate rate = {0};
	int64_t now_us = 1000;

	rate_set(&rate, bytes_s, now_us);
	for (; bytes > piece; bytes -= piece)
		now_us += rate_pay(&rate, piece, now_us) + 1;
	return now_us - 1000;
}

static void the_average_holds_for_any_piece(void **state)
{
	static const size_t pieces[] = {100, 1460, 65536, 1000000};
	size_t i;
	int64_t took_us;

	(void)state;
	for (i = 0; i < 4; i++) {
		took_us = drive(1000000, 20000000, pieces[i]);
		/* 20 s, less the last piece and the first burst. */
		assert_in_range(took_us, 18700000, 20300000);
	}
}

static void a_slow_link_loses_no_fraction(void **state)
{
	(void)state;
	/* One byte at a time at 1000 bytes a second, asked every 1 ms. */
	assert_in_range(drive(1000, 10000, 1), 7900000, 10100000);
}

static void a_new_rate_forgives_and_keeps_little(void **state)
{
	struct rate rate = {0};

	(void)state;
	rate_set(&rate, 1000, 0);
	assert_true(rate_pay(&rate, 1000000, 0) > 900 * US_PER_S);
	/* What is owed shrinks to a quarter of a second of the new rate. */
	rate_set(&rate, 1000000, 0);
	assert_in_range(rate_pay(&rate, 0, 0), 1, US_PER_S / 4 + 10);
	rate_set(&rate, 0, 0);
	assert_int_equal(rate_pay(&rate, 1000000, 0), 0);
}

static void pieces_are_a_twentieth_of_a_second(void **state)
{
	struct rate rate = {0};

	(void)state;
	rate_set(&rate, 2000000, 0);
	assert_int_equal(rate_chunk(&rate, 500000), 100000);
	assert_int_equal(rate_chunk(&rate, 500), 500);
	rate_set(&rate, 100, 0);
	assert_int_equal(rate_chunk(&rate, 500000), 1460);
}

static void a_clock_that_stands_still_earns_nothing(void **state)
{
	struct rate rate = {0};
	int64_t first;

	(void)state;
	rate_set(&rate, 1000000, 500);
	first = rate_pay(&rate, 1000000, 500);
	assert_true(rate_pay(&rate, 0, 400) >= first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_nothing_waits),
		cmocka_unit_test(the_average_holds_for_any_piece),
		cmocka_unit_test(a_slow_link_loses_no_fraction),
		cmocka_unit_test(a_new_rate_forgives_and_keeps_little),
		cmocka_unit_test(pieces_are_a_twentieth_of_a_second),
		cmocka_unit_test(a_clock_that_stands_still_earns_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
