/*
 * open_test.c - who may open a store, and what is found in one that was
 * damaged, is of another version, or went down with its machine.
 */
#include "store_fixture.h"

#include <sqlite3.h>

static void test_lock(void **state)
{
	struct store *store = open_store(STORE_WRITE);

	(void)state;
	assert_null(store_open(directory, STORE_WRITE, &err));
	assert_int_equal(err.kind, ERR_LOCKED);
	assert_non_null(strstr(err.text, directory));
	assert_null(store_open(directory, STORE_UPKEEP, &err));
	assert_int_equal(err.kind, ERR_LOCKED);
	store_close(open_store(STORE_READ));
	store_close(store);
	store_close(open_store(STORE_WRITE));
}

/* Who keeps the store up gives way, and who wants to write waits for it. */
static void test_lock_is_waited_for(void **state)
{
	struct store *store;
	int ends[2];
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		store = store_open(directory, STORE_UPKEEP, &err);
		_exit(write(ends[1], "l", 1) != 1 || usleep(100000) ||
			(store_close(store), 0));
	}
	assert_int_equal(read(ends[0], &c, 1), 1);
	store_close(open_store(STORE_WRITE));
	waitpid(pid, NULL, 0);
	close(ends[0]);
	close(ends[1]);
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

/* An index made before bodies that came late were noted. */
static void test_older_index(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	uint64_t left = 0;
	bool more = true;
	int64_t folder;

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, folder, 1, PROTECTION_NONE);
	add_header(store, folder, 2, PROTECTION_NONE);
	ok(store_commit(store, &err));
	ok(store_index_step(store, 100000, &more, &err));
	ok(store_begin(store, &err));
	add_body(store, folder, 2, "late");
	ok(store_commit(store, &err));
	store_close(store);
	change_db("DROP INDEX indexed_due; UPDATE indexed SET whole = 0;"
		  "PRAGMA user_version = 2");
	store = open_store(STORE_WRITE);
	ok(store_index_left(store, &left, &err));
	assert_int_equal(left, 1);
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
	struct store_folder row;

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	for (uint32_t uid = 1; uid <= 4; uid++) {
		add_header(store, folder, uid, PROTECTION_NONE);
		add_body(store, folder, uid, "some text of a message");
	}
	assert_int_equal(store_folder_get(store, folder, &row, &err), 1);
	row.verified = true;
	ok(store_folder_put(store, &row, &err));
	store_folder_free(&row);
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
	assert_int_equal(store_folder_get(store, folder, &row, &err), 1);
	assert_false(row.verified);
	store_folder_free(&row);
	ok(store_check(store, true, NULL, NULL, &bad, &err));
	assert_int_equal(bad, 0);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lock),
		TEST(test_lock_is_waited_for),
		TEST(test_absent_and_damaged),
		TEST(test_newer_and_older),
		TEST(test_older_index),
		TEST(test_power_failure),
		TEST(test_check_and_repair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
