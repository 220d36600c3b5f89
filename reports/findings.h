/*
 * findings.h - everything a report shows, as plain data.
 *
 * Filled once from the archive (gather.h), then only read: figures, tables
 * and texts are functions of this struct and of nothing else, so that all
 * forms of a report say the same. Strings are owned by the struct. Times are
 * wall clock in microseconds, 0 when unknown; MB = 10^6 bytes; a value that
 * was not measured is NAN. One thread at a time.
 */
#ifndef SLUICE_FINDINGS_H
#define SLUICE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a client spent a stretch of time, as far as a reader cares. */
enum activity {
	ACTIVITY_WAITING, /* admitted, not yet started */
	ACTIVITY_LISTING, /* connects, lists folders */
	ACTIVITY_BULK,	  /* what n(t) counts */
	ACTIVITY_PAUSED,
	ACTIVITY_VERIFYING,
	ACTIVITY_FAILED, /* failed or lost, until it is tried again */
	ACTIVITY_COUNT
};

struct finding_client {
	char *name, *host, *version;
	char *state;
	char *cause; /* of a failure: the error's text; else NULL */
	char *cause_kind;
	unsigned wave; /* the last one it was in; 0: none yet */
	bool done, failed, verified;
	bool excluded; /* by a person: nobody waits for it */
	uint64_t messages, bodies, folders, items, quarantined, retries;
	double mb, seconds, mb_min;
	double paused_s;
	int64_t started_us, ended_us;
};

struct finding_span {
	size_t client; /* index */
	enum activity activity;
	int64_t from_us, to_us;
};

struct finding_wave {
	unsigned number;
	char *kind, *state, *verdict;
	unsigned batch, clients, done, failed;
	int64_t from_us, to_us;
	double mb;
	unsigned buckets, generator; /* of them limited by the load generator */
	double n, n_mb_min;   /* X at the n it ran at longest; NAN: none */
	double median_mb_min; /* of its clients */
	double canary_p95_ms; /* of all its probes */
	unsigned brakes;      /* actions of the brake */
	unsigned advised;     /* the size after it; 0: not asked */
	char *limit;	      /* what bound that; NULL: not asked */
};

struct finding_gate {
	unsigned wave;
	char *name, *measured, *limit, *verdict;
	bool advisory;
};

/* One number of syncs at once that was measured. */
struct finding_level {
	double n, mb_min, error; /* standard error of mb_min */
	double seconds;
	unsigned buckets;
	double canary_p95_ms; /* pooled probes */
};

/* The fitted curve, with its 90 % band. */
struct finding_curve {
	double n, mb_min, low, high, canary_p95_ms;
};

/* A stretch of the time axis, for figures: buckets, load and probes that
 * fall into it, averaged. A long rollout has longer ones, not more. */
struct finding_moment {
	int64_t at_us, width_us;
	double n, mb_min;
	double cpu, iowait; /* 0..1 */
	double read_await_ms, write_await_ms, queue;
	double read_mb_s, write_mb_s, net_mb_s;
	double p50_ms, p95_ms, p99_ms; /* of the canary */
	unsigned probes, probe_failures;
};

struct finding_text {
	char *name, *value;
};

struct bucket;

struct findings {
	char *rollout, *state, *version;
	char *scenario; /* the file as it was given */
	unsigned wave;	/* 0: the whole rollout */
	int64_t made_us, from_us, to_us;

	bool has_advice;
	unsigned advice_wave; /* after which it was given */
	char *verdict, *binding, *next_limit;
	unsigned batch, batch_before, step_cap, knee, observed;
	double gain, gain_low, gain_high, eta_s; /* gain: 0.09 is 9 % */
	double canary_slo_ms;
	struct finding_text *reasons; /* value only */
	size_t reason_count;
	struct finding_text *parameters; /* of the fit */
	size_t parameter_count;
	struct finding_text *versions; /* what runs where */
	size_t version_count;
	struct finding_text *commands; /* name: when, value: what */
	size_t command_count;

	struct finding_client *clients;
	size_t client_count;
	struct finding_span *spans;
	size_t span_count;
	struct finding_wave *waves;
	size_t wave_count;
	struct finding_gate *gates;
	size_t gate_count;
	struct finding_level *levels;
	size_t level_count;
	struct finding_curve *curve;
	size_t curve_count;
	struct finding_moment *moments;
	size_t moment_count;
	struct bucket *buckets; /* as archived, for the tables */
	size_t bucket_count;
	char *result_json; /* the recommendation as archived; or NULL */
};

/* Releases the content, not the struct. */
void findings_free(struct findings *findings);

/* Grows *ITEMS, an array of *COUNT elements of SIZE, by one zeroed element
 * and returns it. */
void *findings_add(void *items, size_t *count, size_t size);

const char *activity_name(enum activity activity);

#endif
