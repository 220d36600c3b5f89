/*
 * wire.h - what all connections of one client share: the byte counters, the
 * rate limit and the order to stop.
 *
 * The thread that syncs makes it and hands it to every stream and HTTP
 * handle of that client; any other thread may meanwhile read the counters,
 * change the rate or cancel. It must outlive the connections that use it.
 */
#ifndef SLUICE_WIRE_H
#define SLUICE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct wire;

/* Cumulative since wire_new(). Socket bytes include TLS and compression,
 * plain bytes are what the protocol on top saw. */
struct wire_counts {
	uint64_t socket_in, socket_out;
	uint64_t plain_in, plain_out;
};

/* Ends the process when the system has no descriptor left for it. */
struct wire *wire_new(void);
void wire_free(struct wire *wire);

/* Bytes a second over all connections, both directions; 0: no limit. Takes
 * effect within a quarter of a second, also on a transfer that runs. */
void wire_set_rate(struct wire *wire, uint64_t bytes_s);
uint64_t wire_rate(struct wire *wire);

/* Makes every call that waits, and every later one, fail with ERR_CANCELLED
 * at once, until wire_uncancel(). */
void wire_cancel(struct wire *wire);
void wire_uncancel(struct wire *wire);
bool wire_cancelled(const struct wire *wire);

/* A consistent enough view: each counter is exact, none goes back. */
struct wire_counts wire_counts(const struct wire *wire);

/*
 * For the transports only.
 */
/* Becomes readable when the client is cancelled; for poll(), never read. */
int wire_cancel_fd(const struct wire *wire);
void wire_count_socket(struct wire *wire, uint64_t in, uint64_t out);
void wire_count_plain(struct wire *wire, uint64_t in, uint64_t out);
/* How much to read at once so that the limit stays smooth. */
size_t wire_chunk(struct wire *wire, size_t wanted);
/* Pay for BYTES that have passed: waits until the bucket allows more.
 * Fails only with ERR_CANCELLED. */
int wire_pay(struct wire *wire, size_t bytes, struct err *err);
/* Wait for EVENTS (poll.h) on FD. Returns the events that came, 0 after
 * TIMEOUT_US, -1 when cancelled or on an error. */
int wire_wait(struct wire *wire, int fd, short events, int64_t timeout_us,
	struct err *err);

#endif
