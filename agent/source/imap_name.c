/* imap_name.c - see imap_name.h. */
#include "imap_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "buf.h"

#define REPLACEMENT 0xFFFD

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+,";

static void put_utf8(struct buf *out, uint32_t code)
{
	char bytes[4];
	size_t length = 1;

	if (code < 0x80) {
		bytes[0] = (char)code;
	} else if (code < 0x800) {
		bytes[0] = (char)(0xC0 | code >> 6);
		length = 2;
	} else if (code < 0x10000) {
		bytes[0] = (char)(0xE0 | code >> 12);
		bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
		length = 3;
	} else {
		bytes[0] = (char)(0xF0 | code >> 18);
		bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
		bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
		length = 4;
	}
	if (length > 1)
		bytes[length - 1] = (char)(0x80 | (code & 0x3F));
	buf_append(out, bytes, length);
}

/* One character at *TEXT, which moves past it; REPLACEMENT for a byte that
 * begins none. */
static uint32_t get_utf8(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint32_t code = at[0];
	unsigned more = 0;
	unsigned i;

	if (code >= 0xF0 && code < 0xF8)
		more = 3, code &= 0x07;
	else if (code >= 0xE0)
		more = 2, code &= 0x0F;
	else if (code >= 0xC0)
		more = 1, code &= 0x1F;
	else if (code >= 0x80)
		goto invalid;
	if (at[0] >= 0xF8)
		goto invalid;
	for (i = 1; i <= more; i++) {
		if ((at[i] & 0xC0) != 0x80)
			goto invalid;
		code = code << 6 | (at[i] & 0x3F);
	}
	if (code < least[more] || code > 0x10FFFF ||
		(code >= 0xD800 && code < 0xE000))
		goto invalid;
	*text += more + 1;
	return code;
invalid:
	++*text;
	return REPLACEMENT;
}

/*
 * The UTF-16 between '&' and '-' as UTF-8. False, with OUT as it was, when
 * it is none.
 */
static bool decode_shifted(const char *in, size_t length, struct buf *out)
{
	size_t before = out->length;
	uint32_t bits = 0;
	unsigned held = 0;
	uint32_t high = 0;
	const char *digit;

	for (; length; in++, length--) {
		digit = *in ? strchr(digits, *in) : NULL;
		if (!digit)
			goto invalid;
		bits = (bits << 6 | (uint32_t)(digit - digits)) & 0x3FFFFF;
		held += 6;
		if (held < 16)
			continue;
		held -= 16;
		uint32_t unit = bits >> held & 0xFFFF;

		if (unit >= 0xDC00 && unit < 0xE000 && high) {
			put_utf8(out,
				0x10000 + ((high - 0xD800) << 10) +
					(unit - 0xDC00));
			high = 0;
		} else if (high || (unit >= 0xDC00 && unit < 0xE000) || !unit) {
			goto invalid;
		} else if (unit >= 0xD800 && unit < 0xDC00) {
			high = unit;
		} else {
			put_utf8(out, unit);
		}
	}
	if (!high && held < 6 && !(bits & ((1u << held) - 1)))
		return true;
invalid:
	out->length = before;
	return false;
}

char *imap_name_decode(const char *wire)
{
	struct buf out = BUF_INIT(0);
	const char *end;

	buf_append(&out, "", 0);
	while (*wire) {
		if (*wire != '&') {
			put_utf8(&out, get_utf8(&wire));
			continue;
		}
		end = strchr(wire, '-');
		if (end == wire + 1) {
			buf_append(&out, "&", 1);
			wire = end + 1;
		} else if (end &&
			decode_shifted(
				wire + 1, (size_t)(end - wire - 1), &out)) {
			wire = end + 1;
		} else {
			buf_append(&out, wire++, 1);
		}
	}
	buf_append(&out, "", 0);
	return out.data;
}

struct shift {
	uint32_t bits;
	unsigned held;
	bool on;
};

static void put_unit(struct buf *out, struct shift *shift, uint32_t unit)
{
	if (!shift->on)
		buf_append(out, "&", 1);
	shift->on = true;
	shift->bits = shift->bits << 16 | unit;
	shift->held += 16;
	while (shift->held >= 6) {
		shift->held -= 6;
		buf_append(out, &digits[shift->bits >> shift->held & 63], 1);
	}
}

static void shift_out(struct buf *out, struct shift *shift)
{
	if (!shift->on)
		return;
	if (shift->held)
		buf_append(
			out, &digits[shift->bits << (6 - shift->held) & 63], 1);
	buf_append(out, "-", 1);
	*shift = (struct shift){0};
}

char *imap_name_encode(const char *text)
{
	struct buf out = BUF_INIT(0);
	struct shift shift = {0};
	uint32_t code;

	buf_append(&out, "", 0);
	while (*text) {
		code = get_utf8(&text);
		if (code >= ' ' && code <= '~') {
			shift_out(&out, &shift);
			put_utf8(&out, code);
			if (code == '&')
				buf_append(&out, "-", 1);
		} else if (code < 0x10000) {
			put_unit(&out, &shift, code);
		} else {
			code -= 0x10000;
			put_unit(&out, &shift, 0xD800 + (code >> 10));
			put_unit(&out, &shift, 0xDC00 + (code & 0x3FF));
		}
	}
	shift_out(&out, &shift);
	buf_append(&out, "", 0);
	return out.data;
}

static bool is_hex(char c)
{
	return c && strchr("0123456789abcdefABCDEF", c);
}

/* One level's name: what would read as a separator is escaped. */
static void put_level(struct buf *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '/')
			buf_append_text(out, "%2F");
		else if (*name == '%' && is_hex(name[1]) && is_hex(name[2]))
			buf_append_text(out, "%25");
		else
			buf_append(out, name, 1);
	}
}

char *imap_name_path(const char *wire, char delimiter)
{
	char *copy = xstrdup(wire);
	struct buf out = BUF_INIT(0);
	char *level = copy;
	char *text;
	char *end;

	do {
		end = delimiter ? strchr(level, delimiter) : NULL;
		if (end)
			*end = '\0';
		if (level == copy && strcasecmp(level, "INBOX") == 0) {
			buf_append_text(&out, "INBOX");
		} else {
			text = imap_name_decode(level);
			put_level(&out, text);
			free(text);
		}
		/* A trailing delimiter is not another level. */
		if (end && end[1])
			buf_append(&out, "/", 1);
		level = end ? end + 1 : NULL;
	} while (level && *level);
	free(copy);
	buf_append(&out, "", 0);
	return out.data;
}
