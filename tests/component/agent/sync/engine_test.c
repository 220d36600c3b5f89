/*
 * engine_test.c - the engine against an account in memory and a store in a
 * temporary directory: what changes under its feet, what dies, what is
 * fetched twice (nothing).
 */
#include "engine_stop.h"

#include "clock.h"

/* ----------------------------------------------------------------- tests */

static void copies_and_proves(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	assert_true(f->progress.verified);
	assert_int_equal(f->progress.state, SYNC_DONE);
	assert_int_equal(f->progress.totals.messages, 31);
	assert_int_equal(f->progress.totals.bodies, 21);
	assert_int_equal(f->progress.totals.protected_messages, 1);
	assert_int_equal(f->progress.totals.events, 3);
	assert_int_equal(f->progress.app_bytes, f->progress.total_bytes);
	assert_equal_to_server(f);
	assert_served_once(f);
}

static void second_run_fetches_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned windows;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	windows = f->fake->windows;
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->fake->windows, windows);
	assert_int_equal(f->progress.run_app_bytes, 0);
}

static int64_t last_sync_us(const struct fixture *f)
{
	struct store *store = store_open(f->store, STORE_READ, NULL);
	int64_t at_us = store_counter_get(store, "last_sync_us");

	store_close(store);
	return at_us;
}

/* `status` tells it: only a run that ended verified counts. */
static void last_sync_is_the_last_verified_one(void **state)
{
	struct fixture *f = *state;
	int64_t before_us = clock_wall_us();
	int64_t first_us;

	fill(f);
	f->fake->fail_open = 1;
	f->fake->fail_kind = FAKE_AUTH;
	assert_int_equal(synchronise(f), -1);
	assert_int_equal(last_sync_us(f), 0);
	assert_int_equal(synchronise(f), 0);
	first_us = last_sync_us(f);
	assert_in_range(first_us, before_us, clock_wall_us());
	f->fake->fail_open = 1;
	assert_int_equal(synchronise(f), -1);
	assert_int_equal(last_sync_us(f), first_us);
	assert_int_equal(synchronise(f), 0);
	assert_in_range(last_sync_us(f), first_us + 1, clock_wall_us());
}

static void later_changes_are_a_delta(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	fake_add_mail(fake_folder(f->fake, "INBOX"), 100);
	fake_expunge(fake_folder(f->fake, "INBOX"), 5);
	fake_find(fake_folder(f->fake, "Sent"), 2)->flags = "\\Flagged";
	fake_find(fake_folder(f->fake, "Sent"), 2)->modseq = 99;
	fake_folder(f->fake, "Sent")->modseq = 99;
	fake_expunge(fake_folder(f->fake, "Calendar"), 1);
	assert_int_equal(synchronise(f), 0);
	assert_equal_to_server(f);
	assert_served_once(f);
}

static void grow(struct fake_account *fake, unsigned window)
{
	if (window == 4)
		fake_add_mail(fake_folder(fake, "INBOX"), 300);
	if (window == 9)
		fake_add_mail(fake_folder(fake, "Sent"), 300);
}

static void new_mail_meanwhile(void **state)
{
	struct fixture *f = *state;

	fill(f);
	f->fake->before = grow;
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->progress.totals.messages, 33);
	assert_equal_to_server(f);
}

static void shrink(struct fake_account *fake, unsigned window)
{
	if (window >= 2 && window < 8)
		fake_expunge(fake_folder(fake, "INBOX"), window + 3);
}

static void expunged_meanwhile(void **state)
{
	struct fixture *f = *state;

	fill(f);
	f->fake->before = shrink;
	assert_int_equal(synchronise(f), 0);
	assert_equal_to_server(f);
	assert_served_once(f);
}

static void remove_folder(struct fake_account *fake, unsigned window)
{
	if (window == 3)
		fake_folder(fake, "Sent")->gone = true;
	if (window == 5)
		fake_add_mail(
			fake_add_folder(fake, "New", COLLECTION_MAIL, false),
			0);
}

static void folders_come_and_go_meanwhile(void **state)
{
	struct fixture *f = *state;

	fill(f);
	policy_add(f->policy, "New", STORE_MODE_FULL, false);
	f->fake->before = remove_folder;
	assert_int_equal(synchronise(f), 0);
	assert_equal_to_server(f);
}

/* A server in trouble that names no folder at all. */
static void an_empty_list_deletes_nothing(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	for (size_t i = 0; i < f->fake->count; i++)
		f->fake->folders[i].gone = true;
	synchronise(f);
	assert_int_equal(f->progress.totals.messages, 31);
	for (size_t i = 0; i < f->fake->count; i++)
		f->fake->folders[i].gone = false;
	assert_int_equal(synchronise(f), 0);
	assert_equal_to_server(f);
	assert_served_once(f);
}

