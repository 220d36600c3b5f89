/*
 * relay.c - a TCP relay on loopback that is as slow as a long line: every
 * byte arrives later by a delay, and no more pass in a second than a rate
 * allows, in each direction, over all connections together. For kernels
 * without netem. One thread, libuv; ends on SIGTERM or SIGINT.
 *
 * usage: relay --to HOST:PORT [--listen PORT] [--delay MS] [--rate BYTES]
 *        [--window BYTES]
 * prints the port it listens on. The delay is one way: half a round trip. The
 * window is what one connection may have under way, as with TCP: no connection
 * carries more than that in a round trip.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/queue.h>
#include <uv.h>

#include "alloc.h"
#include "clock.h"

#define PIECE_BYTES  16384
#define QUEUED_BYTES (8 << 20)

struct piece {
	STAILQ_ENTRY(piece) link;
	int64_t due_us;
	size_t length;
	char data[PIECE_BYTES];
};

/* The line, one way. */
struct line {
	uint64_t rate_bytes_s; /* 0: no limit */
	int64_t free_us;       /* when the last byte has left */
};

struct relay {
	uv_loop_t loop;
	uv_tcp_t listener;
	uv_signal_t term, interrupt;
	struct sockaddr_in to;
	int64_t delay_us;
	size_t queued_max;    /* of one direction; then reading stops */
	struct line lines[2]; /* from the client, from the server */
};

struct connection;

/* One way of one connection. */
struct way {
	struct connection *connection;
	struct line *line;
	uv_tcp_t *from, *to;
	uv_timer_t timer;
	STAILQ_HEAD(, piece) queue;
	size_t queued_bytes;
	bool stopped; /* reading, because the queue is full */
	bool ended;   /* nothing more comes */
};

struct connection {
	struct relay *relay;
	uv_tcp_t client, server;
	uv_connect_t connect;
	struct way ways[2];
	int64_t opened_us; /* no byte is earlier than a handshake after this */
	int open_handles;
	bool closing;
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;
	int i;

	if (--c->open_handles > 0)
		return;
	for (i = 0; i < 2; i++)
		while (!STAILQ_EMPTY(&c->ways[i].queue)) {
			struct piece *piece = STAILQ_FIRST(&c->ways[i].queue);

			STAILQ_REMOVE_HEAD(&c->ways[i].queue, link);
			free(piece);
		}
	free(c);
}

static void connection_close(struct connection *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->client, on_handle_closed);
	uv_close((uv_handle_t *)&c->server, on_handle_closed);
	uv_close((uv_handle_t *)&c->ways[0].timer, on_handle_closed);
	uv_close((uv_handle_t *)&c->ways[1].timer, on_handle_closed);
}

static void way_run(struct way *way);

struct writing {
	uv_write_t request;
	struct way *way;
	struct piece *piece;
};

static void on_written(uv_write_t *request, int status)
{
	struct writing *writing = request->data;
	struct connection *c = writing->way->connection;

	free(writing->piece);
	free(writing);
	if (status < 0)
		connection_close(c);
}

static void write_piece(struct way *way, struct piece *piece)
{
	struct writing *writing = xcalloc(1, sizeof(*writing));
	uv_buf_t buf = uv_buf_init(piece->data, (unsigned)piece->length);

	writing->request.data = writing;
	writing->way = way;
	writing->piece = piece;
	if (uv_write(&writing->request, (uv_stream_t *)way->to, &buf, 1,
		    on_written) == 0)
		return;
	free(piece);
	free(writing);
	connection_close(way->connection);
}

static void on_timer(uv_timer_t *timer)
{
	struct connection *c = timer->data;

	way_run(timer == &c->ways[0].timer ? &c->ways[0] : &c->ways[1]);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct piece *piece = xcalloc(1, sizeof(*piece));

	(void)handle;
	(void)wanted;
	*buf = uv_buf_init(piece->data, PIECE_BYTES);
}

static struct piece *piece_of(const uv_buf_t *buf)
{
	return (struct piece *)(void *)(buf->base -
		offsetof(struct piece, data));
}

/* When the last of LENGTH bytes that are there now comes out at the end. */
static int64_t due(struct way *way, size_t length)
{
	const struct connection *c = way->connection;
	struct line *line = way->line;
	int64_t delay_us = c->relay->delay_us;
	int64_t start_us = clock_monotonic_us();

	if (start_us < c->opened_us + 2 * delay_us)
		start_us = c->opened_us + 2 * delay_us;
	if (line->rate_bytes_s) {
		if (line->free_us < start_us)
			line->free_us = start_us;
		line->free_us += (int64_t)(length * 1000000 /
			line->rate_bytes_s);
		start_us = line->free_us;
	}
	return start_us + delay_us;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct connection *c = stream->data;
	struct way *way = stream == (uv_stream_t *)&c->client ? &c->ways[0]
							      : &c->ways[1];
	struct piece *piece = buf->base ? piece_of(buf) : NULL;

	if (got <= 0) {
		free(piece);
		if (got < 0) {
			uv_read_stop(stream);
			way->ended = true;
			way_run(way);
		}
		return;
	}
	piece->length = (size_t)got;
	piece->due_us = due(way, piece->length);
	STAILQ_INSERT_TAIL(&way->queue, piece, link);
	way->queued_bytes += piece->length;
	if (way->queued_bytes >= c->relay->queued_max) {
		uv_read_stop(stream);
		way->stopped = true;
	}
	way_run(way);
}

