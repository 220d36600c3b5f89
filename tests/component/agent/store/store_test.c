/*
 * store_test.c - the store against files: what goes in comes out, what is
 * rolled back is gone, who may open it, what a change of UIDVALIDITY costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"
#include "outbox.h"
#include "store.h"
#include "store_db.h"
#include "store_folder.h"
#include "store_item.h"
#include "store_list.h"
#include "store_message.h"
#include "store_quarantine.h"

#define ok(call) ok_(call, #call, &err)
static struct err err;

static void ok_(int status, const char *call, const struct err *why)
{
	if (status < 0)
		fail_msg("%s: %s", call, why->text);
}

static char directory[64];

static int setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/store_test.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	char *command[] = {"rm", "-rf", directory, NULL};
	(void)state;
	pid_t pid = fork();

	if (pid == 0)
		execvp(command[0], command);
	return pid < 0 || waitpid(pid, NULL, 0) < 0;
}

static struct store *open_store(enum store_access access)
{
	struct store *store = store_open(directory, access, &err);

	if (!store)
		fail_msg("store_open: %s", err.text);
	return store;
}

static int64_t add_folder(
	struct store *store, const char *path, enum store_mode mode)
{
	struct store_folder folder = {
		.kind = STORE_KIND_MAIL,
		.mode = mode,
		.path = (char *)path,
		.remote = (char *)path,
		.validity = 7,
	};

	ok(store_folder_put(store, &folder, &err));
	return folder.id;
}

static void add_header(struct store *store, int64_t folder, uint32_t uid,
	enum protection protection)
{
	char header[256];
	int length = snprintf(header, sizeof(header),
		"From: A <a@example.org>\r\nSubject: number %u\r\n"
		"Message-ID: <m%u@example.org>\r\n"
		"Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n\r\n",
		uid, uid);
	struct store_message message = {
		.folder = folder,
		.uid = uid,
		.size = 1000 + uid,
		.internal_date_s = 1700000000 + uid,
		.flags = STORE_FLAG_SEEN,
		.protection = protection,
		.header = header,
		.header_length = (size_t)length,
	};

	ok(store_message_put(store, &message, &err));
}

static void add_body(
	struct store *store, int64_t folder, uint32_t uid, const char *text)
{
	size_t half = strlen(text) / 2;

	ok(store_body_begin(store, &err));
	ok(store_body_append(store, text, half, &err));
	ok(store_body_append(store, text + half, strlen(text) - half, &err));
	ok(store_body_end(store, folder, uid, &err));
}

static int count_missing(struct store *store, int64_t folder)
{
	struct store_uid uids[8];
	int n = store_uids(store, folder, STORE_SELECT_MISSING, STORE_UID_END,
		uids, 8, &err);

	ok(n);
	return n;
}

static void read_part(struct store *store, int64_t id, enum store_part part,
	char *out, size_t size)
{
	struct store_reader *reader = store_read_open(store, id, part, &err);
	size_t length = 0;
	ssize_t n;

	if (!reader)
		fail_msg("store_read_open: %s", err.text);
	while ((n = store_read(reader, out + length, size - 1 - length, &err)) >
		0)
		length += (size_t)n;
	ok((int)n);
	out[length] = '\0';
	store_read_close(reader);
}

static struct store_totals totals_of(struct store *store)
{
	struct store_totals totals;

	ok(store_totals(store, &totals, &err));
	return totals;
}

static int remember_id(const struct store_row *row, void *arg)
{
	*(int64_t *)arg = row->id;
	assert_string_equal(row->from, "A <a@example.org>");
	assert_int_equal(row->date_s, 1704099600);
	return 0;
}

static void test_round_trip(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	int64_t folder, id = 0;
	char text[512];
	struct stat st;

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, folder, 5, PROTECTION_NONE);
	add_header(store, folder, 9, PROTECTION_SIGNED);
	add_body(store, folder, 9, "From: x\r\n\r\nbody of nine");
	ok(store_counter_add(store, "app_bytes", 40, &err));
	ok(store_meta_put(store, "k", "v", &err));
	ok(store_commit(store, &err));
	store_close(store);

	store = open_store(STORE_READ);
	assert_int_equal(count_missing(store, folder), 1);
	ok(store_rows(store, folder, 0, 1, remember_id, &id, &err));
	read_part(store, id, STORE_PART_BODY, text, sizeof(text));
	assert_string_equal(text, "From: x\r\n\r\nbody of nine");
	read_part(store, id, STORE_PART_HEADER, text, sizeof(text));
	assert_non_null(strstr(text, "Subject: number 9\r\n"));
	assert_int_equal(totals_of(store).messages, 2);
	assert_int_equal(totals_of(store).bodies, 1);
	assert_int_equal(totals_of(store).protected_messages, 1);
	assert_int_equal(store_counter_get(store, "app_bytes"), 40);
	char *value = store_meta_get(store, "k");
	assert_string_equal(value, "v");
	free(value);
	assert_int_equal(store_begin(store, &err), -1);
	store_close(store);

	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(text, sizeof(text), "%s/store.db", directory);
	assert_int_equal(stat(text, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_rollback(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	int64_t folder, id = 0;
	char text[64];

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, folder, 1, PROTECTION_NONE);
	ok(store_commit(store, &err));
	ok(store_begin(store, &err));
	add_header(store, folder, 2, PROTECTION_NONE);
	add_body(store, folder, 1, "lost");
	ok(store_body_begin(store, &err));
	ok(store_body_append(store, "half", 4, &err));
	store_rollback(store);
	assert_int_equal(totals_of(store).messages, 1);
	assert_int_equal(totals_of(store).bodies, 0);
	ok(store_begin(store, &err));
	add_body(store, folder, 1, "kept");
	ok(store_commit(store, &err));
	ok(store_rows(store, folder, 0, 1, remember_id, &id, &err));
	read_part(store, id, STORE_PART_BODY, text, sizeof(text));
	assert_string_equal(text, "kept");
	store_close(store);
}

static void test_abort_keeps_the_rest(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	size_t big = 600 * 1024;
	char *data = xcalloc(1, big);
	int64_t folder;
	uint64_t bad = 9;

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, folder, 1, PROTECTION_NONE);
	add_header(store, folder, 2, PROTECTION_NONE);
	add_body(store, folder, 1, "one");
	ok(store_body_begin(store, &err));
	ok(store_body_append(store, data, big, &err));
	store_body_abort(store);
	add_body(store, folder, 2, "two");
	ok(store_commit(store, &err));
	assert_int_equal(totals_of(store).bodies, 2);
	assert_int_equal(totals_of(store).body_bytes, 6);
	ok(store_check(store, false, NULL, NULL, &bad, &err));
	assert_int_equal(bad, 0);
	store_close(store);
	free(data);
}

static void test_missing_set(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_quarantine poison = {.uid = 3, .reason = "broken"};
	struct store_uid uids[4];
	int64_t folder;
	uint64_t count = 0, bytes = 0;

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "Other", STORE_MODE_HEADERS);
	for (uint32_t uid = 1; uid <= 6; uid++)
		add_header(store, folder, uid,
			uid == 3	   ? PROTECTION_ENCRYPTED
				: uid == 5 ? PROTECTION_UNKNOWN
					   : PROTECTION_NONE);
	assert_int_equal(count_missing(store, folder), 2);
	ok(store_missing(store, folder, &count, &bytes, &err));
	assert_int_equal(count, 2);
	assert_int_equal(bytes, 1003 + 1005);
	poison.folder = folder;
	ok(store_quarantine_add(store, &poison, &err));
	assert_int_equal(count_missing(store, folder), 1);
	ok(store_quarantine_retry(store, 0, &err));
	assert_int_equal(count_missing(store, folder), 2);
	add_folder(store, "Other", STORE_MODE_FULL);
	assert_int_equal(store_uids(store, folder, STORE_SELECT_MISSING,
				 STORE_UID_END, uids, 4, &err),
		4);
	assert_int_equal(uids[0].uid, 6);
	assert_int_equal(uids[3].uid, 3);
	assert_int_equal(store_uids(store, folder, STORE_SELECT_MISSING, 3,
				 uids, 4, &err),
		2);
	add_folder(store, "Other", STORE_MODE_OFF);
	assert_int_equal(count_missing(store, folder), 0);
	ok(store_commit(store, &err));
	store_close(store);
}

/* A body may say what the listing did not. */
static void test_body_shows_protection(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_message bare = {.uid = 2, .size = 10};
	int64_t id = 0;

	(void)state;
	ok(store_begin(store, &err));
	bare.folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, bare.folder, 1, PROTECTION_NONE);
	add_body(store, bare.folder, 1,
		"Subject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n");
	ok(store_message_put(store, &bare, &err));
	add_body(store, bare.folder, 2,
		"From: A <a@example.org>\r\nDate: 1 Jan 2024 09:00 GMT\r\n"
		"\r\nx");
	ok(store_commit(store, &err));
	assert_int_equal(totals_of(store).protected_messages, 1);
	ok(store_rows(store, bare.folder, 0, 1, remember_id, &id, &err));
	store_close(store);
}

