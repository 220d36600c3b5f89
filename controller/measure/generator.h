/*
 * generator.h - were the load generators themselves the bottleneck?
 *
 * Fleets report how busy their hosts are. While a host is at its limit, what
 * its clients move is a lower bound of what the server can do: those seconds
 * are marked, and a wave with too many of them says nothing of the server's
 * limit. Where fleet and mail server share a machine, only a fleet that
 * itself takes half of the busy CPU counts. No I/O; one thread.
 */
#ifndef SLUICE_GENERATOR_H
#define SLUICE_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_sample; /* message.h; NAN where not known */
struct generator;

#define GENERATOR_TEXT_BYTES 160

/* Shares from which on a host is at its limit. */
#define GENERATOR_CPU_MAX     0.90
#define GENERATOR_MEMORY_MAX  0.95
#define GENERATOR_DISK_MAX    0.95 /* with at least this await: */
#define GENERATOR_AWAIT_MS    20.0
#define GENERATOR_NETWORK_MAX 0.90

/* True and what is short, "CPU 97 %", in TEXT. Pure. */
bool generator_limits(
	const struct host_sample *sample, char text[GENERATOR_TEXT_BYTES]);

struct generator *generator_new(void);
void generator_free(struct generator *generator);

/* A new wave: what came before no longer counts. */
void generator_wave(struct generator *generator);

/* A sample of HOST that ended at AT_US on the controller's clock; several
 * clients bring them, so not always in order. True when the host was at its
 * limit: what was measured in the sample's span is a lower bound. */
bool generator_add(struct generator *generator, const char *host,
	const struct host_sample *sample, int64_t at_us);

/* Share of the wave's samples of the worst host; NAN: no fleet has spoken. */
double generator_share(const struct generator *generator);

/* The worst host and what was short last, "fleet1: CPU 97 %"; "" when none
 * was at its limit in this wave. */
const char *generator_text(const struct generator *generator);

/* The same for the newest sample, not older than fifteen seconds; NULL: no. */
const char *generator_now(const struct generator *generator, int64_t now_us);

#endif