/* Pass on what is due, and wait for what is not. */
static void way_run(struct way *way)
{
	struct piece *piece;

	while ((piece = STAILQ_FIRST(&way->queue)) &&
		!way->connection->closing) {
		int64_t wait_us = piece->due_us - clock_monotonic_us();

		if (wait_us > 0) {
			uv_timer_start(&way->timer, on_timer,
				(uint64_t)(wait_us + 999) / 1000, 0);
			break;
		}
		STAILQ_REMOVE_HEAD(&way->queue, link);
		way->queued_bytes -= piece->length;
		write_piece(way, piece);
	}
	if (way->connection->closing)
		return;
	if (way->stopped &&
		way->queued_bytes < way->connection->relay->queued_max) {
		way->stopped = false;
		uv_read_start((uv_stream_t *)way->from, on_alloc, on_read);
	}
	if (way->ended && STAILQ_EMPTY(&way->queue))
		connection_close(way->connection);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct connection *c = request->data;

	if (status < 0 || c->closing) {
		connection_close(c);
		return;
	}
	uv_tcp_nodelay(&c->client, 1);
	uv_tcp_nodelay(&c->server, 1);
	uv_read_start((uv_stream_t *)&c->client, on_alloc, on_read);
	uv_read_start((uv_stream_t *)&c->server, on_alloc, on_read);
}

static void way_init(struct connection *c, int i, uv_tcp_t *from, uv_tcp_t *to)
{
	struct way *way = &c->ways[i];

	way->connection = c;
	way->line = &c->relay->lines[i];
	way->from = from;
	way->to = to;
	STAILQ_INIT(&way->queue);
	uv_timer_init(&c->relay->loop, &way->timer);
	way->timer.data = c;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct relay *relay = listener->data;
	struct connection *c;

	if (status < 0)
		return;
	c = xcalloc(1, sizeof(*c));
	c->relay = relay;
	c->opened_us = clock_monotonic_us();
	c->open_handles = 4;
	uv_tcp_init(&relay->loop, &c->client);
	uv_tcp_init(&relay->loop, &c->server);
	c->client.data = c->server.data = c->connect.data = c;
	way_init(c, 0, &c->client, &c->server);
	way_init(c, 1, &c->server, &c->client);
	if (uv_accept(listener, (uv_stream_t *)&c->client) < 0 ||
		uv_tcp_connect(&c->connect, &c->server,
			(const struct sockaddr *)&relay->to, on_connected) < 0)
		connection_close(c);
}

static void on_signal(uv_signal_t *signal, int number)
{
	(void)number;
	uv_stop(signal->loop);
}

static int fail(const char *what, int code)
{
	fprintf(stderr, "relay: %s: %s\n", what, uv_strerror(code));
	return 1;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: relay --to HOST:PORT [--listen PORT] "
		"[--delay MS] [--rate BYTES_PER_SECOND] "
		"[--window BYTES]\n");
	return 2;
}

static bool read_options(struct relay *relay, int *port, int argc, char **argv)
{
	char host[64] = "";
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		long long number = strtoll(argv[i + 1], NULL, 10);
		const char *colon = strrchr(argv[i + 1], ':');

		if (strcmp(argv[i], "--to") == 0 && colon) {
			snprintf(host, sizeof(host), "%.*s",
				(int)(colon - argv[i + 1]), argv[i + 1]);
			if (uv_ip4_addr(host, (int)strtol(colon + 1, NULL, 10),
				    &relay->to) != 0)
				return false;
		} else if (strcmp(argv[i], "--listen") == 0) {
			*port = (int)number;
		} else if (strcmp(argv[i], "--delay") == 0) {
			relay->delay_us = number * US_PER_MS;
		} else if (strcmp(argv[i], "--rate") == 0) {
			relay->lines[0].rate_bytes_s = (uint64_t)number;
			relay->lines[1].rate_bytes_s = (uint64_t)number;
		} else if (strcmp(argv[i], "--window") == 0) {
			/* It is under way for half of a round trip. */
			relay->queued_max = (size_t)number / 2;
		} else {
			return false;
		}
	}
	return i == argc && host[0];
}

int main(int argc, char **argv)
{
	static struct relay relay;
	struct sockaddr_in address;
	int length = sizeof(address);
	int port = 0;
	int code;

	relay.queued_max = QUEUED_BYTES;
	if (!read_options(&relay, &port, argc, argv))
		return usage();
	uv_loop_init(&relay.loop);
	uv_tcp_init(&relay.loop, &relay.listener);
	relay.listener.data = &relay;
	uv_ip4_addr("127.0.0.1", port, &address);
	code = uv_tcp_bind(
		&relay.listener, (const struct sockaddr *)&address, 0);
	if (code == 0)
		code = uv_listen(
			(uv_stream_t *)&relay.listener, 64, on_connection);
	if (code < 0)
		return fail("listen", code);
	uv_tcp_getsockname(
		&relay.listener, (struct sockaddr *)&address, &length);
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	uv_signal_init(&relay.loop, &relay.term);
	uv_signal_init(&relay.loop, &relay.interrupt);
	uv_signal_start(&relay.term, on_signal, SIGTERM);
	uv_signal_start(&relay.interrupt, on_signal, SIGINT);
	uv_run(&relay.loop, UV_RUN_DEFAULT);
	return 0;
}
