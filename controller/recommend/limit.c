/*
 * limit.c - every ceiling on the number of syncs, each with its figure.
 *
 * Part of recommend(), after the fit. A limit is the largest n up to which
 * its ceiling is kept; those without data do not limit, and say so in
 * reason.c. Pure; any thread.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "decision.h"

#define PLAN_SHARE    0.95 /* of the SLO, for the plan's pilot */
#define SMALL_N_SHARE 0.35 /* of the SLO, over n */
#define SHARE_MAX     0.98
#define EDGE_SHARE    0.80
#define EDGE_SMALL_N  0.7
#define TRY_PART      5	   /* at most so large a part more is tried */
#define TRY_S	      1200 /* of data at a size settle the matter */
#define U_ERROR	      0.1  /* of a bucket's utilisation */
#define P95_ERROR     1.6  /* relative error of a p95, times sqrt(probes) */
#define SURE	      1.28 /* one-sided 90 % */
#define GROWTH_LEAST  1.05 /* that growth must bring to be kept */

static const struct {
	const char *key;
	const char *name;
} limit_names[LIMIT_COUNT] = {
	[LIMIT_KNEE] = {"knee", "throughput knee"},
	[LIMIT_STEP] = {"step", "step limit"},
	[LIMIT_CANARY] = {"canary", "waiting users"},
	[LIMIT_CPU] = {"cpu", "CPU"},
	[LIMIT_NIC] = {"nic", "network link"},
	[LIMIT_DISK_UTIL] = {"disk_util", "disk busy"},
	[LIMIT_DISK_LATENCY] = {"disk_latency", "disk latency"},
	[LIMIT_MEMORY] = {"memory", "memory"},
	[LIMIT_CONNECTIONS] = {"connections", "connections"},
	[LIMIT_WINDOW] = {"window", "time window of a user"},
	[LIMIT_CLIENTS] = {"clients", "clients left"},
	[LIMIT_PLAN] = {"plan", "the plan"},
	[LIMIT_HYSTERESIS] = {"hysteresis", "last growth disappointed"},
};

const char *limit_name(enum limit_id id)
{
	return id < LIMIT_COUNT ? limit_names[id].name : "none";
}

const char *limit_key(enum limit_id id)
{
	return id < LIMIT_COUNT ? limit_names[id].key : "none";
}

double recommend_slo_ms(double absolute_ms, double idle_p95_ms)
{
	double relative = NAN;

	if (idle_p95_ms > 0)
		relative = fmax(2 * idle_p95_ms, idle_p95_ms + 50);
	if (!(absolute_ms > 0))
		return relative;
	return isnan(relative) ? absolute_ms : fmin(absolute_ms, relative);
}

static void set_limit(struct decision *d, enum limit_id id, uint32_t n,
	double value, double ceiling)
{
	struct limit *limit = &d->out->limit[id];

	limit->n = n;
	limit->value = value;
	limit->ceiling = ceiling;
}

double decision_load_at(
	const struct decision *d, enum load_metric metric, unsigned n)
{
	double load = NAN;

	for (size_t i = 0; i < d->row_count && d->rows[i].n <= n; i++)
		if (isfinite(d->rows[i].load[metric]))
			load = d->rows[i].load[metric];
	return load;
}

/* Points of a load over n, or over X for the utilisation law. */
static size_t load_points(const struct decision *d, enum load_metric metric,
	bool over_x, struct fit_point *points)
{
	size_t used = 0;

	for (size_t i = 0; i < d->row_count; i++) {
		const struct level *row = &d->rows[i];
		double load = row->load[metric];
		if (!isfinite(load) || row->k <= 0 || (over_x && row->left_out))
			continue;
		if (metric == LOAD_MEM_AVAILABLE)
			load = 1 - load;
		double scale = over_x ? 1 : fmax(load, 1e-3);
		points[used++] = (struct fit_point){
			over_x ? row->x_mb_min : row->n, load,
			U_ERROR * scale / sqrt(row->k)};
	}
	return used;
}

static const enum load_metric utilisations[] = {
	LOAD_CPU, LOAD_NIC, LOAD_DISK_UTIL};
#define UTILISATIONS (sizeof(utilisations) / sizeof(*utilisations))

/* U0: what is in use without syncs, by the idle level if it was observed, else by
 * a line through all levels. NAN: too little was measured. */
static double in_use_idle(const struct decision *d, enum load_metric metric)
{
	struct fit_point *points = xcalloc(d->row_count + 1, sizeof(*points));
	size_t count = load_points(d, metric, true, points);
	double u0 = NAN;
	double slope;

	if (count >= 2 && d->rows[0].n == 0 && d->rows[0].observed &&
		isfinite(d->rows[0].load[metric]))
		u0 = d->rows[0].load[metric];
	else if (count < 2 || fit_line(&u0, &slope, points, count) < 0)
		u0 = NAN;
	free(points);
	return u0;
}

