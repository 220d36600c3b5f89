/*
 * fit.h - the capacity law, fitted.
 *
 *   n       syncs at once                                          1
 *   X(n)    their summed throughput                                MB/min
 *   n/X(n)  minutes one of them needs for a MB (Little 1961)       min/MB
 *
 * Universal scalability law (Gunther, Guerrilla Capacity Planning, 2007),
 * written as this cycle time, which makes it linear in its coefficients:
 *
 *   n / X(n) = c0 + c1 (n - 1) + c2 n (n - 1),    c >= 0
 *
 *   gamma   1 / c0: one sync alone                                 MB/min
 *   alpha   c1 / c0: share that queues (contention)                1
 *   beta    c2 / c0: cost of crosstalk (thrash)                    1
 *   n_peak  sqrt((c0 - c1) / c2)                                   1
 *
 * Weighted least squares with w_n = (X^2 / (n se_n))^2 (delta method) over
 * all active sets of {c1, c2} (Lawson & Hanson, Solving Least Squares
 * Problems, 1974, for three unknowns), reweighted three times with the X
 * fitted before.
 *
 * Asymptotic bounds (Denning & Buzen, Computing Surveys 10(3), 1978), where
 * clients pipeline and one resource ends it all:
 *
 *   X(n) = min(gamma n, C),    corner at n = C / gamma
 *
 *   C       the ceiling                                            MB/min
 *
 * gamma by the points up to the corner, C the weighted mean of those beyond;
 * taken for the law above when K ln(S_law / S_bounds) > 4 for the sums S of
 * squared residuals of X over K points, the difference of two values of
 * Akaike's criterion that counts as clear.
 *
 * Loads that bend upwards, the p95 of people who work online among them:
 *
 *   y(n) = l0 + l1 n + l2 n^2,    l >= 0,    w_n = 1 / se_n^2
 *
 * Replicates of the law that was taken are a block bootstrap (Kuensch,
 * Annals of Statistics 17(3), 1989). Why these, with the experiments: docs/capacity.md and
 * docs/decisions/. Pure, deterministic; any thread.
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

/* The levels with n > 0 that are not left out, as points; POINTS may be NULL
 * to count only. */
size_t fit_points(const struct levels *levels, struct fit_point *points);

/* X(n) in MB/min. */
double fit_x(const struct fit *fit, double n);

/* min{ n in 1..n_cap : X(n) >= share * max X }. */
unsigned fit_knee(const struct fit *fit, unsigned n_cap, double share);

struct fit_quad {
	double l[3];
	double rel_residual; /* rms relative residual, weighted by (y/se)^2,
				K - 2 d.o.f.; 0 if K < 3 */
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
