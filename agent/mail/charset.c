/* charset.c - see charset.h. */
#include "charset.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Length of the valid UTF-8 character at DATA, 0 when it is none (RFC 3629:
 * shortest form, no surrogates, nothing above U+10FFFF). */
static size_t character(const uint8_t *data, size_t length)
{
	uint8_t first = data[0];
	size_t size = first < 0x80 ? 1
		: first < 0xc2	   ? 0
		: first < 0xe0	   ? 2
		: first < 0xf0	   ? 3
		: first < 0xf5	   ? 4
				   : 0;

	if (!size || size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((first == 0xe0 && data[1] < 0xa0) ||
		(first == 0xed && data[1] > 0x9f) ||
		(first == 0xf0 && data[1] < 0x90) ||
		(first == 0xf4 && data[1] > 0x8f))
		return 0;
	return size;
}

bool charset_is_utf8(struct span data)
{
	for (size_t i = 0; i < data.length;) {
		size_t size = character(
			(const uint8_t *)data.data + i, data.length - i);

		if (!size)
			return false;
		i += size;
	}
	return true;
}

bool charset_control(const char *text, size_t length)
{
	unsigned char first = (unsigned char)text[0];

	return first <= ' ' || first == 0x7f ||
		(first == 0xc2 && length > 1 &&
			(unsigned char)text[1] >= 0x80 &&
			(unsigned char)text[1] < 0xa0);
}

size_t charset_cut(const char *text, size_t length, size_t size)
{
	if (length <= size)
		return length;
	while (size && ((uint8_t)text[size] & 0xc0) == 0x80)
		size--;
	return size;
}

/* As much of valid UTF-8 as fits, without NULs. */
static void append_utf8(struct buf *out, const char *text, size_t length)
{
	while (length) {
		const char *nul = memchr(text, '\0', length);
		size_t part = nul ? (size_t)(nul - text) : length;
		size_t room = out->limit ? out->limit - out->length : part;

		buf_append(out, text, charset_cut(text, part, room));
		if (part > room || !nul)
			return;
		text += part + 1;
		length -= part + 1;
	}
}

static void append_code(struct buf *out, unsigned code)
{
	char text[3];
	size_t length = 0;

	if (code < 0x80) {
		text[length++] = (char)code;
	} else if (code < 0x800) {
		text[length++] = (char)(0xc0 | code >> 6);
		text[length++] = (char)(0x80 | (code & 0x3f));
	} else {
		text[length++] = (char)(0xe0 | code >> 12);
		text[length++] = (char)(0x80 | (code >> 6 & 0x3f));
		text[length++] = (char)(0x80 | (code & 0x3f));
	}
	append_utf8(out, text, length);
}

/* Windows-1252, 0x80 to 0x9f; the rest is Latin-1. */
static void append_western(struct buf *out, struct span data)
{
	static const uint16_t high[] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e,
		0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152,
		0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d,
		0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153,
		0xfffd, 0x017e, 0x0178};

	for (size_t i = 0; i < data.length; i++) {
		uint8_t byte = (uint8_t)data.data[i];

		append_code(out,
			byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte);
	}
}

static bool one_of(const char *charset, const char *const *names)
{
	for (; *names; names++) {
		if (strcasecmp(charset, *names) == 0)
			return true;
	}
	return false;
}

static void convert(struct buf *out, struct span data, iconv_t conversion)
{
	char *in = (char *)data.data;
	size_t left = data.length;
	char block[2048];

	for (;;) {
		char *to = block;
		size_t room = sizeof(block);
		size_t status = iconv(
			conversion, left ? &in : NULL, &left, &to, &room);
		bool stuck = status == (size_t)-1 && errno != E2BIG;

		append_utf8(out, block, (size_t)(to - block));
		if (out->limit && out->length >= out->limit)
			return;
		if (stuck) {
			append_code(out, 0xfffd);
			in++;
			left--;
		} else if (status != (size_t)-1 && !left) {
			return;
		}
		if (!left)
			return;
	}
}

/* A name as it may stand in a message, and no more: iconv_open() would take
 * "utf-8//IGNORE" and paths. */
static bool plain_name(const char *charset)
{
	for (const char *c = charset; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("._:-", *c))
			return false;
	}
	return true;
}

void charset_append(struct buf *out, struct span data, const char *charset)
{
	static const char *const unicode[] = {"", "utf-8", "utf8", "us-ascii",
		"ascii", "unknown-8bit", "x-unknown", "default", NULL};
	static const char *const western[] = {"iso-8859-1", "latin1",
		"windows-1252", "cp1252", "iso8859-1", NULL};
	iconv_t conversion;

	if (one_of(charset, unicode) && charset_is_utf8(data)) {
		append_utf8(out, data.data, data.length);
		return;
	}
	if (one_of(charset, unicode) || one_of(charset, western)) {
		append_western(out, data);
		return;
	}
	conversion = plain_name(charset) ? iconv_open("UTF-8", charset)
					 : (iconv_t)-1;
	if (conversion == (iconv_t)-1) {
		charset_append(out, data, "");
		return;
	}
	convert(out, data, conversion);
	iconv_close(conversion);
}