/* The throughput at which a resource is full. Each observed level promises
 * X (1 - U0) / (U - U0). A MB does not need the same of it everywhere: caches
 * warm, and a disk is not busy in proportion. So a promise is worth the less
 * the farther it reaches, and where the resource is nearly full what was
 * moved there says more than any line. NAN: it is not used by syncs. */
static double full_at(
	const struct decision *d, enum load_metric metric, double u0)
{
	double sum = 0;
	double weights = 0;

	for (size_t i = 0; i < d->row_count; i++) {
		const struct level *row = &d->rows[i];
		double used = row->load[metric] - u0;
		if (!row->observed || row->left_out || !(row->x_mb_min > 0) ||
			!(used > 0) || row->k <= 0)
			continue;
		double more = fmax((1 - u0) / used, 1);
		double error = hypot(
			U_ERROR / sqrt(row->k) / used, row->se / row->x_mb_min);
		error = hypot(error, d->policy->gain_delta * log2(more));
		sum += log(row->x_mb_min * (1 - u0) / used) / (error * error);
		weights += 1 / (error * error);
	}
	return weights > 0 ? exp(sum / weights) : NAN;
}

void decision_lines(struct decision *d)
{
	for (size_t i = 0; i < UTILISATIONS; i++) {
		enum load_metric metric = utilisations[i];
		double u0 = in_use_idle(d, metric);
		double full = u0 < 1 ? full_at(d, metric, u0) : NAN;
		d->u0[metric] = u0;
		d->d[metric] = (1 - u0) / full;
	}
}

void decision_capacity(struct decision *d)
{
	struct recommendation *out = d->out;

	for (size_t i = 0; i < UTILISATIONS; i++) {
		enum load_metric metric = utilisations[i];
		if (!(d->d[metric] > 0) ||
			(metric == LOAD_DISK_UTIL &&
				!d->facts->disk_rotational))
			continue;
		double full = (1 - d->u0[metric]) / d->d[metric];
		if (isfinite(out->capacity) && full >= out->capacity)
			continue;
		out->capacity = full;
		out->capacity_of = metric;
	}
	if (isfinite(out->capacity)) {
		fit_cap(&out->fit, out->capacity);
		fit_band_cap(&d->band, out->capacity);
	}
}

/* Utilisation law: U(n) = u0 + d X(n) <= ceiling; 1 is no ceiling. */
static void limit_utilisation(struct decision *d, enum limit_id id,
	enum load_metric metric, double ceiling)
{
	if (isnan(d->d[metric]) || ceiling <= 0 || ceiling >= 1 ||
		d->out->fit.points == 0)
		return;
	for (unsigned n = 1; n <= LEVEL_MAX_N; n++) {
		double u = d->u0[metric] +
			d->d[metric] * fit_x(&d->out->fit, n);
		if (u > ceiling) {
			set_limit(d, id, n - 1, u, ceiling);
			return;
		}
	}
}

/* Loads that bend upwards: y(n) = l0 + l1 n + l2 n^2 <= ceiling. */
static void limit_curve(struct decision *d, enum limit_id id,
	enum load_metric metric, double ceiling)
{
	struct fit_point *points = xcalloc(d->row_count + 1, sizeof(*points));
	size_t count = load_points(d, metric, false, points);
	struct fit_quad quad;
	int rc = count >= 2 ? fit_quad(&quad, points, count) : -1;

	free(points);
	if (rc < 0 || ceiling <= 0)
		return;
	for (unsigned n = 1; n <= LEVEL_MAX_N; n++) {
		double y = fit_quad_y(&quad, n);
		if (y > ceiling) {
			set_limit(d, id, n - 1, y, ceiling);
			return;
		}
	}
}

static double idle_p95(const struct decision *d)
{
	if (d->facts->idle_p95_ms > 0)
		return d->facts->idle_p95_ms;
	if (d->row_count && d->rows[0].n == 0)
		return d->rows[0].p95_ms;
	return NAN;
}

static size_t canary_points(const struct decision *d, struct fit_point *points)
{
	size_t used = 0;
	double idle = idle_p95(d);
	bool idle_row = false;

	for (size_t i = 0; i < d->row_count; i++) {
		const struct level *row = &d->rows[i];
		if (!(row->p95_ms > 0))
			continue;
		idle_row = idle_row || row->n == 0;
		double se = row->p95_ms *
			(P95_ERROR / sqrt(row->probes) + 0.04);
		points[used++] = (struct fit_point){row->n, row->p95_ms, se};
	}
	/* 60 probes make the baseline. */
	if (!idle_row && idle > 0)
		points[used++] = (struct fit_point){
			0, idle, idle * (P95_ERROR / sqrt(60) + 0.04)};
	return used;
}