static void test_detach_and_rematch(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_message other = {.uid = 12,
		.size = 1002,
		.internal_date_s = 1700000099,
		.header = "x: y\r\n\r\n",
		.header_length = 8};
	struct store_message same = {.uid = 11,
		.size = 1001,
		.internal_date_s = 1700000001,
		.header = "Message-ID: <m1@example.org>\r\n\r\n",
		.header_length = 32};
	struct store_folder folder;
	uint64_t dropped = 0;
	int64_t id;

	(void)state;
	ok(store_begin(store, &err));
	id = other.folder = same.folder = add_folder(
		store, "INBOX", STORE_MODE_FULL);
	for (uint32_t uid = 1; uid <= 3; uid++) {
		add_header(store, id, uid, PROTECTION_NONE);
		add_body(store, id, uid, "text");
	}
	ok(store_commit(store, &err));
	ok(store_begin(store, &err));
	ok(store_folder_detach(store, id, 8, &err));
	assert_int_equal(totals_of(store).messages, 0);
	ok(store_message_put(store, &same, &err));
	ok(store_message_put(store, &other, &err));
	ok(store_commit(store, &err));
	store_close(store);

	store = open_store(STORE_WRITE); /* goes on after a crash */
	ok(store_begin(store, &err));
	other.uid = 13, other.size = 1003, other.internal_date_s = 1700000003;
	assert_int_equal(
		store_message_rematch(store, &other, "<m3@example.org>", &err),
		1);
	ok(store_folder_drop_detached(store, id, &dropped, &err));
	ok(store_commit(store, &err));
	assert_int_equal(dropped, 1);
	assert_int_equal(store_folder_get(store, id, &folder, &err), 1);
	assert_int_equal(folder.messages, 3);
	assert_int_equal(folder.bodies, 2);
	assert_int_equal(folder.body_bytes, 8);
	assert_int_equal(folder.validity, 8);
	store_folder_free(&folder);
	assert_int_equal(count_missing(store, id), 1);
	assert_int_equal(store_has(store, id, 11, &err), 1);
	assert_int_equal(store_has(store, id, 1, &err), 0);
	store_close(store);
}

