/* imap_source_test.c - what the IMAP source delivers when all goes well. */
#include "imap_bench_use.h"

static void lists_folders_with_their_state(void **state)
{
	static const struct fake_folder folders[] = {
		{"() \"/\" \"inbox\"", "inbox", 77, letters},
		{"(\\Noselect) \"/\" \"Top\"", NULL, 0, NULL},
		{"(\\NonExistent) \"/\" \"Away\"", NULL, 0, NULL},
		{"(\\Sent) \"/\" \"Top/a&-b &AOQ-\"", "Top/a&-b &AOQ-", 5,
			NULL},
		{"() \"/\" nonsense\" (", NULL, 0, NULL},
		{"() \"/\" {5}\r\nNotes", "Notes", 6, NULL},
		{NULL, NULL, 0, NULL},
	};
	const struct fake_imap fake = {.folders = folders};
	struct bench *bench = set_up(&fake);
	const struct collection *c = bench->record.collections;

	(void)state;
	open_and_list(bench);
	assert_int_equal(bench->record.collection_count, 5);
	assert_string_equal(c[0].path, "INBOX");
	assert_string_equal(c[0].wire, "inbox");
	assert_int_equal(c[0].special, SPECIAL_INBOX);
	assert_true(c[0].state_known);
	assert_int_equal(c[0].items, 4);
	assert_int_equal(c[0].uid_next, 10);
	assert_int_equal(c[0].uid_validity, 77);
	assert_false(c[1].selectable);
	assert_string_equal(c[2].path, "Top/a&b \xC3\xA4");
	assert_int_equal(c[2].special, SPECIAL_SENT);
	assert_int_equal(c[4].kind, COLLECTION_NOTES);
	tear_down(bench);
}

static void asks_for_each_state_without_list_status(void **state)
{
	const struct fake_imap fake = {.capabilities = "IMAP4rev1"};
	struct bench *bench = set_up(&fake);

	(void)state;
	open_and_list(bench);
	assert_int_equal(bench->record.collections[0].items, 4);
	assert_non_null(strstr(bench->fake.log, "STATUS \"inbox\" ("));
	tear_down(bench);
}

static void fetches_whole_messages(void **state)
{
	struct bench *bench = fetch_with(FAKE_GOOD, FETCH_FULL, true);

	(void)state;
	expect(bench, STATE ONE TWO FIVE NINE END);
	assert_non_null(strstr(bench->fake.log, "UID FETCH 1:2,5,9 ("));
	tear_down(bench);
}

static void fetches_headers_with_structure(void **state)
{
	struct bench *bench = fetch_with(FAKE_GOOD, FETCH_HEADERS, false);

	(void)state;
	expect(bench,
		COMPLETE
		"item 1 size 21 flags \\Seen $x data [Subject: one\r\n\r\n] S\n"
		"item 2 size 22 flags \\Seen $x data [Subject: two\r\n\r\n] S\n"
		"item 5 size 22 flags \\Seen $x data [Subject: five\r\n\r\n] S\n"
		"item 9 size 22 flags \\Seen $x data [Subject: nine\r\n\r\n] S\n" END);
	tear_down(bench);
}

static void lists_without_data(void **state)
{
	struct bench *bench = fetch_with(FAKE_EXPUNGED, FETCH_LIST, false);

	(void)state;
	expect(bench,
		COMPLETE "item 1 size 21 flags \\Seen $x data []\n"
			 "item 5 size 22 flags \\Seen $x data []\n"
			 "item 9 size 22 flags \\Seen $x data []\n" END);
	tear_down(bench);
}

static void takes_every_form_of_a_body(void **state)
{
	static const enum fake_fault forms[] = {
		FAKE_BODY_FIRST, FAKE_LITERAL8, FAKE_TWICE};
	static const char two[] = "data [Subject: two\r\n\r\nsecond]\n";
	struct bench *bench;
	const char *found;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		bench = fetch_with(forms[i], FETCH_FULL, true);
		found = strstr(buf_text(&bench->record.events), two);
		assert_non_null(found);
		assert_null(strstr(found + 1, two));
		assert_non_null(
			strstr(buf_text(&bench->record.events), FIVE NINE END));
		tear_down(bench);
	}
	bench = fetch_with(FAKE_NIL, FETCH_FULL, true);
	expect(bench,
		STATE ONE
		"item 2 size 22 flags \\Seen $x data []\n" FIVE NINE END);
	tear_down(bench);
}

