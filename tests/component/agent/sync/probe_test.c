/*
 * probe_test.c - how much is asked for before anything is known of the line:
 * on a slow one nothing else comes meanwhile.
 */
#include "engine_compare.h"

#include "clock.h"

#define PROBE_BYTES (128u << 10)
#define MESSAGES    200
#define BODY_BYTES  20000

/* Of whole messages, so far. */
static uint64_t served_bytes(const struct fake_account *account)
{
	const struct fake_folder *inbox = &account->folders[0];
	uint64_t sum = 0;

	for (size_t i = 0; i < inbox->count; i++)
		sum += inbox->messages[i].served_bodies *
			inbox->messages[i].length;
	return sum;
}

struct watch {
	struct fixture *f;
	int messages;
	bool bulk;	/* when windows were asked for after the first */
	uint64_t first; /* what the first window of whole messages held */
	uint64_t largest, before;
	int64_t pause_us;
};

static void watch_window(struct fake_account *account, unsigned window)
{
	struct watch *watch = account->context;
	uint64_t now = served_bytes(account);

	(void)window;
	if (watch->first || now > watch->before) {
		struct sync_progress progress;

		sync_progress(watch->f->running, &progress);
		watch->bulk |= progress.state == SYNC_FETCHING;
	}
	if (now > watch->before && !watch->first)
		watch->first = now;
	if (now - watch->before > watch->largest)
		watch->largest = now - watch->before;
	watch->before = now;
	if (watch->pause_us)
		clock_sleep_us(watch->pause_us);
}

static void copy(struct fixture *f, struct watch *watch)
{
	struct fake_folder *inbox = fake_add_folder(
		f->fake, "INBOX", COLLECTION_MAIL, false);
	struct sync_setup how = setup_of(f);

	watch->f = f;
	for (int i = 0; i < watch->messages; i++)
		fake_add_mail(inbox, BODY_BYTES);
	f->fake->before = watch_window;
	f->fake->context = watch;
	how.window_bytes = 4 << 20;
	assert_int_equal(run_as(f, &how), 0);
	assert_int_equal(f->progress.totals.bodies, watch->messages);
	assert_served_once(f);
}

/* Little at first, and at least one message; more once that went well. */
static void first_window_is_small(void **state)
{
	struct watch watch = {.messages = MESSAGES};

	copy(*state, &watch);
	assert_in_range(watch.first, BODY_BYTES, PROBE_BYTES);
	assert_true(watch.largest > PROBE_BYTES);
}

/* The same where each answer takes its time. */
static void first_window_is_small_on_a_slow_line(void **state)
{
	struct watch watch = {.messages = MESSAGES, .pause_us = 40 * US_PER_MS};

	copy(*state, &watch);
	assert_in_range(watch.first, BODY_BYTES, PROBE_BYTES);
}

static unsigned headers_served(const struct fixture *f)
{
	const struct fake_folder *inbox = &f->fake->folders[0];
	unsigned sum = 0;

	for (size_t i = 0; i < inbox->count; i++)
		sum += inbox->messages[i].served_headers;
	return sum;
}

/* A line that turns out to be fast needs no headers by themselves; a long one
 * would bring nothing until that is known. */
static void headers_come_beside_the_probe_of_a_long_line(void **state)
{
	struct fixture *f = *state;
	struct watch watch = {.messages = MESSAGES};

	copy(f, &watch);
	assert_int_equal(headers_served(f), 0);
	assert_int_equal(teardown(state), 0);
	assert_int_equal(setup(state), 0);
	f = *state;
	f->fake->round_trip_us = 50 * US_PER_MS;
	watch = (struct watch){.messages = FAKE_MESSAGES};
	copy(f, &watch);
	assert_in_range(headers_served(f), 1, FAKE_MESSAGES - 1);
}

/* A sync that copies whole messages counts among those that load the server,
 * also where the second window holds the rest of them, and where the line is
 * slow. */
static void whole_messages_are_bulk(void **state)
{
	struct watch watch = {.messages = 12};

	copy(*state, &watch);
	assert_true(watch.bulk);
}

static void whole_messages_are_bulk_on_a_slow_line(void **state)
{
	struct watch watch = {.messages = 12, .pause_us = 20 * US_PER_MS};

	copy(*state, &watch);
	assert_true(watch.bulk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			first_window_is_small, setup, teardown),
		cmocka_unit_test_setup_teardown(
			first_window_is_small_on_a_slow_line, setup, teardown),
		cmocka_unit_test_setup_teardown(
			headers_come_beside_the_probe_of_a_long_line, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			whole_messages_are_bulk, setup, teardown),
		cmocka_unit_test_setup_teardown(
			whole_messages_are_bulk_on_a_slow_line, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