/* How much of the SLO the prediction may use up. Small numbers get more of
 * it: there one sync is a large step, for the users' latency and for the
 * rollout alike. Beyond what was observed less, the further out; one sync
 * more is no extrapolation, and the brake watches it. */
static double slo_share(
	const struct recommend_policy *policy, unsigned n, unsigned n_obs)
{
	double doublings = log2(fmax(1, (n - 1) / fmax(n_obs, 1)));
	double seen = fmin(policy->slo_observed + SMALL_N_SHARE / n, SHARE_MAX);

	return seen - (policy->slo_observed - policy->slo_beyond) * doublings;
}

/* How near to the SLO what was measured may come, and what is tried: among
 * few syncs there is nothing between two sizes, among many a little less
 * costs a little. */
static double edge_share(unsigned n)
{
	return fmin(EDGE_SHARE + EDGE_SMALL_N / n, 1);
}

/* The users' p95 at N as it was measured, with its own error: enough data
 * needs no curve and no margin for one. */
static bool seen_to_keep(const struct decision *d, unsigned n)
{
	const struct level *row = levels_find(d->levels, n);

	if (!row || !row->observed || !(row->p95_ms > 0))
		return false;
	return row->p95_ms * (1 + SURE * P95_ERROR / sqrt(row->probes)) <=
		edge_share(n) * d->out->slo_ms;
}

/* A few more than the bound allows, where the curve itself keeps the SLO and
 * so many were hardly seen: one unlucky minute must not forbid a size for
 * good. The wave that tries them is short, and braked. */
static unsigned worth_a_try(const struct decision *d, unsigned allowed)
{
	const struct recommendation *out = d->out;
	unsigned most = allowed + (allowed / TRY_PART ? allowed / TRY_PART : 1);
	double seen_s = 0;
	unsigned n = allowed;

	for (size_t i = 0; i < d->row_count; i++)
		if (d->rows[i].n > allowed)
			seen_s += d->rows[i].seconds;
	if (out->fit.points == 0 || allowed == 0 || seen_s >= TRY_S)
		return allowed;
	while (n < most) {
		double share = edge_share(n + 1);
		if (n + 1 > out->n_obs)
			share = fmin(share, PLAN_SHARE);
		if (fit_quad_y(&out->canary, n + 1) > share * out->slo_ms)
			break;
		n++;
	}
	return n;
}

/* l+(m) <= SLO * margin, or seen to be kept, for all m <= n. */
static bool users_bear(
	const struct decision *d, unsigned n, double *upper, double *ceiling)
{
	const struct recommendation *out = d->out;
	double share = slo_share(d->policy, n, out->n_obs);

	*upper = fit_quad_upper(&out->canary, n, out->n_obs);
	/* The plan's pilot is small and braked: it may try. */
	if (out->fit.points == 0) {
		*upper = fit_quad_y(&out->canary, n);
		share = PLAN_SHARE;
	}
	*ceiling = share * out->slo_ms;
	return *upper <= *ceiling || seen_to_keep(d, n);
}

static void limit_canary(struct decision *d)
{
	struct recommendation *out = d->out;
	struct fit_point *points = xcalloc(d->row_count + 2, sizeof(*points));
	size_t count = canary_points(d, points);
	double upper;
	double ceiling;
	unsigned n = 0;

	out->idle_p95_ms = idle_p95(d);
	out->slo_ms = recommend_slo_ms(d->facts->slo_ms, out->idle_p95_ms);
	if (count == 0 || fit_quad(&out->canary, points, count) < 0)
		out->canary.points = 0;
	free(points);
	/* The idle point alone says nothing about syncs. */
	if (out->canary.points == 0 || isnan(out->slo_ms) ||
		out->canary.n_max < 1)
		return;
	while (n < LEVEL_MAX_N && users_bear(d, n + 1, &upper, &ceiling))
		n++;
	if (n == LEVEL_MAX_N)
		return;
	d->bound = n;
	d->tried = worth_a_try(d, n);
	users_bear(d, d->tried + 1, &upper, &ceiling);
	set_limit(d, LIMIT_CANARY, d->tried, upper, ceiling);
}

static void limit_disk(struct decision *d)
{
	const struct recommend_policy *policy = d->policy;
	double ceiling = d->facts->disk_rotational ? policy->disk_await_hdd_ms
						   : policy->disk_await_ssd_ms;

	if (ceiling > 0 && d->row_count && d->rows[0].n == 0 &&
		isfinite(d->rows[0].load[LOAD_DISK_READ_AWAIT]))
		ceiling = fmax(ceiling,
			policy->disk_await_idle *
				d->rows[0].load[LOAD_DISK_READ_AWAIT]);
	limit_curve(d, LIMIT_DISK_LATENCY, LOAD_DISK_READ_AWAIT, ceiling);
	limit_utilisation(d, LIMIT_DISK_UTIL, LOAD_DISK_UTIL,
		d->facts->disk_rotational ? policy->disk_util_max : 0);
}

