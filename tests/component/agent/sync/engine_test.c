/*
 * engine_test.c - the engine against an account in memory and a store in a
 * temporary directory: what changes under its feet, what dies, what is
 * fetched twice (nothing).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"
#include "fake_account.h"
#include "policy.h"
#include "store.h"
#include "store_folder.h"
#include "store_item.h"
#include "store_list.h"
#include "store_message.h"
#include "store_quarantine.h"
#include "sync.h"

static const char signed_mail[] =
	"From: a@example.org\r\nSubject: signed\r\n"
	"Message-ID: <signed@example.org>\r\n"
	"Content-Type: multipart/signed; boundary=b; "
	"protocol=\"application/pgp-signature\"\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
static const char event[] =
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n"
	"UID:e1\r\nDTSTART:20260101T100000Z\r\n"
	"SUMMARY:meeting\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

struct fixture {
	struct fake_account *fake;
	struct account account;
	struct policy *policy;
	char directory[64];
	char *store, *password;
	struct err err;
	struct sync_progress progress;
	struct sync *running;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);
	int file;

	snprintf(f->directory, sizeof f->directory, "/tmp/engine_test.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	f->store = xasprintf("%s/store", f->directory);
	f->password = xasprintf("%s/pw", f->directory);
	file = open(f->password, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(file, "x\n", 2), 2);
	close(file);
	f->fake = xcalloc(1, sizeof *f->fake);
	fake_serve(f->fake);
	f->account.user = "u@example.org";
	f->account.password_file = f->password;
	f->account.imap.host = "fake";
	f->policy = policy_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char *command = xasprintf("rm -rf '%s'", f->directory);
	FILE *rm = popen(command, "r");

	pclose(rm);
	free(command);
	policy_free(f->policy);
	fake_free(f->fake);
	free(f->fake);
	free(f->store);
	free(f->password);
	free(f);
	return 0;
}

static struct sync_setup setup_of(const struct fixture *f)
{
	return (struct sync_setup){
		.account = &f->account,
		.directory = f->store,
		.policy = f->policy,
		.window_bytes = 8192,
		.queue_bytes = 1 << 20,
		.backoff_us = 1000,
		.open_mail = fake_open_mail,
		.open_dav = fake_open_dav,
	};
}

static int synchronise(struct fixture *f)
{
	struct sync_setup how = setup_of(f);
	int status;

	f->err = ERR_INIT;
	assert_int_equal(sync_new(&f->running, &how, &f->err), 0);
	status = sync_run(f->running, &f->err);
	sync_progress(f->running, &f->progress);
	sync_free(f->running);
	f->running = NULL;
	return status;
}

static void fill(struct fixture *f)
{
	struct fake_folder *inbox = fake_add_folder(
		f->fake, "INBOX", COLLECTION_MAIL, false);
	struct fake_folder *sent = fake_add_folder(
		f->fake, "Sent", COLLECTION_MAIL, false);
	struct fake_folder *days = fake_add_folder(
		f->fake, "Calendar", COLLECTION_CALENDAR, true);

	for (int i = 0; i < 20; i++)
		fake_add_mail(inbox, 1500);
	for (int i = 0; i < 10; i++)
		fake_add_mail(sent, 700);
	fake_add(sent, signed_mail, 0);
	for (int i = 0; i < 3; i++)
		fake_add(days, event, 0);
}

/* ------------------------------------------------- the store is the server */

static bool wants_body(
	const struct fake_folder *folder, const struct fake_message *message)
{
	return strcmp(folder->path, "Sent") != 0 ||
		strstr(message->text, "multipart/signed") != NULL;
}

struct lookup {
	uint32_t uid;
	int64_t id;
	bool has_body;
};

static int look(const struct store_row *row, void *arg)
{
	struct lookup *lookup = arg;

	if (row->uid != lookup->uid)
		return 0;
	lookup->id = row->id;
	lookup->has_body = row->has_body;
	return 1;
}

static void compare_body(
	struct store *store, int64_t id, const struct fake_message *message)
{
	struct store_reader *reader = store_read_open(
		store, id, STORE_PART_BODY, NULL);
	char *got = xcalloc(1, message->length + 1);
	size_t have = 0;
	ssize_t n;

	assert_non_null(reader);
	assert_int_equal(store_read_length(reader), message->length);
	while ((n = store_read(reader, got + have, message->length - have + 1,
			NULL)) > 0)
		have += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(have, message->length);
	assert_memory_equal(got, message->text, message->length);
	store_read_close(reader);
	free(got);
}

static void compare_mail(struct store *store, const struct fake_folder *folder,
	const struct store_folder *row)
{
	assert_int_equal(row->messages, folder->count);
	for (size_t i = 0; i < folder->count; i++) {
		const struct fake_message *message = &folder->messages[i];
		struct lookup lookup = {message->uid, 0, false};

		store_rows(store, row->id, 0, 0, look, &lookup, NULL);
		assert_true(lookup.id != 0);
		assert_int_equal(lookup.has_body, wants_body(folder, message));
		if (lookup.has_body)
			compare_body(store, lookup.id, message);
	}
}

static int compare_item(const struct store_item *item, void *arg)
{
	const struct fake_folder *folder = arg;
	uint32_t uid = (uint32_t)strtoul(
		strrchr(item->href, '/') + 1, NULL, 10);
	struct fake_message *message = fake_find(
		(struct fake_folder *)folder, uid);

	assert_non_null(message);
	assert_int_equal(item->length, message->length);
	return 0;
}