static void keeps_nuls_and_bare_line_ends(void **state)
{
	static const char odd[] = "a\0b\rc\nd* 3 FETCH (UID 2 BODY[] {1}\r\nX";
	const struct fake_message messages[] = {
		{3, odd, sizeof(odd) - 1, FAKE_GOOD},
		{4, "", 0, FAKE_GOOD},
		{0, NULL, 0, FAKE_GOOD},
	};
	const struct fake_folder folders[] = {
		{"() \"/\" \"INBOX\"", "INBOX", 1, messages},
		{NULL, NULL, 0, NULL},
	};
	const struct fake_imap fake = {.folders = folders};
	struct bench *bench = set_up(&fake);
	const struct buf *events = &bench->record.events;

	(void)state;
	open_and_list(bench);
	assert_int_equal(fetch(bench, FETCH_FULL, NULL, 0), 0);
	assert_non_null(
		memmem(events->data, events->length, odd, sizeof(odd) - 1));
	assert_non_null(memmem(events->data, events->length,
		"item 4 size 0 flags \\Seen $x data []", 36));
	tear_down(bench);
}

static void one_expunged_message_is_gone(void **state)
{
	struct bench *bench = fetch_with(FAKE_EXPUNGED, FETCH_FULL, true);

	(void)state;
	expect(bench, STATE ONE FIVE NINE "gone 2\n" END);
	tear_down(bench);
}

static void changes_come_with_what_vanished(void **state)
{
	struct fake_imap fake = {.capabilities = QRESYNC, .vanished = "3:4,7"};
	struct bench *bench = set_up(&fake);
	struct record *record = &bench->record;
	const struct feed feed = {on_next, &sink, record};

	(void)state;
	open_and_list(bench);
	assert_true(source_features(bench->source) & SOURCE_VANISHED);
	record->windows[record->window_count++] = (struct window){
		.collection = &record->collections[0],
		.mode = FETCH_LIST,
		.since_modseq = 5,
	};
	assert_int_equal(source_fetch(bench->source, &feed, &bench->err), 0);
	assert_non_null(strstr(bench->fake.log, "(CHANGEDSINCE 5 VANISHED)"));
	assert_non_null(strstr(buf_text(&record->events),
		STATE "gone 3\ngone 4\ngone 7\nitem 1 size 21"));
	tear_down(bench);
}

static void small_folders_share_a_round_trip(void **state)
{
	static const struct fake_folder folders[] = {
		{"() \"/\" \"A\"", "A", 1, letters},
		{"() \"/\" \"B\"", "B", 2, letters},
		{"() \"/\" \"C\"", "C", 3, letters},
		{NULL, NULL, 0, NULL},
	};
	const struct fake_imap fake = {.folders = folders};
	struct bench *bench = set_up(&fake);
	struct record *record = &bench->record;
	const struct feed feed = {on_next, &sink, record};
	uint64_t before;
	size_t i;

	(void)state;
	open_and_list(bench);
	for (i = 0; i < 3; i++)
		record->windows[record->window_count++] = (struct window){
			.collection = &record->collections[i],
			.mode = FETCH_HEADERS,
			.bytes = 1000,
		};
	before = source_round_trips(bench->source);
	assert_int_equal(source_fetch(bench->source, &feed, &bench->err), 0);
	assert_int_equal(source_round_trips(bench->source) - before, 1);
	tear_down(bench);
}

/* One EXAMINE and 16 fetches, 4 in flight: 4 are sent at once, and each
 * answer lets one more out, so that the longest chain has 5 commands. */
