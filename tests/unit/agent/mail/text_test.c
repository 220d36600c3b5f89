/*
 * text_test.c - messages as a person reads them, and the parts of MIME that
 * this needs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "mime.h"
#include "text.h"

static void expect_text(const char *message, bool names, const char *expected)
{
	struct buf out = BUF_INIT(10000);

	text_from_message(&out, message, strlen(message), names);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void test_single(void **state)
{
	(void)state;
	expect_text("Subject: x\r\n\r\none\r\ntwo", false, "one\ntwo\n");
	expect_text("", false, "");
	expect_text("no header at all", false, "");
	expect_text("Content-Transfer-Encoding: quoted-printable\n"
		    "Content-Type: text/plain; charset=utf-8\n\n"
		    "caf=C3=A9 =\nat=20 \nnight = =3D =ZZ\n",
		false, "caf\u00e9 at  \nnight = = =ZZ\n");
	expect_text("Content-Transfer-Encoding: BASE64\n"
		    "Content-Type: text/plain; charset=\"iso-8859-1\"\n\n"
		    "Y2Fm\r\n6S4=\r\nignored",
		false, "caf\u00e9.\n");
	expect_text("\n\x1b[31mred\x07 \xc2\x9b"
		    "1m\n",
		false, "[31mred 1m\n");
}

static void test_alternatives(void **state)
{
	static const char both[] =
		"Content-Type: multipart/alternative; boundary=\"=b\"\r\n\r\n"
		"preamble\r\n--=b\r\n\r\nplain\r\n--=b\r\n"
		"Content-Type: text/html\r\n\r\n<b>rich</b>\r\n--=b--\r\n"
		"epilogue\r\n";
	static const char html[] =
		"Content-Type: multipart/alternative; boundary=b\n\n--b\n"
		"Content-Type: text/html; charset=utf-8\n\n"
		"<style>p {}</style><p>one &amp; two<br>three&#33; &euro;"
		"<script>if (a < b) x();</script>&nosuch; end</p>\n";

	(void)state;
	expect_text(both, true, "plain\n");
	expect_text(html, true, "one & two\nthree! \u20ac&nosuch; end\n");
}

static void test_attachments(void **state)
{
	static const char mixed[] =
		"Content-Type: multipart/mixed; boundary=b\n\n"
		"--b\n\nhello\n"
		"--b\nContent-Type: application/pdf; name=\"a.pdf\"\n\nPDF\n"
		"--b\nContent-Type: text/plain\n"
		"Content-Disposition: attachment;\n"
		" filename=\"=?utf-8?Q?=C3=BC.txt?=\"\n\nhidden\n"
		"--b\nContent-Type: message/rfc822\n\nSubject: y\n\ninner\n"
		"--b--\n";

	(void)state;
	expect_text(mixed, true,
		"hello\n[application/pdf: a.pdf, 4 bytes]\n"
		"[text/plain: \u00fc.txt, 7 bytes]\ninner\n");
	expect_text(mixed, false, "hello\ninner\n");
}

/* Names in every way that mailers write them (RFC 2231, RFC 2047). */
static void test_names(void **state)
{
	static const struct {
		const char *parameters, *name;
	} names[] = {
		{"filename*=utf-8''na%C3%AFve%20plan.pdf",
			"na\u00efve plan.pdf"},
		{"filename*=iso-8859-1'en'%A3%20rates.txt", "\u00a3 rates.txt"},
		{"filename*0=\"long \"; filename*1=\"name.txt\"",
			"long name.txt"},
		/* Coded and plain pieces, out of order, over lines. */
		{"filename*1=\"ve.\";\n filename*2*=t%78t;\n"
		 " filename*0*=UTF-8''na%C3%AF",
			"na\u00efve.txt"},
		/* A character whose bytes are in two pieces. */
		{"filename*0*=utf-8''%C3; filename*1*=%BC.txt", "\u00fc.txt"},
		/* Both ways: the newer one counts, wherever it stands. */
		{"filename=\"u.txt\"; filename*=utf-8''%C3%BC.txt",
			"\u00fc.txt"},
		{"filename*=utf-8''%C3%BC.txt; filename=\"u.txt\"",
			"\u00fc.txt"},
		{"filename=\"=?iso-8859-1?Q?=FC?= =?utf-8?B?w7w=?=.txt\"",
			"\u00fc\u00fc.txt"},
		{"filename=\"plain \\\"x\\\".txt\"", "plain \"x\".txt"},
		/* What is no such thing reads as it stands, or as absent. */
		{"filename*=100%", "100%"},
		{"filename*0*=nosuch''x%FFy", "x\u00ffy"},
		{"filename*1=\"second without first\"", NULL},
		{"filename*77=\"x\"", NULL},
		{"filename*x=\"x\"", NULL},
	};
	char *message, *expected;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *name = names[i].name;

		message = xasprintf("Content-Type: application/pdf\n"
				    "Content-Disposition: attachment; %s\n\nx",
			names[i].parameters);
		expected = xasprintf("[application/pdf%s%s, 1 bytes]\n",
			name ? ": " : "", name ? name : "");
		expect_text(message, true, expected);
		free(message);
		free(expected);
	}
	expect_text("Content-Type: application/pdf; name*=utf-8''%C3%BC\n\nx",
		true, "[application/pdf: \u00fc, 1 bytes]\n");
}

/* Parts nested without end, a boundary that never comes, a full buffer. */
static void test_hostile(void **state)
{
	struct buf message = BUF_INIT(0);
	struct buf out = BUF_INIT(100);

	(void)state;
	for (int i = 0; i < 2000; i++)
		buf_append_text(&message,
			"Content-Type: multipart/mixed; "
			"boundary=b\n\n--b\n");
	text_from_message(&out, message.data, message.length, true);
	buf_clear(&message);
	buf_clear(&out);
	buf_append_text(&message, "\n");
	for (int i = 0; i < 100; i++)
		buf_append_text(&message, "\u20ac\u20ac");
	text_from_message(&out, message.data, message.length, true);
	assert_int_equal(out.length, 100); /* 33 whole ones and a line end */
	assert_int_equal((unsigned char)out.data[98], 0xac);
	buf_free(&message);
	buf_free(&out);
	expect_text("Content-Type: multipart/mixed\n\n--\n\nx\n", false, "");
	expect_text(
		"Content-Type: multipart/mixed; boundary=b\n\nx\n", false, "");
}

static void test_type(void **state)
{
	static const char value[] =
		"Multipart / SIGNED (why) ; Boundary = \"a \\\"b\" ;;"
		" charset=UTF-8; smime-type=Signed-Data; name*=utf-8''x";
	struct mime_type type;

	(void)state;
	mime_type_parse(&type, (struct span){value, sizeof(value) - 1});
	assert_string_equal(type.type, "multipart");
	assert_string_equal(type.subtype, "signed");
	assert_string_equal(type.boundary, "a \"b");
	assert_string_equal(type.charset, "utf-8");
	assert_string_equal(type.smime_type, "signed-data");
	assert_true(type.has_name);
	mime_type_parse(&type, (struct span){"nonsense", 8});
	assert_true(mime_type_is(&type, "text", "plain"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
