/* hire_test.c - how many connections are worth it, as a table and step by
 * step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "hire.h"

static void by_round_trips(void **state)
{
	static const struct {
		uint64_t commands;
		int64_t ms;
		unsigned depth, max, want;
	} cases[] = {
		{0, 50, 32, 4, 1},
		/* 300 folders: 19 round trips, 6 of them for the set-up */
		{600, 50, 32, 4, 2},
		{600, 200, 32, 4, 3},
		{600, 200, 32, 2, 2},
		{600, 9, 32, 4, 1},
		/* a server that takes 4 at a time */
		{600, 50, 4, 4, 4},
		{600, 50, 4, 8, 5},
		{60, 50, 32, 4, 1},
		{100000, 9, 4, 4, 1},
		{600, 50, 0, 4, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct work_size size = {cases[i].commands, 0};
		const struct source_line line = {
			cases[i].ms * US_PER_MS, cases[i].depth, COMPRESS_AUTO};

		assert_int_equal(hire_for_commands(&size, &line, cases[i].max),
			cases[i].want);
	}
}

/* A line on which N connections carry rate[N] bytes a second. */
static unsigned try_line(const double *rate, uint64_t limit, int64_t rtt_us)
{
	const struct source_line line = {rtt_us, 16, COMPRESS_AUTO};
	struct hire_look look = {
		.bytes_left = 1000000000, .limit_bytes_s = limit};
	struct hire hire;
	unsigned count = 1;

	hire_start(&hire, &line, count, 4, &look);
	for (int second = 0; second < 40; second++) {
		uint64_t bytes = (uint64_t)rate[count];

		look.now_us += US_PER_S;
		look.bytes += bytes;
		look.bytes_left -= bytes;
		switch (hire_consider(&hire, &look)) {
		case HIRE_MORE:
			hire_changed(&hire, ++count, &look);
			break;
		case HIRE_FEWER:
			hire_changed(&hire, --count, &look);
			break;
		case HIRE_NONE:
			break;
		}
	}
	return count;
}

static void by_trying(void **state)
{
	static const double each[] = {0, 1e6, 2e6, 3e6, 4e6};
	static const double line_full[] = {0, 5e6, 5.1e6, 5.1e6, 5.1e6};
	static const double two[] = {0, 3e6, 5e6, 5.2e6, 5.2e6};

	(void)state;
	assert_int_equal(try_line(each, 0, 50 * US_PER_MS), 4);
	assert_int_equal(try_line(line_full, 0, 50 * US_PER_MS), 1);
	assert_int_equal(try_line(two, 0, 50 * US_PER_MS), 2);
	/* near; and where the client's own limit is what holds it */
	assert_int_equal(try_line(each, 0, US_PER_MS), 1);
	assert_int_equal(try_line(each, 1200000, 50 * US_PER_MS), 1);
}

static void not_for_a_little_rest(void **state)
{
	const struct source_line line = {50 * US_PER_MS, 16, COMPRESS_AUTO};
	struct hire_look look = {.bytes_left = 5000000};
	struct hire hire;

	(void)state;
	hire_start(&hire, &line, 1, 4, &look);
	look.now_us = 2 * US_PER_S;
	look.bytes = 2000000;
	look.bytes_left = 3000000;
	assert_int_equal(hire_consider(&hire, &look), HIRE_NONE);
}

/* One more was asked for and did not get in: that is that. */
static void a_refusal_ends_the_tries(void **state)
{
	const struct source_line line = {50 * US_PER_MS, 16, COMPRESS_AUTO};
	struct hire_look look = {.bytes_left = 100000000};
	struct hire hire;

	(void)state;
	hire_start(&hire, &line, 1, 4, &look);
	look.now_us = 2 * US_PER_S;
	look.bytes = 2000000;
	assert_int_equal(hire_consider(&hire, &look), HIRE_MORE);
	hire_changed(&hire, 1, &look);
	look.now_us = 9 * US_PER_S;
	look.bytes = 9000000;
	assert_int_equal(hire_consider(&hire, &look), HIRE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_round_trips),
		cmocka_unit_test(by_trying),
		cmocka_unit_test(not_for_a_little_rest),
		cmocka_unit_test(a_refusal_ends_the_tries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
