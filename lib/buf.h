/*
 * buf.h - a byte string that grows up to a cap.
 *
 * What a peer sends ends in one of these, so every buffer has a largest
 * size from its birth; an append beyond it fails and leaves the content as
 * it was. Always NUL-terminated after the first append. Owned by one thread
 * at a time.
 */
#ifndef SLUICE_BUF_H
#define SLUICE_BUF_H

#include <stddef.h>

struct buf {
	char *data; /* NULL until the first append */
	size_t length;
	size_t capacity;
	size_t limit; /* 0: no limit, for what we made ourselves */
};

#define BUF_INIT(limit_bytes) ((struct buf){NULL, 0, 0, (limit_bytes)})

/* 0, or -1 when the limit would be passed. */
int buf_append(struct buf *buf, const void *data, size_t length);
int buf_append_text(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Remove LENGTH bytes (at most what is there) from the front. */
void buf_consume(struct buf *buf, size_t length);

/* Forget the content, keep the memory. */
void buf_clear(struct buf *buf);

/* Give back the memory; the limit stays. */
void buf_free(struct buf *buf);

/* The content as a C string; "" for a buffer that never held anything. */
const char *buf_text(const struct buf *buf);

#endif
