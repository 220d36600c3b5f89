/*
 * recommend.c - from buckets to a batch size.
 *
 * Called by the controller after each wave, by `recommend`, `replay` and the
 * simulator: levels, fit, bootstrap, limits, choice, gate, sentences.
 * Pure, deterministic; any thread.
 */
#include "recommend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "decision.h"

#define STEP_MAX    3.0	 /* whatever the policy says */
#define DRIFT_LEAST 0.10 /* smaller differences are other clients */

const struct recommend_policy recommend_policy_default = {
	.levels = {.observed_s = 30,
		.rho = 0.7,
		.sd_floor = 0.05,
		.se_floor = 0.03,
		.block_s = 60,
		.probes_min = 15},
	.knee = 0.95,
	.max_step = 2,
	.plan_batch = 5,
	.repay = 3,
	.slo_observed = 0.88,
	.slo_beyond = 0.75,
	.cpu_max = 0.85,
	.nic_max = 0.85,
	.disk_util_max = 0.85,
	.disk_await_hdd_ms = 20,
	.disk_await_ssd_ms = 5,
	.disk_await_idle = 3,
	.mem_available_min = 0.10,
	.connections_max = 0.8,
	.gain_delta = 0.22,
	.data_min = 0.8,
	.sd_ln_max = 0.15,
	.failed_wave = 0.10,
	.failed_rollout = 0.05,
	.seed = 1,
};

const char *verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return "PASS";
	case VERDICT_FAIL:
		return "FAIL";
	case VERDICT_INCONCLUSIVE:
		break;
	}
	return "INCONCLUSIVE";
}

static int fit_levels(struct decision *d)
{
	size_t count = fit_points(d->levels, NULL);
	struct fit_point *points = xcalloc(count + 1, sizeof(*points));

	fit_points(d->levels, points);
	int rc = fit_law(&d->out->fit, points, count);
	free(points);
	if (rc < 0)
		d->out->fit.points = 0;
	return rc;
}

/* The newest wave disagrees with the law fitted to all: the server has
 * changed, and older waves count half per wave. */
static void watch_drift(struct decision *d)
{
	unsigned wave = levels_latest_wave(d->levels);
	bool older = false;
	double x;
	double se;

	for (size_t i = 0; i < d->count && !older; i++)
		older = d->buckets[i].wave != 0 && d->buckets[i].wave != wave;
	if (!older || d->out->n_now == 0 ||
		!levels_of_wave(d->levels, wave, d->out->n_now, &x, &se))
		return;
	double expected = fit_x(&d->out->fit, d->out->n_now);
	if (fabs(x - expected) <= fmax(2 * se, DRIFT_LEAST * expected))
		return;
	d->out->drift = true;
	levels_weigh(d->levels, true);
	d->rows = levels_rows(d->levels, &d->row_count);
	fit_levels(d);
}

/* One n only, or none: the plan decides, not a fit. */
static void choose_by_plan(struct decision *d)
{
	struct recommendation *out = d->out;
	unsigned seen = 0;

	for (size_t i = 0; i < d->row_count; i++)
		if (d->rows[i].x_mb_min > 0 && !d->rows[i].left_out)
			seen = d->rows[i].n;
	out->fit.points = 0;
	out->limit[LIMIT_PLAN].n = seen ? seen : 1;
	if (seen == 1 && out->n_obs)
		out->limit[LIMIT_PLAN].n = d->policy->plan_batch;
	out->limit[LIMIT_PLAN].value = seen;
	out->limit[LIMIT_STEP].n = LIMIT_NONE;
}

