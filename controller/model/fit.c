/*
 * fit.c - non-negative least squares for three unknowns, and the laws.
 *
 * Third stage of the model. With three coefficients every active set can be
 * tried, so there is no iteration to converge and no starting value.
 * Pure, deterministic; any thread.
 */
#include "fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "levels.h"
#include "random.h"

#define REWEIGHTINGS 3	  /* the first with measured X */
#define TIE	     1e-9 /* of the weighted sum of squares of y */
#define BEYOND	     2	  /* points that show a ceiling */
#define CLEARLY	     4.0  /* difference of Akaike's criterion */

struct row {
	double a[3];
	double y, w;
};

/* Sums over the weighted rows: A'WA and A'Wy. */
struct normal {
	double m[3][3], v[3];
};

static void accumulate(
	struct normal *normal, const struct row *rows, size_t count)
{
	memset(normal, 0, sizeof(*normal));
	for (size_t i = 0; i < count; i++) {
		for (int j = 0; j < 3; j++) {
			double wa = rows[i].w * rows[i].a[j];
			for (int k = 0; k <= j; k++)
				normal->m[j][k] += wa * rows[i].a[k];
			normal->v[j] += wa * rows[i].y;
		}
	}
	normal->m[0][1] = normal->m[1][0];
	normal->m[0][2] = normal->m[2][0];
	normal->m[1][2] = normal->m[2][1];
}

/* Solves the normal equations restricted to the columns in MASK, columns
 * scaled to unit length. False when they are dependent. */
static bool solve(const struct normal *normal, unsigned mask, double c[3])
{
	double m[3][4] = {{0}};
	double scale[3] = {0};
	int column[3] = {0};
	int order = 0;

	for (int j = 0; j < 3; j++)
		if (mask & (1U << j))
			column[order++] = j;
	for (int j = 0; j < order; j++) {
		scale[j] = sqrt(normal->m[column[j]][column[j]]);
		if (!(scale[j] > 0))
			return false;
	}
	for (int j = 0; j < order; j++) {
		for (int k = 0; k < order; k++)
			m[j][k] = normal->m[column[j]][column[k]] / scale[j] /
				scale[k];
		m[j][order] = normal->v[column[j]] / scale[j];
	}
	/* Positive definite with unit diagonal: no pivoting needed. */
	for (int j = 0; j < order; j++) {
		if (m[j][j] < 1e-10)
			return false;
		for (int i = j + 1; i < order; i++) {
			double f = m[i][j] / m[j][j];
			for (int k = j; k <= order; k++)
				m[i][k] -= f * m[j][k];
		}
	}
	c[0] = c[1] = c[2] = 0;
	for (int j = order - 1; j >= 0; j--) {
		double sum = m[j][order];
		for (int k = j + 1; k < order; k++)
			sum -= m[j][k] * c[column[k]] * scale[k];
		c[column[j]] = sum / m[j][j] / scale[j];
	}
	return true;
}

static double squares(const struct row *rows, size_t count, const double c[3])
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double r = rows[i].y - rows[i].a[0] * c[0] -
			rows[i].a[1] * c[1] - rows[i].a[2] * c[2];
		sum += rows[i].w * r * r;
	}
	return sum;
}

/* argmin of the weighted squares over c >= 0, trying the active sets in
 * MASKS in order: a later, larger one must be better by more than rounding.
 * Returns -1 when none is feasible. */
static int nnls(const struct row *rows, size_t count, const unsigned *masks,
	size_t mask_count, double best[3])
{
	const double zero[3] = {0, 0, 0};
	double tie = TIE * TIE * squares(rows, count, zero);
	double least = INFINITY;
	struct normal normal;

	accumulate(&normal, rows, count);
	for (size_t i = 0; i < mask_count; i++) {
		double c[3];
		if (!solve(&normal, masks[i], c) || c[0] < 0 || c[1] < 0 ||
			c[2] < 0)
			continue;
		double sum = squares(rows, count, c);
		if (sum < least - tie) {
			least = sum;
			memcpy(best, c, sizeof(c));
		}
	}
	return isfinite(least) ? 0 : -1;
}

static bool sound(const struct fit_point *point)
{
	return isfinite(point->n) && isfinite(point->y) && point->y > 0 &&
		isfinite(point->se) && point->se > 0;
}

static void name_coefficients(struct fit *fit)
{
	fit->gamma = 1 / fit->c[0];
	fit->alpha = fit->c[1] / fit->c[0];
	fit->beta = fit->c[2] / fit->c[0];
	fit->n_peak = INFINITY;
	if (fit->c[2] > 0)
		fit->n_peak = sqrt(fmax(fit->c[0] - fit->c[1], 0) / fit->c[2]);
}

