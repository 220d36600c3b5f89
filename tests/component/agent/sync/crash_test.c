/*
 * crash_test.c - the process is killed at every commit and at every network
 * read of a small account in turn; the next run always ends with the same
 * store, and nothing that was committed is fetched again.
 */
#include "engine_compare.h"

#include <sqlite3.h>

#include "kill_at.h"

#define STEPS_MAX 500

struct committed {
	struct fake_folder *folder;
};

/* What the store has already need not come again: marked by a count that
 * the comparison after the second run would find too high. */
static int mark_committed(const struct store_row *row, void *arg)
{
	struct committed *committed = arg;
	struct fake_message *message = fake_find(committed->folder, row->uid);

	assert_non_null(message);
	message->served_headers = row->header_bytes ? 1 : 0;
	message->served_bodies = row->has_body ? 1 : 0;
	return 0;
}

static int mark_item(const struct store_item *item, void *arg)
{
	struct committed *committed = arg;
	const char *name = strrchr(item->href, '/');
	struct fake_message *message = fake_find(
		committed->folder, (uint32_t)strtoul(name + 1, NULL, 10));

	assert_non_null(message);
	message->served_bodies = 1;
	return 0;
}

static void count_only_committed(struct fixture *f)
{
	struct store *store = store_open(f->store, STORE_READ, NULL);

	for (size_t i = 0; i < f->fake->count; i++) {
		struct committed committed = {&f->fake->folders[i]};
		struct store_folder row;

		for (size_t j = 0; j < committed.folder->count; j++) {
			committed.folder->messages[j].served_headers = 0;
			committed.folder->messages[j].served_bodies = 0;
		}
		if (!store ||
			store_folder_by_path(
				store, committed.folder->path, &row, NULL) != 1)
			continue;
		store_rows(store, row.id, 0, mark_committed, &committed, NULL);
		store_item_each(store, row.id, mark_item, &committed, NULL);
		store_folder_free(&row);
	}
	store_close(store);
}

static unsigned kill_at_every(void **state, const char *kind)
{
	struct fixture *f;
	unsigned step = 1;
	bool killed = true;

	for (; killed && step < STEPS_MAX; step++) {
		f = *state;
		fill(f);
		killed = run_until(f, kind, step);
		count_only_committed(f);
		assert_false(run_until(f, "never", 0));
		assert_equal_to_server(f);
		assert_served_once(f);
		anew(state);
	}
	return step - 2;
}

static void killed_at_every_commit(void **state)
{
	assert_true(kill_at_every(state, "commit") > 5);
}

static void killed_at_every_read(void **state)
{
	assert_true(kill_at_every(state, "read") > 30);
}

/* ------------------------------------- killed, and then the server changes */

/* Messages that wait for a match which will not come any more. */
static int left_over(struct fixture *f)
{
	char *path = xasprintf("%s/store.db", f->store);
	sqlite3_stmt *row = NULL;
	sqlite3 *db = NULL;
	int count = -1;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_prepare_v2(db, "SELECT COUNT(*) FROM messages WHERE folder < 0",
		-1, &row, NULL);
	if (sqlite3_step(row) == SQLITE_ROW)
		count = sqlite3_column_int(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	free(path);
	return count;
}

static void renumber(struct fixture *f)
{
	struct fake_folder *inbox = fake_folder(f->fake, "INBOX");

	inbox->validity += 100;
	for (size_t i = 0; i < inbox->count; i++)
		inbox->messages[i].uid += 7;
	inbox->uid_next += 7;
	inbox->modseq += 100;
}

/* The same UIDs and sizes, and every letter another. */
static void replace(struct fixture *f)
{
	struct fake_folder *inbox = fake_folder(f->fake, "INBOX");

	inbox->validity += 100;
	inbox->modseq += 100;
	for (size_t i = 0; i < inbox->count; i++) {
		struct fake_message *message = &inbox->messages[i];
		char *id = strstr(message->text, "Message-ID: <");

		id[strlen("Message-ID: <")] = '#';
		memset(message->text + message->length - 100, 'y', 100);
		message->served_headers = message->served_bodies = 0;
	}
}

/* A folder that is new, and looks like the old one in every number. */
static void another_folder(struct fixture *f)
{
	replace(f);
	fake_folder(f->fake, "INBOX")->validity -= 100;
	fake_folder(f->fake, "INBOX")->path = "Old";
}

static void rename_inbox(struct fixture *f)
{
	fake_folder(f->fake, "INBOX")->path = "Old";
}

/* Killed at each commit in turn, then CHANGE, then killed at the commit
 * AGAIN (0: not): the store is right in the end, and no body that had been
 * committed at the first death came twice. */
static void killed_and_changed(
	void **state, void (*change)(struct fixture *f), unsigned again)
{
	unsigned step = 1;
	bool killed = true;

	for (; killed && step < STEPS_MAX; step++) {
		struct fixture *f = *state;
		struct fake_folder *inbox;
		bool had[FAKE_MESSAGES];

		fill(f);
		policy_add(f->policy, "Old", STORE_MODE_FULL, false);
		killed = run_until(f, "commit", step);
		count_only_committed(f);
		inbox = fake_folder(f->fake, "INBOX");
		change(f);
		for (size_t i = 0; i < inbox->count; i++)
			had[i] = inbox->messages[i].served_bodies > 0;
		if (again)
			run_until(f, "commit", again);
		assert_false(run_until(f, "never", 0));
		assert_equal_to_server(f);
		assert_int_equal(left_over(f), 0);
		for (size_t i = 0; i < inbox->count; i++)
			if (had[i])
				assert_int_equal(
					inbox->messages[i].served_bodies, 1);
		anew(state);
	}
	assert_true(step > 7);
}

static void killed_then_renumbered(void **state)
{
	killed_and_changed(state, renumber, 0);
}

static void killed_while_matching_again(void **state)
{
	for (unsigned again = 2; again < 8; again += 2)
		killed_and_changed(state, renumber, again);
}

static void killed_then_other_messages_under_the_same_uids(void **state)
{
	killed_and_changed(state, replace, 0);
}

static void killed_then_renamed(void **state)
{
	killed_and_changed(state, rename_inbox, 0);
	killed_and_changed(state, rename_inbox, 4);
}

static void killed_then_another_folder(void **state)
{
	killed_and_changed(state, another_folder, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			killed_at_every_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			killed_at_every_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			killed_then_renumbered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			killed_while_matching_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			killed_then_other_messages_under_the_same_uids, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			killed_then_renamed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			killed_then_another_folder, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
