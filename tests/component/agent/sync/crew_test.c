/*
 * crew_test.c - several connections to one account: when they are opened,
 * what one that is refused or lost costs, and that the store is the same.
 */
#include "engine_stop.h"

#include "wire.h"

#define FOLDERS 15

/* Many small folders, headers only, one message of each to be had whole. */
static void fill_tree(struct fixture *f)
{
	static char paths[FOLDERS][32];

	for (int i = 0; i < FOLDERS; i++) {
		struct fake_folder *folder;

		snprintf(paths[i], sizeof *paths, "Sent %d", i);
		folder = fake_add_folder(f->fake, i ? paths[i] : "INBOX",
			COLLECTION_MAIL, false);
		for (int j = 0; j < 10; j++)
			fake_add_mail(folder, 500);
		fake_add(folder, signed_mail, 0);
	}
}

static int run(struct fixture *f, unsigned connections)
{
	struct sync_setup how = setup_of(f);
	int status;

	how.connections = connections;
	status = run_as(f, &how);
	assert_int_equal(f->fake->open, 0);
	return status;
}

static void a_long_line_gets_several(void **state)
{
	struct fixture *f = *state;

	fill_tree(f);
	f->fake->round_trip_us = US_PER_S;
	f->fake->await = 4;
	assert_int_equal(run(f, 0), 0);
	assert_true(f->progress.verified);
	assert_int_equal(f->progress.connections, 4);
	assert_int_equal(f->fake->sessions, 4);
	assert_equal_to_server(f);
	assert_served_once(f);
}

/* Side by side they count as the one with the longest chain. */
static void chains_count_as_the_longest(void **state)
{
	struct fixture *f = *state;

	fill_tree(f);
	f->fake->round_trip_us = US_PER_S;
	f->fake->await = 2;
	f->fake->further_trips = 1000;
	assert_int_equal(run(f, 2), 0);
	assert_int_equal(f->fake->sessions, 2);
	assert_true(f->progress.round_trips > 1000);
}

static void near_the_server_one_is_enough(void **state)
{
	struct fixture *f = *state;

	fill_tree(f);
	f->fake->round_trip_us = US_PER_MS;
	assert_int_equal(run(f, 0), 0);
	assert_int_equal(f->progress.connections, 1);
	assert_int_equal(f->fake->sessions, 1);
	assert_equal_to_server(f);
}

static void no_more_than_allowed(void **state)
{
	struct fixture *f = *state;

	fill_tree(f);
	f->fake->round_trip_us = US_PER_S;
	f->fake->await = 2;
	assert_int_equal(run(f, 2), 0);
	assert_int_equal(f->fake->sessions, 2);
	assert_equal_to_server(f);
	assert_served_once(f);
}

/* Two get in and two do not; nobody knocks again in this run, neither for
 * the bodies nor in the round that proves. */
static void a_refusal_is_remembered(void **state)
{
	struct fixture *f = *state;

	fill_tree(f);
	f->fake->round_trip_us = US_PER_S;
	f->fake->await = 4;
	f->fake->open_max = 2;
	f->fake->fail_kind = FAKE_THROTTLED;
	assert_int_equal(run(f, 4), 0);
	assert_true(f->progress.verified);
	assert_int_equal(f->progress.connections, 2);
	assert_int_equal(f->progress.retries, 0);
	assert_int_equal(f->fake->sessions, 4);
	assert_int_equal(f->fake->refused, 2);
	assert_equal_to_server(f);
	assert_served_once(f);
}

/* A server that takes "too many" for a wrong password: the first session is
 * the proof that it is right. */
static void a_refused_login_is_no_wrong_password(void **state)
{
	struct fixture *f = *state;

	fill_tree(f);
	f->fake->round_trip_us = US_PER_S;
	f->fake->await = 4;
	f->fake->open_max = 1;
	f->fake->fail_kind = FAKE_AUTH;
	assert_int_equal(run(f, 4), 0);
	assert_int_equal(f->progress.connections, 1);
	assert_equal_to_server(f);
	assert_served_once(f);
}

static void a_lost_hand_costs_no_ones_work(void **state)
{
	struct fixture *f = *state;

	fill_tree(f);
	f->fake->round_trip_us = US_PER_S;
	f->fake->await = 3;
	f->fake->cut_session = 2;
	f->fake->cut_item = 4;
	assert_int_equal(run(f, 3), 0);
	assert_true(f->progress.verified);
	assert_int_equal(f->progress.retries, 0);
	assert_int_equal(f->fake->sessions, 3);
	assert_equal_to_server(f);
	assert_served_once(f);
}

static void the_first_lost_keeps_the_hands_work(void **state)
{
	struct fixture *f = *state;

	fill_tree(f);
	f->fake->round_trip_us = US_PER_S;
	f->fake->await = 3;
	f->fake->cut_session = 1;
	f->fake->cut_item = 4;
	assert_int_equal(run(f, 3), 0);
	assert_int_equal(f->progress.retries, 1);
	assert_equal_to_server(f);
	assert_served_once(f);
}

static struct sync_setup four(struct fixture *f)
{
	struct sync_setup how = setup_of(f);

	fill_tree(f);
	f->fake->round_trip_us = US_PER_S;
	f->fake->await = 4;
	how.connections = 4;
	return how;
}

static void cancelling_stops_them_all(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = four(f);

	assert_goes_on_after_cancel(f, &how, 6);
	assert_int_equal(f->fake->open, 0);
}

static void a_pause_holds_them_all(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = four(f);

	assert_goes_on_after_pause(f, &how, 6);
	assert_int_equal(f->fake->sessions, 4);
	assert_int_equal(f->fake->open, 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_long_line_gets_several),
		T(chains_count_as_the_longest),
		T(near_the_server_one_is_enough),
		T(no_more_than_allowed),
		T(a_refusal_is_remembered),
		T(a_refused_login_is_no_wrong_password),
		T(a_lost_hand_costs_no_ones_work),
		T(the_first_lost_keeps_the_hands_work),
		T(cancelling_stops_them_all),
		T(a_pause_holds_them_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
