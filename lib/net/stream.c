/*
 * stream.c - a connected byte stream, see stream.h.
 *
 *   socket -> [TLS] -> [DEFLATE] -> input buffer -> peek and consume
 *   write -> output buffer -> [DEFLATE] -> [TLS] -> socket
 *
 * Runs on the thread that owns the stream. Nothing below transport_read()
 * and transport_write() waits; all waiting is in wait_ready(), which knows
 * deadline, watchdog and cancelling. The rate limit is paid after the fact.
 */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "connect.h"
#include "deflate.h"
#include "err.h"
#include "tls.h"
#include "wire.h"

#define OUT_BYTES    (64 * 1024)
#define PACKED_BYTES (64 * 1024)
#define CONNECT_US   (20 * US_PER_S)
#define STALL_US     (60 * US_PER_S)

/* Less room than this at the end of the input buffer: move what is left to
 * the front, else reads get small. */
#define ROOM_MIN (64 * 1024)

/* The answer of a transport call that has to wait for the socket. */
#define AGAIN TLS_AGAIN

/*
 * A server that sends in small writes would wake us for each of them, at the
 * cost of both sides. While GATHER_BYTES come within GATHER_US, the kernel is
 * asked to wake us for no less; the first time that this takes longer, every
 * byte counts again, for CALM_US at least.
 */
#define GATHER_BYTES (128 * 1024)
#define GATHER_US    US_PER_MS
#define CALM_US	     (32 * US_PER_MS)

struct stream {
	int fd;
	struct wire *wire;
	struct tls *tls;	 /* NULL: plain text */
	struct deflate *deflate; /* NULL: not compressed */
	char *name;
	char *host;
	char *ca_file;
	int64_t connect_us, stall_us;
	int64_t deadline_us; /* 0: none */
	int64_t moved_us;    /* when a byte passed last */
	size_t owed;	     /* moved and not yet paid to the rate limit */
	bool drained;	     /* the last read took all there was */
	bool gathers;	     /* the socket wakes us for GATHER_BYTES */
	size_t gathered;     /* received since... */
	int64_t gather_us;   /* ...this moment */
	char *in;	     /* STREAM_BUFFER_BYTES */
	size_t in_start, in_end;
	char *packed; /* received, not yet inflated; PACKED_BYTES */
	size_t packed_start, packed_end;
	bool inflate_more; /* zlib may have output without new input */
	char *out;	   /* OUT_BYTES */
	size_t out_end;
};

static ssize_t socket_recv(void *context, void *data, size_t bytes)
{
	struct stream *stream = context;
	size_t chunk = wire_chunk(stream->wire, bytes);
	ssize_t got;

	if (stream->drained) {
		stream->drained = false;
		errno = EAGAIN;
		return -1;
	}
	got = recv(stream->fd, data, chunk, 0);
	if (got > 0) {
		wire_count_socket(stream->wire, (uint64_t)got, 0);
		stream->owed += (size_t)got;
		stream->gathered += (size_t)got;
		stream->drained = (size_t)got < chunk;
	}
	return got;
}

static ssize_t socket_send(void *context, const void *data, size_t bytes)
{
	struct stream *stream = context;
	ssize_t sent;

	sent = send(stream->fd, data, wire_chunk(stream->wire, bytes),
		MSG_NOSIGNAL);
	if (sent > 0) {
		wire_count_socket(stream->wire, 0, (uint64_t)sent);
		stream->owed += (size_t)sent;
	}
	return sent;
}

static void gather(struct stream *stream, bool on)
{
	if (stream->gathers != on)
		connect_wake_at(stream->fd, on ? GATHER_BYTES : 1);
	stream->gathers = on;
}

/* Does so much come that gathering it takes no time? */
static void weigh_flow(struct stream *stream)
{
	if (stream->moved_us - stream->gather_us < GATHER_US)
		return;
	if (stream->gathered >= GATHER_BYTES && !stream->gathers)
		gather(stream, true);
	stream->gathered = 0;
	stream->gather_us = stream->moved_us;
}

