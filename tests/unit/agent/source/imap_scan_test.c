/* imap_scan_test.c - every shape of a FETCH answer, and none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "imap_scan.h"

struct bench {
	struct imap_scan scan;
	struct buf body;
	enum scan_step end;
};

/* Scan TEXT, an answer after "FETCH ", CRLF and literals included. */
static void run(struct bench *bench, const char *text)
{
	const char *end = text + strlen(text);

	imap_scan_init(&bench->scan);
	imap_scan_start(&bench->scan);
	bench->body = BUF_INIT(1 << 20);
	for (;;) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		size_t line = lf ? (size_t)(lf - text) + 1
				 : (size_t)(end - text);
		size_t literal;

		bench->end = imap_scan_line(&bench->scan, text, line);
		text += line;
		if (bench->end == SCAN_END || bench->end == SCAN_BAD)
			return;
		literal = (size_t)bench->scan.literal_bytes;
		assert_true(literal <= (size_t)(end - text));
		if (bench->end == SCAN_BODY)
			buf_append(&bench->body, text, literal);
		if (bench->end == SCAN_TEXT)
			imap_scan_text(&bench->scan, text, literal);
		text += literal;
	}
}

static void done(struct bench *bench)
{
	imap_scan_free(&bench->scan);
	buf_free(&bench->body);
}

static void reads_all_attributes_in_any_order(void **state)
{
	static const char *const answers[] = {
		"(UID 7 FLAGS (\\Seen $a]b) INTERNALDATE "
		"\"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 5000000000 MODSEQ "
		"(18446744073709551615) BODY[] {5}\r\nhello)\r\n",
		"(BODY[] {5}\r\nhello MODSEQ (18446744073709551615) "
		"RFC822.SIZE 5000000000 INTERNALDATE "
		"\"17-Jul-1996 02:44:25 -0700\" FLAGS (\\Seen $a]b) UID 7)",
		"(uid 7 x-new (a \"b)\" {3}\r\n)\"( (c)) flags (\\Seen $a]b) "
		"rfc822.size 5000000000 internaldate "
		"\"17-Jul-1996 02:44:25 -0700\" modseq "
		"(18446744073709551615) BODY[]<0> ~{5}\r\nhello)\r\n",
		"(UID 7 FLAGS (\\Seen $a]b) RFC822.SIZE 5000000000 MODSEQ "
		"(18446744073709551615) INTERNALDATE "
		"\"17-Jul-1996 02:44:25 -0700\" EMAILID (M6d99ac3275bb4e) "
		"THREADID NIL RFC822 {5+}\r\nhello )\r\n",
	};
	struct bench bench;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		run(&bench, answers[i]);
		if (bench.end != SCAN_END)
			fail_msg("%zu: %s", i, bench.scan.reason);
		assert_int_equal(bench.scan.uid, 7);
		assert_true(bench.scan.size == 5000000000);
		assert_true(bench.scan.modseq == UINT64_MAX);
		assert_string_equal(buf_text(&bench.scan.flags), "\\Seen $a]b");
		assert_int_equal(bench.scan.received_s, 837596665);
		assert_true(bench.scan.has_body);
		assert_string_equal(buf_text(&bench.body), "hello");
		done(&bench);
	}
}

static void keeps_the_structure_as_sent(void **state)
{
	/* The literal's four bytes would end everything if they counted. */
	static const char answer[] =
		"(BODYSTRUCTURE ((\"TEXT\" (\"NAME\" {4}\r\n\") ( "
		"\"q\\\"x)\") NIL) \"SIGNED\") UID 3 BODY[HEADER] {0}\r\n)"
		"\r\n";
	struct bench bench;

	(void)state;
	run(&bench, answer);
	assert_int_equal(bench.end, SCAN_END);
	assert_string_equal(buf_text(&bench.scan.structure),
		"((\"TEXT\" (\"NAME\" {4}\r\n\") ( \"q\\\"x)\") NIL) "
		"\"SIGNED\")");
	assert_int_equal(bench.scan.uid, 3);
	done(&bench);
}

static void takes_nil_and_quoted_bodies(void **state)
{
	struct bench bench;

	(void)state;
	run(&bench, "(UID 3 RFC822.SIZE NIL)");
	assert_int_equal(bench.end, SCAN_END);
	assert_true(bench.scan.has_size);
	assert_true(bench.scan.size == 0);
	done(&bench);
	run(&bench, "(UID 3 BODY[] NIL)");
	assert_int_equal(bench.end, SCAN_END);
	assert_true(bench.scan.has_body && bench.scan.body_quoted);
	assert_int_equal(bench.scan.body.length, 0);
	done(&bench);
	run(&bench, "(BODY[] \"a\\\"b\" UID 3)");
	assert_int_equal(bench.end, SCAN_END);
	assert_string_equal(buf_text(&bench.scan.body), "a\"b");
	done(&bench);
}

static void spoils_one_answer_and_finds_its_end(void **state)
{
	static const char *const answers[] = {
		"(UID 7 FLAGS (\\Seen INTERNALDATE\r\n",
		"(UID x)\r\n",
		"(UID 0)\r\n",
		"(UID 4294967296)\r\n",
		"UID 7\r\n",
		"(UID 7\r\n",
		"(UID 7) more\r\n",
		"(BODYSTRUCTURE (\"a\" (\"b)\r\n",
		"(BODYSTRUCTURE (a b\r\n",
		"(BODY[HEADER {3}\r\nabc)\r\n",
		"(UID 7 BODY[] hello)\r\n",
		"(UID 99999999999999999999999 BODY[] {3}\r\nabc)\r\n",
		"(UID 7 INTERNALDATE now BODY[] {3}\r\nabc)\r\n",
		"()x\r\n",
		"( \r\n",
		"",
	};
	struct bench bench;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		run(&bench, answers[i]);
		if (bench.end != SCAN_BAD)
			fail_msg("accepted: %s", answers[i]);
		assert_non_null(bench.scan.reason);
		assert_int_equal(bench.body.length, 0);
		done(&bench);
	}
}

static void only_the_first_body_counts(void **state)
{
	struct bench bench;

	(void)state;
	run(&bench, "(BODY[] {1}\r\na BODY[TEXT] {1}\r\nb UID 3)");
	assert_int_equal(bench.end, SCAN_END);
	assert_string_equal(buf_text(&bench.body), "a");
	done(&bench);
}

static void dates_are_utc_seconds(void **state)
{
	(void)state;
	assert_int_equal(imap_date(" 1-Jan-1970 00:00:00 +0000", 26), 0);
	assert_int_equal(imap_date("1-Jan-1970 00:00:00 +0000", 25), 0);
	assert_int_equal(
		imap_date("01-Mar-2000 01:00:00 +0100", 26), 951868800);
	assert_int_equal(
		imap_date("29-Feb-2024 23:59:59 -0030", 26), 1709252999);
	assert_int_equal(imap_date("32-Jan-1970 00:00:00 +0000", 26), -1);
	assert_int_equal(imap_date("01-Foo-1970 00:00:00 +0000", 26), -1);
	assert_int_equal(imap_date("01-Jan-1970", 11), -1);
	assert_int_equal(imap_date("", 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_attributes_in_any_order),
		cmocka_unit_test(keeps_the_structure_as_sent),
		cmocka_unit_test(takes_nil_and_quoted_bodies),
		cmocka_unit_test(spoils_one_answer_and_finds_its_end),
		cmocka_unit_test(only_the_first_body_counts),
		cmocka_unit_test(dates_are_utc_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
