/*
 * imap_pipe.h - our stream as libetpan sees it: by a low-level driver of its
 * public kind, so that TLS, deadlines and cancelling work without its knowing
 * of them.
 *
 * libetpan parses strictly and its results do not say what the server said;
 * the pipe therefore remembers the last bytes received. One thread.
 */
#ifndef SLUICE_IMAP_PIPE_H
#define SLUICE_IMAP_PIPE_H

#include <libetpan/libetpan.h>
#include <stddef.h>

#include "err.h"

struct stream;

#define IMAP_TAIL_BYTES	 2048
#define IMAP_RIDER_BYTES 256

struct imap_pipe {
	struct stream *stream;
	struct err err;			/* why a read or write failed */
	char rider[IMAP_RIDER_BYTES];	/* goes along with the next command */
	char tail[IMAP_TAIL_BYTES + 1]; /* the last bytes received */
	size_t tail_length;
};

/* For mailstream_close(), before which PIPE must not go away. STREAM is not
 * closed with it. */
mailstream *imap_pipe_open(struct imap_pipe *pipe, struct stream *stream);

/* What was received beside libetpan. */
void imap_pipe_remember(struct imap_pipe *pipe, const char *data, size_t bytes);
void imap_pipe_forget(struct imap_pipe *pipe);

/* The last complete line received, without its tag: "NO [CODE] text". */
void imap_pipe_last_words(
	const struct imap_pipe *pipe, char *text, size_t bytes);

#endif