static void a_full_pipe_counts_its_chain(void **state)
{
	const struct fake_imap fake = {.greeting = "* OK Courier-IMAP ready"};
	struct bench *bench = set_up(&fake);
	struct record *record = &bench->record;
	const struct feed feed = {on_next, &sink, record};
	uint64_t before;

	(void)state;
	open_and_list(bench);
	while (record->window_count < 16)
		record->windows[record->window_count++] = (struct window){
			.collection = &record->collections[0],
			.mode = FETCH_FULL,
			.ids = all_ids,
			.count = 1,
			.bytes = 100,
		};
	before = source_round_trips(bench->source);
	assert_int_equal(source_fetch(bench->source, &feed, &bench->err), 0);
	assert_int_equal(bench->fake.fetches, 16);
	assert_int_equal(source_round_trips(bench->source) - before, 5);
	tear_down(bench);
}

/* NAMESPACE goes along with LIST. */
static uint64_t trips_to_the_list(struct bench *bench)
{
	open_and_list(bench);
	assert_int_equal(bench->fake.connections, 1);
	return source_round_trips(bench->source);
}

/* Names, ENABLE and namespaces cost none of their own. */
static void begins_in_few_round_trips(void **state)
{
	const struct fake_imap few = {.capabilities = "IMAP4rev1 LIST-STATUS"};
	const struct fake_imap all = {
		.capabilities = QRESYNC " ENABLE ID NAMESPACE",
		.id = "(\"vendor\" NIL \"name\" \"a \\\"b\" \"version\" \"3\")",
	};
	struct bench *bench = set_up(&few);
	uint64_t trips = trips_to_the_list(bench);

	(void)state;
	tear_down(bench);
	bench = set_up(&all);
	assert_int_equal(trips_to_the_list(bench), trips);
	assert_non_null(strstr(bench->fake.log, "\nID (\"name\""));
	assert_non_null(strstr(bench->fake.log, ")\nENABLE QRESYNC\n"));
	assert_non_null(strstr(bench->fake.log, "\nNAMESPACE\nLIST "));
	assert_true(source_features(bench->source) & SOURCE_VANISHED);
	assert_string_equal(source_server(bench->source), "a \"b 3");
	tear_down(bench);
}

/* How often LINE is in the server's log. */
static unsigned count_asked(const struct bench *bench, const char *line)
{
	const char *at = bench->fake.log;
	unsigned count = 0;

	while ((at = strstr(at, line))) {
		count++;
		at++;
	}
	return count;
}

static void the_list_comes_with_the_last_window(void **state)
{
	const struct fake_imap fake = {.capabilities = QRESYNC " NAMESPACE"};
	struct bench *bench = set_up(&fake);
	uint64_t trips;

	(void)state;
	open_and_list(bench);
	fetch_and_list(bench);
	expect(bench, STATE ONE TWO FIVE NINE END);
	trips = source_round_trips(bench->source);
	assert_int_equal(count_asked(bench, "LIST \"\""), 2);
	assert_int_equal(count_asked(bench, "\nNAMESPACE\n"), 2);
	/* It is not kept for another time. */
	assert_int_equal(source_list(bench->source, on_collection,
				 &bench->record, &bench->err),
		0);
	assert_int_equal(count_asked(bench, "LIST \"\""), 3);
	assert_int_equal(source_round_trips(bench->source), trips + 1);
	tear_down(bench);
}

/* Where the greeting does not tell that it knows them, they come later. */
static void asks_after_the_login_what_is_offered_then(void **state)
{
	const struct fake_imap fake = {
		.capabilities = "IMAP4rev1 LIST-STATUS CONDSTORE QRESYNC"};
	struct bench *bench = set_up(&fake);

	(void)state;
	open_and_list(bench);
	assert_non_null(strstr(bench->fake.log, "ENABLE QRESYNC\nLIST "));
	assert_true(source_features(bench->source) & SOURCE_VANISHED);
	tear_down(bench);
}

