/* letter_test.c - generated messages are repeatable and well formed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "letter.h"
#include "mailbox.h"

static const struct mailbox profile = {
	.messages = 500,
	.median_bytes = 3000,
	.spread = 1.0,
	.attachments = 0.2,
	.attachment_bytes = 20000,
	.max_bytes = 200000,
	.smime = 0.1,
	.pgp = 0.2,
	.eight_bit = 0.4,
	.seed = 7,
};

#define LETTERS 500

static void same_arguments_give_the_same_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LETTERS; i++) {
		struct letter first, second;

		letter_make(&profile, "u001", 0, false, i, &first);
		letter_make(&profile, "u001", 0, false, i, &second);
		assert_int_equal(first.text.length, second.text.length);
		assert_memory_equal(
			first.text.data, second.text.data, first.text.length);
		letter_free(&first);
		letter_free(&second);
	}
}

static void each_argument_matters(void **state)
{
	struct mailbox reseeded = profile;
	struct letter letter[5];

	(void)state;
	reseeded.seed = 8;
	letter_make(&profile, "u001", 0, false, 1, &letter[0]);
	letter_make(&profile, "u002", 0, false, 1, &letter[1]);
	letter_make(&profile, "u001", 1, false, 1, &letter[2]);
	letter_make(&profile, "u001", 0, false, 2, &letter[3]);
	letter_make(&reseeded, "u001", 0, false, 1, &letter[4]);
	for (unsigned i = 0; i < 5; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(letter[i].id, letter[k].id);
	for (unsigned i = 0; i < 5; i++)
		letter_free(&letter[i]);
}

/* CRLF everywhere, no NUL, no line beyond SMTP's 998 bytes: a server must
 * store it as it is. */
static void lines_are_what_a_server_accepts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LETTERS; i++) {
		struct letter letter;
		size_t line = 0;

		letter_make(&profile, "u001", 1, false, i, &letter);
		for (size_t k = 0; k < letter.text.length; k++) {
			char c = letter.text.data[k];

			assert_int_not_equal(c, '\0');
			if (c == '\n') {
				assert_true(k > 0);
				assert_int_equal(letter.text.data[k - 1], '\r');
				assert_true(k - line <= 998);
				line = k + 1;
			} else if (k && letter.text.data[k - 1] == '\r') {
				fail_msg("letter %u: a bare CR", i);
			}
		}
		assert_int_equal(line, letter.text.length);
		letter_free(&letter);
	}
}

static void header_ends_at_the_first_empty_line(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LETTERS; i++) {
		struct letter letter;
		const char *empty;

		letter_make(&profile, "u001", 0, i % 7 == 0, i, &letter);
		empty = strstr(letter.text.data, "\r\n\r\n");
		assert_non_null(empty);
		assert_int_equal(
			empty + 4 - letter.text.data, letter.header_bytes);
		assert_non_null(strstr(letter.text.data, letter.id));
		letter_free(&letter);
	}
}

static const char *marks[LETTER_KIND_COUNT] = {
	[LETTER_PLAIN] = "text/plain",
	[LETTER_ALTERNATIVE] = "multipart/alternative",
	[LETTER_ATTACHMENT] = "Content-Disposition: attachment",
	[LETTER_SMIME_SIGNED] = "multipart/signed",
	[LETTER_SMIME_OPAQUE] = "pkcs7-mime",
	[LETTER_PGP_SIGNED] = "application/pgp-signature",
	[LETTER_PGP_ENCRYPTED] = "multipart/encrypted",
	[LETTER_PGP_LISTED] = "List-Id:",
	[LETTER_PGP_INLINE] = "-----BEGIN PGP ",
	[LETTER_NOTE] = "com.apple.mail-note",
};

static void every_kind_appears_and_says_so(void **state)
{
	unsigned seen[LETTER_KIND_COUNT] = {0};

	(void)state;
	for (unsigned i = 0; i < LETTERS; i++) {
		struct letter letter;

		letter_make(&profile, "u001", 0, i % 50 == 0, i, &letter);
		seen[letter.kind]++;
		assert_non_null(strstr(letter.text.data, marks[letter.kind]));
		assert_int_equal(letter.is_protected,
			letter.kind >= LETTER_SMIME_SIGNED &&
				letter.kind <= LETTER_PGP_INLINE);
		letter_free(&letter);
	}
	for (unsigned kind = 0; kind < LETTER_KIND_COUNT; kind++)
		assert_true(seen[kind] > 0);
}

/* Outside the Inbox a client that copies headers cannot see armour. */
static void inline_armour_is_in_the_inbox_only(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LETTERS; i++) {
		struct letter letter;

		letter_make(&profile, "u001", 3, false, i, &letter);
		assert_int_not_equal(letter.kind, LETTER_PGP_INLINE);
		letter_free(&letter);
	}
}

static void shares_are_kept(void **state)
{
	unsigned protected_count = 0, attached = 0;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		struct letter letter;

		letter_make(&profile, "u001", 1, false, i, &letter);
		protected_count += letter.is_protected;
		attached += letter.kind == LETTER_ATTACHMENT;
		letter_free(&letter);
	}
	/* 30 % of 4000, and 20 % of the other 2800: six sigma around. */
	assert_in_range(protected_count, 1026, 1374);
	assert_in_range(attached, 433, 687);
}

static void internal_date_is_as_append_wants_it(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(
		letter_internal_date(0, text), "01-Jan-1970 00:00:00 +0000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_arguments_give_the_same_bytes),
		cmocka_unit_test(each_argument_matters),
		cmocka_unit_test(lines_are_what_a_server_accepts),
		cmocka_unit_test(header_ends_at_the_first_empty_line),
		cmocka_unit_test(every_kind_appears_and_says_so),
		cmocka_unit_test(inline_armour_is_in_the_inbox_only),
		cmocka_unit_test(shares_are_kept),
		cmocka_unit_test(internal_date_is_as_append_wants_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
