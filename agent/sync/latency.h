/*
 * latency.h - what a person at the mail client would feel while we work.
 *
 * A thread of its own with a reader of its own lists 50 rows and opens a
 * message every LATENCY_EVERY_US, and files the time under the phase it is
 * in. A store that is not there yet is waited for. Made and stopped by one
 * thread, phases set by any.
 */
#ifndef SLUICE_LATENCY_H
#define SLUICE_LATENCY_H

#include <stdint.h>

struct err;
struct latency;

#define LATENCY_EVERY_US 250000

enum latency_phase {
	LATENCY_BEFORE, /* what was there already */
	LATENCY_DURING,
	LATENCY_AFTER,
	LATENCY_PHASES
};

struct latency_figure {
	uint64_t count;
	double p95_ms, max_ms; /* 0 without any */
};

/* Starts in LATENCY_BEFORE, with one probe done when there is a store. */
int latency_start(
	struct latency **latency, const char *directory, struct err *err);

/* The first probe of a phase is done at once, before this returns. */
void latency_phase(struct latency *latency, enum latency_phase phase);

/* Any thread. */
void latency_read(struct latency *latency, enum latency_phase phase,
	struct latency_figure *figure);

/* NULL is fine. */
void latency_stop(struct latency *latency);

#endif