static void compresses_when_told_to(void **state)
{
	const struct fake_imap fake = {
		.capabilities = "IMAP4rev1 LIST-STATUS COMPRESS=DEFLATE"};
	struct bench *bench = set_up(&fake);
	struct wire_counts counts;

	(void)state;
	bench->options.compress = COMPRESS_ON;
	open_and_list(bench);
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), 0);
	expect(bench, STATE ONE TWO FIVE NINE END);
	assert_non_null(strstr(bench->fake.log, "COMPRESS DEFLATE"));
	counts = wire_counts(bench->wire);
	assert_true(counts.socket_in < counts.plain_in);
	tear_down(bench);
	bench = set_up(&fake);
	bench->options.compress = COMPRESS_OFF;
	wire_set_rate(bench->wire, 100000);
	open_and_list(bench);
	assert_null(strstr(bench->fake.log, "COMPRESS"));
	tear_down(bench);
	bench = set_up(&fake);
	bench->options.compress = COMPRESS_AUTO;
	open_and_list(bench);
	assert_null(strstr(bench->fake.log, "COMPRESS"));
	tear_down(bench);
	bench = set_up(&fake);
	bench->options.compress = COMPRESS_AUTO;
	wire_set_rate(bench->wire, 100000);
	open_and_list(bench);
	assert_non_null(strstr(bench->fake.log, "COMPRESS"));
	tear_down(bench);
}

/* ---------------------------------------------------------------- quirks */

static struct bench *quirky(const char *greeting, const char *capabilities)
{
	const struct fake_imap fake = {
		.greeting = greeting, .capabilities = capabilities};
	struct bench *bench = set_up(&fake);

	bench->options.compress = COMPRESS_ON;
	open_and_list(bench);
	return bench;
}

static bool asked(const struct bench *bench, const char *command)
{
	return strstr(bench->fake.log, command);
}

static void what_a_server_gets_wrong_is_not_asked(void **state)
{
	static const char all[] = QRESYNC " COMPRESS=DEFLATE";
	struct bench *bench = quirky("* OK some server", all);

	(void)state;
	assert_true(asked(bench, "ENABLE QRESYNC"));
	assert_true(asked(bench, "COMPRESS DEFLATE"));
	tear_down(bench);
	bench = quirky("* OK iCloud ready", all);
	assert_false(asked(bench, "ENABLE QRESYNC"));
	assert_false(source_features(bench->source) & SOURCE_DELTA);
	tear_down(bench);
	bench = quirky("* OK Courier-IMAP ready", all);
	assert_false(asked(bench, "COMPRESS DEFLATE"));
	tear_down(bench);
}

static void a_folder_of_everything_is_hidden_where_it_repeats(void **state)
{
	static const struct fake_folder folders[] = {
		{"() \"/\" \"INBOX\"", "INBOX", 1, letters},
		{"(\\All) \"/\" \"[Gmail]/All Mail\"", "[Gmail]/All Mail", 2,
			letters},
		{NULL, NULL, 0, NULL},
	};
	static const char gmail[] = "IMAP4rev1 LIST-STATUS X-GM-EXT-1";
	struct fake_imap fake = {.folders = folders};
	struct bench *bench = set_up(&fake);

	(void)state;
	open_and_list(bench);
	assert_true(bench->record.collections[1].selectable);
	tear_down(bench);
	fake.capabilities = gmail;
	bench = set_up(&fake);
	open_and_list(bench);
	assert_false(bench->record.collections[1].selectable);
	tear_down(bench);
	fake.capabilities = "IMAP4rev1 LIST-STATUS ID";
	fake.id = "(\"name\" \"GImap\" \"vendor\" \"Google, Inc.\")";
	bench = set_up(&fake);
	open_and_list(bench);
	assert_false(bench->record.collections[1].selectable);
	tear_down(bench);
}

static size_t longest_line(const char *log)
{
	size_t longest = 0;

	for (; *log; log += strcspn(log, "\n") + 1)
		if (strcspn(log, "\n") > longest)
			longest = strcspn(log, "\n");
	return longest;
}

/* 1500 UIDs with a gap after each are some 8 KB of text. */
static void lines_are_as_long_as_the_server_takes(void **state)
{
	static struct item_id ids[1500];
	struct bench *bench = quirky("* OK Courier-IMAP ready", NULL);

	(void)state;
	for (uint32_t i = 0; i < 1500; i++)
		ids[i].uid = 100001 + 2 * i;
	assert_int_equal(fetch(bench, FETCH_FULL, ids, 1500), 0);
	assert_in_range(bench->fake.fetches, 3, 5);
	assert_true(longest_line(bench->fake.log) < 4100);
	tear_down(bench);
	bench = quirky("* OK Dovecot ready.", NULL);
	assert_int_equal(fetch(bench, FETCH_FULL, ids, 1500), 0);
	assert_int_equal(bench->fake.fetches, 1);
	assert_true(longest_line(bench->fake.log) > 10000);
	tear_down(bench);
}

