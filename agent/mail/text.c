/*
 * text.c - see text.h. Pure. Walks the parts by mime.h, which works on the
 * message where it lies; one part at a time is decoded into memory, capped.
 */
#include "text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "charset.h"
#include "columns.h"
#include "mime.h"

/* A text part is decoded up to here. */
#define PART_BYTES (1024 * 1024)

/* ------------------------------------------------------------------ HTML */

static const struct {
	const char *name;
	const char *text;
} entities[] = {
	{"amp", "&"},
	{"lt", "<"},
	{"gt", ">"},
	{"quot", "\""},
	{"apos", "'"},
	{"nbsp", " "},
	{"auml", "\u00e4"},
	{"ouml", "\u00f6"},
	{"uuml", "\u00fc"},
	{"Auml", "\u00c4"},
	{"Ouml", "\u00d6"},
	{"Uuml", "\u00dc"},
	{"szlig", "\u00df"},
	{"eacute", "\u00e9"},
	{"egrave", "\u00e8"},
	{"agrave", "\u00e0"},
	{"ccedil", "\u00e7"},
	{"copy", "\u00a9"},
	{"reg", "\u00ae"},
	{"euro", "\u20ac"},
	{"ndash", "\u2013"},
	{"mdash", "\u2014"},
	{"hellip", "\u2026"},
	{"laquo", "\u00ab"},
	{"raquo", "\u00bb"},
	{"lsquo", "\u2018"},
	{"rsquo", "\u2019"},
	{"ldquo", "\u201c"},
	{"rdquo", "\u201d"},
	{"bull", "\u2022"},
	{"middot", "\u00b7"},
};