int fit_usl(struct fit *fit, const struct fit_point *points, size_t count)
{
	static const unsigned masks[] = {1, 1 | 4, 1 | 2, 1 | 2 | 4};
	struct row *rows = xcalloc(count + 1, sizeof(*rows));
	struct fit result = {.points = 0};
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		double n = points[i].n;
		if (!sound(&points[i]) || n < 1)
			continue;
		double x = points[i].y;
		double w = x * x / (n * points[i].se);
		rows[used++] = (struct row){
			{1, n - 1, n * (n - 1)}, n / x, w * w};
	}
	int rc = used ? 0 : -1;
	for (int round = 0; rc == 0 && round < REWEIGHTINGS; round++) {
		rc = nnls(rows, used, masks, 4, result.c);
		if (rc < 0 || !(result.c[0] > 0)) {
			rc = -1;
			break;
		}
		size_t row = 0;
		for (size_t i = 0; i < count; i++) {
			double n = points[i].n;
			if (!sound(&points[i]) || n < 1)
				continue;
			double x = fit_x(&result, n);
			double w = x * x / (n * points[i].se);
			rows[row++].w = w * w;
		}
	}
	free(rows);
	if (rc < 0)
		return -1;
	result.points = (unsigned)used;
	name_coefficients(&result);
	*fit = result;
	return 0;
}

/* Squared residuals of X in standard errors. */
static double misfit(
	const struct fit *fit, const struct fit_point *points, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		if (!sound(&points[i]) || points[i].n < 1)
			continue;
		double r = points[i].y - fit_x(fit, points[i].n);
		sum += r * r / (points[i].se * points[i].se);
	}
	return sum;
}

/* Points of at most LAST syncs rise along gamma n, the others stay at C. False
 * when the corner is not between them. */
static bool bounds_at(struct fit *fit, const struct fit_point *points,
	size_t count, double last)
{
	double nx = 0;
	double nn = 0;
	double x = 0;
	double w = 0;
	double next = INFINITY;
	unsigned beyond = 0;

	for (size_t i = 0; i < count; i++) {
		const struct fit_point *p = &points[i];
		if (!sound(p) || p->n < 1)
			continue;
		double weight = 1 / (p->se * p->se);
		if (p->n <= last) {
			nx += weight * p->n * p->y;
			nn += weight * p->n * p->n;
		} else {
			x += weight * p->y;
			w += weight;
			next = fmin(next, p->n);
			beyond++;
		}
	}
	if (!(nx > 0) || beyond < BEYOND)
		return false;
	*fit = (struct fit){.c = {nn / nx}, .ceiling = x / w};
	return fit->ceiling * fit->c[0] < next;
}

int fit_law(struct fit *fit, const struct fit_point *points, size_t count)
{
	struct fit bounds = {.points = 0};
	struct fit trial;

	if (fit_usl(fit, points, count) < 0)
		return -1;
	double smooth = misfit(fit, points, count);
	double least = smooth * exp(-CLEARLY / fit->points);
	for (size_t i = 0; i < count; i++) {
		if (!sound(&points[i]) ||
			!bounds_at(&trial, points, count, points[i].n))
			continue;
		double sum = misfit(&trial, points, count);
		if (sum < least) {
			least = sum;
			trial.points = fit->points;
			bounds = trial;
		}
	}
	if (bounds.points) {
		name_coefficients(&bounds);
		*fit = bounds;
	}
	return 0;
}

void fit_cap(struct fit *fit, double c)
{
	if (!(fit->ceiling > 0) || c < fit->ceiling)
		fit->ceiling = c;
}

double fit_x(const struct fit *fit, double n)
{
	double x = n /
		(fit->c[0] + fit->c[1] * (n - 1) + fit->c[2] * n * (n - 1));

	return fit->ceiling > 0 && x > fit->ceiling ? fit->ceiling : x;
}

unsigned fit_knee(const struct fit *fit, unsigned n_cap, double share)
{
	double best = 0;

	for (unsigned n = 1; n <= n_cap; n++)
		best = fmax(best, fit_x(fit, n));
	for (unsigned n = 1; n <= n_cap; n++)
		if (fit_x(fit, n) >= share * best)
			return n;
	return n_cap;
}

int fit_quad(struct fit_quad *fit, const struct fit_point *points, size_t count)
{
	static const unsigned masks[] = {
		1, 2, 4, 1 | 2, 1 | 4, 2 | 4, 1 | 2 | 4};
	struct row *rows = xcalloc(count + 1, sizeof(*rows));
	struct fit_quad result = {.points = 0};
	double residual = 0;
	double weight = 0;

	for (size_t i = 0; i < count; i++) {
		double n = points[i].n;
		if (!sound(&points[i]) || n < 0)
			continue;
		rows[result.points++] = (struct row){{1, n, n * n}, points[i].y,
			1 / (points[i].se * points[i].se)};
		result.n_max = fmax(result.n_max, n);
	}
	size_t used = result.points;
	int rc = used ? nnls(rows, used, masks, 7, result.l) : -1;
	for (size_t i = 0; rc == 0 && i < used; i++) {
		double y = fit_quad_y(&result, rows[i].a[1]);
		double r = y > 0 ? rows[i].y / y - 1 : 0;
		double w = rows[i].w * y * y;
		residual += w * r * r;
		weight += w;
	}
	free(rows);
	if (rc < 0)
		return -1;
	if (used > 2 && weight > 0)
		result.rel_residual = sqrt(
			residual / weight * (double)used / (double)(used - 2));
	*fit = result;
	return 0;
}

