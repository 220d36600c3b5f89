/*
 * slicer.h - agents' samples, server load and probes become buckets.
 *
 * Times are the controller's clock in microseconds: wall time that does not
 * jump (wall clock once, monotonic from there). Agents stamp with their own
 * monotonic clock; it is mapped by the smallest (received - sent) seen since
 * the agent's boot, and mapped time never goes back.
 *
 * Counters are cumulative, so a lost, late or doubled sample neither adds
 * nor loses a byte; a counter that falls (store made anew, crash before the
 * commit) counts from its new value. Bytes between two samples are spread
 * evenly over the time between them. No I/O. Owned by one thread.
 */
#ifndef SLUICE_SLICER_H
#define SLUICE_SLICER_H

#include "bucket.h"

struct sample; /* message.h */
struct slicer; /* opaque */

struct slicer_policy {
	int64_t bucket_us;   /* 5 s */
	int64_t settle_us;   /* 10 s after a start */
	int64_t gap_us;	     /* 3 s: an active agent silent for longer */
	int64_t grace_us;    /* 3 s: wait for samples under way */
	int64_t keep_us;     /* 600 s: late samples revise buckets so old */
	double other_phases; /* 0.2 of the active */
};
extern const struct slicer_policy slicer_policy_default;

struct slicer *slicer_new(const struct slicer_policy *policy);
void slicer_free(struct slicer *slicer);

/* Samples of one report, in any order; AGENT is a small stable number.
 * BOOT names the agent's clock; SENT_US is that clock when the report left,
 * RECEIVED_US ours when it came. Returns how many samples were new. */
size_t slicer_report(struct slicer *slicer, unsigned agent, const char *boot,
	int64_t sent_us, int64_t received_us, const struct sample *samples,
	size_t count);

/* An agent known to be dead or deleted no longer counts as active. */
void slicer_lost(struct slicer *slicer, unsigned agent, int64_t at_us);

/* Spread of (received - sent) of one agent: how wrong its times may be.
 * Above 0.5 s an operator is warned. */
int64_t slicer_clock_error_us(const struct slicer *slicer, unsigned agent);

/* AT_US of the agent's clock on ours. */
int64_t slicer_time(const struct slicer *slicer, unsigned agent, int64_t at_us);

/* Server load averaged over the SPAN_US before AT_US. */
void slicer_load(struct slicer *slicer, int64_t at_us, int64_t span_us,
	const float load[LOAD_COUNT]);

/* One canary probe: its intended start, and latency or -1 for a failure. */
void slicer_probe(struct slicer *slicer, int64_t start_us, int64_t latency_us);

/* WAVE runs from AT_US on; 0: none. */
void slicer_wave(struct slicer *slicer, unsigned wave, int64_t at_us);

/* Marks what overlaps [FROM_US, TO_US): BUCKET_BRAKED, BUCKET_GENERATOR. */
void slicer_mark(struct slicer *slicer, enum bucket_flag flag, int64_t from_us,
	int64_t to_us);

/* Copies up to MAX finished buckets, oldest first, those revised by late
 * samples again: the archive replaces by start_s. Returns how many. Call
 * until it returns less than MAX. */
size_t slicer_take(
	struct slicer *slicer, int64_t now_us, struct bucket *out, size_t max);

/* Payload of all agents that went into buckets, for the books. */
uint64_t slicer_bytes(const struct slicer *slicer);

/* Now: syncs in bulk, all running, and MB/min over the last 10 s. */
void slicer_now(const struct slicer *slicer, int64_t now_us, unsigned *n,
	unsigned *active, double *x_mb_min);

#endif
