/* deflate.c - see deflate.h. */
#include "deflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "alloc.h"
#include "buf.h"
#include "err.h"

#define RAW_WINDOW_BITS (-15) /* negative: no zlib header, RFC 4978 */
#define MEMORY_LEVEL	8
#define LEVEL		6
#define PIECE		(16 * 1024)
/* stream.c writes at most 64 KiB at a time. */
#define OUT_LIMIT (256 * 1024)

struct deflate {
	z_stream in, out;
	struct buf packed;
};

struct deflate *deflate_new(void)
{
	struct deflate *codec = xcalloc(1, sizeof(*codec));

	if (inflateInit2(&codec->in, RAW_WINDOW_BITS) != Z_OK ||
		deflateInit2(&codec->out, LEVEL, Z_DEFLATED, RAW_WINDOW_BITS,
			MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* zlib fails here only without memory */
	codec->packed = BUF_INIT(OUT_LIMIT);
	return codec;
}

void deflate_free(struct deflate *codec)
{
	if (!codec)
		return;
	inflateEnd(&codec->in);
	deflateEnd(&codec->out);
	buf_free(&codec->packed);
	free(codec);
}

int64_t deflate_read(struct deflate *codec, const char **in, size_t *in_bytes,
	char *out, size_t room, struct err *err)
{
	z_stream *z = &codec->in;
	int code;

	z->next_in = (z_const Bytef *)*in;
	z->avail_in = (uInt)*in_bytes;
	z->next_out = (Bytef *)out;
	z->avail_out = (uInt)room;
	code = inflate(z, Z_SYNC_FLUSH);
	*in = (const char *)z->next_in;
	*in_bytes = z->avail_in;
	if (code == Z_STREAM_END && z->avail_out == room)
		return err_set(err, ERR_PROTOCOL,
			"ended the compression in mid-session");
	if (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END)
		return err_set(err, ERR_PROTOCOL, "damaged compressed data: %s",
			z->msg ? z->msg : "zlib error");
	return (int64_t)(room - z->avail_out);
}

int deflate_write(struct deflate *codec, const char *in, size_t bytes,
	const char **out, size_t *out_bytes, struct err *err)
{
	z_stream *z = &codec->out;
	unsigned char piece[PIECE];

	buf_clear(&codec->packed);
	z->next_in = (z_const Bytef *)in;
	z->avail_in = (uInt)bytes;
	do {
		z->next_out = piece;
		z->avail_out = sizeof(piece);
		deflate(z, Z_SYNC_FLUSH);
		if (buf_append(&codec->packed, piece,
			    sizeof(piece) - z->avail_out) < 0)
			return err_set(
				err, ERR_LIMIT, "too much to compress at once");
	} while (z->avail_out == 0);
	*out = buf_text(&codec->packed);
	*out_bytes = codec->packed.length;
	return 0;
}
