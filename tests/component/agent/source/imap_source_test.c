/* imap_source_test.c - the IMAP source against a server that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "err.h"
#include "fake_imap.h"
#include "source.h"
#include "wire.h"

#define QRESYNC "IMAP4rev1 LITERAL+ LIST-STATUS CONDSTORE ENABLE QRESYNC"
#define IDS_MAX 256

/* What came, as text: "+7 S5 \Seen $x" a line. */
struct record {
	struct buf events;
	struct buf body; /* of the open item */
	struct window windows[16];
	size_t window_count, next;
	struct collection collections[16];
	size_t collection_count;
	int stop_after; /* items; 0: never */
	int ended;
};

static int on_state(void *context, const struct window *window,
	const struct collection_state *state, struct err *err)
{
	struct record *record = context;

	(void)err;
	buf_printf(&record->events, "state %s v%u n%u items %u%s\n",
		window->collection->path, (unsigned)state->uid_validity,
		(unsigned)state->uid_next, (unsigned)state->items,
		state->complete ? " complete" : "");
	return 0;
}

static int on_begin(void *context, const struct window *window, uint64_t bytes,
	struct err *err)
{
	struct record *record = context;

	(void)window;
	(void)bytes;
	(void)err;
	buf_clear(&record->body);
	return 0;
}

static int on_data(void *context, const struct window *window, const char *data,
	size_t bytes, struct err *err)
{
	struct record *record = context;

	(void)window;
	(void)err;
	return buf_append(&record->body, data, bytes);
}

static int on_end(void *context, const struct window *window,
	const struct item *item, struct err *err)
{
	struct record *record = context;

	assert_int_equal(item->data_bytes,
		window->mode == FETCH_LIST ? 0 : record->body.length);
	buf_printf(&record->events, "item %u size %u flags %s data [",
		(unsigned)item->id.uid, (unsigned)item->size, item->flags);
	if (window->mode != FETCH_LIST && record->body.length)
		buf_append(&record->events, record->body.data,
			record->body.length);
	buf_printf(&record->events, "]%s\n", item->structure ? " S" : "");
	buf_clear(&record->body);
	if (record->stop_after && ++record->ended == record->stop_after)
		return err_set(err, ERR_DISK_FULL, "the disk is full");
	return 0;
}

static int on_failed(void *context, const struct window *window,
	struct item_id id, enum item_fault fault, const char *reason,
	const char *raw, size_t raw_bytes, struct err *err)
{
	static const char *const words[] = {
		"unparsable", "too large", "refused", "disconnect"};
	struct record *record = context;

	(void)window;
	(void)raw;
	(void)err;
	assert_true(*reason);
	buf_printf(&record->events, "failed %u %s%s\n", (unsigned)id.uid,
		words[fault], raw_bytes ? " raw" : "");
	return 0;
}

static int on_gone(void *context, const struct window *window,
	struct item_id id, struct err *err)
{
	struct record *record = context;

	(void)window;
	(void)err;
	return buf_printf(&record->events, "gone %u\n", (unsigned)id.uid);
}

static int on_window_end(void *context, const struct window *window,
	enum window_result result, const char *token, struct err *err)
{
	struct record *record = context;

	(void)err;
	assert_null(token);
	return buf_printf(&record->events, "end %s %d\n",
		window->collection->path, (int)result);
}

static int on_next(void *context, struct window *window, struct err *err)
{
	struct record *record = context;

	(void)err;
	if (record->next == record->window_count)
		return 0;
	*window = record->windows[record->next++];
	return 1;
}

static const struct sink sink = {
	on_state, on_begin, on_data, on_end, on_failed, on_gone, on_window_end};

static int on_collection(
	void *context, const struct collection *collection, struct err *err)
{
	struct record *record = context;

	(void)err;
	record->collections[record->collection_count++] = collection_copy(
		collection);
	return 0;
}

struct bench {
	struct fake_imap fake;
	struct wire *wire;
	struct source *source;
	struct record record;
	struct source_options options;
	struct err err;
};

