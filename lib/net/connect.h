/*
 * connect.h - a TCP connection to an endpoint. For stream.c.
 */
#ifndef SLUICE_CONNECT_H
#define SLUICE_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

struct endpoint;
struct err;
struct wire;

/*
 * Tries the host's addresses one after the other until DEADLINE_US
 * (monotonic). Returns a non-blocking socket with the settings that bulk
 * transfer wants, or -1. With LOOPBACK_ONLY, other addresses are refused
 * before a packet is sent. A resolver that does not come back delays neither
 * the deadline nor cancelling.
 */
int connect_tcp(const struct endpoint *endpoint, bool loopback_only,
	int64_t deadline_us, struct wire *wire, struct err *err);

/* Ask the kernel to acknowledge at once until it knows better: a server
 * that waits for the acknowledgement of its last small packet would idle. */
void connect_quick_ack(int fd);

/* Ask the kernel to call the socket readable from so many bytes on (or at
 * its end); less can be read all the same. */
void connect_wake_at(int fd, int bytes);

#endif
