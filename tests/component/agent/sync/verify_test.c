/*
 * verify_test.c - every way in which a store can differ from the server is
 * found and named, and an equal one is said to be equal.
 */
#include "engine_compare.h"

#include <sqlite3.h>

#include "buf.h"
#include "store_item.h"
#include "store_message.h"
#include "verify.h"

struct found {
	struct buf text; /* "PATH UID|HREF WHAT\n" a line */
	struct verify_result result;
};

static void note(const struct verify_finding *finding, void *context)
{
	struct found *found = context;

	buf_printf(&found->text, "%s %u%s %s\n", finding->folder,
		(unsigned)finding->uid, finding->href ? finding->href : "",
		finding->what);
}

static bool verify(struct fixture *f, bool deep, struct found *found)
{
	struct sync_setup how = setup_of(f);

	buf_free(&found->text);
	found->text = BUF_INIT(1 << 16);
	buf_append_text(&found->text, "");
	if (verify_run(&how, deep, note, found, &found->result, &f->err))
		fail_msg("%s", f->err.text);
	return verify_equal(&found->result);
}

static void expect(struct found *found, const char *line)
{
	if (!strstr(buf_text(&found->text), line))
		fail_msg("no \"%s\" in: %s", line, buf_text(&found->text));
}

static void equal_is_equal(void **state)
{
	struct fixture *f = *state;
	struct found found = {.text = BUF_INIT(1)};

	fill(f);
	assert_int_equal(synchronise(f), 0);
	assert_true(verify(f, false, &found));
	assert_int_equal(found.result.folders, 3);
	assert_int_equal(found.result.messages, 31);
	assert_int_equal(found.result.objects, 3);
	assert_int_equal(found.result.bodies, 0);
	assert_true(verify(f, true, &found));
	assert_int_equal(found.result.bodies, 24);
	assert_string_equal(buf_text(&found.text), "");
	buf_free(&found.text);
}

/* What the server has got, lost and changed since. */
static void the_server_changed(void **state)
{
	struct fixture *f = *state;
	struct found found = {.text = BUF_INIT(1)};

	fill(f);
	assert_int_equal(synchronise(f), 0);
	fake_add_mail(fake_folder(f->fake, "INBOX"), 10);
	fake_expunge(fake_folder(f->fake, "INBOX"), 3);
	fake_find(fake_folder(f->fake, "Sent"), 4)->length -= 1;
	fake_expunge(fake_folder(f->fake, "Calendar"), 1);
	fake_find(fake_folder(f->fake, "Calendar"), 2)->modseq = 77;
	assert_false(verify(f, false, &found));
	assert_int_equal(found.result.missing, 1);
	assert_int_equal(found.result.extra, 2);
	assert_int_equal(found.result.different, 2);
	expect(&found, "INBOX 21 ");
	expect(&found, "INBOX 3 ");
	expect(&found, "Sent 4 size differs");
	expect(&found, "Calendar 0/dav/Calendar/1.ics ");
	expect(&found, "Calendar 0/dav/Calendar/2.ics ");
	buf_free(&found.text);
}

/* A byte that no size and no flag tells of. */
static void only_deep_sees_a_byte(void **state)
{
	struct fixture *f = *state;
	struct found found = {.text = BUF_INIT(1)};

	fill(f);
	assert_int_equal(synchronise(f), 0);
	fake_find(fake_folder(f->fake, "INBOX"), 7)->text[1400] = 'y';
	fake_find(fake_folder(f->fake, "Calendar"), 3)->text[40] = 'y';
	assert_true(verify(f, false, &found));
	assert_false(verify(f, true, &found));
	assert_int_equal(found.result.different, 2);
	expect(&found, "INBOX 7 ");
	expect(&found, "Calendar 0/dav/Calendar/3.ics ");
	buf_free(&found.text);
}

static void run_sql(struct fixture *f, const char *sql)
{
	char *path = xasprintf("%s/store.db", f->store);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(path);
}

/* Folders that came, went, and count their UIDs anew. */
static void the_servers_folders_changed(void **state)
{
	struct fixture *f = *state;
	struct found found = {.text = BUF_INIT(1)};

	fill(f);
	assert_int_equal(synchronise(f), 0);
	fake_folder(f->fake, "Calendar")->gone = true;
	fake_folder(f->fake, "INBOX")->validity++;
	fake_folder(f->fake, "Sent")->path = "Gone";
	assert_false(verify(f, false, &found));
	assert_int_equal(found.result.missing, 1);
	assert_int_equal(found.result.extra, 2);
	assert_int_equal(found.result.different, 1);
	expect(&found, "Calendar 0 folder extra");
	expect(&found, "INBOX 0 UIDVALIDITY differs");
	expect(&found, "Gone 0 folder missing");
	expect(&found, "Sent 0 folder extra");
	buf_free(&found.text);
}

static void count_stale(const struct verify_finding *finding, void *context)
{
	*(unsigned *)context += finding->stale;
}

/* Fetched again is what the server can give, and nothing else: ours may be
 * the only copy. */
static void what_the_server_cannot_give_is_not_stale(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);
	struct verify_result result;
	unsigned stale = 0;

	fill(f);
	assert_int_equal(synchronise(f), 0);
	fake_find(fake_folder(f->fake, "INBOX"), 7)->poison = true;
	fake_find(fake_folder(f->fake, "Calendar"), 2)->poison = true;
	fake_expunge(fake_folder(f->fake, "INBOX"), 9);
	assert_int_equal(
		verify_run(&how, true, count_stale, &stale, &result, &f->err),
		0);
	assert_int_equal(result.different, 2);
	assert_int_equal(result.extra, 1);
	assert_int_equal(stale, 0);
	fake_find(fake_folder(f->fake, "INBOX"), 8)->text[1400] = 'y';
	assert_int_equal(
		verify_run(&how, true, count_stale, &stale, &result, &f->err),
		0);
	assert_int_equal(stale, 1);
}

static void the_store_lost_something(void **state)
{
	struct fixture *f = *state;
	struct found found = {.text = BUF_INIT(1)};

	fill(f);
	assert_int_equal(synchronise(f), 0);
	run_sql(f,
		"DELETE FROM messages WHERE uid = 9 AND folder ="
		" (SELECT id FROM folders WHERE path = 'Sent');"
		"UPDATE messages SET body_at = NULL, body_length = NULL"
		" WHERE uid = 5 AND folder ="
		" (SELECT id FROM folders WHERE path = 'INBOX')");
	assert_false(verify(f, false, &found));
	assert_int_equal(found.result.missing, 1);
	assert_int_equal(found.result.missing_bodies, 1);
	expect(&found, "Sent 9 missing");
	buf_free(&found.text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_is_equal),
		TEST(the_server_changed),
		TEST(only_deep_sees_a_byte),
		TEST(the_servers_folders_changed),
		TEST(what_the_server_cannot_give_is_not_stale),
		TEST(the_store_lost_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