static struct fake_message letters[] = {
	{1, "Subject: one\r\n\r\nfirst", 0, FAKE_GOOD},
	{2, "Subject: two\r\n\r\nsecond", 0, FAKE_GOOD},
	{5, "Subject: five\r\n\r\nfifth", 0, FAKE_GOOD},
	{9, "Subject: nine\r\n\r\nninth", 0, FAKE_GOOD},
	{0, NULL, 0, FAKE_GOOD},
};

static const struct fake_folder inbox[] = {
	{"() \"/\" \"inbox\"", "inbox", 77, letters},
	{NULL, NULL, 0, NULL},
};

static int try_open(struct bench *bench)
{
	char host[] = "127.0.0.1";
	char user[] = "u1";
	struct account account = {
		.user = user,
		.imap = {host, bench->fake.port, SECURITY_NONE},
	};

	return imap_source_open(&bench->source, &account, "pw \"x\\",
		&bench->options, bench->wire, &bench->err);
}

static struct bench *set_up(const struct fake_imap *fake)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));

	if (fake)
		bench->fake = *fake;
	if (!bench->fake.folders)
		bench->fake.folders = inbox;
	bench->record.events = BUF_INIT(1 << 20);
	bench->record.body = BUF_INIT(1 << 20);
	bench->wire = wire_new();
	fake_imap_start(&bench->fake);
	return bench;
}

static void open_and_list(struct bench *bench)
{
	if (try_open(bench) < 0)
		fail_msg("%s", bench->err.text);
	if (source_list(bench->source, on_collection, &bench->record,
		    &bench->err) < 0)
		fail_msg("%s", bench->err.text);
}

static void tear_down(struct bench *bench)
{
	size_t i;

	source_close(bench->source);
	fake_imap_stop(&bench->fake);
	wire_free(bench->wire);
	for (i = 0; i < bench->record.collection_count; i++)
		collection_free(&bench->record.collections[i]);
	buf_free(&bench->record.events);
	buf_free(&bench->record.body);
	free(bench);
}

static int fetch(struct bench *bench, enum fetch_mode mode,
	const struct item_id *ids, size_t count)
{
	struct record *record = &bench->record;
	const struct feed feed = {on_next, &sink, record};

	record->windows[record->window_count++] = (struct window){
		.collection = &record->collections[0],
		.mode = mode,
		.ids = ids,
		.count = count,
	};
	return source_fetch(bench->source, &feed, &bench->err);
}

static void expect(struct bench *bench, const char *events)
{
	assert_string_equal(buf_text(&bench->record.events), events);
}

static const struct item_id all_ids[] = {
	{1, NULL}, {2, NULL}, {5, NULL}, {9, NULL}};

/* Fetch the four letters whole, the second one with FAULT. */
static struct bench *fetch_with(
	enum fake_fault fault, enum fetch_mode mode, bool by_id)
{
	struct bench *bench;

	letters[1].fault = fault;
	bench = set_up(NULL);
	open_and_list(bench);
	if (fetch(bench, mode, by_id ? all_ids : NULL, by_id ? 4 : 0) < 0)
		fail_msg("%s", bench->err.text);
	letters[1].fault = FAKE_GOOD;
	return bench;
}

#define STATE	 "state INBOX v77 n10 items 4\n"
#define COMPLETE "state INBOX v77 n10 items 4 complete\n"
#define ONE	 "item 1 size 21 flags \\Seen $x data [Subject: one\r\n\r\nfirst]\n"
#define TWO	 "item 2 size 22 flags \\Seen $x data [Subject: two\r\n\r\nsecond]\n"
#define FIVE                                                                   \
	"item 5 size 22 flags \\Seen $x data [Subject: five\r\n\r\nfifth]\n"
#define NINE                                                                   \
	"item 9 size 22 flags \\Seen $x data [Subject: nine\r\n\r\nninth]\n"
#define END "end INBOX 0\n"

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
	struct bench *bench;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		bench = fetch_with(forms[i], FETCH_FULL, true);
		assert_non_null(strstr(buf_text(&bench->record.events),
			"data [Subject: two\r\n\r\nsecond]\n"));
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

