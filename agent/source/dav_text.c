/*
 * Collects one object's text between the XML reader, or a GET, and the sink.
 * Pure; used by dav_get.c.
 */
#include "dav_text.h"

#include <string.h>
#include <strings.h>

/* A buffer that one large photo needed is given back after it. */
#define KEEP_BYTES (256 << 10)

void dav_text_init(struct dav_text *text, size_t limit)
{
	text->text = BUF_INIT(limit);
	text->too_large = false;
}

static void put(struct dav_text *text, const char *data, size_t length)
{
	size_t room = text->text.limit - text->text.length;

	if (text->too_large)
		return;
	text->too_large = length > room;
	buf_append(&text->text, data, text->too_large ? room : length);
}

static char last(const struct dav_text *text)
{
	const struct buf *buf = &text->text;

	return buf->length ? buf->data[buf->length - 1] : '\0';
}

void dav_text_append(struct dav_text *text, const char *data, size_t length)
{
	const char *end = data + length;

	/* Blanks that a pretty-printer put before the object, and the mark
	 * that Windows puts before UTF-8. */
	while (data < end && text->text.length == 0 &&
		strchr(" \t\r\n\xef\xbb\xbf", *data) && *data)
		data++;
	while (data < end) {
		const char *line = memchr(data, '\n', (size_t)(end - data));
		size_t run = (size_t)((line ? line : end) - data);

		put(text, data, run);
		if (!line)
			return;
		put(text, last(text) == '\r' ? "\n" : "\r\n",
			last(text) == '\r' ? 1 : 2);
		data = line + 1;
	}
}

void dav_text_finish(struct dav_text *text)
{
	if (last(text) == '\r')
		put(text, "\n", 1);
	else if (text->text.length && last(text) != '\n')
		put(text, "\r\n", 2);
}

void dav_text_clear(struct dav_text *text)
{
	if (text->text.capacity > KEEP_BYTES)
		buf_free(&text->text);
	else
		buf_clear(&text->text);
	text->too_large = false;
}

void dav_text_free(struct dav_text *text)
{
	buf_free(&text->text);
}

bool dav_text_is_object(const struct dav_text *text)
{
	return strncasecmp(buf_text(&text->text), "BEGIN:", 6) == 0;
}

bool dav_text_may_be_mended(const struct dav_text *text)
{
	return strstr(buf_text(&text->text), "\xef\xbf\xbd") != NULL;
}
