/* connect.c - see connect.h. Runs on the thread of the stream; the resolver
 * cannot be interrupted and is asked aside. */
#include "connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "account.h"
#include "alloc.h"
#include "aside.h"
#include "clock.h"
#include "err.h"
#include "wire.h"

struct question {
	char *host;
	char port[8];
	struct addrinfo *list; /* the answer */
	int code, error;       /* of getaddrinfo(), and its errno */
};

static void ask(void *state)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct question *question = state;

	question->code = getaddrinfo(
		question->host, question->port, &hints, &question->list);
	question->error = errno;
}

static void release(void *state)
{
	struct question *question = state;

	if (question->list)
		freeaddrinfo(question->list);
	free(question->host);
	free(question);
}

static const struct aside resolver = {
	.run = ask,
	.release = release,
	.what = "cannot resolve the host name",
};

static struct question *resolve(const struct endpoint *endpoint,
	int64_t deadline_us, struct wire *wire, struct err *err)
{
	struct question *question = xcalloc(1, sizeof(*question));

	question->host = xstrdup(endpoint->host);
	snprintf(question->port, sizeof(question->port), "%u",
		(unsigned)endpoint->port);
	if (aside_run(&resolver, question, wire, deadline_us, err) < 0)
		return NULL;
	if (!question->code)
		return question;
	err_set(err, ERR_NETWORK,
		"cannot resolve the host name: %s; check the name and "
		"the resolver",
		question->code == EAI_SYSTEM ? strerror(question->error)
					     : gai_strerror(question->code));
	release(question);
	return NULL;
}

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	if (address->sa_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return v6->sin6_addr.s6_addr[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static void tune(int fd)
{
	const int on = 1;
	const int idle_s = 60;
	const int interval_s = 20;

	/* Each fails on odd sockets only, and then nothing is lost. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s,
		sizeof(interval_s));
}

void connect_quick_ack(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

void connect_wake_at(int fd, int bytes)
{
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

static int wait_connected(
	int fd, int64_t deadline_us, struct wire *wire, struct err *err)
{
	int64_t left_us = deadline_us - clock_monotonic_us();
	socklen_t length = sizeof(int);
	int code = 0;
	int ready;

	ready = wire_wait(wire, fd, POLLOUT, left_us > 0 ? left_us : 0, err);
	if (ready < 0)
		return -1;
	if (!ready)
		return err_set(err, ERR_TIMEOUT,
			"no answer to the connection attempt; check host, port "
			"and firewall");
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length);
	if (!code)
		return 0;
	errno = code;
	err_set_errno(err, "cannot connect");
	return code == ECONNREFUSED
		? err_hint(err, "is the server running, and the port right?")
		: -1;
}

static int connect_one(const struct addrinfo *address, int64_t deadline_us,
	struct wire *wire, struct err *err)
{
	int fd = socket(address->ai_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		err_set_errno(err, "cannot open a socket");
		return errno == EMFILE ? err_hint(err,
						 "raise the limit of open "
						 "files (ulimit -n)")
				       : -1;
	}
	tune(fd);
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 &&
		errno != EINPROGRESS) {
		err_set_errno(err, "cannot connect");
		goto close_fd;
	}
	if (wait_connected(fd, deadline_us, wire, err) < 0)
		goto close_fd;
	return fd;
close_fd:
	close(fd);
	return -1;
}

int connect_tcp(const struct endpoint *endpoint, bool loopback_only,
	int64_t deadline_us, struct wire *wire, struct err *err)
{
	const struct addrinfo *address;
	struct question *answer;
	struct err last = ERR_INIT;
	int fd = -1;

	answer = resolve(endpoint, deadline_us, wire, err);
	if (!answer)
		return -1;
	for (address = answer->list; address && fd < 0;
		address = address->ai_next) {
		if (loopback_only && !is_loopback(address->ai_addr)) {
			err_set(&last, ERR_CONFIG,
				"plain text is only allowed to this machine "
				"itself; set security to tls or starttls");
			continue;
		}
		fd = connect_one(address, deadline_us, wire, &last);
		if (fd < 0 && last.kind == ERR_CANCELLED)
			break;
	}
	release(answer);
	if (fd < 0 && err)
		*err = last;
	return fd;
}
