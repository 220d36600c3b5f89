/* imap_fault_test.c - the IMAP source against a server that misbehaves. */
#include "imap_bench_use.h"

#include "clock.h"

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

/* From the greeting to the last byte: what is cut comes with the next session,
 * whole and once, and the folders are listed once more. */
static void goes_on_after_a_cut_at_any_byte(void **state)
{
	struct fake_imap fake = {.cut_connections = 1};
	struct bench *bench;
	const char *events;
	bool cut = true;

	(void)state;
	for (fake.cut_after = 1; cut; fake.cut_after++) {
		bench = set_up(&fake);
		bench->options.pause_us = 1;
		if (try_open(bench) < 0)
			assert_int_equal(try_open(bench), 0);
		else if (bench->fake.connections > 1)
			fail_msg("%s", "not cut, and yet another connection");
		if (source_list(bench->source, on_collection, &bench->record,
			    &bench->err) < 0) {
			assert_int_equal(
				err_retry(&bench->err), ERR_RETRY_SOON);
			source_close(bench->source);
			open_and_list(bench);
		}
		fetch_and_list(bench);
		events = buf_text(&bench->record.events);
		assert_non_null(strstr(events, ONE));
		assert_non_null(strstr(events, TWO));
		assert_non_null(strstr(events, FIVE));
		assert_non_null(strstr(events, NINE));
		assert_null(strstr(events, "failed"));
		assert_null(strstr(strstr(events, ONE) + 1, ONE));
		assert_null(strstr(strstr(events, NINE) + 1, NINE));
		cut = bench->fake.connections > 1;
		tear_down(bench);
	}
	assert_true(fake.cut_after > 900);
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
	bench->options.stall_us = 200 * US_PER_MS;
	open_and_list(bench);
	bench->fake.stall_after = 100;
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), -1);
	assert_int_equal(bench->err.kind, ERR_TIMEOUT);
	tear_down(bench);
}

/* A byte now and then keeps the watchdog quiet, but no command going. */
static void dripping_ends_in_a_timeout(void **state)
{
	static const struct {
		size_t from;
		enum {
			OPEN,
			LIST,
			FETCH
		} when;
	} cases[] = {{1, OPEN}, {60, OPEN}, {150, LIST}, {350, FETCH}};
	struct bench *bench;
	int status;
	int when;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		bench = set_up(NULL);
		bench->options.command_us = 400 * US_PER_MS;
		bench->options.stall_us = 10 * US_PER_S;
		bench->options.pause_us = 1;
		bench->fake.stall_after = cases[i].from;
		bench->fake.drip_us = 40000;
		status = try_open(bench);
		when = OPEN;
		if (!status && ++when)
			status = source_list(bench->source, on_collection,
				&bench->record, &bench->err);
		if (!status && ++when)
			status = fetch(bench, FETCH_FULL, all_ids, 4);
		assert_int_equal(status, -1);
		assert_int_equal(when, cases[i].when);
		assert_int_equal(bench->err.kind, ERR_TIMEOUT);
		tear_down(bench);
	}
}

/* What the server says before it hangs up is what the caller is told. */
static void parting_words_are_told_to_the_caller(void **state)
{
	static const struct {
		const char *bye;
		int status;
		enum err_kind kind;
	} cases[] = {
		{"BYE Autologout; idle for too long", 0, ERR_NONE},
		{"BYE [THROTTLED] too much for today", -1, ERR_THROTTLED},
		{"BYE [UNAVAILABLE] going down", -1, ERR_THROTTLED},
		{"BYE [AUTHENTICATIONFAILED] password changed", -1, ERR_AUTH},
	};
	struct bench *bench;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct fake_imap fake = {
			.bye = cases[i].bye, .bye_at = 1};

		bench = set_up(&fake);
		open_and_list(bench);
		assert_int_equal(
			fetch(bench, FETCH_FULL, all_ids, 4), cases[i].status);
		assert_int_equal(bench->err.kind, cases[i].kind);
		if (cases[i].status)
			assert_non_null(
				strstr(bench->err.text, cases[i].bye + 4));
		else
			assert_int_equal(bench->fake.connections, 2);
		tear_down(bench);
	}
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
		cmocka_unit_test(a_garbled_answer_costs_one_message),
		cmocka_unit_test(a_bad_structure_costs_the_structure_only),
		cmocka_unit_test(a_refused_message_is_found),
		cmocka_unit_test(a_message_that_ends_the_session_is_isolated),
		cmocka_unit_test(a_message_of_5_gb_is_refused),
		cmocka_unit_test(goes_on_after_a_cut_at_any_byte),
		cmocka_unit_test(a_server_that_stays_away_is_an_error),
		cmocka_unit_test(silence_ends_in_a_timeout),
		cmocka_unit_test(dripping_ends_in_a_timeout),
		cmocka_unit_test(parting_words_are_told_to_the_caller),
		cmocka_unit_test(a_deleted_folder_ends_its_window_only),
		cmocka_unit_test(a_new_validity_delivers_nothing),
		cmocka_unit_test(throttling_is_told_to_the_caller),
		cmocka_unit_test(an_engine_error_ends_the_call_at_once),
		cmocka_unit_test(a_wrong_password_is_final),
		cmocka_unit_test(too_many_connections_is_try_later),
		cmocka_unit_test(what_is_no_imap_says_so),
		cmocka_unit_test(cancelling_ends_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
