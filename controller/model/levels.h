/*
 * levels.h - buckets pooled per number of syncs: what was seen at each n.
 *
 *   k      usable buckets with round(n) = n; with drift, those of a
 *          wave count 0.5^(latest wave - wave)                  1
 *   X_n    their mean throughput                                MB/min
 *   sd_n   their standard deviation, k - 1 d.o.f.               MB/min
 *   rho    correlation of neighbours, 0.7                       1
 *   k_eff  max(1, k (1 - rho) / (1 + rho)): as many independent
 *          ones tell as much (Bartlett 1946, first order)       1
 *   se_n   hypot(max(sd_n, 0.05 X_n) / sqrt(k_eff), 0.03 X_n)   MB/min
 *   p95_n  95 % quantile of all their probes, 15 at least       ms
 *   n_obs  largest n with at least 30 s of data                 1
 *   E_n    what n syncs move at least where X is concave up to
 *          its largest X_m: the upper hull of the origin and
 *          the observed X_n                                     MB/min
 *
 * A level that a law cannot reach would bend it all the same, and a small X
 * weighs the most: one below E_n / 2, or beyond m below X_m / 4, is left out.
 *
 * The floor of 3 % keeps one n with days of data from outvoting the shape of
 * the curve. Buckets are read once; afterwards every step costs by levels
 * and blocks, whose number is bounded, not by buckets. Pure; any thread.
 */
#ifndef SLUICE_LEVELS_H
#define SLUICE_LEVELS_H

#include "bucket.h"

#define LEVEL_MAX_N	 4096 /* larger n are taken for damaged data */
#define LEVEL_MAX_BLOCKS 64

struct level_policy {
	double observed_s;   /* 30: from here n counts as observed */
	double rho;	     /* 0.7: lag-1 correlation of buckets */
	double sd_floor;     /* 0.05 of X_n */
	double se_floor;     /* 0.03 of X_n */
	double block_s;	     /* 60: length of a bootstrap block */
	unsigned probes_min; /* 15: fewer tell nothing about a p95 */
};

/* The values in the comments above. */
extern const struct level_policy level_policy_default;

struct level {
	unsigned n;
	double k;	 /* usable buckets, older waves counted less */
	double seconds;	 /* of usable data, not weighted */
	double x_mb_min; /* X_n */
	double sd, se;	 /* MB/min */
	bool observed;
	bool left_out;	   /* of the fit: no law reaches it */
	unsigned probes;   /* of the canary */
	unsigned failures; /* probes that failed */
	double p95_ms;	   /* of pooled probes; NAN below probes_min */
	double load[LOAD_CONNECTIONS + 1]; /* means; NAN: never measured */
};

struct levels; /* opaque */

/* Never fails; an empty array gives no levels. */
struct levels *levels_new(const struct bucket *buckets, size_t count,
	const struct level_policy *policy);
void levels_free(struct levels *levels);

/* Ascending n, idle (n = 0) included. The array lives as long as LEVELS
 * and changes with levels_weigh(). */
const struct level *levels_rows(const struct levels *levels, size_t *count);

/* The row of N, or NULL. */
const struct level *levels_find(const struct levels *levels, unsigned n);

/* Mean and se at N of one wave alone; false when it has no such bucket. */
bool levels_of_wave(const struct levels *levels, unsigned wave, unsigned n,
	double *x_mb_min, double *se);

/* Drift: buckets of wave w get the weight 0.5^(latest - w). */
void levels_weigh(struct levels *levels, bool by_age);

/* Of those that are not left out of the fit. */
unsigned levels_n_obs(const struct levels *levels);

/* The first observed one above n_obs, where throughput broke down; or NULL. */
const struct level *levels_broken(const struct levels *levels);

unsigned levels_latest_wave(const struct levels *levels);

/* Buckets with n > 0: all, and those that were usable. */
size_t levels_total(const struct levels *levels);
size_t levels_usable(const struct levels *levels);

/* Buckets that hold no numbers: NaN, negative, absurd. */
size_t levels_damaged(const struct levels *levels);

/* One bootstrap replicate: X_n for every row of levels_rows(), drawn by
 * resampling blocks within each n; *STATE is the generator's. */
void levels_resample(
	const struct levels *levels, uint64_t *state, double *x_mb_min);

#endif
