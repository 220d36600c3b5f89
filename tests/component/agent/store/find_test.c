/*
 * find_test.c - items, the index of words, quarantine, the outbox and
 * the probe.
 */
#include "store_fixture.h"

#include "alloc.h"
#include "outbox.h"
#include "store_item.h"
#include "store_quarantine.h"

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

/* A body that comes later is found; what is deleted is not. */
static void change_and_search(
	struct store *store, int64_t folder, struct store_item *item)
{
	ok(store_begin(store, &err));
	add_body(store, folder, 2, "Subject: x\r\n\r\nlatecomer number");
	item->etag = "\"2\"", item->summary = "Moved";
	ok(store_item_put(store, item, &err));
	ok(store_message_delete(store, folder, 1, &err));
	ok(store_commit(store, &err));
	index_all(store);
	expect_hits(store, "latecomer", "2 ");
	expect_hits(store, "number", "2 ");
	expect_hits(store, "budget", "");
	expect_hits(store, "moved", "i2 ");
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
	assert_int_equal(
		store_search(store, "\" \" ", 0, hit_ids, NULL, &err), -1);

	change_and_search(store, folder, &item);
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

static void test_etags(void **state)
{
	static const char *const same[] = {
		"1", "\"1\"", "W/\"1\"", "\"1-gzip\"", "W/\"1-gzip\""};
	static const char *const others[] = {
		"", "\"\"", "\"2\"", "\"11\"", "W/\"-gzip\"", "\"1-zip\""};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		for (size_t j = 0; j < sizeof(same) / sizeof(same[0]); j++)
			assert_true(store_item_same_etag(same[i], same[j]));
		for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++)
			assert_false(store_item_same_etag(same[i], others[j]));
	}
}

/* The index was made, and then a body came: also of a message whose row told
 * nothing then. */
static void test_bodies_come_later(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_message bare = {.uid = 2, .size = 30};
	uint64_t left = 9;
	int64_t folder;

	(void)state;
	ok(store_begin(store, &err));
	bare.folder = folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, folder, 1, PROTECTION_NONE);
	ok(store_message_put(store, &bare, &err));
	add_header(store, folder, 3, PROTECTION_NONE);
	ok(store_commit(store, &err));
	index_all(store);
	ok(store_index_left(store, &left, &err));
	assert_int_equal(left, 0);
	ok(store_begin(store, &err));
	add_body(store, folder, 1, "Subject: x\r\n\r\nlatecomer");
	add_body(store, folder, 2, "Subject: y\r\n\r\nlatecomer");
	ok(store_commit(store, &err));
	ok(store_index_left(store, &left, &err));
	assert_int_equal(left, 2);
	index_all(store);
	ok(store_index_left(store, &left, &err));
	assert_int_equal(left, 0);
	expect_hits(store, "latecomer", "1 2 ");
	store_close(store);
}

static void put_dated(
	struct store *store, int64_t folder, uint32_t uid, const char *date)
{
	char header[100];
	struct store_message message = {
		.folder = folder, .uid = uid, .header = header};

	message.header_length = (size_t)snprintf(header, sizeof(header),
		"Subject: dated\r\nDate: %s\r\n\r\n", date);
	ok(store_message_put(store, &message, &err));
}

/* The newest first, whatever order they came in; a limit counts both. */
static void test_search_order(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_item item = {.kind = PIM_NOTE,
		.href = "/n",
		.etag = "e",
		.summary = "dated note",
		.start_us = PIM_NO_TIME,
		.end_us = PIM_NO_TIME,
		.text = "x",
		.length = 1};
	char found[64] = "";

	(void)state;
	ok(store_begin(store, &err));
	item.folder = add_folder(store, "INBOX", STORE_MODE_HEADERS);
	put_dated(store, item.folder, 9, "3 Jan 2024 10:00:00 +0000");
	put_dated(store, item.folder, 8, "2 Jan 2024 10:00:00 +0000");
	put_dated(store, item.folder, 7, "4 Jan 2024 10:00:00 +0000");
	ok(store_item_put(store, &item, &err));
	ok(store_commit(store, &err));
	index_all(store);
	expect_hits(store, "dated", "3 1 2 i1 ");
	ok(store_search(store, "dated", 2, hit_ids, found, &err));
	assert_string_equal(found, "3 1 ");
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

static void test_quarantine(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	char *raw = xcalloc(1, STORE_QUARANTINE_BYTES + 5);
	struct store_quarantine object = {.folder = 1,
		.uid = 4,
		.reason = "unreadable",
		.raw = raw,
		.raw_length = STORE_QUARANTINE_BYTES + 5};
	unsigned tries = 0;

	(void)state;
	ok(store_begin(store, &err));
	ok(store_quarantine_add(store, &object, &err));
	ok(store_quarantine_add(store, &object, &err));
	ok(store_quarantine_retry(store, &err));
	ok(store_quarantine_add(store, &object, &err));
	ok(store_quarantine_add(store, &object, &err));
	ok(store_commit(store, &err));
	ok(store_quarantine_each(store, 0, count_quarantined, &tries, &err));
	assert_int_equal(tries, 2);
	assert_int_equal(totals_of(store).quarantined, 1);
	ok(store_begin(store, &err));
	ok(store_quarantine_remove(store, 1, 4, NULL, &err));
	ok(store_commit(store, &err));
	assert_int_equal(totals_of(store).quarantined, 0);
	store_close(store);
	free(raw);
}

static void test_outbox(void **state)
{
	struct outbox *outbox = outbox_open(directory, OUTBOX_SAFE, &err);
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
	outbox = outbox_open(directory, OUTBOX_SAFE, &err);
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
	const struct CMUnitTest tests[] = {
		TEST(test_items_and_search),
		TEST(test_etags),
		TEST(test_search_order),
		TEST(test_bodies_come_later),
		TEST(test_many_items),
		TEST(test_quarantine),
		TEST(test_outbox),
		TEST(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
