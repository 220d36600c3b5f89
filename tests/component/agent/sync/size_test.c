/*
 * size_test.c - servers that announce sizes other than what they send: the
 * bytes that came are kept, the difference is told, and nothing is fetched
 * again for it.
 */
#include "engine_compare.h"

#include "verify.h"

static void announce(struct fixture *f, int listed, int fetched)
{
	for (size_t i = 0; i < f->fake->count; i++) {
		struct fake_folder *folder = &f->fake->folders[i];

		for (size_t j = 0; !folder->dav && j < folder->count; j++) {
			folder->messages[j].off_listed = listed;
			folder->messages[j].off_fetched = fetched;
		}
	}
}

/* Every folder is listed, as with a server that tells no changes. */
static int prove(struct fixture *f)
{
	struct sync_setup how = setup_of(f);

	how.prove = true;
	return run_as(f, &how);
}

static unsigned served_headers(const struct fixture *f)
{
	unsigned sum = 0;

	for (size_t i = 0; i < f->fake->count; i++)
		for (size_t j = 0; j < f->fake->folders[i].count; j++)
			sum += f->fake->folders[i].messages[j].served_headers;
	return sum;
}

/* 21 bodies; headers only of the rest, whose length nobody has seen. */
static void what_came_is_kept_and_told(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);
	struct verify_result result;

	fill(f);
	announce(f, 7, 7);
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->progress.totals.bodies, 21);
	assert_int_equal(f->progress.missized, 21);
	assert_equal_to_server(f);
	assert_served_once(f);
	assert_int_equal(prove(f), 0);
	assert_int_equal(f->progress.missized, 0);
	assert_int_equal(f->progress.run_app_bytes, 0);
	assert_served_once(f);
	assert_int_equal(
		verify_run(&how, false, NULL, NULL, &result, &f->err), 0);
	assert_true(verify_equal(&result));
	assert_int_equal(result.missized, 21);
}

static void right_sizes_are_no_news(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->progress.missized, 0);
}

/* The listing has one figure, fetching another, for ever. */
static void two_figures_end_in_peace(void **state)
{
	struct fixture *f = *state;
	unsigned before;

	fill(f);
	announce(f, 7, 3);
	assert_int_equal(synchronise(f), 0);
	assert_true(f->progress.verified);
	assert_bodies_served_once(f);
	before = served_headers(f);
	assert_int_equal(prove(f), 0);
	assert_int_equal(served_headers(f), before);
	assert_int_equal(f->progress.run_app_bytes, 0);
	assert_bodies_served_once(f);
}

/* A server that finds out how long its messages are by sending them. */
static void a_corrected_size_is_noted(void **state)
{
	struct fixture *f = *state;
	struct fake_folder *inbox = fake_add_folder(
		f->fake, "INBOX", COLLECTION_MAIL, false);
	struct store *store;
	struct store_folder row;

	for (int i = 0; i < 20; i++)
		fake_add_mail(inbox, 1500);
	announce(f, 7, 7);
	assert_int_equal(synchronise(f), 0);
	announce(f, 0, 0);
	assert_int_equal(prove(f), 0);
	assert_served_once(f);
	assert_int_equal(f->progress.totals.bodies, 20);
	assert_int_equal(prove(f), 0);
	assert_int_equal(f->progress.run_app_bytes, 0);
	store = store_open(f->store, STORE_READ, NULL);
	assert_int_equal(store_folder_by_path(store, "INBOX", &row, NULL), 1);
	assert_int_equal(row.messages, 20);
	store_folder_free(&row);
	store_close(store);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_came_is_kept_and_told),
		T(right_sizes_are_no_news),
		T(two_figures_end_in_peace),
		T(a_corrected_size_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