static void limit_connections(struct decision *d)
{
	const struct recommend_facts *facts = d->facts;
	double room = (double)facts->connections_limit -
		(double)facts->connections_used;
	double each = fmax(facts->connections_per_client, 1);

	if (facts->connections_limit == 0)
		return;
	double n = fmax(0, room) * d->policy->connections_max / each;
	set_limit(d, LIMIT_CONNECTIONS, (uint32_t)fmin(n, LEVEL_MAX_N),
		facts->connections_used, facts->connections_limit);
}

/* The 90 % quantile of sizes moved at X(n)/n must end within the window. */
static void limit_window(struct decision *d)
{
	double minutes = d->facts->window_s / 60;
	double size = d->facts->mb_left_q90;

	if (!(minutes > 0) || !(size > 0) || d->out->fit.points == 0)
		return;
	for (unsigned n = 1; n <= LEVEL_MAX_N; n++) {
		double needed = size * n / fit_x(&d->out->fit, n);
		if (needed > minutes) {
			set_limit(d, LIMIT_WINDOW, n - 1, needed, minutes);
			return;
		}
	}
}

/* No more slots than clients; and new ground is for those who are left to
 * repay it. */
static void limit_clients(struct decision *d)
{
	unsigned left = d->facts->clients_left;
	double repaid = floor(left / fmax(d->policy->repay, 1));
	unsigned n = left;

	if (left == 0)
		return;
	if (d->out->fit.points)
		n = (unsigned)fmax(repaid, d->out->n_obs);
	set_limit(d, LIMIT_CLIENTS, n < left ? n : left, left,
		n < left ? d->policy->repay : 1);
}

/* Growth that fell short of its own lower bound is undone, and stays so for
 * two waves. */
static void limit_hysteresis(struct decision *d)
{
	const struct recommend_facts *facts = d->facts;
	size_t first = facts->past_count > 2 ? facts->past_count - 2 : 0;

	for (size_t i = first; i < facts->past_count; i++) {
		const struct recommend_past *past = &facts->past[i];
		double x;
		double se;
		if (past->slots <= past->slots_before ||
			!levels_of_wave(
				d->levels, past->wave, past->slots, &x, &se))
			continue;
		const struct level *before = levels_find(
			d->levels, past->slots_before);
		/* Less than promised may still be more than before. */
		if (before && x > GROWTH_LEAST * before->x_mb_min)
			continue;
		if (x + 1.645 * se < past->x_low &&
			past->slots_before < d->out->limit[LIMIT_HYSTERESIS].n)
			set_limit(d, LIMIT_HYSTERESIS, past->slots_before, x,
				past->x_low);
	}
}

void decision_limits(struct decision *d)
{
	const struct recommend_policy *policy = d->policy;
	struct recommendation *out = d->out;

	if (out->fit.points) {
		unsigned knee = fit_knee(&out->fit, out->n_cap, policy->knee);
		/* Two numbers cannot tell a knee from a slow client. */
		if (out->fit.points < 3 && knee < out->n_obs)
			knee = out->n_obs;
		set_limit(d, LIMIT_KNEE, knee, fit_x(&out->fit, knee),
			policy->knee);
	}
	set_limit(d, LIMIT_STEP, out->n_cap, out->n_obs, policy->max_step);
	limit_canary(d);
	limit_utilisation(d, LIMIT_CPU, LOAD_CPU, policy->cpu_max);
	limit_utilisation(d, LIMIT_NIC, LOAD_NIC, policy->nic_max);
	limit_disk(d);
	if (policy->mem_available_min > 0)
		limit_curve(d, LIMIT_MEMORY, LOAD_MEM_AVAILABLE,
			1 - policy->mem_available_min);
	limit_connections(d);
	limit_window(d);
	limit_clients(d);
	limit_hysteresis(d);
}

unsigned decision_smallest(const struct recommendation *out,
	enum limit_id ignored, enum limit_id *id)
{
	uint32_t least = LIMIT_NONE;

	*id = LIMIT_COUNT;
	for (int i = 0; i < LIMIT_COUNT; i++) {
		uint32_t n = out->limit[i].n;
		/* A hard limit says more than a knee at the same n, which
		 * may be the end of what was looked at. */
		if ((enum limit_id)i == ignored || n == LIMIT_NONE ||
			n > least || (n == least && *id != LIMIT_KNEE))
			continue;
		least = n;
		*id = (enum limit_id)i;
	}
	return least;
}
