/*
 * Unfolds and splits the lines of iCalendar and vCard objects, for the
 * columns of PIM items (pim.c). Pure: text in, pieces out; the caller's
 * thread. The line buffer is capped and reused for every line of an object.
 */
#include "contentline.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"

void contentline_open(
	struct contentline_reader *reader, const char *text, size_t length)
{
	reader->at = text;
	reader->end = text + length;
	reader->line = BUF_INIT(CONTENTLINE_BYTES_MAX);
}

void contentline_close(struct contentline_reader *reader)
{
	buf_free(&reader->line);
}

/* One physical line: its length without the line end; AT moves behind it. */
static size_t physical_line(struct contentline_reader *reader)
{
	const char *start = reader->at;
	const char *p = start;

	while (p < reader->end && *p != '\r' && *p != '\n')
		p++;
	reader->at = p;
	if (reader->at < reader->end && *reader->at == '\r')
		reader->at++;
	if (reader->at < reader->end && *reader->at == '\n')
		reader->at++;
	return (size_t)(p - start);
}

static bool append_some(struct buf *line, const char *text, size_t length)
{
	size_t room = CONTENTLINE_BYTES_MAX - 1 - line->length;
	bool fits = length <= room;

	buf_append(line, text, fits ? length : room);
	return fits;
}

/* vCard 2.1 breaks a quoted-printable value with "=" and no blank. */
static bool soft_break(const struct buf *line)
{
	return line->length > 0 && line->data[line->length - 1] == '=' &&
		strcasestr(line->data, "QUOTED-PRINTABLE");
}

static bool unfold(struct contentline_reader *reader, bool *cut)
{
	struct buf *line = &reader->line;
	const char *start = reader->at;
	size_t length;

	if (start >= reader->end)
		return false;
	buf_clear(line);
	length = physical_line(reader);
	*cut = !append_some(line, start, length);
	for (;;) {
		start = reader->at;
		if (start >= reader->end)
			return true;
		if (*start == ' ' || *start == '\t') {
			length = physical_line(reader) - 1;
			start++;
		} else if (soft_break(line)) {
			line->data[--line->length] = '\0';
			length = physical_line(reader);
		} else {
			return true;
		}
		if (!append_some(line, start, length))
			*cut = true;
	}
}

/* Splits in place: the separators become NUL. */
static bool split(char *text, struct contentline *line)
{
	bool quoted = false;
	char *params = NULL;
	char *p;

	for (p = text; *p; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (*p == ':' && !quoted)
			break;
		else if (*p == ';' && !params) {
			params = p + 1;
			*p = '\0';
		}
	}
	if (!*p) {
		/* A stray quote must not swallow the value. */
		p = params ? strchr(params, ':') : NULL;
		if (!p)
			return false;
	}
	*p = '\0';
	line->value = p + 1;
	line->params = params ? params : "";
	line->name = text;
	p = strrchr(text, '.');
	if (p)
		line->name = p + 1;
	return true;
}

bool contentline_next(
	struct contentline_reader *reader, struct contentline *line)
{
	while (unfold(reader, &line->cut)) {
		size_t i;

		if (reader->line.length == 0)
			continue;
		for (i = 0; i < reader->line.length; i++)
			if (reader->line.data[i] == '\0')
				reader->line.data[i] = ' ';
		if (split(reader->line.data, line))
			return true;
	}
	return false;
}

bool contentline_is(const struct contentline *line, const char *name)
{
	return strcasecmp(line->name, name) == 0;
}

static const char *param_end(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || *p != ';'); p++)
		if (*p == '"')
			quoted = !quoted;
	return p;
}

bool contentline_param(const struct contentline *line, const char *name,
	char *value, size_t size)
{
	size_t name_length = strlen(name);
	const char *p = line->params;

	while (*p) {
		const char *end = param_end(p);

		if (strncasecmp(p, name, name_length) == 0 &&
			p[name_length] == '=') {
			size_t n = 0;

			for (p += name_length + 1; p < end && n + 1 < size; p++)
				if (*p != '"')
					value[n++] = *p;
			value[n] = '\0';
			return true;
		}
		p = *end ? end + 1 : end;
	}
	return false;
}

/* Length of the well-formed UTF-8 sequence at P (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *p)
{
	size_t length = *p < 0x80 ? 1
		: *p < 0xc2	  ? 0
		: *p < 0xe0	  ? 2
		: *p < 0xf0	  ? 3
		: *p < 0xf5	  ? 4
				  : 0;
	size_t i;

	for (i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
		(*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

char *contentline_text(const char *text, size_t max_bytes)
{
	char *result = xcalloc(max_bytes + 1, 1);
	size_t n = 0;

	while (*text) {
		const char *from = text;
		size_t length = utf8_length((const unsigned char *)text);

		text += length ? length : 1;
		if (length == 0) {
			from = "\xef\xbf\xbd";
			length = 3;
		} else if (*from == '\\' && *text) {
			from = *text == 'n' || *text == 'N' ? " " : text;
			if (utf8_length((const unsigned char *)from) != 1)
				continue;
			text++;
		}
		if (length == 1 &&
			((unsigned char)*from < 0x20 || *from == 0x7f))
			from = " ";
		if (n + length > max_bytes)
			break;
		memcpy(result + n, from, length);
		n += length;
	}
	result[n] = '\0';
	return result;
}