static void append_code(struct buf *out, uint32_t code)
{
	char text[4];
	size_t length = 0;

	if (code < ' ' || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return;
	if (code < 0x80) {
		text[length++] = (char)code;
	} else if (code < 0x800) {
		text[length++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		text[length++] = (char)(0xe0 | code >> 12);
		text[length++] = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		text[length++] = (char)(0xf0 | code >> 18);
		text[length++] = (char)(0x80 | (code >> 12 & 0x3f));
		text[length++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		text[length++] = (char)(0x80 | (code & 0x3f));
	buf_append(out, text, length);
}

static uint32_t number_of(const char *text, size_t length)
{
	bool hex = length && (*text == 'x' || *text == 'X');
	uint32_t code = 0;

	for (size_t i = hex; i < length && code < 0x200000; i++) {
		unsigned char c = (unsigned char)text[i];

		if (hex && isxdigit(c))
			code = code * 16 +
				(uint32_t)(isdigit(c) ? c - '0'
						      : tolower(c) - 'a' + 10);
		else if (!hex && isdigit(c))
			code = code * 10 + (uint32_t)(c - '0');
		else
			return 0;
	}
	return code;
}

/* Bytes of HTML that the entity at its front took. */
static size_t append_entity(struct buf *out, const char *html, size_t length)
{
	const char *end = memchr(html, ';', length < 12 ? length : 12);
	size_t name = end ? (size_t)(end - html) - 1 : 0;

	if (!name) {
		buf_append(out, "&", 1);
		return 1;
	}
	if (html[1] == '#') {
		append_code(out, number_of(html + 2, name - 1));
		return name + 2;
	}
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (strlen(entities[i].name) == name &&
			memcmp(html + 1, entities[i].name, name) == 0) {
			buf_append_text(out, entities[i].text);
			return name + 2;
		}
	}
	buf_append(out, "&", 1);
	return 1;
}

static bool tag_is(const char *tag, size_t length, const char *name)
{
	size_t size = strlen(name);

	return length >= size && strncasecmp(tag, name, size) == 0 &&
		(length == size || !isalnum((unsigned char)tag[size]));
}

static void break_line(struct buf *out)
{
	if (out->length && out->data[out->length - 1] != '\n')
		buf_append(out, "\n", 1);
}

/* Bytes that the element at the front of HTML takes: a tag, a comment, or a
 * whole script or style. */
static size_t skip_tag(struct buf *out, const char *html, size_t length)
{
	static const char *const lines[] = {"br", "p", "/p", "div", "/div",
		"tr", "/tr", "li", "h1", "h2", "h3", "h4", "table", "/table",
		"blockquote", "hr"};
	static const char *const hidden[] = {"script", "style", "head"};
	const char *end;

	if (length >= 4 && memcmp(html, "<!--", 4) == 0) {
		end = memmem(html + 4, length - 4, "-->", 3);
		return end ? (size_t)(end + 3 - html) : length;
	}
	end = memchr(html, '>', length);
	if (!end)
		return length;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (tag_is(html + 1, (size_t)(end - html - 1), lines[i]))
			break_line(out);
	}
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		const char *close = end;

		if (!tag_is(html + 1, (size_t)(end - html - 1), hidden[i]))
			continue;
		while ((close = memmem(close, length - (size_t)(close - html),
				"</", 2))) {
			close += 2;
			if (!tag_is(close, length - (size_t)(close - html),
				    hidden[i]))
				continue;
			close = memchr(
				close, '>', length - (size_t)(close - html));
			return close ? (size_t)(close + 1 - html) : length;
		}
		return length;
	}
	return (size_t)(end + 1 - html);
}

void text_from_html(struct buf *out, const char *html, size_t length)
{
	size_t at = 0;

	while (at < length && (!out->limit || out->length < out->limit)) {
		char c = html[at];

		if (c == '<') {
			at += skip_tag(out, html + at, length - at);
			continue;
		}
		if (c == '&') {
			at += append_entity(out, html + at, length - at);
			continue;
		}
		at++;
		if (isspace((unsigned char)c)) {
			char last = out->length ? out->data[out->length - 1]
						: '\n';

			if (last != ' ' && last != '\n')
				buf_append(out, " ", 1);
			continue;
		}
		buf_append(out, &c, 1);
	}
}

/* ----------------------------------------------------------------- parts */

static void append_span(struct buf *out, const char *text, size_t length)
{
	size_t room = out->limit ? out->limit - out->length : length;

	buf_append(out, text, charset_cut(text, length, room));
}

/* LF line ends, no controls but tabs: nothing that moves a terminal. */
static void append_lines(struct buf *out, const struct buf *text)
{
	const char *data = buf_text(text);
	size_t start = 0;

	for (size_t i = 0; i < text->length; i++) {
		char c = data[i];

		if (c == ' ' || c == '\n' || c == '\t' ||
			!charset_control(data + i, text->length - i))
			continue;
		append_span(out, data + start, i - start);
		i += (unsigned char)c >= 0x80;
		start = i + 1;
	}
	if (start < text->length)
		append_span(out, data + start, text->length - start);
	break_line(out);
}

static void append_text(struct buf *out, const struct mime_part *part)
{
	struct buf bytes = BUF_INIT(PART_BYTES);
	struct buf text = BUF_INIT(PART_BYTES * 2);
	struct buf stripped = BUF_INIT(PART_BYTES * 2);

	mime_decode(&bytes, part->body, part->encoding);
	charset_append(&text, (struct span){buf_text(&bytes), bytes.length},
		part->type.charset);
	if (mime_type_is(&part->type, "text", "html")) {
		text_from_html(&stripped, buf_text(&text), text.length);
		append_lines(out, &stripped);
	} else {
		append_lines(out, &text);
	}
	buf_free(&bytes);
	buf_free(&text);
	buf_free(&stripped);
}

static void append_name(struct buf *out, const struct mime_part *part)
{
	char name[256];

	columns_decode(name, sizeof(name), part->name, strlen(part->name));
	break_line(out);
	buf_printf(out, "[%s/%s%s%s, %zu bytes]\n", part->type.type,
		part->type.subtype, *name ? ": " : "", name, part->body.length);
}

struct walk {
	struct buf *out;
	bool names;
};

static void walk_entity(struct walk *walk, struct span entity, unsigned depth);

static bool has_plain(const struct mime_part *alternatives)
{
	struct span rest = alternatives->body;
	struct span child;
	struct mime_part part;

	while (mime_next_part(&rest, alternatives->type.boundary, &child)) {
		mime_part_parse(&part, child);
		if (mime_type_is(&part.type, "text", "plain"))
			return true;
	}
	return false;
}

static void walk_multipart(
	struct walk *walk, struct mime_part *part, unsigned depth)
{
	bool only_plain = mime_type_is(
				  &part->type, "multipart", "alternative") &&
		has_plain(part);
	struct span rest = part->body;
	struct span child;

	while (mime_next_part(&rest, part->type.boundary, &child)) {
		struct mime_part inner;

		mime_part_parse(&inner, child);
		if (only_plain && mime_type_is(&inner.type, "text", "html"))
			continue;
		walk_entity(walk, child, depth + 1);
	}
}

static void walk_entity(struct walk *walk, struct span entity, unsigned depth)
{
	struct mime_part part;

	mime_part_parse(&part, entity);
	if (depth < MIME_DEPTH && mime_type_is(&part.type, "multipart", NULL))
		walk_multipart(walk, &part, depth);
	else if (depth < MIME_DEPTH &&
		mime_type_is(&part.type, "message", "rfc822"))
		walk_entity(walk, part.body, depth + 1);
	else if (mime_type_is(&part.type, "text", NULL) && !part.attachment)
		append_text(walk->out, &part);
	else if (walk->names)
		append_name(walk->out, &part);
}

void text_from_message(
	struct buf *out, const char *message, size_t length, bool names)
{
	struct walk walk = {out, names};

	walk_entity(&walk, (struct span){message, length}, 0);
}
