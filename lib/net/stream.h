/*
 * stream.h - a connected byte stream: TCP, TLS, DEFLATE.
 *
 * Blocking calls on a non-blocking socket: each waits with poll() for the
 * socket, the deadline, the watchdog and the client's cancellation. TLS is
 * verified (chain, host name or address, dates) before a byte of the caller
 * is sent. The end of the connection is an error, never a read of 0 bytes.
 * One thread uses a stream. Every error names host and port and what to do.
 */
#ifndef SLUICE_STREAM_H
#define SLUICE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"

struct err;
struct stream;
struct wire;

struct stream_options {
	struct endpoint endpoint; /* the strings stay the caller's */
	const char *ca_file;	  /* NULL: the system's authorities */
	int64_t connect_us;	  /* connect and handshake; 0: 20 s */
	int64_t stall_us;	  /* no byte either way; 0: 60 s */
};

/*
 * Connects, and with SECURITY_TLS shakes hands. SECURITY_STARTTLS and
 * SECURITY_NONE begin in plain text; the latter is refused when the peer's
 * address is not loopback. WIRE must outlive the stream.
 */
int stream_open(struct stream **stream, const struct stream_options *options,
	struct wire *wire, struct err *err);

/* NULL is allowed. Does not wait for the peer. */
void stream_close(struct stream *stream);

/*
 * From here on TLS. Refused when the peer has already sent bytes past its
 * answer: they would come from whoever sits in between (RFC 9051 11.1).
 */
int stream_starttls(struct stream *stream, struct err *err);

/* From here on raw DEFLATE in both directions (RFC 4978); bytes already
 * received and not consumed count as compressed. */
int stream_deflate(struct stream *stream, struct err *err);

/* The command in hand must be over by then (clock_monotonic_us); 0: none. */
void stream_set_deadline(struct stream *stream, int64_t at_us);

/*
 * Reading. The bytes stay in the stream's buffer until consumed, so that a
 * parser copies nothing; pointers hold until the next call that reads,
 * writes or unreads.
 */
/* What is buffered: the number of bytes, possibly 0. Never waits. */
size_t stream_peek(struct stream *stream, const char **data);

/* Wait until more than HAVE bytes are buffered. -1 with ERR_LIMIT when HAVE
 * is the largest buffer (STREAM_BUFFER_BYTES). */
#define STREAM_BUFFER_BYTES (512 * 1024)
int stream_fill(struct stream *stream, size_t have, struct err *err);

/* BYTES is at most what stream_peek() said. */
void stream_consume(struct stream *stream, size_t bytes);

/* Put bytes back in front, as if never consumed. Fails with ERR_LIMIT. */
int stream_unread(
	struct stream *stream, const char *data, size_t bytes, struct err *err);

/*
 * A line up to and including LF, at *LINE with its length; it is consumed
 * with stream_consume(). -1 with ERR_LIMIT beyond MAX_BYTES.
 */
int stream_line(struct stream *stream, const char **line, size_t *length,
	size_t max_bytes, struct err *err);

/*
 * Writing. Bytes are gathered until stream_flush() or until the buffer is
 * full. While the peer does not take them, what it sends is read meanwhile,
 * so that two full pipes never wait for each other.
 */
int stream_write(
	struct stream *stream, const void *data, size_t bytes, struct err *err);
int stream_flush(struct stream *stream, struct err *err);

/* "imap.example.org:993", for messages; valid as long as the stream. */
const char *stream_name(const struct stream *stream);

#endif