static void renamed_folder_is_not_fetched_again(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	fake_folder(f->fake, "Sent")->path = "Sent items";
	assert_int_equal(synchronise(f), 0);
	assert_served_once(f);
	assert_int_equal(f->progress.totals.folders, 3);
	assert_int_equal(f->progress.totals.messages, 31);
}

static int no_dav(struct source **source, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err)
{
	(void)source;
	(void)account;
	(void)password;
	(void)options;
	(void)wire;
	return err_set(err, ERR_REFUSED, "no service is announced");
}

/* An account may have no calendars; one that had some has not lost them
 * because a name server was ill. */
static void dav_that_was_there_is_missed(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);

	how.open_dav = no_dav;
	fill(f);
	assert_int_equal(run_as(f, &how), 0);
	assert_int_equal(f->progress.totals.events, 0);
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->progress.totals.events, 3);
	assert_int_equal(run_as(f, &how), -1);
	assert_non_null(strstr(f->err.text, "contacts or calendars"));
	assert_int_equal(f->progress.totals.events, 3);
}

/* What was to be listed is, though the connection was lost over it. */
static void a_proof_outlives_a_connection(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);
	struct store_folder row;
	struct store *store;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	store = store_open(f->store, STORE_WRITE, NULL);
	assert_int_equal(
		store_folder_by_path(store, "Calendar", &row, NULL), 1);
	assert_int_equal(store_begin(store, NULL), 0);
	assert_int_equal(
		store_item_delete(store, row.id, "/dav/Calendar/2.ics", NULL),
		0);
	assert_int_equal(store_commit(store, NULL), 0);
	store_folder_free(&row);
	store_close(store);
	how.prove = true;
	how.one_thread = true; /* DAV first */
	f->fake->cut_window = f->fake->windows + 1;
	assert_int_equal(run_as(f, &how), 0);
	assert_int_equal(f->progress.retries, 1);
	assert_equal_to_server(f);
}

/* By its name a folder is one of notes, or is no longer. */
static void renamed_to_notes_and_back(void **state)
{
	struct fixture *f = *state;
	struct fake_folder *folder;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	folder = fake_folder(f->fake, "Sent");
	folder->path = "Notes";
	folder->kind = COLLECTION_NOTES;
	assert_int_equal(synchronise(f), 0);
	assert_served_once(f);
	assert_equal_to_server(f);
	assert_int_equal(f->progress.totals.notes, 11);
	folder->path = "Old";
	folder->kind = COLLECTION_MAIL;
	assert_int_equal(synchronise(f), 0);
	assert_served_once(f);
	assert_equal_to_server(f);
	assert_int_equal(f->progress.totals.notes, 0);
}

static void rename_now(struct fake_account *fake, unsigned window)
{
	if (window == *(unsigned *)fake->context)
		fake_folder(fake, "INBOX")->path = "Old";
}

/* CHANGE comes at WINDOW: no body is fetched twice. When it comes behind the
 * last look of the first run, the next one sees it. */
static void change_at(struct fixture *f, unsigned window,
	void (*change)(struct fake_account *, unsigned))
{
	f->fake->context = &window;
	f->fake->before = change;
	assert_int_equal(synchronise(f), 0);
	f->fake->windows = window;
	assert_int_equal(synchronise(f), 0);
	assert_equal_to_server(f);
	assert_bodies_served_once(f);
}

/* At whatever window its name changes: what is there is found again. */
static void renamed_meanwhile_is_not_fetched_again(void **state)
{
	struct fixture *f = *state;

	for (unsigned window = 1; window < 14; window++) {
		fill(f);
		policy_add(f->policy, "Old", STORE_MODE_FULL, false);
		change_at(f, window, rename_now);
		f = anew(state);
	}
}

static void renumber(struct fake_account *fake, unsigned window)
{
	struct fake_folder *inbox = fake_folder(fake, "INBOX");

	if (window != *(unsigned *)fake->context)
		return;
	inbox->validity += 100;
	for (size_t i = 0; i < inbox->count; i++)
		inbox->messages[i].uid += 500;
	inbox->uid_next += 500;
	inbox->modseq += 100;
}

static void new_uidvalidity_is_matched(void **state)
{
	struct fixture *f = *state;

	for (unsigned window = 1; window < 14; window++) {
		fill(f);
		change_at(f, window, renumber);
		f = anew(state);
	}
}

static void lost_connections_cost_nothing_twice(void **state)
{
	assert_cuts_cost_nothing_twice(state, false);
}