static void test_lock(void **state)
{
	struct store *store = open_store(STORE_WRITE);

	(void)state;
	assert_null(store_open(directory, STORE_WRITE, &err));
	assert_int_equal(err.kind, ERR_LOCKED);
	assert_non_null(strstr(err.text, directory));
	store_close(open_store(STORE_READ));
	store_close(store);
	store_close(open_store(STORE_WRITE));
}

static void test_absent_and_damaged(void **state)
{
	char path[128];
	FILE *file;

	(void)state;
	assert_null(store_open(directory, STORE_READ, &err));
	assert_int_equal(err.kind, ERR_IO);
	assert_non_null(strstr(err.text, "nothing was synchronised"));
	store_close(open_store(STORE_WRITE));
	snprintf(path, sizeof(path), "%s/store.db", directory);
	file = fopen(path, "w");
	for (int i = 0; i < 4096; i++)
		fputs("no database", file);
	fclose(file);
	assert_null(store_open(directory, STORE_WRITE, &err));
	assert_int_equal(err.kind, ERR_DATABASE);
	assert_non_null(strstr(err.text, "store.db: the database is damaged"));
}

static void change_db(const char *sql)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/store.db", directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_newer_and_older(void **state)
{
	bool more = true;

	(void)state;
	store_close(open_store(STORE_WRITE));
	change_db("PRAGMA user_version = 99");
	assert_null(store_open(directory, STORE_WRITE, &err));
	assert_int_equal(err.kind, ERR_DATABASE);
	assert_non_null(strstr(err.text, "newer"));
	change_db("DROP TABLE words; DROP TABLE indexed;"
		  "DROP TABLE indexed_upto; PRAGMA user_version = 1");
	assert_null(store_open(directory, STORE_READ, &err));
	assert_non_null(strstr(err.text, "older"));
	struct store *store = open_store(STORE_WRITE);
	ok(store_index_step(store, 1000, &more, &err));
	assert_false(more);
	store_close(store);
}

