/* err_test.c - errors read from the outside in and know their retry class. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "err.h"

static void set_fills_and_returns_minus_one(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&err, ERR_AUTH, "login: %s", "NO"), -1);
	assert_int_equal(err.kind, ERR_AUTH);
	assert_string_equal(err.text, "login: NO");
	assert_int_equal(err_set(NULL, ERR_AUTH, "nobody listens"), -1);
}

static void context_goes_before_and_hint_behind(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_NETWORK, "connection refused");
	err_context(&err, "imap.example.org:%d", 993);
	err_context(&err, "agent u007");
	err_hint(&err, "is the server running?");
	assert_string_equal(err.text,
		"agent u007: imap.example.org:993: connection refused; "
		"is the server running?");
}

static void long_texts_are_cut_not_overrun(void **state)
{
	struct err err = ERR_INIT;
	char word[ERR_TEXT_BYTES];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	err_set(&err, ERR_IO, "%s%s", word, word);
	err_context(&err, "%s", word);
	err_hint(&err, "%s", word);
	assert_true(strlen(err.text) < ERR_TEXT_BYTES);
	assert_non_null(strstr(err.text, "x: x"));
}

/* A server speaks Latin-1, moves the cursor, and is cut within a letter. */
static void foreign_words_are_made_harmless(void **state)
{
	static const struct {
		const char *said, *shown;
	} cases[] = {
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
			"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"ung\xfcltig", "ung?ltig"},
		{"\x1b[2J\r\n\x7f", "?[2J???"},
		{"\xc2\x9b", "??"},
		{"\xc0\xaf \xe0\x80\xaf", "?? ???"},
		{"\xed\xa0\x80 \xf4\x90\x80\x80 \xff", "??? ???? ?"},
		{"\xe2\x82", "??"},
	};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		err_set(&err, ERR_REFUSED, "%s", cases[i].said);
		assert_string_equal(err.text, cases[i].shown);
		err_context(&err, "%s", cases[i].said);
		err_hint(&err, "%s", cases[i].said);
		assert_null(strchr(err.text, '\xff'));
		assert_null(strchr(err.text, '\n'));
	}
}

static void errno_decides_the_kind(void **state)
{
	static const struct {
		int code;
		enum err_kind kind;
	} cases[] = {
		{ENOSPC, ERR_DISK_FULL},
		{EDQUOT, ERR_DISK_FULL},
		{ETIMEDOUT, ERR_TIMEOUT},
		{ECONNREFUSED, ERR_NETWORK},
		{EPIPE, ERR_NETWORK},
		{EACCES, ERR_IO},
	};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		errno = cases[i].code;
		err_set_errno(&err, "%s", "/var/store");
		assert_int_equal(err.kind, cases[i].kind);
		assert_non_null(strstr(err.text, strerror(cases[i].code)));
	}
}

static void retry_follows_the_kind(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_AUTH, "no");
	assert_int_equal(err_retry(&err), ERR_RETRY_NEVER);
	err_set(&err, ERR_NETWORK, "reset");
	assert_int_equal(err_retry(&err), ERR_RETRY_SOON);
	err_set(&err, ERR_THROTTLED, "429");
	assert_int_equal(err_retry(&err), ERR_RETRY_LATER);
}

static void only_what_the_user_typed_exits_2(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_CONFIG, "x");
	assert_int_equal(err_exit_status(&err), 2);
	err_set(&err, ERR_USAGE, "x");
	assert_int_equal(err_exit_status(&err), 2);
	err_set(&err, ERR_TLS, "x");
	assert_int_equal(err_exit_status(&err), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_and_returns_minus_one),
		cmocka_unit_test(context_goes_before_and_hint_behind),
		cmocka_unit_test(long_texts_are_cut_not_overrun),
		cmocka_unit_test(foreign_words_are_made_harmless),
		cmocka_unit_test(errno_decides_the_kind),
		cmocka_unit_test(retry_follows_the_kind),
		cmocka_unit_test(only_what_the_user_typed_exits_2),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