static void a_garbled_answer_costs_one_message(void **state)
{
	static const enum fake_fault garbled[] = {
		FAKE_GARBLED, FAKE_GARBLED_NAME};
	struct bench *bench;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		bench = fetch_with(garbled[i % 2], FETCH_FULL, i < 2);
		assert_non_null(strstr(buf_text(&bench->record.events),
			"failed 2 unparsable raw\n"));
		assert_non_null(strstr(buf_text(&bench->record.events), ONE));
		assert_non_null(
			strstr(buf_text(&bench->record.events), FIVE NINE));
		assert_int_equal(bench->fake.connections, 1);
		tear_down(bench);
	}
}

static void a_bad_structure_costs_the_structure_only(void **state)
{
	struct bench *bench = fetch_with(
		FAKE_BAD_STRUCTURE, FETCH_HEADERS, true);

	(void)state;
	assert_non_null(strstr(buf_text(&bench->record.events),
		"item 2 size 22 flags \\Seen $x data [Subject: two\r\n\r\n]\n" END));
	assert_null(strstr(buf_text(&bench->record.events), "failed"));
	tear_down(bench);
}

static void a_refused_message_is_found(void **state)
{
	struct bench *bench = fetch_with(FAKE_REFUSED, FETCH_FULL, true);

	(void)state;
	expect(bench, STATE ONE FIVE NINE "failed 2 refused\n" END);
	assert_int_equal(bench->fake.connections, 1);
	tear_down(bench);
}

static void a_message_that_ends_the_session_is_isolated(void **state)
{
	struct bench *bench = fetch_with(FAKE_CLOSES, FETCH_FULL, true);

	(void)state;
	expect(bench, STATE ONE "failed 2 disconnect\n" FIVE NINE END);
	assert_in_range(bench->fake.connections, 2, 6);
	tear_down(bench);
	bench = fetch_with(FAKE_CLOSES, FETCH_HEADERS, false);
	assert_non_null(strstr(
		buf_text(&bench->record.events), "failed 2 disconnect\n"));
	assert_non_null(strstr(buf_text(&bench->record.events), "item 9 size"));
	tear_down(bench);
}

static void a_message_of_5_gb_is_refused(void **state)
{
	struct bench *bench = fetch_with(FAKE_HUGE, FETCH_FULL, true);

	(void)state;
	expect(bench, STATE ONE "failed 2 too large\n" FIVE NINE END);
	tear_down(bench);
}

static void goes_on_after_a_cut_at_any_byte(void **state)
{
	struct fake_imap fake = {.cut_connections = 1};
	struct bench *bench;
	const char *events;
	size_t cut;

	(void)state;
	for (cut = 500; cut < 1100; cut += 7) {
		fake.cut_after = cut;
		bench = set_up(&fake);
		open_and_list(bench);
		if (fetch(bench, FETCH_FULL, all_ids, 4) < 0)
			fail_msg("%s", bench->err.text);
		events = buf_text(&bench->record.events);
		assert_non_null(strstr(events, ONE));
		assert_non_null(strstr(events, TWO));
		assert_non_null(strstr(events, FIVE));
		assert_non_null(strstr(events, NINE));
		assert_null(strstr(events, "failed"));
		tear_down(bench);
	}
}

static void a_server_that_stays_away_is_an_error(void **state)
{
	struct bench *bench = set_up(NULL);

	(void)state;
	open_and_list(bench);
	bench->fake.cut_after = 100;
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), -1);
	assert_int_equal(err_retry(&bench->err), ERR_RETRY_SOON);
	tear_down(bench);
}

static void silence_ends_in_a_timeout(void **state)
{
	struct bench *bench = set_up(NULL);

	(void)state;
	bench->options.stall_us = 50000;
	open_and_list(bench);
	bench->fake.stall_after = 100;
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), -1);
	assert_int_equal(bench->err.kind, ERR_TIMEOUT);
	tear_down(bench);
}

static void a_deleted_folder_ends_its_window_only(void **state)
{
	struct fake_imap fake = {.examine_answer = "NO no such folder"};
	struct bench *bench = set_up(&fake);

	(void)state;
	open_and_list(bench);
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), 0);
	expect(bench, "end INBOX 1\n");
	tear_down(bench);
}

static void a_new_validity_delivers_nothing(void **state)
{
	struct bench *bench = set_up(NULL);

	(void)state;
	open_and_list(bench);
	bench->record.collections[0].uid_validity = 76;
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), 0);
	expect(bench, "end INBOX 2\n");
	tear_down(bench);
}