static int64_t moved(struct stream *stream, int64_t bytes, struct err *err)
{
	size_t owed = stream->owed;

	stream->owed = 0;
	if (owed && wire_pay(stream->wire, owed, err) < 0)
		return -1;
	if (bytes > 0) {
		stream->moved_us = clock_monotonic_us();
		weigh_flow(stream);
	}
	return bytes;
}

static int64_t transport_read(
	struct stream *stream, void *data, size_t bytes, struct err *err)
{
	int64_t got;

	if (stream->tls) {
		got = tls_read(stream->tls, data, bytes, err);
		return got == -1 ? -1 : moved(stream, got, err);
	}
	got = socket_recv(stream, data, bytes);
	if (got > 0)
		return moved(stream, got, err);
	if (got == 0)
		return err_set(err, ERR_NETWORK, "closed the connection");
	if (errno == EAGAIN || errno == EINTR)
		return AGAIN;
	return err_set_errno(err, "cannot receive");
}

static int64_t transport_write(
	struct stream *stream, const void *data, size_t bytes, struct err *err)
{
	int64_t sent;

	if (stream->tls) {
		sent = tls_write(stream->tls, data, bytes, err);
		return sent == -1 ? -1 : moved(stream, sent, err);
	}
	sent = socket_send(stream, data, bytes);
	if (sent >= 0)
		return moved(stream, sent, err);
	if (errno == EAGAIN || errno == EINTR)
		return AGAIN;
	return err_set_errno(err, "cannot send");
}

/* Wait for EVENTS, counting silence from FROM_US. Returns what came. */
static int wait_ready(
	struct stream *stream, short events, int64_t from_us, struct err *err)
{
	int64_t now_us = clock_monotonic_us();
	int64_t until_us;
	int ready;

	if (stream->moved_us > from_us)
		from_us = stream->moved_us;
	until_us = from_us + stream->stall_us;
	if (stream->deadline_us && stream->deadline_us < until_us)
		until_us = stream->deadline_us;
	if (until_us <= now_us) {
		if (stream->deadline_us && stream->deadline_us <= now_us)
			return err_set(err, ERR_TIMEOUT,
				"the command took longer than allowed; the "
				"server or the network is too slow");
		return err_set(err, ERR_TIMEOUT,
			"nothing moved for %lld s; the server or the network "
			"hangs",
			(long long)((now_us - from_us) / US_PER_S));
	}
	if (stream->gathers && until_us - now_us > GATHER_US) {
		ready = wire_wait(
			stream->wire, stream->fd, events, GATHER_US, err);
		if (ready)
			return ready;
		gather(stream, false);
		stream->gathered = 0;
		stream->gather_us = now_us + CALM_US;
	}
	if (events & POLLIN)
		connect_quick_ack(stream->fd);
	return wire_wait(
		stream->wire, stream->fd, events, until_us - now_us, err);
}

static int64_t read_packed(struct stream *stream, size_t room, struct err *err)
{
	const char *in;
	size_t in_bytes;
	int64_t got;

	for (;;) {
		in = stream->packed + stream->packed_start;
		in_bytes = stream->packed_end - stream->packed_start;
		if (in_bytes || stream->inflate_more) {
			got = deflate_read(stream->deflate, &in, &in_bytes,
				stream->in + stream->in_end, room, err);
			stream->packed_start = stream->packed_end - in_bytes;
			stream->inflate_more = got == (int64_t)room;
			if (got)
				return got;
		}
		got = transport_read(stream, stream->packed, PACKED_BYTES, err);
		if (got < 0)
			return got;
		stream->packed_start = 0;
		stream->packed_end = (size_t)got;
	}
}

/* Bring more bytes into the input buffer, which has room: how many, AGAIN,
 * or -1. */
static int64_t read_some(struct stream *stream, struct err *err)
{
	size_t room = STREAM_BUFFER_BYTES - stream->in_end;
	int64_t got;

	if (stream->in_start == stream->in_end) {
		stream->in_start = stream->in_end = 0;
		room = STREAM_BUFFER_BYTES;
	} else if (room < ROOM_MIN && stream->in_start > 0) {
		memmove(stream->in, stream->in + stream->in_start,
			stream->in_end - stream->in_start);
		stream->in_end -= stream->in_start;
		stream->in_start = 0;
		room = STREAM_BUFFER_BYTES - stream->in_end;
	}
	if (stream->deflate)
		got = read_packed(stream, room, err);
	else
		got = transport_read(
			stream, stream->in + stream->in_end, room, err);
	if (got > 0) {
		stream->in_end += (size_t)got;
		wire_count_plain(stream->wire, (uint64_t)got, 0);
	}
	return got;
}

