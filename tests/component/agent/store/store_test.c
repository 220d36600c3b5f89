/*
 * store_test.c - the store against files: what goes in comes out, what is
 * rolled back is gone, what is missing, what a change of UIDVALIDITY costs.
 */
#include "store_fixture.h"

#include "alloc.h"
#include "store_quarantine.h"

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
	ok(store_rows(store, folder, 1, remember_id, &id, &err));
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
	ok(store_rows(store, folder, 1, remember_id, &id, &err));
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
	ok(store_quarantine_retry(store, &err));
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
	ok(store_rows(store, bare.folder, 1, remember_id, &id, &err));
	store_close(store);
}

static void expect_match(struct store *store,
	const struct store_message *message, const char *id, int expected)
{
	assert_int_equal(
		store_message_rematch(store, message, id, &err), expected);
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
	expect_match(store, &other, "<m2@example.org>", 0);
	other.size++;
	expect_match(store, &other, "<m3@example.org>", 0);
	other.size--, other.internal_date_s++;
	expect_match(store, &other, "<m3@example.org>", 0);
	other.internal_date_s--;
	expect_match(store, &other, "<m3@example.org>", 1);
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

static void expect_header(struct store *store, uint32_t uid, const char *header)
{
	struct store_reader *reader;
	char data[100] = "";

	reader = store_read_open(store, uid, STORE_PART_HEADER, &err);
	if (!reader)
		fail_msg("%u: %s", (unsigned)uid, err.text);
	assert_int_equal(store_read(reader, data, sizeof(data), &err),
		(ssize_t)strlen(header));
	assert_string_equal(data, header);
	store_read_close(reader);
}

/* A message that came whole keeps its header when its body goes. */
static void test_prune_of_whole_messages(void **state)
{
	static const char *const bodies[] = {"A: b\r\nC: d\r\n\r\nlong body",
		"A: b\n\nlong body", "\r\nno header", "no empty line"};
	static const char *const headers[] = {
		"A: b\r\nC: d\r\n\r\n", "A: b\n\n", "\r\n", "no empty line"};
	struct store *store = open_store(STORE_WRITE);
	struct store_message message = {.keywords = ""};
	struct store_folder row;
	uint64_t pruned = 0;
	uint64_t bytes = 0;

	(void)state;
	ok(store_begin(store, &err));
	message.folder = add_folder(store, "P", STORE_MODE_FULL);
	for (message.uid = 1; message.uid <= 4; message.uid++) {
		ok(store_message_put(store, &message, &err));
		add_body(store, message.folder, message.uid,
			bodies[message.uid - 1]);
		bytes += strlen(headers[message.uid - 1]);
	}
	add_folder(store, "P", STORE_MODE_HEADERS);
	ok(store_body_prune(store, message.folder, &pruned, &err));
	ok(store_commit(store, &err));
	assert_int_equal(pruned, 4);
	assert_int_equal(totals_of(store).bodies, 0);
	assert_int_equal(totals_of(store).body_bytes, 0);
	ok(store_folder_get(store, message.folder, &row, &err) - 1);
	assert_int_equal(row.header_bytes, bytes);
	store_folder_free(&row);
	for (uint32_t uid = 1; uid <= 4; uid++)
		expect_header(store, uid, headers[uid - 1]);
	store_close(store);
}

/* A message that came whole has its header in its body only: with that lost,
 * it is one that was never seen, whatever its folder asks for. */
static void test_lost_with_its_only_bytes(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_message message = {.uid = 1, .size = 5};
	uint64_t bad = 0;
	char path[128];

	(void)state;
	ok(store_begin(store, &err));
	message.folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	ok(store_body_begin(store, &err));
	ok(store_body_append(store, "A: b\r\n\r\n", 8, &err));
	ok(store_message_put_whole(store, &message, &err));
	add_folder(store, "INBOX", STORE_MODE_HEADERS);
	ok(store_commit(store, &err));
	snprintf(path, sizeof(path), "%s/bodies/000001.pack", directory);
	assert_int_equal(truncate(path, 4), 0);
	ok(store_check(store, true, NULL, NULL, &bad, &err));
	assert_int_equal(bad, 1);
	assert_int_equal(totals_of(store).messages, 0);
	assert_int_equal(totals_of(store).bodies, 0);
	store_close(store);
}

static void put_exactly(struct store *store, int64_t folder, uint32_t uid,
	const char *data, size_t length)
{
	struct store_message message = {.folder = folder, .uid = uid};

	ok(store_message_put(store, &message, &err));
	ok(store_body_begin(store, &err));
	for (size_t i = 0; i < length; i++)
		ok(store_body_append(store, data + i, 1, &err));
	ok(store_body_end(store, folder, uid, &err));
}

/* NULs, bare CR and LF, no header, nothing at all. */
static void test_exact_bytes(void **state)
{
	static const struct {
		const char *data;
		size_t length;
	} bodies[] = {{"", 0}, {"\0", 1}, {"\r\r\n\n\0\xff\xfe", 7},
		{"\r\n\r\nno header", 13}, {"Subject: only", 13}};
	struct store *store = open_store(STORE_WRITE);
	int64_t folder;

	(void)state;
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	for (uint32_t i = 0; i < 5; i++)
		put_exactly(
			store, folder, i + 1, bodies[i].data, bodies[i].length);
	ok(store_commit(store, &err));
	assert_int_equal(count_missing(store, folder), 0);
	for (uint32_t i = 0; i < 5; i++) {
		struct store_reader *reader = store_read_open(
			store, i + 1, STORE_PART_BODY, &err);
		char data[32];
		ssize_t n = store_read(reader, data, sizeof(data), &err);

		assert_int_equal(n, bodies[i].length);
		assert_memory_equal(data, bodies[i].data, bodies[i].length);
		assert_int_equal(store_read(reader, data, 32, &err), 0);
		store_read_close(reader);
	}
	store_close(store);
}

/* What the plan says a store will take is what it takes. */
static void test_prediction(void **state)
{
	struct store *store = open_store(STORE_WRITE);
	char body[3000];
	uint64_t predicted, stored;
	int64_t folder;

	(void)state;
	memset(body, 'x', sizeof(body));
	body[sizeof(body) - 1] = '\0';
	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	for (uint32_t uid = 1; uid <= 3000; uid++) {
		add_header(store, folder, uid, PROTECTION_NONE);
		add_body(store, folder, uid, body);
	}
	ok(store_commit(store, &err));
	ok(store_sync(store, &err));
	stored = totals_of(store).stored_bytes;
	predicted = store_predict_bytes(3000, 3000 * 110, 3000 * 2999, 0, 0);
	assert_in_range(predicted, stored * 90 / 100, stored * 110 / 100);
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
	ok(store_folder_rename(
		store, id, STORE_KIND_MAIL, "Aviary", "Aviary", &err));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_rollback),
		TEST(test_abort_keeps_the_rest),
		TEST(test_missing_set),
		TEST(test_body_shows_protection),
		TEST(test_detach_and_rematch),
		TEST(test_prune_and_flags),
		TEST(test_prune_of_whole_messages),
		TEST(test_folders),
		TEST(test_lost_with_its_only_bytes),
		TEST(test_exact_bytes),
		TEST(test_prediction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
