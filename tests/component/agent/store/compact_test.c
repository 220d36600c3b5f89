/*
 * compact_test.c - packs are rewritten, and nobody who reads is disturbed.
 */
#include "store_fixture.h"

#include "alloc.h"

/* What is gone leaves the disk, what is there stays readable, and so it is
 * after the next open. */
static void test_compact(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	char *big = xcalloc(1, 300001);
	uint64_t freed = 0;
	uint64_t bad = 1;
	uint64_t before;
	int64_t folder;
	struct store *reader;
	struct store_reader *part;

	(void)state;
	memset(big, 'x', 300000);
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	for (uint32_t uid = 1; uid <= 100; uid++) {
		add_header(store, folder, uid, PROTECTION_NONE);
		add_body(store, folder, uid, uid % 10 ? "small" : big);
	}
	ok(store_commit(store, &err));
	ok(store_compact(store, 30, NULL, &freed, &err));
	assert_int_equal(freed, 0);
	before = totals_of(store).stored_bytes;
	ok(store_begin(store, &err));
	for (uint32_t uid = 10; uid < 100; uid += 10)
		ok(store_message_delete(store, folder, uid, &err));
	ok(store_commit(store, &err));
	reader = open_store(STORE_READ);
	part = store_read_open(reader, 1, STORE_PART_BODY, &err);
	ok(store_compact(store, 30, NULL, &freed, &err));
	assert_int_equal(store_read(part, big, 300000, &err), 5);
	assert_memory_equal(big, "small", 5);
	store_read_close(part);
	store_close(reader);
	assert_in_range(freed, 2700000, 2710000);
	assert_true(totals_of(store).stored_bytes + 2500000 < before);
	ok(store_compact(store, 30, NULL, &freed, &err));
	assert_int_equal(freed, 0);
	store_close(store);

	store = open_store(STORE_WRITE);
	ok(store_check(store, false, NULL, NULL, &bad, &err));
	assert_int_equal(bad, 0);
	assert_int_equal(totals_of(store).bodies, 91);
	store_close(store);
	free(big);
}

/* Reads one small body; all of them within one look at the database. */
static int read_small(const struct store_row *row, void *arg)
{
	struct store *reader = arg;
	struct store_reader *part = store_read_open(
		reader, row->id, STORE_PART_BODY, &err);
	char data[8];

	assert_non_null(part);
	ok((int)store_read(part, data, sizeof(data), &err));
	assert_memory_equal(data, "small", 5);
	store_read_close(part);
	return 0;
}

struct beside {
	struct store *writer, *reader;
	unsigned rows;
	uint64_t freed;
};

static int compact_beside(const struct store_row *row, void *arg)
{
	struct beside *beside = arg;

	if (!beside->rows++)
		ok(store_compact(
			beside->writer, 30, NULL, &beside->freed, &err));
	return read_small(row, beside->reader);
}

/* Who has begun to read a folder sees it to its end as it was. */
static void test_compact_beside_a_reader(void **state)
{
	struct beside beside = {.writer = open_store(STORE_WRITE)};
	struct store *store = beside.writer;
	int64_t folder;

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	for (uint32_t uid = 1; uid <= 20; uid++) {
		add_header(store, folder, uid, PROTECTION_NONE);
		add_body(store, folder, uid, "small");
	}
	ok(store_commit(store, &err));
	ok(store_begin(store, &err));
	for (uint32_t uid = 11; uid <= 20; uid++)
		ok(store_message_delete(store, folder, uid, &err));
	ok(store_commit(store, &err));
	beside.reader = open_store(STORE_READ);
	ok(store_rows(beside.reader, folder, 0, compact_beside, &beside, &err));
	assert_int_equal(beside.rows, 10);
	assert_int_equal(beside.freed, 0);
	ok(store_compact(store, 30, NULL, &beside.freed, &err));
	assert_true(beside.freed > 0);
	ok(store_rows(
		beside.reader, folder, 0, read_small, beside.reader, &err));
	store_close(beside.reader);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_compact),
		TEST(test_compact_beside_a_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
