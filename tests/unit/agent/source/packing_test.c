/* packing_test.c - when a session is compressed, second by second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "packing.h"

#define RTT (50 * US_PER_MS)

/* A line that carries PLAIN bytes of mail a second, or PACKED of them; AHEAD
 * are asked for. Looks every tenth of a second; counts the changes. */
static enum packing_state carry(
	double plain, double packed, uint64_t ahead, unsigned *changes)
{
	struct packing packing;
	int64_t now_us = US_PER_S;
	double received = 0;

	packing_init(&packing, COMPRESS_AUTO, 0);
	packing_session(&packing, true);
	*changes = 0;
	for (int tenth = 0; tenth < 300; tenth++) {
		packing_consider(&packing, now_us, ahead, RTT);
		if (packing.due) {
			++*changes;
			packing_settled(&packing, false);
		}
		now_us += US_PER_S / 10;
		received += (packing_wanted(&packing) ? packed : plain) / 10;
		packing.received = (uint64_t)received;
	}
	return packing.state;
}

static void a_slow_line_is_packed(void **state)
{
	unsigned changes;

	(void)state;
	assert_int_equal(carry(1e6, 1.3e6, 8000000, &changes), PACKING_ON);
	assert_int_equal(changes, 1);
	assert_int_equal(carry(1e5, 1.4e5, 1000000, &changes), PACKING_ON);
}

static void a_fast_one_is_not(void **state)
{
	unsigned changes;

	(void)state;
	assert_int_equal(carry(1e7, 5e6, 8000000, &changes), PACKING_OFF);
	assert_int_equal(changes, 0);
	assert_int_equal(carry(2.6e6, 5e6, 8000000, &changes), PACKING_OFF);
	assert_int_equal(changes, 0);
}

/* It was the server that was slow: packing made it no faster. */
static void a_busy_server_is_spared(void **state)
{
	unsigned changes;

	(void)state;
	assert_int_equal(carry(1e6, 1e6, 8000000, &changes), PACKING_OFF);
	assert_int_equal(changes, 2);
	assert_int_equal(carry(1e6, 3e5, 8000000, &changes), PACKING_OFF);
	assert_int_equal(changes, 2);
}

/* So little is asked for that the line is empty half of the time. */
static void round_trips_are_no_slow_line(void **state)
{
	unsigned changes;

	(void)state;
	assert_int_equal(carry(1e6, 2e6, 150000, &changes), PACKING_MEASURE);
	assert_int_equal(changes, 0);
}

static void wishes_and_limits(void **state)
{
	static const struct {
		enum compress wish;
		uint64_t limit;
		bool offered;
		enum packing_state want;
	} cases[] = {
		{COMPRESS_ON, 0, true, PACKING_ON},
		{COMPRESS_OFF, 1000, true, PACKING_OFF},
		{COMPRESS_AUTO, 0, true, PACKING_MEASURE},
		{COMPRESS_AUTO, 0, false, PACKING_OFF},
		{COMPRESS_AUTO, 100000, true, PACKING_ON},
		{COMPRESS_AUTO, 1000000, true, PACKING_MEASURE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct packing packing;

		packing_init(&packing, cases[i].wish, cases[i].limit);
		packing_session(&packing, cases[i].offered);
		assert_int_equal(packing.state, cases[i].want);
		assert_false(packing.due);
	}
}

static void a_refusal_is_final(void **state)
{
	struct packing packing;

	(void)state;
	packing_init(&packing, COMPRESS_AUTO, 0);
	packing.state = PACKING_TRY;
	packing.due = true;
	packing_settled(&packing, true);
	assert_int_equal(packing.state, PACKING_OFF);
	assert_false(packing.due);
}

/* While it is open, no more is asked for than a change can wait for. */
static void little_is_ahead_at_first(void **state)
{
	struct packing packing;

	(void)state;
	packing_init(&packing, COMPRESS_AUTO, 0);
	assert_int_equal(packing_ahead_max(&packing, 8000000, RTT), 1 << 20);
	packing.rate = 1e6;
	assert_int_equal(packing_ahead_max(&packing, 8000000, RTT), 4000000);
	packing.rate = 1e5;
	assert_int_equal(packing_ahead_max(&packing, 8000000, RTT), 1 << 20);
	packing.rate = 9e6;
	assert_int_equal(packing_ahead_max(&packing, 8000000, RTT), 8000000);
	packing.state = PACKING_OFF;
	packing.rate = 1e5;
	assert_int_equal(packing_ahead_max(&packing, 8000000, RTT), 8000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_line_is_packed),
		cmocka_unit_test(a_fast_one_is_not),
		cmocka_unit_test(a_busy_server_is_spared),
		cmocka_unit_test(round_trips_are_no_slow_line),
		cmocka_unit_test(wishes_and_limits),
		cmocka_unit_test(a_refusal_is_final),
		cmocka_unit_test(little_is_ahead_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
