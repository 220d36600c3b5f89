/*
 * reason.c - the recommendation in sentences that each cite their number.
 *
 * Last part of recommend(): says what was seen, what limits, what was
 * chosen and what could not be known. Numbers only from the struct, so that
 * text and JSON cannot disagree. Pure; any thread.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decision.h"

#define BUSY	 0.70 /* a resource that is the bottleneck for certain */
#define HALF	 0.50 /* below that, nothing on the server is short */
#define CLOSE	 0.95 /* a capacity within the step's reach */
#define STRAIGHT 0.95 /* from there on nothing limits yet */
#define BENDING	 0.90 /* X(n) / (n X(1)) under which the curve has bent */

void decision_say(struct recommendation *out, const char *fmt, ...)
{
	va_list ap;

	if (out->reason_count == RECOMMEND_REASONS)
		return;
	va_start(ap, fmt);
	vsnprintf(out->reasons[out->reason_count++], RECOMMEND_REASON_BYTES,
		fmt, ap);
	va_end(ap);
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

static const struct {
	enum load_metric metric;
	const char *word, *headline;
} resources[] = {
	{LOAD_CPU, "cpu", "CPU-bound"},
	{LOAD_NIC, "network", "Network-bound"},
	{LOAD_DISK_UTIL, "disk", "Disk-bound"},
};
#define RESOURCES (sizeof(resources) / sizeof(*resources))

/* The resource with the largest load at N syncs, or the fastest rising. */
static size_t find_bottleneck(
	const struct decision *d, unsigned n, double *load)
{
	size_t busiest = RESOURCES;
	size_t rising = RESOURCES;
	double slope = 0;

	*load = -1;
	for (size_t i = 0; i < RESOURCES; i++) {
		enum load_metric metric = resources[i].metric;
		double u = decision_load_at(d, metric, n);
		if (isfinite(u) && u > *load) {
			*load = u;
			busiest = i;
		}
		if (isfinite(d->d[metric]) && d->d[metric] > slope) {
			slope = d->d[metric];
			rising = i;
		}
	}
	return *load >= BUSY || rising == RESOURCES ? busiest : rising;
}

static void name_bottleneck(struct decision *d, char *headline, size_t size)
{
	struct recommendation *out = d->out;
	unsigned seen = out->n_obs ? out->n_obs : out->n_now;
	double load;
	size_t i = find_bottleneck(d, seen, &load);
	double bend = fit_x(&out->fit, seen) / (seen * out->fit.gamma);

	if (bend >= STRAIGHT) {
		out->bottleneck = "none";
		snprintf(headline, size, "No limit seen up to %u sync%s.", seen,
			plural(seen));
	} else if (i == RESOURCES) {
		snprintf(headline, size,
			"What limits is unknown: the server's load was not "
			"measured.");
	} else if (load < HALF && bend < BENDING) {
		out->bottleneck = "outside";
		snprintf(headline, size,
			"Limited outside the server (clients, network, "
			"per-user limits): its busiest resource is at "
			"%.0f %%.",
			100 * load);
	} else {
		enum load_metric metric = resources[i].metric;
		out->bottleneck = resources[i].word;
		snprintf(headline, size, "%s (%s %.0f %% at %u syncs).",
			resources[i].headline, load_metric_table[metric].label,
			100 * decision_load_at(d, metric, seen), seen);
	}
}

/* Where more syncs bring no more, and why. */
static void say_ceiling(struct decision *d)
{
	struct recommendation *out = d->out;
	const struct fit *fit = &out->fit;
	double corner = fit->ceiling / fit->gamma;

	if (out->n_now > 1 && fit_x(fit, 1) >= STRAIGHT * out->x_now) {
		decision_say(out,
			"One sync alone moves %.0f MB/min, as much as %u "
			"together: more only share it.%s",
			fit_x(fit, 1), out->n_now,
			fit->points < 3 && out->batch_size > 1
				? " Two sizes alone may be two clients: a "
				  "third must confirm it before fewer are "
				  "advised."
				: "");
		return;
	}
	if (isfinite(out->capacity) &&
		out->capacity < CLOSE * fit->gamma * out->n_cap)
		decision_say(out,
			"%.0f MB/min is all that can be had: %s reaches "
			"100 %% there.",
			out->capacity,
			load_metric_table[out->capacity_of].label);
	else if (fit->ceiling > 0 && corner < out->n_cap)
		decision_say(out,
			"Beyond %.0f syncs throughput stays at %.0f MB/min.",
			floor(corner), fit->ceiling);
	if (isfinite(fit->n_peak) && fit->n_peak < out->n_now)
		decision_say(out,
			"Throughput falls beyond %.0f syncs: fewer are "
			"faster.",
			fmax(1, fit->n_peak));
}

static void say_throughput(struct decision *d)
{
	struct recommendation *out = d->out;
	char headline[160];
	char change[32] = "move as much";
	unsigned to = out->batch_size;

	name_bottleneck(d, headline, sizeof(headline));
	if (to == out->n_now)
		to = out->n_cap;
	if (to == out->n_now) {
		decision_say(out, "%s %u syncs move %.0f MB/min.", headline,
			out->n_now, out->x_now);
		return;
	}
	struct fit_gain gain = fit_gain(&out->fit, &d->band, out->n_now, to,
		out->n_obs, d->policy->gain_delta);
	if (fabs(gain.gain) >= 0.005)
		snprintf(change, sizeof(change), "%s %.0f %%",
			gain.gain < 0 ? "lose" : "add", 100 * fabs(gain.gain));
	decision_say(out,
		"%s %u sync%s %.0f MB/min; %u would %s "
		"(90 %%: %+.0f..%+.0f %%), each user would get %.0f "
		"instead of %.0f MB/min.",
		headline, out->n_now, out->n_now == 1 ? " moves" : "s move",
		out->x_now, to, change, 100 * gain.low, 100 * gain.high,
		fit_x(&out->fit, to) / to, out->client_now);
	say_ceiling(d);
}

/* Limits that no load curve gives. */
static void say_other_limit(struct decision *d, enum limit_id id)
{
	struct recommendation *out = d->out;
	const struct limit *limit = &out->limit[id];

	switch (id) {
	case LIMIT_CONNECTIONS:
		decision_say(out,
			"The server takes %.0f connections and has %.0f: "
			"room for %u syncs.",
			limit->ceiling, limit->value, limit->n);
		break;
	case LIMIT_WINDOW:
		decision_say(out,
			"With %u syncs a large mailbox would take %.0f "
			"min; the window is %.0f min.",
			limit->n + 1, limit->value, limit->ceiling);
		break;
	case LIMIT_CLIENTS:
		if (id != out->binding)
			break;
		if (limit->ceiling > 1)
			decision_say(out,
				"%.0f clients are left: too few to repay the "
				"trial of more than %u at once, which takes "
				"%.0f for each slot.",
				limit->value, limit->n, limit->ceiling);
		else
			decision_say(out,
				"Only %u client%s left: more slots would stay "
				"empty.",
				limit->n, limit->n == 1 ? " is" : "s are");
		break;
	case LIMIT_HYSTERESIS:
		decision_say(out,
			"The last growth gave %.0f MB/min, less than the "
			"%.0f it promised at least: back to %u.",
			limit->value, limit->ceiling, limit->n);
		break;
	default:
		break;
	}
}

static void say_limit(struct decision *d, enum limit_id id)
{
	struct recommendation *out = d->out;
	const struct limit *limit = &out->limit[id];
	unsigned next = limit->n + 1;

	if (limit->n == LIMIT_NONE)
		return;
	switch (id) {
	case LIMIT_CANARY:
		decision_say(out,
			"Waiting users: at %u sync%s the p95 could reach "
			"%.0f ms, above the %.0f ms allowed there (SLO "
			"%.0f ms).",
			next, plural(next), limit->value, limit->ceiling,
			out->slo_ms);
		break;
	case LIMIT_CPU:
	case LIMIT_NIC:
	case LIMIT_DISK_UTIL:
	case LIMIT_MEMORY:
		decision_say(out,
			"%s would be at %.0f %% with %u sync%s; "
			"the ceiling is %.0f %%.",
			id == LIMIT_CPU			? "CPU"
				: id == LIMIT_NIC	? "The network link"
				: id == LIMIT_DISK_UTIL ? "The disk"
							: "Memory in use",
			100 * limit->value, next, plural(next),
			100 * limit->ceiling);
		break;
	case LIMIT_DISK_LATENCY:
		decision_say(out,
			"A disk read would take %.1f ms with %u sync%s; "
			"the ceiling is %.1f ms.",
			limit->value, next, plural(next), limit->ceiling);
		break;
	default:
		say_other_limit(d, id);
		break;
	}
}

static void say_try(struct decision *d)
{
	if (d->tried > d->bound && d->out->batch_size > d->bound)
		decision_say(d->out,
			"Beyond %u syncs the waiting users' p95 is not sure "
			"yet (about %.0f ms with %u): a short wave tries it.",
			d->bound,
			fit_quad_y(&d->out->canary, d->out->batch_size),
			d->out->batch_size);
}

static void say_missing(struct decision *d)
{
	struct recommendation *out = d->out;

	if (!d->facts->exporter) {
		decision_say(out,
			"Server load was not measured (no "
			"exporter): CPU, network, disk and memory "
			"do not limit.");
	} else {
		static const enum load_metric needed[] = {
			LOAD_CPU, LOAD_DISK_READ_AWAIT, LOAD_MEM_AVAILABLE};
		for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
			if (isnan(decision_load_at(d, needed[i], LEVEL_MAX_N)))
				decision_say(out,
					"The exporter gave no %s: it does not "
					"limit.",
					load_metric_table[needed[i]].label);
	}
	if (d->facts->canary && out->canary.points == 0)
		decision_say(out,
			"The canary gave too few latencies: waiting "
			"users do not limit.");
	else if (!d->facts->canary && out->canary.points == 0)
		decision_say(out,
			"No online user was probed (no canary): "
			"waiting users do not limit.");
}

static void say_choice(struct decision *d)
{
	struct recommendation *out = d->out;
	enum limit_id id;
	unsigned allowed = decision_smallest(out, LIMIT_COUNT, &id);
	unsigned left = d->facts->clients_left;
	char next[96] = "nothing else limits";

	if (out->next_limit != LIMIT_COUNT)
		snprintf(next, sizeof(next), "next limit: %s (%u)",
			limit_name(out->next_limit),
			out->limit[out->next_limit].n);
	if (allowed != LIMIT_NONE && allowed > out->batch_size &&
		out->verdict != VERDICT_PASS)
		decision_say(out,
			"The limits alone would allow %u (%s); the "
			"verdict is %s, so at most %u.",
			allowed, limit_name(id), verdict_name(out->verdict),
			out->batch_size);
	decision_say(out, "Recommended %u: %s (%u); %s.", out->batch_size,
		limit_name(out->binding), allowed, next);
	if (!isfinite(out->eta_seconds))
		return;
	char whose[32] = "";
	if (left)
		snprintf(whose, sizeof(whose), "%u client%s with ", left,
			plural(left));
	decision_say(out, "%s%.0f MB %s left: about %.0f min at %.0f MB/min.",
		whose, d->facts->mb_left, left == 1 ? "is" : "are",
		out->eta_seconds / 60, out->x_batch);
}

static void say_plan(struct decision *d)
{
	struct recommendation *out = d->out;
	double seen = out->limit[LIMIT_PLAN].value;

	if (out->usable == 0 && out->buckets == 0)
		decision_say(out,
			"No bucket has a running sync: nothing has "
			"been measured yet. Run a pilot of one.");
	else if (seen == 0)
		decision_say(out,
			"None of %zu buckets is usable: the number of "
			"syncs changed, data was missing or damaged, the load "
			"generator was the limit, or nothing moved.",
			out->buckets);
	else if (seen == 1 && out->n_obs == 0)
		decision_say(out,
			"Only one sync at once was seen, and not for %.0f s: "
			"measure longer.",
			d->policy->levels.observed_s);
	else if (seen == 1)
		decision_say(out,
			"Only one sync at once was seen (%.0f MB/min): a "
			"curve needs two numbers, so the plan's %u is "
			"advised, not a fit.",
			levels_find(d->levels, 1)
				? levels_find(d->levels, 1)->x_mb_min
				: 0,
			d->policy->plan_batch);
	else
		decision_say(out,
			"All usable data is at %.0f syncs at once: a "
			"curve needs a second number. Run a smaller "
			"pilot.",
			seen);
}

/* What no law could reach with the rest. */
static void say_left_out(struct decision *d)
{
	const struct level *broken = levels_broken(d->levels);
	const struct level *first = NULL;
	unsigned more = 0;

	if (broken)
		decision_say(d->out,
			"At %u syncs throughput broke down to %.0f MB/min: no "
			"more than %u are tried.",
			broken->n, broken->x_mb_min, d->out->n_cap);
	for (size_t i = 0; i < d->row_count; i++) {
		const struct level *row = &d->rows[i];
		if (!row->left_out || (broken && row->n >= broken->n))
			continue;
		more += first != NULL;
		first = first ? first : row;
	}
	if (first)
		decision_say(d->out,
			"%u sync%s (%.0f MB/min)%s moved far less than fewer "
			"or more did: left out of the curve.",
			first->n, plural(first->n), first->x_mb_min,
			more ? " and other numbers" : "");
}

void decision_explain(struct decision *d)
{
	struct recommendation *out = d->out;

	if (out->fit.points)
		say_throughput(d);
	else
		say_plan(d);
	if (levels_damaged(d->levels))
		decision_say(out,
			"%zu of %zu buckets hold no usable numbers (NaN, "
			"negative or absurd) and were left out.",
			levels_damaged(d->levels), d->count);
	say_left_out(d);
	if (out->drift)
		decision_say(out,
			"The newest wave does not fit the older "
			"ones: those count half per wave of age.");
	say_missing(d);
	say_limit(d, out->binding);
	say_try(d);
	if (out->next_limit != LIMIT_COUNT)
		say_limit(d, out->next_limit);
	say_choice(d);
}
