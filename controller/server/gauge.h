/*
 * gauge.h - what the controller measures, brought together once a second.
 *
 * Samples of agents, the server's exporter and the online probe go into the
 * archive as they are, into buckets for the model, and into the brake. Owned
 * by the loop's thread; scraper and probe have threads of their own.
 */
#ifndef SLUICE_GAUGE_H
#define SLUICE_GAUGE_H

#include "archive.h"
#include "bucket.h"
#include "clock.h"
#include "rollout.h"

struct err;
struct gauge;
struct recommend_facts;
struct recommend_policy;

/* Wall time that never jumps: the wall clock at first use, monotonic from
 * there. Any thread. */
int64_t gauge_clock_us(void);

/* Goes on from the buckets of ARCHIVE. Both are borrowed. */
int gauge_start(struct gauge **gauge, const struct scenario *scenario,
	struct archive *archive, struct err *err);
void gauge_stop(struct gauge **gauge);

/* Samples of a report that counts. */
int gauge_report(struct gauge *gauge, const struct client_row *client,
	const struct report *report, int64_t now_us, struct err *err);
/* How wrong the times of CLIENT's samples may be. */
#define GAUGE_CLOCK_WARN_US (US_PER_S / 2)
int64_t gauge_clock_error_us(const struct gauge *gauge, unsigned client);
void gauge_lost(struct gauge *gauge, unsigned client, int64_t now_us);

/* Fills the measured part of INPUTS, writes what came to the archive. The
 * texts of INPUTS live until the next call. */
int gauge_tick(struct gauge *gauge, struct rollout *rollout,
	struct rollout_inputs *inputs, struct err *err);

/* Cap of the whole fleet in force now, bytes a second; 0: none. */
uint64_t gauge_rate(const struct gauge *gauge);

/* The brake has stopped everything, until a person says go on. */
bool gauge_stopped(const struct gauge *gauge);
int gauge_release(struct gauge *gauge, struct err *err);

/* What the server's state is now, for people. */
struct gauge_now {
	unsigned n, active;
	double mb_min;
	float load[LOAD_COUNT];
	double p95_ms, slo_ms, idle_p95_ms;
	const char *brake, *brake_why; /* why NULL: it does not brake */
	const char *exporter_problem, *canary_problem; /* NULL: none */
	const char *generator; /* what is short on a fleet's host; NULL: none */
};
void gauge_now(const struct gauge *gauge, struct gauge_now *now);

/* Every bucket so far, in order of time; valid until the next tick. */
const struct bucket *gauge_buckets(const struct gauge *gauge, size_t *count);

/* Seconds of usable data in which WAVE kept BATCH syncs active. */
double gauge_seen_s(const struct gauge *gauge, unsigned wave, unsigned batch);
void gauge_policy(const struct gauge *gauge, struct recommend_policy *policy);

#endif