double fit_quad_y(const struct fit_quad *fit, double n)
{
	return fit->l[0] + fit->l[1] * n + fit->l[2] * n * n;
}

double fit_quad_upper(const struct fit_quad *fit, double n, double n_obs)
{
	double sd = fmin(fmax(fit->rel_residual, 0.03), 0.30);
	double reach = fmax(1, n / fmax(n_obs, 1));
	double support = sqrt(fmax(1, fit->points / 2.0));

	return fit_quad_y(fit, n) * (1 + 1.28 * sd * reach / support);
}

int fit_line(
	double *u0, double *d, const struct fit_point *points, size_t count)
{
	static const unsigned masks[] = {1, 2, 1 | 2};
	struct row *rows = xcalloc(count + 1, sizeof(*rows));
	double c[3] = {0};
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (isfinite(points[i].y) && points[i].y >= 0 &&
			isfinite(points[i].n) && points[i].se > 0)
			rows[used++] = (struct row){{1, points[i].n, 0},
				points[i].y, 1 / (points[i].se * points[i].se)};
	int rc = used ? nnls(rows, used, masks, 3, c) : -1;
	free(rows);
	if (rc < 0)
		return -1;
	*u0 = c[0];
	*d = c[1];
	return 0;
}

static bool believed(const struct level *row)
{
	return row->n > 0 && !row->left_out;
}

size_t fit_points(const struct levels *levels, struct fit_point *points)
{
	size_t count;
	const struct level *rows = levels_rows(levels, &count);
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (believed(&rows[i]) && points)
			points[used++] = (struct fit_point){
				rows[i].n, rows[i].x_mb_min, rows[i].se};
		else if (believed(&rows[i]))
			used++;
	return used;
}

void fit_bootstrap(
	struct fit_band *band, const struct levels *levels, uint64_t seed)
{
	size_t count;
	const struct level *rows = levels_rows(levels, &count);
	struct fit_point *points = xcalloc(count + 1, sizeof(*points));
	double *x = xcalloc(count + 1, sizeof(*x));
	uint64_t state = seed;
	struct fit whole;

	band->count = 0;
	/* Replicates of one law: which of the two it is, is not the question
	 * they answer. */
	fit_points(levels, points);
	bool bounds = fit_law(&whole, points, fit_points(levels, NULL)) == 0 &&
		whole.ceiling > 0;
	for (unsigned b = 0; b < FIT_REPLICATES; b++) {
		size_t used = 0;
		levels_resample(levels, &state, x);
		for (size_t i = 0; i < count; i++)
			if (believed(&rows[i]))
				points[used++] = (struct fit_point){
					rows[i].n, x[i], rows[i].se};
		struct fit *fit = &band->replicate[band->count];
		if ((bounds ? fit_law(fit, points, used)
			    : fit_usl(fit, points, used)) == 0)
			band->count++;
	}
	free(x);
	free(points);
}

void fit_band_cap(struct fit_band *band, double c)
{
	for (unsigned b = 0; b < band->count; b++)
		fit_cap(&band->replicate[b], c);
}

double fit_band_sd(const struct fit_band *band, double n)
{
	double sum = 0;
	double sum_squares = 0;

	if (band->count < 2)
		return INFINITY;
	for (unsigned b = 0; b < band->count; b++) {
		double x = log(fit_x(&band->replicate[b], n));
		sum += x;
		sum_squares += x * x;
	}
	double mean = sum / band->count;
	return sqrt(fmax(sum_squares / band->count - mean * mean, 0) *
		band->count / (band->count - 1));
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

void fit_band_x(
	const struct fit_band *band, double n, double *low, double *high)
{
	double x[FIT_REPLICATES];

	*low = *high = NAN;
	if (band->count == 0)
		return;
	for (unsigned b = 0; b < band->count; b++)
		x[b] = fit_x(&band->replicate[b], n);
	qsort(x, band->count, sizeof(*x), compare_doubles);
	*low = x[(band->count - 1) * 5 / 100];
	*high = x[(band->count - 1) * 95 / 100];
}

struct fit_gain fit_gain(const struct fit *fit, const struct fit_band *band,
	double from, double to, double n_obs, double delta)
{
	double ln = log(fit_x(fit, to) / fit_x(fit, from));
	double sum = 0;
	double sum_squares = 0;

	for (unsigned b = 0; b < band->count; b++) {
		double g = log(fit_x(&band->replicate[b], to) /
			fit_x(&band->replicate[b], from));
		sum += g;
		sum_squares += g * g;
	}
	double count = fmax(band->count, 2);
	double mean = sum / count;
	double sd = sqrt(fmax(sum_squares / count - mean * mean, 0));
	double reach = delta * log2(fmax(to, n_obs) / fmax(n_obs, 1));
	double half = 1.645 * hypot(sd, reach);

	return (struct fit_gain){
		exp(ln) - 1, exp(ln - half) - 1, exp(ln + half) - 1};
}