/* After a power failure what was not known to be on the disk is read again:
 * here the last body's bytes never got there. */
static void test_power_failure(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	char path[128];
	int64_t folder;
	struct stat st;

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, folder, 1, PROTECTION_NONE);
	add_header(store, folder, 2, PROTECTION_NONE);
	add_body(store, folder, 1, "first");
	ok(store_commit(store, &err));
	ok(store_sync(store, &err));
	ok(store_begin(store, &err));
	add_body(store, folder, 2, "second");
	ok(store_commit(store, &err));
	store_close(store);
	snprintf(path, sizeof(path), "%s/bodies/000001.pack", directory);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 3), 0);
	change_db("UPDATE state SET boot = 'another'");
	store = open_store(STORE_WRITE);
	assert_int_equal(totals_of(store).bodies, 1);
	assert_int_equal(count_missing(store, folder), 1);
	ok(store_begin(store, &err));
	add_body(store, folder, 2, "second");
	ok(store_commit(store, &err));
	assert_int_equal(count_missing(store, folder), 0);
	store_close(store);
}

static void count_damage(const struct store_damage *damage, void *arg)
{
	assert_string_equal(damage->what, "body");
	*(uint32_t *)arg += damage->uid;
}

static void test_check_and_repair(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	char path[128];
	int64_t folder;
	uint32_t uids = 0;
	uint64_t bad = 0;
	FILE *file;
	struct stat st;

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	for (uint32_t uid = 1; uid <= 4; uid++) {
		add_header(store, folder, uid, PROTECTION_NONE);
		add_body(store, folder, uid, "some text of a message");
	}
	ok(store_commit(store, &err));
	snprintf(path, sizeof(path), "%s/bodies/000001.pack", directory);
	assert_int_equal(stat(path, &st), 0);
	file = fopen(path, "r+");
	fseek(file, -2, SEEK_END);
	fputc('X', file);
	fclose(file);
	ok(store_check(store, false, count_damage, &uids, &bad, &err));
	assert_int_equal(bad, 1);
	assert_int_equal(uids, 4);
	assert_int_equal(totals_of(store).bodies, 4);
	ok(store_check(store, true, NULL, NULL, &bad, &err));
	assert_int_equal(totals_of(store).bodies, 3);
	ok(store_check(store, true, NULL, NULL, &bad, &err));
	assert_int_equal(bad, 0);
	store_close(store);
}

static int hit_ids(const struct store_hit *hit, void *arg)
{
	char *text = arg;

	snprintf(text + strlen(text), 20, "%s%lld ", hit->is_item ? "i" : "",
		(long long)hit->id);
	return 0;
}

static void expect_hits(
	struct store *store, const char *terms, const char *expected)
{
	char found[200] = "";

	ok(store_search(store, terms, 0, hit_ids, found, &err));
	assert_string_equal(found, expected);
}

static void index_all(struct store *store)
{
	bool more = true;

	while (more)
		ok(store_index_step(store, 300, &more, &err));
}

static void test_items_and_search(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_item item = {.kind = PIM_EVENT,
		.href = "/c/1.ics",
		.etag = "\"1\"",
		.summary = "Budget meeting",
		.start_us = PIM_NO_TIME,
		.end_us = PIM_NO_TIME,
		.text = "BEGIN:VCALENDAR\r\n",
		.length = 17};
	int64_t folder;
	size_t length;
	char *text;

	(void)state;
	ok(store_begin(store, &err));
	item.folder = folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, folder, 1, PROTECTION_NONE);
	add_header(store, folder, 2, PROTECTION_NONE);
	add_body(store, folder, 1,
		"Subject: x\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
		"\r\n<p>Gr\xfc\xdf"
		"e from the <b>budget</b> office");
	ok(store_item_put(store, &item, &err));
	ok(store_commit(store, &err));
	index_all(store);
	expect_hits(store, "number", "2 1 ");
	expect_hits(store, "budget", "1 i1 ");
	expect_hits(store,
		"gru\xc3\x9f"
		"e OR",
		"");
	expect_hits(store,
		"GR\xc3\x9c\xc3\x9f"
		"E",
		"1 ");
	expect_hits(store, "\"budget office\"", "1 ");
	expect_hits(store, "offi*", "1 ");
	assert_int_equal(
		store_search(store, " \"", 0, hit_ids, NULL, &err), -1);

	/* A body that comes later is found; what is deleted is not. */
	ok(store_begin(store, &err));
	add_body(store, folder, 2, "Subject: x\r\n\r\nlatecomer number");
	item.etag = "\"2\"", item.summary = "Moved";
	ok(store_item_put(store, &item, &err));
	ok(store_message_delete(store, folder, 1, &err));
	ok(store_commit(store, &err));
	index_all(store);
	expect_hits(store, "latecomer", "2 ");
	expect_hits(store, "number", "2 ");
	expect_hits(store, "budget", "");
	expect_hits(store, "moved", "i2 ");
	assert_int_equal(totals_of(store).events, 1);
	text = store_item_text(store, 2, &length, &err);
	assert_int_equal(length, 17);
	assert_string_equal(text, item.text);
	free(text);
	text = store_item_etag(store, folder, "/c/1.ics");
	assert_string_equal(text, "\"2\"");
	free(text);
	store_close(store);
}

