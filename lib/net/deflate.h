/*
 * deflate.h - raw DEFLATE in both directions (RFC 4978), by zlib. For
 * stream.c. No I/O; one thread.
 */
#ifndef SLUICE_DEFLATE_H
#define SLUICE_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

struct deflate;
struct err;

struct deflate *deflate_new(void);
void deflate_free(struct deflate *codec);

/*
 * Inflate from *IN (*IN_BYTES) to OUT; both are advanced by what was used.
 * Returns the bytes made, 0 when more input is needed (or none is left to
 * give out), -1 for damaged data. Call again with the room there is as long
 * as it returns more than 0: output may be waiting without input.
 */
int64_t deflate_read(struct deflate *codec, const char **in, size_t *in_bytes,
	char *out, size_t room, struct err *err);

/* Compress all of IN and flush to a byte boundary; *OUT with its length is
 * the handle's until the next call. */
int deflate_write(struct deflate *codec, const char *in, size_t bytes,
	const char **out, size_t *out_bytes, struct err *err);

#endif