static void throttling_is_told_to_the_caller(void **state)
{
	struct fake_imap fake = {.fetch_answer = "NO [THROTTLED] slow down"};
	struct bench *bench = set_up(&fake);

	(void)state;
	open_and_list(bench);
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), -1);
	assert_int_equal(bench->err.kind, ERR_THROTTLED);
	tear_down(bench);
}

static void an_engine_error_ends_the_call_at_once(void **state)
{
	struct bench *bench = set_up(NULL);

	(void)state;
	open_and_list(bench);
	bench->record.stop_after = 2;
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), -1);
	assert_int_equal(bench->err.kind, ERR_DISK_FULL);
	assert_int_equal(bench->fake.connections, 1);
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

static void a_wrong_password_is_final(void **state)
{
	struct fake_imap fake = {
		.login_answer = "NO [AUTHENTICATIONFAILED] no"};
	struct bench *bench = set_up(&fake);

	(void)state;
	assert_int_equal(try_open(bench), -1);
	assert_int_equal(bench->err.kind, ERR_AUTH);
	assert_int_equal(err_retry(&bench->err), ERR_RETRY_NEVER);
	assert_non_null(strstr(bench->err.text, "127.0.0.1:"));
	assert_non_null(strstr(bench->err.text, "u1"));
	assert_null(strstr(bench->err.text, "pw"));
	assert_non_null(strstr(bench->fake.log, "LOGIN u1 \"pw \\\"x\\\\\""));
	tear_down(bench);
}

static void too_many_connections_is_try_later(void **state)
{
	static const char *const answers[] = {"NO [LIMIT] too much",
		"NO Maximum number of connections "
		"from user+IP exceeded"};
	struct fake_imap fake = {0};
	struct bench *bench;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fake.login_answer = answers[i];
		bench = set_up(&fake);
		assert_int_equal(try_open(bench), -1);
		assert_int_equal(bench->err.kind, ERR_THROTTLED);
		tear_down(bench);
	}
	fake.login_answer = NULL;
	fake.greeting = "* BYE server busy";
	bench = set_up(&fake);
	assert_int_equal(try_open(bench), -1);
	assert_int_equal(bench->err.kind, ERR_THROTTLED);
	tear_down(bench);
}

static void what_is_no_imap_says_so(void **state)
{
	struct fake_imap fake = {.greeting = "HTTP/1.0 400 Bad Request"};
	struct bench *bench = set_up(&fake);

	(void)state;
	assert_int_equal(try_open(bench), -1);
	assert_int_equal(bench->err.kind, ERR_PROTOCOL);
	tear_down(bench);
}

static void cancelling_ends_a_call(void **state)
{
	struct bench *bench = set_up(NULL);

	(void)state;
	open_and_list(bench);
	wire_cancel(bench->wire);
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), -1);
	assert_int_equal(bench->err.kind, ERR_CANCELLED);
	tear_down(bench);
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
		cmocka_unit_test(a_garbled_answer_costs_one_message),
		cmocka_unit_test(a_bad_structure_costs_the_structure_only),
		cmocka_unit_test(a_refused_message_is_found),
		cmocka_unit_test(a_message_that_ends_the_session_is_isolated),
		cmocka_unit_test(a_message_of_5_gb_is_refused),
		cmocka_unit_test(goes_on_after_a_cut_at_any_byte),
		cmocka_unit_test(a_server_that_stays_away_is_an_error),
		cmocka_unit_test(silence_ends_in_a_timeout),
		cmocka_unit_test(a_deleted_folder_ends_its_window_only),
		cmocka_unit_test(a_new_validity_delivers_nothing),
		cmocka_unit_test(throttling_is_told_to_the_caller),
		cmocka_unit_test(an_engine_error_ends_the_call_at_once),
		cmocka_unit_test(changes_come_with_what_vanished),
		cmocka_unit_test(small_folders_share_a_round_trip),
		cmocka_unit_test(a_wrong_password_is_final),
		cmocka_unit_test(too_many_connections_is_try_later),
		cmocka_unit_test(what_is_no_imap_says_so),
		cmocka_unit_test(cancelling_ends_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
