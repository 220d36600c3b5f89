/*
 * A byte filter between the HTTP answer and expat: see dav_clean.h. Runs on
 * the source's thread, on every byte of every DAV answer, so what is plain
 * is copied in runs.
 */
#include "dav_clean.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"

static const char replacement[] = "\xef\xbf\xbd";

static bool plain(unsigned char c)
{
	return (c >= 0x20 && c < 0x7f && c != '&') || c == '\n' || c == '\r' ||
		c == '\t';
}

static bool xml_character(unsigned long c)
{
	return c == '\t' || c == '\n' || c == '\r' ||
		(c >= 0x20 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe) ||
		(c >= 0x10000 && c < 0x110000);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t utf8_size(unsigned char lead)
{
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static void mend(struct dav_clean *clean, struct buf *out)
{
	clean->mended = true;
	buf_append_text(out, replacement);
}

static void flush(struct dav_clean *clean, struct buf *out)
{
	buf_append(out, clean->pending, clean->pending_length);
	clean->pending_length = 0;
}

/* A complete sequence: its form is right, its value perhaps not. */
static void end_character(struct dav_clean *clean, struct buf *out)
{
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = clean->pending_length;
	unsigned long c = (unsigned char)clean->pending[0] & mask[size];
	size_t i;

	for (i = 1; i < size; i++)
		c = c << 6 | ((unsigned char)clean->pending[i] & 0x3f);
	if (c >= least[size] && xml_character(c)) {
		flush(clean, out);
		return;
	}
	clean->pending_length = 0;
	mend(clean, out);
}

/* "&#11;" goes, "&#13;" stays. */
static void end_reference(struct dav_clean *clean, struct buf *out)
{
	bool hex;
	unsigned long c;
	char *end;

	clean->pending[clean->pending_length] = '\0';
	hex = (clean->pending[2] | 0x20) == 'x';
	c = strtoul(clean->pending + (hex ? 3 : 2), &end, hex ? 16 : 10);
	if (*end == ';' && !xml_character(c))
		clean->pending_length = 0;
	flush(clean, out);
}

/* Adds C to what is pending; false when C has to be looked at anew. */
static bool grow(struct dav_clean *clean, char c, struct buf *out)
{
	unsigned char lead = (unsigned char)clean->pending[0];

	if (lead == '&') {
		bool fits = clean->pending_length == 1
			? c == '#'
			: c == ';' || strchr("xX0123456789abcdefABCDEF", c);

		if (c == '\0' || !fits ||
			clean->pending_length + 2 > sizeof(clean->pending)) {
			flush(clean, out);
			return false;
		}
		clean->pending[clean->pending_length++] = c;
		if (c == ';')
			end_reference(clean, out);
		return true;
	}
	if (((unsigned char)c & 0xc0) != 0x80) {
		clean->pending_length = 0;
		mend(clean, out);
		return false;
	}
	clean->pending[clean->pending_length++] = c;
	if (clean->pending_length == utf8_size(lead))
		end_character(clean, out);
	return true;
}

static void start(struct dav_clean *clean, unsigned char c, struct buf *out)
{
	if (c == '&' || (c >= 0x80 && !clean->single_byte && utf8_size(c))) {
		clean->pending[0] = (char)c;
		clean->pending_length = 1;
	} else if (c >= 0x80 && clean->single_byte) {
		buf_append(out, &c, 1);
	} else if (c >= 0x80) {
		mend(clean, out);
	}
}

static void filter(struct dav_clean *clean, const char *data, size_t length,
	struct buf *out)
{
	const char *end = data + length;

	if (clean->wide) {
		buf_append(out, data, length);
		return;
	}
	while (data < end) {
		const char *run = data;

		if (clean->pending_length) {
			if (grow(clean, *data, out))
				data++;
			continue;
		}
		while (data < end && plain((unsigned char)*data))
			data++;
		buf_append(out, run, (size_t)(data - run));
		if (data < end)
			start(clean, (unsigned char)*data++, out);
	}
}

static void begin(struct dav_clean *clean, struct buf *out)
{
	const char *head = clean->head;
	const char *declared;

	clean->begun = true;
	if (clean->head_length >= 2 &&
		(memcmp(head, "\xfe\xff", 2) == 0 ||
			memcmp(head, "\xff\xfe", 2) == 0 ||
			memcmp(head, "<\0", 2) == 0 ||
			memcmp(head, "\0<", 2) == 0))
		clean->wide = true;
	declared = strstr(head, "encoding=");
	if (strncmp(head, "<?xml", 5) == 0 && declared)
		clean->single_byte = strncasecmp(declared + 10, "utf-8", 5) !=
			0;
	filter(clean, head, clean->head_length, out);
}

void dav_clean(struct dav_clean *clean, const char *data, size_t length,
	struct buf *out)
{
	while (!clean->begun && length > 0) {
		/* Scripts print line breaks before they answer. */
		if (clean->head_length == 0 && is_blank(*data)) {
			data++;
			length--;
			continue;
		}
		clean->head[clean->head_length++] = *data;
		length--;
		if (*data++ == '>' ||
			clean->head_length == sizeof(clean->head) - 1)
			begin(clean, out);
	}
	filter(clean, data, length, out);
}

void dav_clean_finish(struct dav_clean *clean, struct buf *out)
{
	if (!clean->begun)
		begin(clean, out);
	if (clean->pending_length && clean->pending[0] != '&')
		mend(clean, out);
	else
		flush(clean, out);
	clean->pending_length = 0;
}