#define HEAVY_BYTES 600000
#define HEAVY_COUNT 14

/* Fetch heavy letters over a line of RATE; the data is checked by its size. */
static void fetch_heavy(struct bench *bench, uint64_t rate)
{
	struct record *record = &bench->record;
	const struct feed feed = {on_next, &sink, record};

	record->body = BUF_INIT(2 * HEAVY_BYTES);
	record->events = BUF_INIT((size_t)HEAVY_COUNT * 2 * HEAVY_BYTES);
	bench->options.compress = COMPRESS_AUTO;
	wire_set_rate(bench->wire, rate);
	open_and_list(bench);
	while (record->window_count < HEAVY_COUNT)
		record->windows[record->window_count++] = (struct window){
			.collection = &record->collections[0],
			.mode = FETCH_FULL,
			.ids = all_ids,
			.count = 1,
			.bytes = HEAVY_BYTES,
		};
	if (source_fetch(bench->source, &feed, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
	assert_true(record->events.length > (size_t)HEAVY_COUNT * HEAVY_BYTES);
	assert_int_equal(bench->fake.fetches, HEAVY_COUNT);
}

/* In mid-session, between two windows, and the folder stays open. */
static void compresses_when_the_line_is_slow(void **state)
{
	static struct fake_message heavy[2];
	static const struct fake_folder folder[] = {
		{"() \"/\" \"inbox\"", "inbox", 77, heavy},
		{NULL, NULL, 0, NULL},
	};
	const struct fake_imap fake = {.folders = folder,
		.capabilities = "IMAP4rev1 LIST-STATUS COMPRESS=DEFLATE"};
	char *text = xcalloc(1, HEAVY_BYTES + 1);
	struct bench *bench = set_up(&fake);
	struct source_line line;
	const char *at;

	(void)state;
	memset(text, 'x', HEAVY_BYTES);
	memcpy(text, "Subject: x\r\n\r\n", 14);
	heavy[0] = (struct fake_message){1, text, 0, FAKE_GOOD};
	fetch_heavy(bench, 1000000);
	at = strstr(bench->fake.log, "COMPRESS DEFLATE");
	assert_non_null(at);
	assert_non_null(strstr(at, "UID FETCH"));
	assert_null(strstr(at, "EXAMINE"));
	assert_true(strstr(bench->fake.log, "UID FETCH") < at);
	assert_int_equal(bench->fake.connections, 1);
	tear_down(bench);
	bench = set_up(&fake);
	fetch_heavy(bench, 0);
	assert_null(strstr(bench->fake.log, "COMPRESS"));
	line = source_line(bench->source);
	assert_int_equal(line.compress, COMPRESS_OFF);
	tear_down(bench);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_folders_with_their_state),
		cmocka_unit_test(asks_for_each_state_without_list_status),
		cmocka_unit_test(fetches_whole_messages),
		cmocka_unit_test(fetches_headers_with_structure),
		cmocka_unit_test(lists_without_data),
		cmocka_unit_test(takes_every_form_of_a_body),
		cmocka_unit_test(keeps_nuls_and_bare_line_ends),
		cmocka_unit_test(one_expunged_message_is_gone),
		cmocka_unit_test(changes_come_with_what_vanished),
		cmocka_unit_test(small_folders_share_a_round_trip),
		cmocka_unit_test(a_full_pipe_counts_its_chain),
		cmocka_unit_test(begins_in_few_round_trips),
		cmocka_unit_test(the_list_comes_with_the_last_window),
		cmocka_unit_test(asks_after_the_login_what_is_offered_then),
		cmocka_unit_test(compresses_when_told_to),
		cmocka_unit_test(compresses_when_the_line_is_slow),
		cmocka_unit_test(what_a_server_gets_wrong_is_not_asked),
		cmocka_unit_test(
			a_folder_of_everything_is_hidden_where_it_repeats),
		cmocka_unit_test(lines_are_as_long_as_the_server_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