static void poison_is_set_apart(void **state)
{
	struct fixture *f = *state;

	fill(f);
	fake_find(fake_folder(f->fake, "INBOX"), 7)->poison = true;
	fake_find(fake_folder(f->fake, "INBOX"), 12)->lethal = true;
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->progress.totals.quarantined, 2);
	assert_int_equal(f->progress.totals.bodies, 19);
	fake_find(fake_folder(f->fake, "INBOX"), 7)->poison = false;
	fake_find(fake_folder(f->fake, "INBOX"), 12)->lethal = false;
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->progress.totals.quarantined, 0);
	assert_equal_to_server(f);
	assert_served_once(f);
}

static void wrong_password_stops_at_once(void **state)
{
	struct fixture *f = *state;

	fill(f);
	f->fake->fail_open = 10;
	f->fake->fail_kind = FAKE_AUTH;
	assert_int_equal(synchronise(f), -1);
	assert_int_equal(f->err.kind, ERR_AUTH);
	assert_int_equal(f->fake->sessions, 1);
	assert_int_equal(f->progress.state, SYNC_FAILED);
}

static void refused_is_tried_again_and_bounded(void **state)
{
	struct fixture *f = *state;

	fill(f);
	f->fake->fail_open = 3;
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->progress.retries, 3);
	f->fake->fail_open = 1000;
	assert_int_equal(synchronise(f), -1);
	assert_int_equal(f->err.kind, ERR_NETWORK);
	assert_equal_to_server(f);
}

static void policy_change_fetches_the_difference(void **state)
{
	struct fixture *f = *state;
	struct fake_folder *sent;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	policy_add(f->policy, "Sent", STORE_MODE_FULL, false);
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->progress.totals.bodies, 31);
	assert_served_once(f);
	sent = fake_folder(f->fake, "Sent");
	for (size_t i = 0; i < sent->count; i++)
		assert_int_equal(sent->messages[i].served_bodies, 1);
}

static struct policy *changed_policy(const void *context, struct err *err)
{
	const struct fixture *f = context;
	struct policy *policy = policy_new();

	(void)err;
	if (f->fake->windows > 3)
		policy_add(policy, "Sent", STORE_MODE_FULL, false);
	return policy;
}

/* The run under way takes it over. */
static void policy_change_meanwhile_is_obeyed(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);

	fill(f);
	how.policy = NULL;
	how.renew_policy = changed_policy;
	how.renew_context = f;
	assert_int_equal(run_as(f, &how), 0);
	assert_int_equal(f->progress.totals.bodies, 31);
	assert_int_equal(f->fake->sessions, 1);
	assert_served_once(f);
}

static void pauses_and_goes_on(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);

	fill(f);
	assert_goes_on_after_pause(f, &how, 6);
	assert_int_equal(f->fake->sessions, 1);
}

static void cancelled_keeps_what_is_there(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);

	fill(f);
	assert_goes_on_after_cancel(f, &how, 6);
}

static void two_on_one_store_are_refused(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);
	struct sync *first;
	struct sync *second;

	assert_int_equal(sync_new(&first, &how, &f->err), 0);
	assert_int_equal(sync_new(&second, &how, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_LOCKED);
	sync_free(first);
}

static void large_folder_goes_newest_first(void **state)
{
	struct fixture *f = *state;
	struct fake_folder *inbox = fake_add_folder(
		f->fake, "INBOX", COLLECTION_MAIL, false);

	for (int i = 0; i < 600; i++)
		fake_add_mail(inbox, 10);
	f->fake->cut_window = 3;
	assert_int_equal(synchronise(f), 0);
	assert_equal_to_server(f);
	assert_served_once(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copies_and_proves),
		TEST(second_run_fetches_nothing),
		TEST(last_sync_is_the_last_verified_one),
		TEST(later_changes_are_a_delta),
		TEST(new_mail_meanwhile),
		TEST(expunged_meanwhile),
		TEST(folders_come_and_go_meanwhile),
		TEST(an_empty_list_deletes_nothing),
		TEST(renamed_folder_is_not_fetched_again),
		TEST(dav_that_was_there_is_missed),
		TEST(a_proof_outlives_a_connection),
		TEST(renamed_to_notes_and_back),
		TEST(renamed_meanwhile_is_not_fetched_again),
		TEST(new_uidvalidity_is_matched),
		TEST(lost_connections_cost_nothing_twice),
		TEST(poison_is_set_apart),
		TEST(wrong_password_stops_at_once),
		TEST(refused_is_tried_again_and_bounded),
		TEST(policy_change_fetches_the_difference),
		TEST(policy_change_meanwhile_is_obeyed),
		TEST(pauses_and_goes_on),
		TEST(cancelled_keeps_what_is_there),
		TEST(two_on_one_store_are_refused),
		TEST(large_folder_goes_newest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
