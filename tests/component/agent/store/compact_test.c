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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_compact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
