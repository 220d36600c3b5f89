/* buf.c - see buf.h. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define FIRST_CAPACITY 256

static int reserve(struct buf *buf, size_t extra)
{
	size_t wanted = buf->length + extra + 1;
	size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;

	if (wanted < extra || (buf->limit && wanted - 1 > buf->limit))
		return -1;
	if (wanted <= buf->capacity)
		return 0;
	while (capacity < wanted)
		capacity *= 2;
	buf->data = xrealloc(buf->data, capacity, 1);
	buf->capacity = capacity;
	return 0;
}

int buf_append(struct buf *buf, const void *data, size_t length)
{
	if (reserve(buf, length) < 0)
		return -1;
	if (length)
		memcpy(buf->data + buf->length, data, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
	return 0;
}

int buf_append_text(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

int buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (length < 0 || reserve(buf, (size_t)length) < 0)
		return -1;
	va_start(ap, fmt);
	vsnprintf(buf->data + buf->length, (size_t)length + 1, fmt, ap);
	va_end(ap);
	buf->length += (size_t)length;
	return 0;
}

void buf_consume(struct buf *buf, size_t length)
{
	if (length > buf->length)
		length = buf->length;
	if (!length)
		return;
	memmove(buf->data, buf->data + length, buf->length - length + 1);
	buf->length -= length;
}

void buf_clear(struct buf *buf)
{
	buf->length = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = BUF_INIT(buf->limit);
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}