static int count_items(const struct store_item *item, void *arg)
{
	int *count = arg;

	assert_int_equal(item->length, 3);
	return ++*count == 999 ? 7 : 0;
}

static void test_many_items(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_item item = {
		.kind = PIM_CONTACT, .etag = "e", .text = "x\r\n", .length = 3};
	char href[32];
	int count = 0;

	(void)state;
	ok(store_begin(store, &err));
	item.folder = add_folder(store, "Contacts", STORE_MODE_FULL);
	item.href = href;
	for (int i = 0; i < 300; i++) {
		snprintf(href, sizeof(href), "/%d.vcf", i);
		ok(store_item_put(store, &item, &err));
	}
	ok(store_item_delete(store, item.folder, "/7.vcf", &err));
	ok(store_item_delete(store, item.folder, "/none", &err));
	ok(store_commit(store, &err));
	assert_int_equal(
		store_item_each(store, item.folder, count_items, &count, &err),
		0);
	assert_int_equal(count, 299);
	assert_int_equal(totals_of(store).contacts, 299);
	ok(store_begin(store, &err));
	ok(store_folder_delete(store, item.folder, &err));
	ok(store_commit(store, &err));
	assert_int_equal(totals_of(store).contacts, 0);
	store_close(store);
}

static int count_quarantined(const struct store_quarantine *object, void *arg)
{
	*(unsigned *)arg = object->tries;
	assert_int_equal(object->raw_length, STORE_QUARANTINE_BYTES);
	assert_non_null(strstr(object->reason, "beginning"));
	return 0;
}

static int take_rule(const struct store_rule *rule, void *arg)
{
	*(struct store_rule *)arg = *rule;
	assert_string_equal(rule->path, "Projects");
	return 0;
}

static void test_quarantine_and_rules(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	char *raw = xcalloc(1, STORE_QUARANTINE_BYTES + 5);
	struct store_quarantine object = {.folder = 1,
		.uid = 4,
		.reason = "unreadable",
		.raw = raw,
		.raw_length = STORE_QUARANTINE_BYTES + 5};
	struct store_rule rule = {"Projects", STORE_MODE_FULL, true};
	struct store_rule got = {0};
	unsigned tries = 0;

	(void)state;
	ok(store_begin(store, &err));
	ok(store_quarantine_add(store, &object, &err));
	ok(store_quarantine_add(store, &object, &err));
	ok(store_rule_put(store, &rule, &err));
	ok(store_commit(store, &err));
	ok(store_quarantine_each(store, 0, count_quarantined, &tries, &err));
	assert_int_equal(tries, 2);
	assert_int_equal(totals_of(store).quarantined, 1);
	ok(store_rule_each(store, take_rule, &got, &err));
	assert_int_equal(got.mode, STORE_MODE_FULL);
	assert_true(got.recursive);
	ok(store_begin(store, &err));
	ok(store_quarantine_remove(store, 1, 4, NULL, &err));
	ok(store_rule_delete(store, "Projects", &err));
	ok(store_commit(store, &err));
	assert_int_equal(totals_of(store).quarantined, 0);
	store_close(store);
	free(raw);
}