static int compare_unsigned(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a;
	unsigned y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* The batch each replicate would have chosen. */
static void range_of_choice(struct decision *d)
{
	struct recommendation *out = d->out;
	unsigned choice[FIT_REPLICATES];
	enum limit_id id;
	unsigned others = decision_smallest(out, LIMIT_KNEE, &id);

	if (d->band.count == 0)
		return;
	for (unsigned b = 0; b < d->band.count; b++) {
		unsigned knee = fit_knee(
			&d->band.replicate[b], out->n_cap, d->policy->knee);
		unsigned slots = knee < others ? knee : others;
		choice[b] = slots ? slots : 1;
	}
	qsort(choice, d->band.count, sizeof(*choice), compare_unsigned);
	out->choice_low = choice[(d->band.count - 1) * 5 / 100];
	out->choice_high = choice[(d->band.count - 1) * 95 / 100];
}

static void choose(struct decision *d)
{
	struct recommendation *out = d->out;
	unsigned least = decision_smallest(out, LIMIT_COUNT, &out->binding);

	decision_smallest(out, out->binding, &out->next_limit);
	if (least == LIMIT_NONE)
		least = 1;
	out->batch_size = least ? least : 1;
}

/* Graham's bound: the work over the rate, and the tail of the largest. */
static double eta_seconds(
	const struct recommend_facts *facts, double x, double slots)
{
	if (!(x > 0) || !(facts->mb_left > 0))
		return NAN;
	double minutes = facts->mb_left / x +
		facts->mb_left_max * slots / x * (1 - 1 / slots);
	return minutes * 60;
}

/* What the chosen size will bring, as far as the fit reaches. */
static void predict(struct decision *d)
{
	struct recommendation *out = d->out;
	unsigned slots = out->batch_size;
	double high;

	if (out->fit.points == 0)
		return;
	struct fit_gain gain = fit_gain(&out->fit, &d->band, out->n_now, slots,
		out->n_obs, d->policy->gain_delta);
	out->gain = gain.gain;
	out->gain_low = gain.low;
	out->gain_high = gain.high;
	out->x_now = fit_x(&out->fit, out->n_now);
	out->x_batch = fit_x(&out->fit, slots);
	fit_band_x(&d->band, slots, &out->x_batch_low, &high);
	if (gain.low < gain.gain)
		out->x_batch_low = fmin(
			out->x_batch_low, out->x_now * (1 + gain.low));
	out->client_now = out->x_now / out->n_now;
	out->client_batch = out->x_batch / slots;
	out->eta_seconds = eta_seconds(d->facts, out->x_batch, slots);
}

static void clear(struct recommendation *out)
{
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < LIMIT_COUNT; i++)
		out->limit[i] = (struct limit){
			.n = LIMIT_NONE, .value = NAN, .ceiling = NAN};
	out->verdict = VERDICT_PASS;
	out->gain = out->gain_low = out->gain_high = NAN;
	out->x_now = out->x_batch = out->x_batch_low = NAN;
	out->client_now = out->client_batch = NAN;
	out->eta_seconds = out->slo_ms = out->idle_p95_ms = NAN;
	out->sd_ln = out->capacity = NAN;
	out->bottleneck = "unknown";
}

static void look(struct decision *d)
{
	struct recommendation *out = d->out;
	double step = fmin(fmax(d->policy->max_step, 1), STEP_MAX);

	d->rows = levels_rows(d->levels, &d->row_count);
	out->buckets = levels_total(d->levels);
	out->usable = levels_usable(d->levels);
	out->n_obs = levels_n_obs(d->levels);
	out->n_now = d->facts->wave_slots;
	if (out->n_now == 0 || (out->n_obs && out->n_now > out->n_obs))
		out->n_now = out->n_obs;
	if (out->n_now == 0 && d->row_count)
		out->n_now = d->rows[d->row_count - 1].n;
	if (out->n_now == 0)
		out->n_now = 1;
	out->n_cap = (unsigned)floor(step * fmax(out->n_obs, 1));
	/* Nothing observed for long enough: no growth beyond what was seen. */
	if (out->n_obs == 0)
		out->n_cap = out->n_now;
	if (out->n_cap > LEVEL_MAX_N)
		out->n_cap = LEVEL_MAX_N;
	/* Half the way to where it broke down. */
	const struct level *broken = levels_broken(d->levels);
	if (broken && out->n_cap > (out->n_obs + broken->n) / 2)
		out->n_cap = (out->n_obs + broken->n) / 2;
}

static void keep_levels(struct decision *d)
{
	size_t first = d->row_count > RECOMMEND_LEVELS
		? d->row_count - RECOMMEND_LEVELS
		: 0;

	for (size_t i = first; i < d->row_count; i++)
		d->out->level[d->out->level_count++] = d->rows[i];
}

void recommend(struct recommendation *out, const struct bucket *buckets,
	size_t count, const struct recommend_facts *facts,
	const struct recommend_policy *policy)
{
	struct decision *d = xcalloc(1, sizeof(*d));

	clear(out);
	d->buckets = buckets;
	d->count = count;
	d->facts = facts;
	d->policy = policy;
	d->out = out;
	for (int i = 0; i <= LOAD_CONNECTIONS; i++)
		d->d[i] = NAN;
	d->levels = levels_new(buckets, count, &policy->levels);
	look(d);
	if (fit_levels(d) == 0 && out->fit.points >= 2) {
		watch_drift(d);
		fit_bootstrap(&d->band, d->levels, policy->seed);
		decision_lines(d);
		decision_capacity(d);
		out->sd_ln = fit_band_sd(&d->band, out->n_now);
		decision_limits(d);
	} else {
		out->fit.points = 0;
		decision_limits(d);
		choose_by_plan(d);
	}
	choose(d);
	if (out->fit.points)
		range_of_choice(d);
	decision_gate(d);
	out->known = out->n_obs;
	if (d->tried > d->bound && d->bound < out->known)
		out->known = d->bound;
	out->explore = out->batch_size > out->known;
	predict(d);
	decision_explain(d);
	keep_levels(d);
	levels_free(d->levels);
	free(d);
}
