/* meter_test.c - speed, fraction, time left; states and flags beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "buf.h"
#include "clock.h"
#include "flags.h"
#include "meter.h"
#include "state.h"

static void speed_and_eta(void **state)
{
	struct meter meter = {.first = 0};
	int64_t eta;

	(void)state;
	meter_update(&meter, 0, 0, 60000000);
	assert_false(meter_eta_us(&meter, &eta));
	for (int i = 1; i <= 10; i++)
		meter_update(
			&meter, i * US_PER_S, (uint64_t)i * 1000000, 60000000);
	assert_float_equal(meter_mb_min(&meter), 60, 0.01);
	assert_true(meter_eta_us(&meter, &eta));
	assert_float_equal((double)eta, 50.0 * US_PER_S, US_PER_S);
	assert_float_equal(meter_fraction(&meter), 10.0 / 60, 0.001);
	assert_float_equal(mb_per_minute(1000000, US_PER_S), 60, 0.001);
	assert_float_equal(mb_per_minute(1, 0), 0, 0);
}

static void old_points_are_forgotten(void **state)
{
	struct meter meter = {.first = 0};

	(void)state;
	meter_update(&meter, 0, 1000000000, 2000000000);
	for (int i = 1; i <= 100; i++)
		meter_update(&meter, i * US_PER_S,
			1000000000 + (uint64_t)i * 100000, 2000000000);
	assert_float_equal(meter_mb_min(&meter), 6, 0.01);
}

static void states_end_and_have_phases(void **state)
{
	(void)state;
	for (int i = 0; i < SYNC_STATE_COUNT; i++) {
		enum sync_state one = (enum sync_state)i;

		assert_non_null(sync_state_name(one));
		assert_true(sync_state_final(one) ||
			sync_state_may(one, SYNC_FAILED));
		assert_false(sync_state_may(SYNC_DONE, one));
	}
	assert_int_equal(sync_state_phase(SYNC_FETCHING), PHASE_SYNCING);
}

static void flags_become_bits_and_words(void **state)
{
	struct buf words = BUF_INIT(100);

	(void)state;
	assert_int_equal(
		flags_parse("\\seen $Forwarded \\Recent \\Draft x", &words),
		STORE_FLAG_SEEN | STORE_FLAG_DRAFT);
	assert_string_equal(buf_text(&words), "$Forwarded x");
	assert_int_equal(flags_parse(NULL, NULL), 0);
	buf_free(&words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speed_and_eta),
		cmocka_unit_test(old_points_are_forgotten),
		cmocka_unit_test(states_end_and_have_phases),
		cmocka_unit_test(flags_become_bits_and_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
