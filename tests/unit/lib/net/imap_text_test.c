/* imap_text_test.c - quoting, literals, response codes, base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "imap_text.h"

static void literals_are_seen_at_the_end_only(void **state)
{
	struct imap_literal literal;

	(void)state;
	assert_true(imap_literal_at_end("x {5}\r\n", 7, &literal));
	assert_int_equal(literal.bytes, 5);
	assert_false(literal.at_once);
	assert_true(imap_literal_at_end("{12+}", 5, &literal));
	assert_int_equal(literal.bytes, 12);
	assert_true(literal.at_once);
	assert_true(imap_literal_at_end("~{5000000000}\r\n", 15, &literal));
	assert_int_equal(literal.bytes, 5000000000);
	assert_false(imap_literal_at_end("{5} x", 5, &literal));
	assert_false(imap_literal_at_end("{}", 2, &literal));
	assert_false(imap_literal_at_end("5}", 2, &literal));
	assert_false(
		imap_literal_at_end("{99999999999999999999999}", 25, &literal));
	assert_false(imap_literal_at_end("", 0, &literal));
}

static void quoting_escapes_and_knows_its_bounds(void **state)
{
	struct buf text = BUF_INIT(100);
	char longer[600];

	(void)state;
	assert_true(imap_quotable("a \"b\\"));
	assert_int_equal(imap_quote(&text, "a \"b\\"), 0);
	assert_string_equal(text.data, "\"a \\\"b\\\\\"");
	buf_free(&text);
	assert_false(imap_quotable("p\xC3\xA4ss"));
	assert_false(imap_quotable("two\r\nlines"));
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(imap_quotable(longer));
}

static void codes_and_words_become_kinds(void **state)
{
	(void)state;
	assert_int_equal(
		imap_error_kind("[AUTHENTICATIONFAILED] no", ERR_REFUSED),
		ERR_AUTH);
	assert_int_equal(
		imap_error_kind("[limit] enough", ERR_AUTH), ERR_THROTTLED);
	assert_int_equal(imap_error_kind("[UNAVAILABLE] later", ERR_AUTH),
		ERR_THROTTLED);
	assert_int_equal(
		imap_error_kind("[LIMITED] another word", ERR_AUTH), ERR_AUTH);
	assert_int_equal(
		imap_error_kind("Too many simultaneous logins", ERR_AUTH),
		ERR_THROTTLED);
	assert_int_equal(imap_error_kind("no", ERR_AUTH), ERR_AUTH);
}

static void a_password_is_told_in_base64(void **state)
{
	static const struct {
		const char *user, *password, *out;
	} cases[] = {
		{"tim", "tanstaaftanstaaf", "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"},
		{"a", "", "AGEA"}, {"a", "b", "AGEAYg=="},
		{"a", "bc", "AGEAYmM="}};
	size_t i;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = imap_plain(cases[i].user, cases[i].password);
		assert_string_equal(text, cases[i].out);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_are_seen_at_the_end_only),
		cmocka_unit_test(quoting_escapes_and_knows_its_bounds),
		cmocka_unit_test(codes_and_words_become_kinds),
		cmocka_unit_test(a_password_is_told_in_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