static void test_prune_and_flags(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	uint64_t pruned = 0;
	int64_t folder;
	struct store_uid uids[4];

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "P", STORE_MODE_FULL);
	for (uint32_t uid = 1; uid <= 3; uid++) {
		add_header(store, folder, uid,
			uid == 2 ? PROTECTION_SIGNED : PROTECTION_NONE);
		add_body(store, folder, uid, "x");
	}
	add_folder(store, "P", STORE_MODE_HEADERS);
	ok(store_body_prune(store, folder, &pruned, &err));
	assert_int_equal(pruned, 2);
	ok(store_message_set_flags(
		store, folder, 1, STORE_FLAG_DRAFT, "$Later", 77, &err));
	ok(store_commit(store, &err));
	assert_int_equal(totals_of(store).bodies, 1);
	assert_int_equal(totals_of(store).body_bytes, 1);
	assert_int_equal(store_uids(store, folder, STORE_SELECT_ALL,
				 STORE_UID_END, uids, 4, &err),
		3);
	assert_int_equal(uids[2].flags, STORE_FLAG_DRAFT);
	assert_int_equal(uids[2].modseq, 77);
	assert_true(uids[1].has_body);
	assert_false(uids[0].has_body);
	store_close(store);
}

static int path_order(const struct store_folder *folder, void *arg)
{
	strcat(arg, folder->path);
	strcat(arg, " ");
	return 0;
}

static void test_folders(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_folder folder;
	char order[64] = "";
	int64_t id;

	(void)state;
	ok(store_begin(store, &err));
	id = add_folder(store, "Zoo", STORE_MODE_HEADERS);
	add_folder(store, "INBOX", STORE_MODE_FULL);
	add_folder(store, "Archive", STORE_MODE_HEADERS);
	assert_int_equal(add_folder(store, "Zoo", STORE_MODE_FULL), id);
	ok(store_folder_rename(store, id, "Aviary", "Aviary", &err));
	ok(store_commit(store, &err));
	ok(store_folder_each(store, path_order, order, &err));
	assert_string_equal(order, "INBOX Archive Aviary ");
	assert_int_equal(
		store_folder_by_path(store, "inbox", &folder, &err), 1);
	assert_string_equal(folder.path, "INBOX");
	store_folder_free(&folder);
	assert_int_equal(
		store_folder_find(store, STORE_KIND_MAIL, "Zoo", &folder, &err),
		0);
	store_close(store);
}

static void test_outbox(void **state)
{
	struct outbox *outbox = outbox_open(directory, &err);
	uint64_t seq = 0;
	char *text;

	(void)state;
	assert_non_null(outbox);
	assert_int_equal(outbox_next_seq(outbox), 1);
	ok(outbox_put(outbox, "{1}", &seq, &err));
	ok(outbox_put(outbox, "{2}", &seq, &err));
	assert_int_equal(seq, 2);
	ok(outbox_ack(outbox, 2, &err));
	ok(outbox_set(outbox, "agent", "a7", &err));
	outbox_close(outbox);
	outbox = outbox_open(directory, &err);
	assert_int_equal(outbox_next_seq(outbox), 3);
	ok(outbox_put(outbox, "{3}", &seq, &err));
	assert_int_equal(seq, 3);
	text = outbox_next(outbox, 0, &seq);
	assert_string_equal(text, "{3}");
	free(text);
	assert_null(outbox_next(outbox, 3, &seq));
	assert_int_equal(outbox_count(outbox), 1);
	text = outbox_get(outbox, "agent");
	assert_string_equal(text, "a7");
	free(text);
	outbox_close(outbox);
}

static void test_probe(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store *reader;
	int64_t folder, us = -1;

	(void)state;
	ok(store_probe(store, &us, &err));
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, folder, 1, PROTECTION_NONE);
	ok(store_commit(store, &err));
	reader = open_store(STORE_READ);
	ok(store_begin(store, &err));
	add_body(store, folder, 1, "Subject: x\r\n\r\ntext");
	us = -1;
	ok(store_probe(reader, &us, &err));
	assert_true(us >= 0);
	ok(store_commit(store, &err));
	ok(store_probe(reader, &us, &err));
	store_close(reader);
	store_close(store);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_rollback),
		TEST(test_abort_keeps_the_rest),
		TEST(test_missing_set),
		TEST(test_body_shows_protection),
		TEST(test_detach_and_rematch),
		TEST(test_lock),
		TEST(test_absent_and_damaged),
		TEST(test_newer_and_older),
		TEST(test_power_failure),
		TEST(test_check_and_repair),
		TEST(test_items_and_search),
		TEST(test_many_items),
		TEST(test_quarantine_and_rules),
		TEST(test_prune_and_flags),
		TEST(test_folders),
		TEST(test_outbox),
		TEST(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
