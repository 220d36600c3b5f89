/*
 * protection_test.c - what counts as signed or encrypted, from the server's
 * BODYSTRUCTURE, from the header, from the message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "protection.h"

#define NONE	  PROTECTION_NONE
#define SIGNED	  PROTECTION_SIGNED
#define ENCRYPTED PROTECTION_ENCRYPTED
#define UNKNOWN	  PROTECTION_UNKNOWN

#define TEXT                                                                   \
	"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 12 1)"
#define SIGNATURE "(\"APPLICATION\" \"PGP-SIGNATURE\" NIL NIL NIL \"7BIT\" 300)"
#define SIGNED_PART                                                            \
	"(" TEXT SIGNATURE                                                     \
	" \"SIGNED\" (\"MICALG\" \"pgp-sha256\" \"PROTOCOL\""                  \
	" \"application/pgp-signature\"))"
#define ENVELOPE                                                               \
	"(\"Mon, 1 Jan 2024\" \"s (b)\" ((NIL NIL \"a\" \"b\")) NIL NIL NIL"   \
	" NIL NIL NIL \"<m@x>\")"

struct sample {
	const char *text;
	enum protection expected;
};

static const struct sample structures[] = {
	{TEXT, NONE},
	{"(" TEXT TEXT " \"ALTERNATIVE\" (\"BOUNDARY\" \"x\") NIL NIL)", NONE},
	{SIGNED_PART, SIGNED},
	{"(" SIGNED_PART TEXT " \"MIXED\")", SIGNED},
	{"((" TEXT "(" SIGNED_PART " \"MIXED\") \"mixed\")" TEXT " \"mixed\")",
		SIGNED},
	{"(" TEXT "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 900 " ENVELOPE
	 " " SIGNED_PART " 20) \"MIXED\")",
		SIGNED},
	{"(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 900 " ENVELOPE " " TEXT
	 " 20 NIL NIL)",
		NONE},
	{"(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 900)", NONE},
	{"((\"APPLICATION\" \"PGP-ENCRYPTED\" NIL NIL NIL \"7BIT\" 11)"
	 "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"7BIT\" 900)"
	 " \"ENCRYPTED\" (\"PROTOCOL\" \"application/pgp-encrypted\"))",
		ENCRYPTED},
	/* Turned into mixed by a gateway. */
	{"((\"application\" \"pgp-encrypted\" NIL NIL NIL \"7bit\" 11)" TEXT
	 " \"MIXED\")",
		ENCRYPTED},
	{"(\"APPLICATION\" \"PKCS7-MIME\" (\"NAME\" \"smime.p7m\""
	 " \"SMIME-TYPE\" \"enveloped-data\") NIL NIL \"BASE64\" 9000 NIL"
	 " (\"attachment\" (\"filename\" \"smime.p7m\")) NIL)",
		ENCRYPTED},
	{"(\"application\" \"x-pkcs7-mime\" (\"smime-type\" \"signed-data\""
	 " \"name\" \"smime.p7m\") NIL NIL \"base64\" 9000)",
		SIGNED},
	{"(\"application\" \"x-pkcs7-mime\" NIL NIL NIL \"base64\" 9000)",
		ENCRYPTED},
	/* Known by the names of their files only. */
	{"(\"application\" \"octet-stream\" (\"name\" \"smime.P7M\") NIL NIL"
	 " \"base64\" 9000)",
		ENCRYPTED},
	{"(" TEXT "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"BASE64\" 900"
	 " NIL (\"attachment\" (\"size\" \"900\" \"filename\" \"smime.p7s\"))"
	 " (\"en\" \"de\") NIL) \"MIXED\")",
		SIGNED},
	{"(\"APPLICATION\" \"OCTET-STREAM\" (\"name*\" \"utf-8''s%20.p7m\")"
	 " NIL NIL \"BASE64\" 900 NIL (\"attachment\" NIL) \"en\")",
		ENCRYPTED},
	{"(\"APPLICATION\" \"OCTET-STREAM\" (\"name\" \"a.p7m.txt\") NIL NIL"
	 " \"BASE64\" 9000 NIL (\"inline\" (\"filename\" \"p7m\")))",
		NONE},
	/* A server that makes no envelope of what is attached. */
	{"(" TEXT "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 900 NIL"
	 " " SIGNED_PART " 20) \"MIXED\")",
		SIGNED},
	{"(\"message\" \"global\" NIL NIL NIL \"8BIT\" 900 NIL " SIGNED_PART
	 " 20)",
		SIGNED},
	{"(\"MESSAGE\" \"DELIVERY-STATUS\" NIL NIL NIL \"7BIT\" 900 NIL"
	 " (\"attachment\" (\"filename\" \"x\")))",
		NONE},
	/* Strings as literals, in any case, with what breaks naive readers. */
	{"({11}\r\napplication {10+}\r\npkcs7-mime ({10}\r\nSMIME-TYPE"
	 " \"SIGNED-data\") NIL NIL {6}\r\nbase64 9000)",
		SIGNED},
	{"(" TEXT "(\"TEXT\" \"PLAIN\" (\"NAME\" \"multipart/signed (\\\"x)\")"
	 " NIL {14}\r\n(\"A\" \"SIGNED\" \"7BIT\" 1 1) \"MIXED\")",
		NONE},
	{"(" TEXT SIGNATURE " signed)", SIGNED},
	/* Nonsense: to be fetched whole. */
	{"", UNKNOWN},
	{"()", UNKNOWN},
	{"NIL", UNKNOWN},
	{"(", UNKNOWN},
	{"(((((", UNKNOWN},
	{"(\"TEXT\" \"PLAIN", UNKNOWN},
	{"(\"TEXT\" {99999999}\r\nx)", UNKNOWN},
	{"(\"TEXT\" {99999999999999999999}\r\nx)", UNKNOWN},
	{"(NIL NIL NIL NIL", UNKNOWN},
	{"(\"TEXT\" \"PLAIN\" (\"a\" \"b\"", UNKNOWN},
	/* What was seen before the nonsense counts. */
	{"(" SIGNED_PART "(\"TEXT\"", SIGNED},
};

