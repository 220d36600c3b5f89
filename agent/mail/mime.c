/*
 * mime.c - see mime.h. Hand-written, small and linear in its input:
 * libetpan's parser wants a whole message in memory, builds a tree of it and
 * recurses as deep as the message says. Pure.
 */
#include "mime.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "extended.h"

bool span_is(struct span name, const char *value)
{
	return name.length == strlen(value) &&
		strncasecmp(name.data, value, name.length) == 0;
}

bool span_line(struct span *rest, struct span *line)
{
	const char *end;
	size_t length;

	if (!rest->length)
		return false;
	end = memchr(rest->data, '\n', rest->length);
	length = end ? (size_t)(end - rest->data) : rest->length;
	*line = (struct span){rest->data, length};
	if (line->length && line->data[line->length - 1] == '\r')
		line->length--;
	rest->data += length + (end != NULL);
	rest->length -= length + (end != NULL);
	return true;
}

static struct span trim(struct span span)
{
	while (span.length && isspace((unsigned char)*span.data)) {
		span.data++;
		span.length--;
	}
	while (span.length &&
		isspace((unsigned char)span.data[span.length - 1]))
		span.length--;
	return span;
}

bool mime_next_field(struct span *rest, struct mime_field *field)
{
	struct span line;

	while (span_line(rest, &line)) {
		const char *colon;

		if (!line.length)
			return false;
		colon = memchr(line.data, ':', line.length);
		if (!colon || colon == line.data || *line.data == ' ' ||
			*line.data == '\t')
			continue;
		field->name = trim(
			(struct span){line.data, (size_t)(colon - line.data)});
		while (rest->length &&
			(*rest->data == ' ' || *rest->data == '\t')) {
			struct span more;

			span_line(rest, &more);
			line.length = (size_t)(more.data + more.length -
				line.data);
		}
		field->value = trim((struct span){colon + 1,
			(size_t)(line.data + line.length - colon - 1)});
		return true;
	}
	return false;
}

/* ---------------------------------------------------------- Content-Type */

static bool is_token(char c)
{
	return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?=", c);
}

/* White space and comments, which nest. */
static void skip_blank(struct span *rest)
{
	unsigned depth = 0;

	while (rest->length) {
		char c = *rest->data;

		if (c == '(')
			depth++;
		else if (c == ')' && depth)
			depth--;
		else if (!depth && !isspace((unsigned char)c))
			return;
		rest->data++;
		rest->length--;
	}
}

static char take(struct span *rest)
{
	char c = *rest->data;

	rest->data++;
	rest->length--;
	return c;
}

/* A token or a quoted string into OUT, cut at SIZE. */
static void read_word(struct span *rest, char *out, size_t size, bool lower)
{
	size_t used = 0;
	bool quoted;

	skip_blank(rest);
	quoted = rest->length && *rest->data == '"';
	if (quoted)
		take(rest);
	while (rest->length) {
		char c = *rest->data;

		if (quoted ? c == '"' : !is_token(c))
			break;
		take(rest);
		if (quoted && c == '\\' && rest->length)
			c = take(rest);
		if (used + 1 < size)
			out[used++] = lower ? (char)tolower((unsigned char)c)
					    : c;
	}
	if (quoted && rest->length)
		take(rest);
	out[used] = '\0';
}

static void skip_to(struct span *rest, char wanted)
{
	while (rest->length && *rest->data != wanted)
		take(rest);
}

/* What follows the name of a file's parameter in NAME: "*", "*0", ""; NULL
 * when it is another parameter. */
static const char *file_suffix(const char *name)
{
	if (strncmp(name, "filename", 8) == 0)
		return name + 8;
	return strncmp(name, "name", 4) == 0 ? name + 4 : NULL;
}

static void set_parameter(struct mime_type *type, struct extended *file,
	const char *name, struct span *rest)
{
	const struct {
		const char *name;
		char *out;
		size_t size;
		bool lower;
	} known[] = {
		{"boundary", type->boundary, sizeof(type->boundary), false},
		{"charset", type->charset, sizeof(type->charset), true},
		{"smime-type", type->smime_type, sizeof(type->smime_type),
			true},
		{"x-action", type->x_action, sizeof(type->x_action), true},
		{"name", type->name, sizeof(type->name), false},
		{"filename", type->name, sizeof(type->name), false},
	};
	const char *suffix = file_suffix(name);
	char value[EXTENDED_PIECE_BYTES];

	type->has_name |= suffix != NULL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i].name) == 0) {
			read_word(rest, known[i].out, known[i].size,
				known[i].lower);
			return;
		}
	}
	read_word(rest, value, sizeof(value), false);
	if (suffix)
		extended_add(file, suffix, value);
}

static bool token(const char *word)
{
	for (const char *c = word; *c; c++) {
		if (!is_token(*c))
			return false;
	}
	return *word;
}

void mime_type_parse(struct mime_type *type, struct span value)
{
	struct extended file;

	extended_init(&file);
	memset(type, 0, sizeof(*type));
	read_word(&value, type->type, sizeof(type->type), true);
	skip_blank(&value);
	if (value.length && *value.data == '/') {
		take(&value);
		read_word(&value, type->subtype, sizeof(type->subtype), true);
	}
	if (!token(type->type) || !token(type->subtype)) {
		memcpy(type->type, "text", 5);
		memcpy(type->subtype, "plain", 6);
	}
	while (value.length) {
		char name[32];

		skip_to(&value, ';');
		if (!value.length)
			break;
		take(&value);
		read_word(&value, name, sizeof(name), true);
		skip_blank(&value);
		if (value.length && *value.data == '=') {
			take(&value);
			set_parameter(type, &file, name, &value);
		}
	}
	/* Who writes both means the one that can say more. */
	extended_join(&file, type->name, sizeof(type->name));
}