static bool has_room(const struct stream *stream)
{
	return stream->in_end - stream->in_start < STREAM_BUFFER_BYTES;
}

static int send_all(
	struct stream *stream, const char *data, size_t bytes, struct err *err)
{
	int64_t from_us = clock_monotonic_us();
	int64_t sent;
	int ready;

	while (bytes) {
		sent = transport_write(stream, data, bytes, err);
		if (sent == -1)
			return -1;
		if (sent >= 0) {
			data += sent;
			bytes -= (size_t)sent;
			continue;
		}
		ready = wait_ready(stream,
			has_room(stream) ? POLLIN | POLLOUT : POLLOUT, from_us,
			err);
		if (ready < 0)
			return -1;
		if (ready & POLLIN && has_room(stream) &&
			read_some(stream, err) == -1)
			return -1;
	}
	return 0;
}

static int flush(struct stream *stream, struct err *err)
{
	const char *data = stream->out;
	size_t bytes = stream->out_end;

	if (!bytes)
		return 0;
	stream->out_end = 0;
	if (stream->deflate &&
		deflate_write(stream->deflate, stream->out, bytes, &data,
			&bytes, err) < 0)
		return -1;
	return send_all(stream, data, bytes, err);
}

static int fill(struct stream *stream, size_t have, struct err *err)
{
	int64_t from_us = clock_monotonic_us();
	int64_t got;

	if (flush(stream, err) < 0)
		return -1;
	while (stream->in_end - stream->in_start <= have) {
		if (!has_room(stream))
			return err_set(err, ERR_LIMIT,
				"more than %d bytes in one piece",
				STREAM_BUFFER_BYTES);
		got = read_some(stream, err);
		if (got == -1)
			return -1;
		if (got == AGAIN &&
			wait_ready(stream, POLLIN, from_us, err) < 0)
			return -1;
	}
	return 0;
}

static int start_tls(struct stream *stream, struct err *err)
{
	const struct tls_io io = {socket_recv, socket_send, stream};
	int64_t from_us = clock_monotonic_us();
	struct tls *tls = NULL;
	int result;

	if (tls_new(&tls, stream->host, stream->ca_file, &io, err) < 0)
		return -1;
	if (!stream->deadline_us ||
		stream->deadline_us > from_us + stream->connect_us)
		stream->deadline_us = from_us + stream->connect_us;
	while ((result = tls_handshake(tls, err)) == AGAIN)
		if (moved(stream, 1, err) < 0 ||
			wait_ready(stream,
				tls_wants_write(tls) ? POLLOUT : POLLIN,
				from_us, err) < 0) {
			result = -1;
			break;
		}
	stream->deadline_us = 0;
	if (result < 0) {
		tls_free(tls);
		return -1;
	}
	stream->tls = tls;
	return 0;
}

int stream_open(struct stream **out, const struct stream_options *options,
	struct wire *wire, struct err *err)
{
	const struct endpoint *endpoint = &options->endpoint;
	struct stream *stream = xcalloc(1, sizeof(*stream));
	int64_t connect_us = options->connect_us ? options->connect_us
						 : CONNECT_US;

	stream->wire = wire;
	stream->host = xstrdup(endpoint->host);
	stream->ca_file = xstrdup(options->ca_file);
	stream->name = xasprintf(
		"%s:%u", endpoint->host, (unsigned)endpoint->port);
	stream->connect_us = connect_us;
	stream->stall_us = options->stall_us ? options->stall_us : STALL_US;
	stream->in = xcalloc(1, STREAM_BUFFER_BYTES);
	stream->out = xcalloc(1, OUT_BYTES);
	stream->fd = connect_tcp(endpoint, endpoint->security == SECURITY_NONE,
		clock_monotonic_us() + connect_us, wire, err);
	if (stream->fd < 0 ||
		(endpoint->security == SECURITY_TLS &&
			start_tls(stream, err) < 0)) {
		err_context(err, "%s", stream->name);
		stream_close(stream);
		return -1;
	}
	*out = stream;
	return 0;
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	tls_free(stream->tls);
	deflate_free(stream->deflate);
	if (stream->fd >= 0)
		close(stream->fd);
	free(stream->name);
	free(stream->host);
	free(stream->ca_file);
	free(stream->in);
	free(stream->packed);
	free(stream->out);
	free(stream);
}