static void test_structures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(structures) / sizeof(*structures); i++) {
		const char *text = structures[i].text;
		enum protection got = protection_from_bodystructure(
			text, strlen(text));

		if (got != structures[i].expected)
			fail_msg("%s: %s, not %s", text, protection_name(got),
				protection_name(structures[i].expected));
	}
}

/* Deeper than anything that is real: no stack is at risk. */
static void test_depth(void **state)
{
	size_t size = 1000000;
	char *text = xcalloc(size, 1);

	(void)state;
	memset(text, '(', size);
	assert_int_equal(protection_from_bodystructure(text, size), UNKNOWN);
	free(text);
}

static const struct sample headers[] = {
	{"Subject: x\r\n\r\n", NONE},
	{"content-type: MULTIPART/Signed;\r\n\tboundary=x\r\n\r\n", SIGNED},
	{"Content-Type: multipart/encrypted; protocol=\"x\"", ENCRYPTED},
	{"Content-Type: application/pkcs7-mime; name=a; smime-type=signed-data",
		SIGNED},
	{"Content-Type: application/x-pkcs7-mime (a comment); name=smime.p7m",
		ENCRYPTED},
	{"Content-Type: application/octet-stream; name=smime.p7m", ENCRYPTED},
	{"Content-Type: application/octet-stream\r\n"
	 "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n",
		SIGNED},
	{"Content-Type: text/plain; name=smime.p7m", NONE},
	{"Content-Type: multipart/mixed; x=\"multipart/signed\"", NONE},
	{"Content-Type:\r\nSubject: Content-Type: multipart/signed\r\n", NONE},
	{"\r\nContent-Type: multipart/signed\r\n", NONE},
};

static void test_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		assert_int_equal(protection_from_header(headers[i].text,
					 strlen(headers[i].text)),
			headers[i].expected);
}

#define ARMOUR "-----BEGIN PGP MESSAGE-----\r\n"

static const struct sample messages[] = {
	{"Subject: x\r\n\r\nhello\r\n", NONE},
	{"Subject: x\r\n\r\n" ARMOUR "\r\nhQEM\r\n-----END PGP MESSAGE-----",
		ENCRYPTED},
	{"Subject: x\n\ntext before\n  " ARMOUR "Version: 1\n\nhQEM\n",
		ENCRYPTED},
	{"Subject: x\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nx",
		SIGNED},
	/* Somebody's words about it, and somebody's quotation of it. */
	{"Subject: x\n\nAn armour begins with " ARMOUR "\n", NONE},
	{"Subject: x\n\n> " ARMOUR "> Version: 1\n", NONE},
	{"Subject: x\n\n" ARMOUR "is what it begins with\n", NONE},
	{"Subject: x\n\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n", NONE},
	{"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n"
	 "--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n",
		SIGNED},
	{"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	 "Content-Type: text/plain\r\n\r\n" ARMOUR "\r\nx\r\n--b--\r\n",
		ENCRYPTED},
	{"Content-Type: message/rfc822\r\n\r\nContent-Type: "
	 "multipart/encrypted; boundary=c\r\n\r\n",
		ENCRYPTED},
	{"Content-Type: application/octet-stream\r\n\r\n" ARMOUR "\r\nx\r\n",
		NONE},
	/* In a transfer encoding: "-----BEGIN PGP MESSAGE-----\n\nhQEM\n" and
	 * the same signed, by themselves and in a part. */
	{"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	 "LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCgpoUUVNCg==\r\n",
		ENCRYPTED},
	{"Content-Transfer-Encoding: quoted-printable\n\n"
	 "=2D----BEGIN PGP SIGNED MESSAGE=2D----\nHash: SHA256\n\nx=\ny\n",
		SIGNED},
	{"Content-Transfer-Encoding: quoted-printable\n\n"
	 "-----BEGIN PGP =\nMESSAGE-----\n\nhQEM\n",
		ENCRYPTED},
	{"Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	 "Content-Transfer-Encoding: BASE64\n\n"
	 "LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCgpoUUVNCg==\n"
	 "--b\n\nlist footer\n--b--\n",
		ENCRYPTED},
	/* An encoded text about something else. */
	{"Content-Transfer-Encoding: base64\n\naGVsbG8K\n", NONE},
	/* Two lists, each with a footer around what it got. */
	{"Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	 "Content-Type: multipart/mixed; boundary=c\n\n--c\n"
	 "Content-Type: multipart/signed; boundary=d; "
	 "protocol=\"application/pgp-signature\"\n\n--d\n\nhello\n--d\n"
	 "Content-Type: application/pgp-signature\n\nx\n--d--\n"
	 "--c\n\nfirst footer\n--c--\n--b\n\nsecond footer\n--b--\n",
		SIGNED},
	{"", NONE},
};

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		const char *text = messages[i].text;
		enum protection got = protection_from_message(
			text, strlen(text));

		if (got != messages[i].expected)
			fail_msg("%s: %s", text, protection_name(got));
	}
}

static void test_merge(void **state)
{
	(void)state;
	assert_int_equal(protection_merge(NONE, UNKNOWN), UNKNOWN);
	assert_int_equal(protection_merge(SIGNED, UNKNOWN), SIGNED);
	assert_int_equal(protection_merge(SIGNED, ENCRYPTED), ENCRYPTED);
	assert_int_equal(protection_merge(NONE, NONE), NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structures),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