bool mime_type_is(
	const struct mime_type *type, const char *main, const char *subtype)
{
	return strcmp(type->type, main) == 0 &&
		(!subtype || strcmp(type->subtype, subtype) == 0);
}

/* ----------------------------------------------------------------- parts */

static enum mime_encoding encoding_of(struct span value)
{
	char word[32];

	read_word(&value, word, sizeof(word), true);
	if (strcmp(word, "base64") == 0)
		return MIME_BASE64;
	if (strcmp(word, "quoted-printable") == 0)
		return MIME_QUOTED_PRINTABLE;
	return MIME_IDENTITY;
}

void mime_part_parse(struct mime_part *part, struct span entity)
{
	struct mime_field field;
	bool typed = false;

	memset(part, 0, sizeof(*part));
	mime_type_parse(&part->type, (struct span){"", 0});
	while (mime_next_field(&entity, &field)) {
		if (span_is(field.name, "Content-Type") && !typed) {
			mime_type_parse(&part->type, field.value);
			typed = true;
		} else if (span_is(field.name, "Content-Transfer-Encoding")) {
			part->encoding = encoding_of(field.value);
		} else if (span_is(field.name, "Content-Disposition")) {
			struct mime_type file;
			char word[32];

			mime_type_parse(&file, field.value);
			memcpy(part->name, file.name, sizeof(part->name));
			read_word(&field.value, word, sizeof(word), true);
			part->attachment = strcmp(word, "attachment") == 0;
		}
	}
	if (!part->name[0])
		memcpy(part->name, part->type.name, sizeof(part->name));
	part->body = entity;
}

/* 0: no delimiter line; 1: one; 2: the last one. */
static int delimiter(struct span line, const char *boundary, size_t length)
{
	if (line.length < length + 2 || memcmp(line.data, "--", 2) != 0 ||
		memcmp(line.data + 2, boundary, length) != 0)
		return 0;
	line.data += length + 2;
	line.length -= length + 2;
	if (line.length >= 2 && memcmp(line.data, "--", 2) == 0)
		return 2;
	return trim(line).length ? 0 : 1;
}

bool mime_next_part(struct span *rest, const char *boundary, struct span *part)
{
	size_t length = strlen(boundary);
	struct span line;
	const char *start;

	if (!length)
		return false;
	while (span_line(rest, &line)) {
		int kind = delimiter(line, boundary, length);

		if (kind == 2)
			break;
		if (kind == 0)
			continue;
		start = rest->data;
		while (rest->length) {
			struct span before = *rest;

			span_line(rest, &line);
			if (delimiter(line, boundary, length)) {
				*rest = before;
				*part = (struct span){
					start, (size_t)(before.data - start)};
				return true;
			}
		}
		*part = (struct span){start, (size_t)(rest->data - start)};
		return part->length > 0;
	}
	*rest = (struct span){rest->data + rest->length, 0};
	return false;
}

/* -------------------------------------------------------------- decoding */

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

/* Appends through a small block; false when OUT is full. */
struct sink {
	struct buf *out;
	char block[512];
	size_t used;
};

static bool sink_flush(struct sink *sink)
{
	bool fits = buf_append(sink->out, sink->block, sink->used) == 0;

	sink->used = 0;
	return fits;
}

static bool sink_put(struct sink *sink, char c)
{
	sink->block[sink->used++] = c;
	return sink->used < sizeof(sink->block) || sink_flush(sink);
}

static void decode_base64(struct sink *sink, struct span data)
{
	uint32_t bits = 0;
	int count = 0;

	for (size_t i = 0; i < data.length && data.data[i] != '='; i++) {
		int value = base64_value(data.data[i]);

		if (value < 0)
			continue;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			if (!sink_put(sink, (char)(bits >> count & 0xff)))
				return;
		}
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How many bytes a soft line break at the '=' in front of REST takes, 0 when
 * it is none; blanks before the line end are not counted as text. */
static size_t soft_break(struct span rest)
{
	size_t n = 1;

	while (n < rest.length &&
		(rest.data[n] == ' ' || rest.data[n] == '\t' ||
			rest.data[n] == '\r'))
		n++;
	return n < rest.length && rest.data[n] == '\n' ? n + 1 : 0;
}

static void decode_quoted(struct sink *sink, struct span data)
{
	for (size_t i = 0; i < data.length; i++) {
		struct span rest = {data.data + i, data.length - i};
		char c = *rest.data;
		int high = rest.length > 2 ? hex_value(rest.data[1]) : -1;
		int low = rest.length > 2 ? hex_value(rest.data[2]) : -1;

		if (c == '=' && high >= 0 && low >= 0) {
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '=' && soft_break(rest)) {
			i += soft_break(rest) - 1;
			continue;
		}
		if (!sink_put(sink, c))
			return;
	}
}

void mime_decode(struct buf *out, struct span data, enum mime_encoding encoding)
{
	struct sink sink = {.out = out};
	size_t room;

	switch (encoding) {
	case MIME_BASE64:
		decode_base64(&sink, data);
		sink_flush(&sink);
		return;
	case MIME_QUOTED_PRINTABLE:
		decode_quoted(&sink, data);
		sink_flush(&sink);
		return;
	default:
		room = out->limit ? out->limit - out->length : data.length;
		buf_append(out, data.data,
			data.length < room ? data.length : room);
	}
}
