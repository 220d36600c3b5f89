/*
 * columns_test.c - what a list shows of a message, from headers as they are
 * meant to be and as they come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "charset.h"
#include "columns.h"

static void test_usual(void **state)
{
	static const char header[] =
		"Return-Path: <x@example.org>\r\n"
		"From: =?UTF-8?Q?J=C3=BCrgen_M=C3=BCller?= <j@example.org>\r\n"
		"TO: a@example.org,\r\n\tB <b@example.org>\r\n"
		"Cc: c@example.org\r\n"
		"Subject: =?iso-8859-1?B?R3L832U=?= from\r\n the office\r\n"
		"Message-ID:\r\n <1.2@example.org>\r\n"
		"In-Reply-To: message of Monday <0@example.org> (x)\r\n"
		"Date: Tue, 2 Jan 2024 03:04:05 -0130\r\n"
		"Content-Type: multipart/mixed; boundary=x\r\n"
		"\r\n"
		"Subject: not a header any more\r\n";
	struct columns columns;

	(void)state;
	columns_parse(&columns, header, sizeof(header) - 1);
	assert_string_equal(columns.from,
		"J\u00fcrgen M\u00fcller "
		"<j@example.org>");
	assert_string_equal(columns.to, "a@example.org, B <b@example.org>");
	assert_string_equal(columns.subject, "Gr\u00fc\u00dfe from the office");
	assert_string_equal(columns.message_id, "<1.2@example.org>");
	assert_string_equal(columns.in_reply_to, "<0@example.org>");
	assert_int_equal(columns.date_s, 1704170045);
	assert_true(columns.attachment);
}

static void test_nothing(void **state)
{
	struct columns columns;

	(void)state;
	memset(&columns, 'x', sizeof(columns));
	columns_parse(&columns, "", 0);
	assert_string_equal(columns.from, "");
	assert_string_equal(columns.message_id, "");
	assert_int_equal(columns.date_s, COLUMNS_NO_DATE);
	assert_false(columns.attachment);
	columns_parse(&columns, "no colon\r\n: no name\n\n", 22);
	assert_string_equal(columns.subject, "");
	columns_parse(&columns, "Cc: only@example.org\n", 21);
	assert_string_equal(columns.to, "only@example.org");
}

struct words {
	const char *raw, *expected;
};

static const struct words decoded[] = {
	{"plain", "plain"},
	{"  two \t  blanks ", "two blanks"},
	{"=?utf-8?q?a=20b?=", "a b"},
	/* Blanks between encoded words are none; a character may be cut. */
	{"=?utf-8?B?w7w=?= =?utf-8?B?w7w=?=", "\u00fc\u00fc"},
	{"=?utf-8?B?ww==?=\r\n =?utf-8?B?vA==?=", "\u00fc"},
	{"=?utf-8?Q?x?= y =?utf-8?Q?z?=", "x y z"},
	{"=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?=", "\u00fc\u00fc"},
	{"=?koi8-r?B?8NLJ18XU?=", "\u041f\u0440\u0438\u0432\u0435\u0442"},
	{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\u65e5\u672c"},
	{"=?utf-8*de?Q?sprache?=", "sprache"},
	/* Not encoded words. */
	{"=?utf-8?Q?open", "=?utf-8?Q?open"},
	{"=?utf-8?X?odd?=", "=?utf-8?X?odd?="},
	{"a =? b ?= c", "a =? b ?= c"},
	{"=?=?utf-8?Q?in?=", "=?in"},
	/* Unknown charsets, tricks for iconv, bytes that are no UTF-8. */
	{"=?x-no-such?Q?caf=E9?=", "caf\u00e9"},
	{"=?utf-8//IGNORE?Q?caf=E9?=", "caf\u00e9"},
	{"raw caf\xe9", "raw caf\u00e9"},
	{"raw caf\xc3\xa9", "raw caf\u00e9"},
	{"=?utf-8?Q?a=00b=0Ac=1B[31m?=", "ab c [31m"},
	{"=?utf-8?Q?c1=C2=9B31m?= \xc2\x9b", "c1 31m"},
	{"bell\a and \x7f", "bell and"},
	{"=?utf-8?Q?=ZZ=?=", "=ZZ="},
	{"a =?utf-8?B?\?\?\?\?= b", "a b"},
};

static void test_decode(void **state)
{
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(decoded) / sizeof(*decoded); i++) {
		columns_decode(out, sizeof(out), decoded[i].raw,
			strlen(decoded[i].raw));
		assert_string_equal(out, decoded[i].expected);
	}
}

/* Cut at a character, whatever its length. */
static void test_cut(void **state)
{
	char out[8];
	static const char text[] = "\u20ac\u20ac\u20ac\u20ac";

	(void)state;
	for (size_t size = 1; size <= sizeof(out); size++) {
		size_t n = columns_decode(out, size, text, sizeof(text) - 1);

		assert_int_equal(n, (size - 1) / 3 * 3);
		assert_int_equal(strlen(out), n);
	}
}

static void test_long_header(void **state)
{
	size_t size = 3000000;
	char *header = xcalloc(size, 1);
	struct columns columns;

	(void)state;
	memset(header, 'x', size);
	memcpy(header, "Subject: ", 9);
	columns_parse(&columns, header, size);
	assert_int_equal(strlen(columns.subject), COLUMNS_SUBJECT_BYTES - 1);
	memset(header, '(', size);
	memcpy(header, "Content-Type: ", 14);
	columns_parse(&columns, header, size);
	assert_false(columns.attachment);
	free(header);
}

static const struct {
	const char *text;
	int64_t seconds;
} dates[] = {
	{"Thu, 01 Jan 1970 00:00:00 +0000", 0},
	{"Mon, 29 Feb 2016 23:59:60 GMT", 1456790400},
	{"1 Jan 2024 10:00 +0100", 1704099600},
	{"Mon, 1 Jan 2024 10:00:00 +0100 (CET)", 1704099600},
	{"Mon, (a (nested) one) 1 Jan 2024 10:00:00 +0100", 1704099600},
	{"Mon,  1-Jan-24 04:00:00 EST", 1704099600},
	{"Mon Jan  1 09:00:00 2024", 1704099600},
	{"Monday, 1 January 2024 09:00:00 UT", 1704099600},
	{"31 Dec 99 23:59:59 -0000", 946684799},
	{"1 Jan 2024", 1704067200},
	{"1 Jan 2024 25:00:00", 1704067200},
	{"", COLUMNS_NO_DATE},
	{"yesterday", COLUMNS_NO_DATE},
	{"0 Jan 2024 00:00", COLUMNS_NO_DATE},
	{"32 Jan 2024 00:00", COLUMNS_NO_DATE},
	{"99999999999999999999", COLUMNS_NO_DATE},
	{":::: :::: ::::", COLUMNS_NO_DATE},
};

static void test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		int64_t got = columns_date(
			dates[i].text, strlen(dates[i].text));

		if (got != dates[i].seconds)
			fail_msg("%s: %lld", dates[i].text, (long long)got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_long_header),
		cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
