/*
 * fake_server.c - see fake_server.h.
 */
#include "fake_server.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "deflate.h"
#include "fake_imap.h"

bool fake_wait(struct fake_server *server, int fd, short events)
{
	struct pollfd fds[2] = {{.fd = server->stop[0], .events = POLLIN},
		{.fd = fd, .events = events}};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return !fds[0].revents && fds[1].revents;
}

static ssize_t raw_send(
	struct fake_server *server, const char *data, size_t bytes)
{
	if (server->tls)
		return gnutls_record_send(server->tls, data, bytes);
	return send(server->fd, data, bytes, MSG_NOSIGNAL);
}

ssize_t fake_recv(struct fake_server *server, char *data, size_t bytes)
{
	if (server->tls)
		return gnutls_record_recv(server->tls, data, bytes);
	if (!fake_wait(server, server->fd, POLLIN))
		return -1;
	return recv(server->fd, data, bytes, 0);
}

static bool faulty(const struct fake_server *server)
{
	return !server->fake->cut_connections ||
		server->fake->connections <= server->fake->cut_connections;
}

/* So slowly that it is no silence and no progress either. */
static void drip(struct fake_server *server, const char *data, size_t bytes)
{
	struct timespec pause = {0, (long)server->fake->drip_us * 1000};

	for (size_t i = 0; i < bytes && !server->over; i++) {
		nanosleep(&pause, NULL);
		server->over = raw_send(server, data + i, 1) != 1;
		server->sent++;
	}
}

void fake_put(struct fake_server *server, const char *data, size_t bytes)
{
	size_t limit = faulty(server) ? server->fake->cut_after : 0;
	size_t silence = faulty(server) ? server->fake->stall_after : 0;
	ssize_t sent;

	if (server->fake->drip_us && server->sent + bytes > silence) {
		drip(server, data, bytes);
		return;
	}
	if (silence && server->sent + bytes > silence) {
		if (silence > server->sent)
			(void)raw_send(server, data, silence - server->sent);
		/* Until the client gives up. */
		char byte;
		while (fake_recv(server, &byte, 1) > 0)
			;
		server->over = true;
	}
	if (limit && server->sent + bytes > limit) {
		bytes = limit > server->sent ? limit - server->sent : 0;
		if (bytes)
			(void)raw_send(server, data, bytes);
		server->over = true;
	}
	if (server->deflate &&
		deflate_write(
			server->deflate, data, bytes, &data, &bytes, NULL) < 0)
		abort();
	while (!server->over && bytes) {
		sent = raw_send(server, data, bytes);
		if (sent <= 0) {
			server->over = true;
			return;
		}
		server->sent += (size_t)sent;
		data += sent;
		bytes -= (size_t)sent;
	}
}

void fake_say(struct fake_server *server, const char *fmt, ...)
{
	char *text = NULL;
	int length;
	va_list ap;

	va_start(ap, fmt);
	length = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (length >= 0)
		fake_put(server, text, (size_t)length);
	free(text);
}
