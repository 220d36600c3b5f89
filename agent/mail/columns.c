/*
 * columns.c - see columns.h. One pass over the header block; a header of
 * plain ASCII, which most are, is copied without a detour. Pure.
 */
#include "columns.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "charset.h"
#include "mime.h"

/* A header as long as this is cut before it is decoded. */
#define RAW_BYTES  8192
#define WORD_BYTES 8192

/* One encoded word (RFC 2047 2) at the front of REST; its bytes go to OUT.
 * CHARSET holds at least 64. */
static bool encoded_word(struct span *rest, char *charset, struct buf *out)
{
	const char *end = rest->data + rest->length;
	const char *name = rest->data + 2;
	const char *mark = memchr(name, '?', (size_t)(end - name));
	const char *text;
	const char *close;
	size_t length;
	bool base64;

	if (!mark || mark == name || end - mark < 5 || mark[2] != '?')
		return false;
	base64 = mark[1] == 'B' || mark[1] == 'b';
	if (!base64 && mark[1] != 'Q' && mark[1] != 'q')
		return false;
	text = mark + 3;
	close = memmem(text, (size_t)(end - text), "?=", 2);
	if (!close)
		return false;
	length = strcspn(name, "*?");
	if (length > 63)
		return false;
	memcpy(charset, name, length);
	charset[length] = '\0';
	if (base64) {
		mime_decode(out, (struct span){text, (size_t)(close - text)},
			MIME_BASE64);
	} else {
		for (const char *c = text; c < close; c++) {
			struct span one = {c, 1};

			if (*c == '_')
				one.data = " ";
			else if (*c == '=' && close - c > 2)
				one.length = 3;
			c += one.length - 1;
			mime_decode(out, one, MIME_QUOTED_PRINTABLE);
		}
	}
	rest->length -= (size_t)(close + 2 - rest->data);
	rest->data = close + 2;
	return true;
}

static size_t blanks(struct span span)
{
	size_t n = 0;

	while (n < span.length && isspace((unsigned char)span.data[n]))
		n++;
	return n;
}

/* Encoded words in a row belong together, as a character may be cut in two
 * between words of one charset. */
static void append_words(struct buf *out, struct span *rest)
{
	struct buf bytes = BUF_INIT(WORD_BYTES);
	char charset[64] = "";
	char next[64];

	for (;;) {
		struct buf word = BUF_INIT(WORD_BYTES);
		struct span after = *rest;
		size_t gap = bytes.length ? blanks(after) : 0;

		after.data += gap;
		after.length -= gap;
		if (after.length < 8 || memcmp(after.data, "=?", 2) != 0 ||
			!encoded_word(&after, next, &word)) {
			buf_free(&word);
			break;
		}
		if (bytes.length && strcasecmp(charset, next) != 0) {
			charset_append(out,
				(struct span){bytes.data, bytes.length},
				charset);
			buf_clear(&bytes);
		}
		memcpy(charset, next, sizeof(charset));
		buf_append(&bytes, word.data, word.length);
		buf_free(&word);
		*rest = after;
	}
	charset_append(out, (struct span){bytes.data, bytes.length}, charset);
	buf_free(&bytes);
}

/* Unfolds, turns controls into spaces and runs of blanks into one. */
static size_t copy_clean(char *out, size_t size, struct span text)
{
	size_t used = 0;

	for (size_t i = 0; i < text.length && used < size; i++) {
		char c = text.data[i];

		if (charset_control(text.data + i, text.length - i)) {
			i += (unsigned char)c >= 0x80;
			c = ' ';
		}
		if (c == ' ' && (!used || out[used - 1] == ' '))
			continue;
		out[used++] = c;
	}
	if (used == size)
		used = charset_cut(out, used, size - 1);
	while (used && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
	return used;
}

static bool plain(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	}
	return !memmem(text.data, text.length, "=?", 2);
}

size_t columns_decode(char *out, size_t size, const char *text, size_t length)
{
	struct span rest = {text, length < RAW_BYTES ? length : RAW_BYTES};
	struct buf all = BUF_INIT(RAW_BYTES * 3);
	size_t used;

	if (plain(rest))
		return copy_clean(out, size, rest);
	while (rest.length) {
		const char *word = memmem(rest.data, rest.length, "=?", 2);
		size_t before = word ? (size_t)(word - rest.data) : rest.length;
		size_t left;

		charset_append(&all, (struct span){rest.data, before}, "");
		rest.data += before;
		rest.length -= before;
		left = rest.length;
		append_words(&all, &rest);
		if (left && rest.length == left) {
			charset_append(&all, (struct span){rest.data, 2}, "");
			rest.data += 2;
			rest.length -= 2;
		}
	}
	used = copy_clean(out, size, (struct span){buf_text(&all), all.length});
	buf_free(&all);
	return used;
}

/* The first "<...>" of a Message-ID or a list of them, without blanks; the
 * whole value where there are no brackets. */
static void copy_id(char *out, size_t size, struct span value)
{
	const char *open = memchr(value.data, '<', value.length);
	const char *close = open
		? memchr(open, '>', value.length - (size_t)(open - value.data))
		: NULL;

	if (close)
		value = (struct span){open, (size_t)(close + 1 - open)};
	columns_decode(out, size, value.data, value.length);
}

void columns_parse(struct columns *columns, const char *text, size_t length)
{
	struct span rest = {text, length};
	struct mime_field field;
	struct mime_type type;

	columns->from[0] = columns->to[0] = columns->subject[0] = '\0';
	columns->message_id[0] = columns->in_reply_to[0] = '\0';
	columns->date_s = COLUMNS_NO_DATE;
	columns->attachment = false;
	while (mime_next_field(&rest, &field)) {
		const struct {
			const char *name;
			char *out;
			size_t size;
		} texts[] = {
			{"From", columns->from, sizeof(columns->from)},
			{"To", columns->to, sizeof(columns->to)},
			{"Cc", columns->to, sizeof(columns->to)},
			{"Subject", columns->subject, sizeof(columns->subject)},
		};

		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			if (span_is(field.name, texts[i].name) &&
				(!*texts[i].out || i == 1))
				columns_decode(texts[i].out, texts[i].size,
					field.value.data, field.value.length);
		}
		if (span_is(field.name, "Message-ID"))
			copy_id(columns->message_id,
				sizeof(columns->message_id), field.value);
		else if (span_is(field.name, "In-Reply-To"))
			copy_id(columns->in_reply_to,
				sizeof(columns->in_reply_to), field.value);
		else if (span_is(field.name, "Date"))
			columns->date_s = columns_date(
				field.value.data, field.value.length);
		else if (span_is(field.name, "Content-Type")) {
			mime_type_parse(&type, field.value);
			columns->attachment = mime_type_is(&type, "multipart",
						      "mixed") ||
				(type.has_name &&
					!mime_type_is(&type, "text", NULL));
		}
	}
}
