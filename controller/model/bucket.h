/*
 * bucket.h - a few seconds of a rollout: how many, how fast, how loaded.
 *
 * Time is cut in buckets of equal length (5 s by default). Everything the
 * model knows, it knows from an array of these, in order of start. Plain
 * data, no pointers: the archive stores them as they are. Any thread.
 *
 * What was not measured is NAN, never 0.
 */
#ifndef SLUICE_BUCKET_H
#define SLUICE_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Server load, averaged over the bucket. Rows of load_metric_table. */
enum load_metric {
	LOAD_CPU, /* the ones a limit is computed from come first */
	LOAD_NIC,
	LOAD_DISK_UTIL,
	LOAD_DISK_READ_AWAIT,
	LOAD_MEM_AVAILABLE,
	LOAD_CONNECTIONS,
	LOAD_DISK_WRITE_AWAIT,
	LOAD_DISK_QUEUE,
	LOAD_DISK_READ_MB_S,
	LOAD_DISK_WRITE_MB_S,
	LOAD_DISK_READ_IOPS,
	LOAD_DISK_WRITE_IOPS,
	LOAD_DISK_FREE,
	LOAD_CPU_IOWAIT,
	LOAD_LOAD1,
	LOAD_SWAP_IN,
	LOAD_SWAP_OUT,
	LOAD_NET_RX_MB_S,
	LOAD_NET_TX_MB_S,
	LOAD_PSI_CPU,
	LOAD_PSI_IO,
	LOAD_PSI_IO_FULL,
	LOAD_PSI_MEMORY,
	LOAD_COUNT
};

struct load_metric_row {
	const char *name;  /* column in CSV and JSON, key in the archive */
	const char *unit;  /* "ratio", "ms", "MB/s", "1/s", "1" */
	const char *label; /* axis of a plot, without the unit */
	const char *text;  /* one sentence for docs/metrics.md */
};

extern const struct load_metric_row load_metric_table[LOAD_COUNT];

/* Why a bucket tells nothing about X(n). Any flag drops it from the fit;
 * it stays in the figures. */
enum bucket_flag {
	BUCKET_N_CHANGED = 1 << 0, /* syncs began or ended bulk: > 10 % of n */
	BUCKET_SETTLING = 1 << 1,  /* > 10 % of n in their first 10 s */
	BUCKET_PHASES = 1 << 2,	   /* > 20 % of the active not in bulk */
	BUCKET_NO_DATA = 1 << 3,   /* an active agent sent nothing */
	BUCKET_INVALID = 1 << 4,   /* NaN, negative or absurd */
	BUCKET_GENERATOR = 1 << 5, /* the agents' own host was the limit */
	BUCKET_BRAKED = 1 << 6,	   /* a rate limit or pause was in force */
};
#define BUCKET_FLAGS 7

/* Latencies kept per bucket; a canary that probes more often than that is
 * thinned to evenly spaced order statistics, its count stays exact. */
#define BUCKET_PROBES 12

struct bucket {
	double start_s;	   /* wall clock, or any origin common to the array */
	float seconds;	   /* length */
	float n;	   /* time average of syncs in their bulk phase */
	float x_mb_min;	   /* X: payload stored by all agents, MB = 10^6 B */
	float active;	   /* time average of syncs in any running phase */
	uint32_t wave;	   /* 0: none was running (idle baseline) */
	uint32_t flags;	   /* enum bucket_flag */
	uint32_t probes;   /* canary probes intended to start in here */
	uint32_t failures; /* of those that failed or timed out */
	float p50_ms, p95_ms, p99_ms;  /* of their latencies; NAN: none */
	uint16_t probe[BUCKET_PROBES]; /* hist_bin() of each, ascending */
	uint32_t probes_kept;
	float load[LOAD_COUNT]; /* NAN: the exporter did not say */
};

/* All NAN and zero, as if nothing had been measured. */
void bucket_init(struct bucket *bucket, double start_s, double seconds);

/* Fills the canary's fields from COUNT latencies of successful probes and
 * the number of failed ones. LATENCY_US is sorted in place. */
void bucket_set_probes(struct bucket *bucket, int64_t *latency_us, size_t count,
	unsigned failures);

/* No flag, and numbers. n = 0 (idle) counts as usable. */
bool bucket_usable(const struct bucket *bucket);

/* So large a part of n may begin or end in a bucket: one of forty says
 * nothing about X, and with forty there is hardly a bucket without one. */
#define BUCKET_CHANGE_SHARE 0.1

/* The word for one flag: "n changed". */
const char *bucket_flag_name(enum bucket_flag flag);

#endif