static void assert_equal_to_server(struct fixture *f)
{
	struct store *store = store_open(f->store, STORE_READ, NULL);
	struct store_totals totals;
	uint64_t live = 0;

	assert_non_null(store);
	for (size_t i = 0; i < f->fake->count; i++) {
		struct fake_folder *folder = &f->fake->folders[i];
		struct store_folder row;

		if (folder->gone)
			continue;
		live++;
		assert_int_equal(
			store_folder_by_path(store, folder->path, &row, NULL),
			1);
		assert_true(row.verified);
		if (folder->dav) {
			assert_int_equal(row.items, folder->count);
			store_item_each(
				store, row.id, compare_item, folder, NULL);
		} else {
			compare_mail(store, folder, &row);
		}
		store_folder_free(&row);
	}
	assert_int_equal(store_totals(store, &totals, NULL), 0);
	assert_int_equal(totals.folders, live);
	store_close(store);
}

static void assert_bodies_served_once(const struct fixture *f)
{
	for (size_t i = 0; i < f->fake->count; i++)
		for (size_t j = 0; j < f->fake->folders[i].count; j++)
			assert_true(
				f->fake->folders[i].messages[j].served_bodies <=
				1);
}

/* No message was sent twice, as header or as body. */
static void assert_served_once(const struct fixture *f)
{
	assert_bodies_served_once(f);
	for (size_t i = 0; i < f->fake->count; i++) {
		const struct fake_folder *folder = &f->fake->folders[i];

		for (size_t j = 0; j < folder->count; j++)
			assert_true(folder->messages[j].served_headers <= 1);
	}
}

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

/* At whatever window UIDVALIDITY changes, no body is fetched twice. When it
 * changes behind the last look of the first run, the next one sees it. */
static void new_uidvalidity_is_matched(void **state)
{
	struct fixture *f = *state;

	for (unsigned window = 1; window < 14; window++) {
		fill(f);
		f->fake->context = &window;
		f->fake->before = renumber;
		assert_int_equal(synchronise(f), 0);
		f->fake->windows = window;
		assert_int_equal(synchronise(f), 0);
		assert_equal_to_server(f);
		assert_bodies_served_once(f);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
		f = *state;
	}
}

/* The connection dies in every window in turn, in its middle. */
static void lost_connections_cost_nothing_twice(void **state)
{
	struct fixture *f = *state;
	unsigned windows = 99;

	for (unsigned cut = 1; cut <= windows; cut++) {
		fill(f);
		f->fake->cut_window = cut;
		f->fake->cut_item = cut % 4;
		assert_int_equal(synchronise(f), 0);
		assert_equal_to_server(f);
		assert_served_once(f);
		assert_true(f->fake->sessions <= 2);
		if (f->fake->sessions == 1)
			windows = cut;
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
		f = *state;
	}
	assert_true(windows > 5 && windows < 99);
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

static void pause_from_within(struct fake_account *fake, unsigned window)
{
	struct fixture *f = fake->context;

	if (window == 6)
		sync_pause(f->running);
}

static void *resume_later(void *argument)
{
	struct fixture *f = argument;
	struct sync_progress progress = {.state = SYNC_NEW};

	while (progress.state != SYNC_PAUSED) {
		sync_progress(f->running, &progress);
		usleep(1000);
	}
	sync_resume(f->running);
	return NULL;
}

static void pauses_and_goes_on(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);
	pthread_t thread;

	fill(f);
	f->fake->context = f;
	f->fake->before = pause_from_within;
	assert_int_equal(sync_new(&f->running, &how, &f->err), 0);
	pthread_create(&thread, NULL, resume_later, f);
	assert_int_equal(sync_run(f->running, &f->err), 0);
	pthread_join(thread, NULL);
	sync_free(f->running);
	assert_equal_to_server(f);
	assert_served_once(f);
	assert_int_equal(f->fake->sessions, 1);
}

static void cancel_from_within(struct fake_account *fake, unsigned window)
{
	struct fixture *f = fake->context;

	if (window == 6)
		sync_cancel(f->running);
}

static void cancelled_keeps_what_is_there(void **state)
{
	struct fixture *f = *state;

	fill(f);
	f->fake->context = f;
	f->fake->before = cancel_from_within;
	assert_int_equal(synchronise(f), -1);
	assert_int_equal(f->err.kind, ERR_CANCELLED);
	assert_int_equal(f->progress.state, SYNC_CANCELLED);
	f->fake->before = NULL;
	assert_int_equal(synchronise(f), 0);
	assert_equal_to_server(f);
	assert_served_once(f);
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
		TEST(later_changes_are_a_delta),
		TEST(new_mail_meanwhile),
		TEST(expunged_meanwhile),
		TEST(folders_come_and_go_meanwhile),
		TEST(renamed_folder_is_not_fetched_again),
		TEST(new_uidvalidity_is_matched),
		TEST(lost_connections_cost_nothing_twice),
		TEST(poison_is_set_apart),
		TEST(wrong_password_stops_at_once),
		TEST(refused_is_tried_again_and_bounded),
		TEST(policy_change_fetches_the_difference),
		TEST(pauses_and_goes_on),
		TEST(cancelled_keeps_what_is_there),
		TEST(two_on_one_store_are_refused),
		TEST(large_folder_goes_newest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
