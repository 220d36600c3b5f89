/*
 * upkeep_test.c - what happens to a store between synchronisations, and what
 * a person would feel meanwhile.
 */
#include "store_fixture.h"

#include "alloc.h"
#include "clock.h"
#include "latency.h"
#include "upkeep.h"

#define MESSAGES 200

static void fill_store(void)
{
	struct store *store = open_store(STORE_WRITE);
	char *body = xcalloc(1, 20001);
	int64_t folder;

	memset(body, 'x', 20000);
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	for (uint32_t uid = 1; uid <= MESSAGES; uid++) {
		add_header(store, folder, uid, PROTECTION_NONE);
		add_body(store, folder, uid, body);
	}
	for (uint32_t uid = 1; uid <= MESSAGES / 2; uid++)
		ok(store_message_delete(store, folder, uid, &err));
	ok(store_commit(store, &err));
	store_close(store);
	free(body);
}

static uint64_t left_to_index(uint64_t *stored_bytes)
{
	struct store *store = open_store(STORE_READ);
	uint64_t left = 0;

	ok(store_index_left(store, &left, &err));
	*stored_bytes = totals_of(store).stored_bytes;
	store_close(store);
	return left;
}

static void test_indexes_and_compacts(void **state)
{
	struct upkeep *upkeep;
	uint64_t before, after;

	(void)state;
	fill_store();
	assert_int_equal(left_to_index(&before), MESSAGES / 2);
	ok(upkeep_start(&upkeep, directory, &err));
	ok(upkeep_wait(upkeep, &err));
	assert_int_equal(left_to_index(&after), 0);
	assert_true(after + MESSAGES / 2 * 15000 < before);
}

/* Whoever syncs comes first, and a stop is soon obeyed. */
static void test_gives_way(void **state)
{
	struct upkeep *upkeep;
	struct store *store;
	uint64_t bytes;

	(void)state;
	fill_store();
	store = open_store(STORE_WRITE);
	ok(upkeep_start(&upkeep, directory, &err));
	ok(upkeep_wait(upkeep, &err));
	store_close(store);
	assert_int_equal(left_to_index(&bytes), MESSAGES / 2);
	ok(upkeep_start(&upkeep, directory, &err));
	ok(upkeep_stop(upkeep, &err));
	store_close(open_store(STORE_WRITE));
	ok(upkeep_stop(NULL, &err));
}

static void test_says_what_is_wrong(void **state)
{
	struct upkeep *upkeep;
	char path[128];
	FILE *file;

	(void)state;
	fill_store();
	snprintf(path, sizeof(path), "%s/store.db", directory);
	file = fopen(path, "w");
	fputs("this is no database at all, and long enough to be seen so: "
	      "................................................",
		file);
	fclose(file);
	ok(upkeep_start(&upkeep, directory, &err));
	assert_int_equal(upkeep_wait(upkeep, &err), -1);
	assert_int_equal(err.kind, ERR_DATABASE);
	assert_non_null(strstr(err.text, path));
}

static void test_latency(void **state)
{
	struct latency *latency;
	struct latency_figure figure;

	(void)state;
	ok(latency_start(&latency, directory, &err));
	latency_read(latency, LATENCY_BEFORE, &figure);
	assert_int_equal(figure.count, 0);
	fill_store();
	latency_phase(latency, LATENCY_DURING);
	latency_phase(latency, LATENCY_AFTER);
	latency_phase(latency, LATENCY_AFTER);
	latency_read(latency, LATENCY_DURING, &figure);
	assert_true(figure.count >= 1);
	latency_read(latency, LATENCY_AFTER, &figure);
	assert_true(figure.count >= 2);
	assert_true(figure.max_ms > 0);
	assert_true(figure.p95_ms <= figure.max_ms * 1.02);
	latency_stop(latency);
	latency_stop(NULL);
}

/* It goes on by itself, too. */
static void test_latency_goes_on(void **state)
{
	struct latency *latency;
	struct latency_figure figure;
	int64_t until = clock_monotonic_us() + 60 * US_PER_S;

	(void)state;
	fill_store();
	ok(latency_start(&latency, directory, &err));
	do {
		clock_sleep_us(20000);
		latency_read(latency, LATENCY_BEFORE, &figure);
	} while (figure.count < 4 && clock_monotonic_us() < until);
	latency_stop(latency);
	assert_true(figure.count >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_indexes_and_compacts),
		TEST(test_gives_way),
		TEST(test_says_what_is_wrong),
		TEST(test_latency),
		TEST(test_latency_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
