/*
 * wire.c - counters, rate limit and cancelling of one client's connections.
 *
 * The transports call it on their threads for every piece they move; the
 * counters and flags are atomics, the bucket has a lock that is taken only
 * while a limit is set.
 */
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "crash.h"
#include "err.h"
#include "rate.h"

/* A change of the rate is noticed within this time. */
#define NAP_US (US_PER_S / 5)

struct wire {
	_Atomic uint64_t socket_in, socket_out, plain_in, plain_out;
	atomic_bool cancelled;
	atomic_bool limited;
	int cancel_fd;
	pthread_mutex_t lock; /* of rate */
	struct rate rate;
};

struct wire *wire_new(void)
{
	struct wire *wire = xcalloc(1, sizeof(*wire));

	wire->cancel_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wire->cancel_fd < 0) {
		perror("eventfd: raise the limit of open files");
		abort();
	}
	pthread_mutex_init(&wire->lock, NULL);
	return wire;
}

void wire_free(struct wire *wire)
{
	if (!wire)
		return;
	close(wire->cancel_fd);
	pthread_mutex_destroy(&wire->lock);
	free(wire);
}

void wire_set_rate(struct wire *wire, uint64_t bytes_s)
{
	pthread_mutex_lock(&wire->lock);
	rate_set(&wire->rate, bytes_s, clock_monotonic_us());
	atomic_store(&wire->limited, bytes_s > 0);
	pthread_mutex_unlock(&wire->lock);
}

uint64_t wire_rate(struct wire *wire)
{
	uint64_t bytes_s;

	pthread_mutex_lock(&wire->lock);
	bytes_s = wire->rate.bytes_s;
	pthread_mutex_unlock(&wire->lock);
	return bytes_s;
}

void wire_cancel(struct wire *wire)
{
	const uint64_t one = 1;

	atomic_store(&wire->cancelled, true);
	/* A full counter is readable just as well. */
	if (write(wire->cancel_fd, &one, sizeof(one)) < 0)
		return;
}

void wire_uncancel(struct wire *wire)
{
	uint64_t count;

	atomic_store(&wire->cancelled, false);
	if (read(wire->cancel_fd, &count, sizeof(count)) < 0)
		return;
}

bool wire_cancelled(const struct wire *wire)
{
	return atomic_load(&wire->cancelled);
}

struct wire_counts wire_counts(const struct wire *wire)
{
	struct wire_counts counts = {
		.socket_in = atomic_load(&wire->socket_in),
		.socket_out = atomic_load(&wire->socket_out),
		.plain_in = atomic_load(&wire->plain_in),
		.plain_out = atomic_load(&wire->plain_out),
	};

	return counts;
}

int wire_cancel_fd(const struct wire *wire)
{
	return wire->cancel_fd;
}

void wire_count_socket(struct wire *wire, uint64_t in, uint64_t out)
{
	if (in) {
		atomic_fetch_add(&wire->socket_in, in);
		crash_at_read();
	}
	if (out)
		atomic_fetch_add(&wire->socket_out, out);
}

void wire_count_plain(struct wire *wire, uint64_t in, uint64_t out)
{
	if (in)
		atomic_fetch_add(&wire->plain_in, in);
	if (out)
		atomic_fetch_add(&wire->plain_out, out);
}

size_t wire_chunk(struct wire *wire, size_t wanted)
{
	size_t chunk = wanted;

	if (!atomic_load(&wire->limited))
		return wanted;
	pthread_mutex_lock(&wire->lock);
	chunk = rate_chunk(&wire->rate, wanted);
	pthread_mutex_unlock(&wire->lock);
	return chunk;
}

static int64_t debt_us(struct wire *wire, size_t bytes)
{
	int64_t pause_us;

	pthread_mutex_lock(&wire->lock);
	pause_us = rate_pay(&wire->rate, bytes, clock_monotonic_us());
	pthread_mutex_unlock(&wire->lock);
	return pause_us;
}

int wire_pay(struct wire *wire, size_t bytes, struct err *err)
{
	int64_t pause_us;

	if (!atomic_load(&wire->limited))
		return 0;
	pause_us = debt_us(wire, bytes);
	while (pause_us > 0) {
		if (pause_us > NAP_US)
			pause_us = NAP_US;
		if (wire_wait(wire, -1, 0, pause_us, err) < 0)
			return -1;
		pause_us = debt_us(wire, 0);
	}
	return 0;
}

int wire_wait(struct wire *wire, int fd, short events, int64_t timeout_us,
	struct err *err)
{
	struct pollfd fds[2] = {
		{.fd = wire->cancel_fd, .events = POLLIN},
		{.fd = fd, .events = events},
	};
	struct timespec timeout = {
		.tv_sec = timeout_us / US_PER_S,
		.tv_nsec = timeout_us % US_PER_S * 1000,
	};
	int ready;

	do {
		if (wire_cancelled(wire))
			return err_set(err, ERR_CANCELLED, "cancelled");
		ready = ppoll(fds, 2, timeout_us < 0 ? NULL : &timeout, NULL);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return err_set_errno(err, "poll");
	if (fds[0].revents)
		return err_set(err, ERR_CANCELLED, "cancelled");
	return fds[1].revents;
}
