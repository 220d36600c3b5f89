/*
 * fit.h - the capacity law, fitted.
 *
 * Universal scalability law (Gunther 2007) as cycle time, linear in its
 * coefficients:
 *
 *   n / X(n) = c0 + c1 (n - 1) + c2 n (n - 1),    c >= 0       [min / MB]
 *
 *   X(n)    summed throughput of n syncs                       MB/min
 *   gamma   1 / c0: one sync alone                             MB/min
 *   alpha   c1 / c0: share that queues (contention)            1
 *   beta    c2 / c0: cost of crosstalk (thrash)                1
 *   n_peak  sqrt((c0 - c1) / c2)                               syncs
 *
 * Weighted least squares, w_n = (X^2 / (n se_n))^2 (delta method), all
 * active sets of {c1, c2} enumerated (Lawson & Hanson 1974 for three
 * unknowns), three reweightings. Waiting users' p95 and other loads that
 * bend upwards: y(n) = l0 + l1 n + l2 n^2, l >= 0, by the same solver.
 * Why, with the experiments: docs/capacity.md. Pure, deterministic; any
 * thread.
 */
#ifndef SLUICE_FIT_H
#define SLUICE_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct levels;

struct fit_point {
	double n;
	double y;  /* X_n in MB/min, or a load */
	double se; /* same unit, > 0 */
};

struct fit {
	double c[3];
	double gamma, alpha, beta;
	double n_peak;	 /* INFINITY: no peak */
	double ceiling;	 /* C in MB/min, never exceeded; 0: none */
	unsigned points; /* distinct n it rests on; 0: no fit */
};

/* Points that are not finite and positive are skipped. Needs one point for
 * c0, two for a slope; returns -1 when none is left. */
int fit_usl(struct fit *fit, const struct fit_point *points, size_t count);

/* The law above, or the asymptotic bounds X(n) = min(gamma n, C) where they
 * fit clearly better and two points lie beyond the corner C / gamma. Same
 * points, same result as fit_usl(). */
int fit_law(struct fit *fit, const struct fit_point *points, size_t count);

/* A resource that is full at C: no X(n) above it. */
void fit_cap(struct fit *fit, double c);

/* The levels with n > 0 as points; POINTS may be NULL to count only. */
size_t fit_points(const struct levels *levels, struct fit_point *points);

/* X(n) in MB/min. */
double fit_x(const struct fit *fit, double n);

/* min{ n in 1..n_cap : X(n) >= share * max X }. */
unsigned fit_knee(const struct fit *fit, unsigned n_cap, double share);

struct fit_quad {
	double l[3];
	double rel_residual; /* rms relative residual, K - 2 d.o.f.; 0 if K<3 */
	unsigned points;     /* K */
	double n_max;	     /* largest n it rests on */
};

/* Weights 1 / se^2. -1: no usable point. */
int fit_quad(
	struct fit_quad *fit, const struct fit_point *points, size_t count);
double fit_quad_y(const struct fit_quad *fit, double n);

/* Upper prediction: y (1 + 1.28 clip(sd_rel, .03, .30) max(1, n/n_obs)
 * / sqrt(max(1, K/2))). */
double fit_quad_upper(const struct fit_quad *fit, double n, double n_obs);

/* Line U = u0 + d X through utilisations, u0, d >= 0. -1: no point. */
int fit_line(
	double *u0, double *d, const struct fit_point *points, size_t count);

/* Replicates of the fit: what a bootstrap of the buckets would have given.*/
#define FIT_REPLICATES 200

struct fit_band {
	struct fit replicate[FIT_REPLICATES];
	unsigned count;
};

void fit_bootstrap(
	struct fit_band *band, const struct levels *levels, uint64_t seed);

void fit_band_cap(struct fit_band *band, double c);

/* sd of ln X(n) over the replicates. */
double fit_band_sd(const struct fit_band *band, double n);

/* 5 % and 95 % of X(n). */
void fit_band_x(
	const struct fit_band *band, double n, double *low, double *high);

/* Gain of going FROM -> TO: X(to)/X(from) - 1 with its 90 % interval,
 * widened by DELTA (0.22) in ln per doubling beyond N_OBS. */
struct fit_gain {
	double gain, low, high;
};
struct fit_gain fit_gain(const struct fit *fit, const struct fit_band *band,
	double from, double to, double n_obs, double delta);

#endif