int stream_starttls(struct stream *stream, struct err *err)
{
	if (stream->in_end != stream->in_start) {
		err_set(err, ERR_TLS,
			"sent data before the TLS handshake: somebody in "
			"between injects commands");
		return err_context(err, "%s", stream->name);
	}
	if (flush(stream, err) < 0 || start_tls(stream, err) < 0)
		return err_context(err, "%s", stream->name);
	return 0;
}

int stream_deflate(struct stream *stream, struct err *err)
{
	size_t held = stream->in_end - stream->in_start;

	if (flush(stream, err) < 0)
		return err_context(err, "%s", stream->name);
	if (held > PACKED_BYTES) {
		err_set(err, ERR_LIMIT, "too much data before compression");
		return err_context(err, "%s", stream->name);
	}
	stream->packed = xcalloc(1, PACKED_BYTES);
	memcpy(stream->packed, stream->in + stream->in_start, held);
	stream->packed_end = held;
	stream->in_start = stream->in_end = 0;
	stream->deflate = deflate_new();
	return 0;
}

void stream_set_deadline(struct stream *stream, int64_t at_us)
{
	stream->deadline_us = at_us;
}

size_t stream_peek(struct stream *stream, const char **data)
{
	*data = stream->in + stream->in_start;
	return stream->in_end - stream->in_start;
}

int stream_fill(struct stream *stream, size_t have, struct err *err)
{
	if (fill(stream, have, err) < 0)
		return err_context(err, "%s", stream->name);
	return 0;
}

void stream_consume(struct stream *stream, size_t bytes)
{
	stream->in_start += bytes;
}

int stream_unread(
	struct stream *stream, const char *data, size_t bytes, struct err *err)
{
	size_t held = stream->in_end - stream->in_start;

	if (held + bytes > STREAM_BUFFER_BYTES)
		return err_set(err, ERR_LIMIT, "%s: too much to put back",
			stream->name);
	if (stream->in_start < bytes) {
		memmove(stream->in + bytes, stream->in + stream->in_start,
			held);
		stream->in_start = bytes;
		stream->in_end = bytes + held;
	}
	stream->in_start -= bytes;
	memcpy(stream->in + stream->in_start, data, bytes);
	return 0;
}

int stream_line(struct stream *stream, const char **line, size_t *length,
	size_t max_bytes, struct err *err)
{
	const char *data;
	const char *end;
	size_t seen = 0;
	size_t held;

	for (;;) {
		held = stream_peek(stream, &data);
		end = memchr(data + seen, '\n', held - seen);
		if (end && (size_t)(end - data) < max_bytes) {
			*line = data;
			*length = (size_t)(end - data) + 1;
			return 0;
		}
		if (end || held >= max_bytes)
			return err_set(err, ERR_LIMIT,
				"%s: sent a line of more than %zu bytes",
				stream->name, max_bytes);
		seen = held;
		if (stream_fill(stream, held, err) < 0)
			return -1;
	}
}

int stream_write(
	struct stream *stream, const void *data, size_t bytes, struct err *err)
{
	const char *next = data;
	size_t piece;

	wire_count_plain(stream->wire, 0, bytes);
	while (bytes) {
		piece = OUT_BYTES - stream->out_end;
		if (piece > bytes)
			piece = bytes;
		memcpy(stream->out + stream->out_end, next, piece);
		stream->out_end += piece;
		next += piece;
		bytes -= piece;
		if (stream->out_end == OUT_BYTES && flush(stream, err) < 0)
			return err_context(err, "%s", stream->name);
	}
	return 0;
}

int stream_flush(struct stream *stream, struct err *err)
{
	if (flush(stream, err) < 0)
		return err_context(err, "%s", stream->name);
	return 0;
}

const char *stream_name(const struct stream *stream)
{
	return stream->name;
}
