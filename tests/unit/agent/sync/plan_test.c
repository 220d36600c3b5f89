/* plan_test.c - what is missing, changed, gone; windows and their pace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "clock.h"
#include "plan.h"

static void the_listing_is_held_against_the_store(void **state)
{
	struct plan plan = {.stored = NULL};
	size_t at = 0;
	uint32_t uid;

	(void)state;
	for (uint32_t i = 5; i > 0; i--)
		plan_add_stored(&plan, i, 100, 1, 0);
	plan_seal(&plan);
	assert_int_equal(plan_listed(&plan, 1, 100, 1, 0), PLAN_SAME);
	assert_int_equal(plan_listed(&plan, 2, 100, 3, 0), PLAN_CHANGED);
	assert_int_equal(plan_listed(&plan, 4, 100, 1, 0), PLAN_SAME);
	assert_int_equal(plan_listed(&plan, 9, 100, 1, 0), PLAN_FRESH);
	assert_true(plan_gone(&plan, &at, &uid));
	assert_int_equal(uid, 3);
	assert_true(plan_gone(&plan, &at, &uid));
	assert_int_equal(uid, 5);
	assert_false(plan_gone(&plan, &at, &uid));
	assert_int_equal(plan_listed(&plan, 5, 101, 1, 0), PLAN_RESIZED);
	assert_int_equal(plan_listed(&plan, 5, 0, 1, 0), PLAN_SAME);
	plan_free(&plan);
}

static void windows_are_newest_first_and_ascending(void **state)
{
	struct plan plan = {.stored = NULL};
	struct plan_pace pace = plan_pace_init(1000);
	struct item_id *ids;
	uint64_t bytes;
	size_t count;

	(void)state;
	plan_add_fresh(&plan, 7, 400);
	plan_add_fresh(&plan, 3, 2000);
	plan_add_fresh(&plan, 9, 500);
	assert_int_equal(plan_fresh_bytes(&plan), 2900);
	assert_true(plan_next_fresh(&plan, &pace, true, &ids, &count, &bytes));
	assert_int_equal(count, 2);
	assert_int_equal(ids[0].uid, 7);
	assert_int_equal(ids[1].uid, 9);
	assert_int_equal(bytes, 900);
	free(ids);
	/* Larger than a window: alone in one. */
	assert_true(plan_next_fresh(&plan, &pace, true, &ids, &count, &bytes));
	assert_int_equal(count, 1);
	assert_int_equal(ids[0].uid, 3);
	free(ids);
	assert_false(plan_next_fresh(&plan, &pace, true, &ids, &count, &bytes));
	plan_free(&plan);
}

static void windows_follow_the_line(void **state)
{
	struct plan_pace pace = plan_pace_init(4u << 20);
	uint64_t before = pace.bytes;

	(void)state;
	plan_pace_done(&pace, pace.bytes, US_PER_S / 5);
	assert_int_equal(pace.bytes, 2 * before);
	/* The first fast one says how fast at once. */
	plan_pace_done(&pace, pace.bytes, US_PER_S / 100);
	assert_int_equal(pace.bytes, 4u << 20);
	for (int i = 0; i < 20; i++)
		plan_pace_done(&pace, pace.bytes, US_PER_S / 100);
	assert_int_equal(pace.bytes, 4u << 20);
	for (int i = 0; i < 20; i++)
		plan_pace_done(&pace, pace.bytes, 10 * US_PER_S);
	assert_true(pace.bytes >= 32768 && pace.bytes <= 65536);
}

/* So that a pause, and a crash, cost seconds of a line of any width. */
static void a_slow_line_owes_little(void **state)
{
	struct plan_pace pace = plan_pace_init(4u << 20);
	int64_t now_us = 5 * US_PER_S;

	(void)state;
	assert_int_equal(plan_pace_ahead(&pace, 0), 1u << 20);
	assert_int_equal(plan_pace_ahead(&pace, 60000), 180000);
	/* Two windows are always under way; each takes two seconds more. */
	for (int i = 0; i < 10; i++) {
		now_us += 2 * US_PER_S;
		plan_pace_arrived(&pace, 120000, now_us - 4 * US_PER_S, now_us);
	}
	assert_in_range(plan_pace_ahead(&pace, 0), 170000, 190000);
	assert_int_equal(plan_pace_ahead(&pace, 30000), 90000);
	/* A cap above what comes makes nothing faster. */
	assert_in_range(plan_pace_ahead(&pace, 1000000), 170000, 190000);
	for (int i = 0; i < 20; i++) {
		now_us += US_PER_S / 100;
		plan_pace_arrived(
			&pace, 4u << 20, now_us - US_PER_S / 10, now_us);
	}
	assert_true(plan_pace_ahead(&pace, 0) > 1000u << 20);
}

static void a_deadly_window_shrinks_to_one(void **state)
{
	struct plan_pace pace = plan_pace_init(4u << 20);
	int steps = 0;

	(void)state;
	for (plan_pace_failed(&pace, 16); pace.items > 1; steps++)
		plan_pace_failed(&pace, pace.items);
	assert_int_equal(steps, 3);
	plan_pace_failed(&pace, 1);
	assert_int_equal(pace.items, 1);
	assert_true(plan_pace_fits(&pace, 0, 0, UINT64_MAX));
	assert_false(plan_pace_fits(&pace, 1, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_listing_is_held_against_the_store),
		cmocka_unit_test(windows_are_newest_first_and_ascending),
		cmocka_unit_test(windows_follow_the_line),
		cmocka_unit_test(a_slow_line_owes_little),
		cmocka_unit_test(a_deadly_window_shrinks_to_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
