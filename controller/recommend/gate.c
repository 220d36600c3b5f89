/*
 * gate.c - may the rollout go on after the wave that has just run?
 *
 * Part of recommend(). FAIL: something broke that a person must look at.
 * INCONCLUSIVE: the data cannot carry a larger size; the wave is repeated as
 * it was. No data is never a pass. Each objection is a sentence with its
 * figure and its bound. Pure; any thread.
 */
#include <math.h>

#include "chance.h"
#include "decision.h"
#include "hist.h"

#define WINDOW_S	 30.0
#define PROBE_FAILURES	 0.01
#define SLOTS_FILLED	 0.85 /* large batches are rarely full */
#define FINISHED_ENOUGH	 3    /* clients, before failures are judged */
#define CHOICE_MATTERS	 0.10 /* of throughput */
#define SEEN_ENOUGH_S	 600  /* of one size: repeating it tells no more */
#define CAREFUL_STEP	 1.5
#define ROLLOUT_FAILURES 3

static void fail(struct decision *d)
{
	d->out->verdict = VERDICT_FAIL;
}

static void doubt(struct decision *d)
{
	if (d->out->verdict == VERDICT_PASS)
		d->out->verdict = VERDICT_INCONCLUSIVE;
}

static void gate_clients(struct decision *d)
{
	const struct recommend_facts *facts = d->facts;
	double allowed = fmax(
		1, floor(d->policy->failed_wave * facts->admitted));
	double overall = fmax(ROLLOUT_FAILURES,
		floor(d->policy->failed_rollout * facts->rollout_clients));

	if (facts->admitted == 1 && facts->failed) {
		fail(d);
		decision_say(d->out,
			"The pilot's only client failed: nothing "
			"grows on that.");
	} else if (facts->done + facts->failed >= FINISHED_ENOUGH &&
		facts->failed > allowed) {
		fail(d);
		decision_say(d->out,
			"%u of %u clients of the wave failed; at most "
			"%.0f may.",
			facts->failed, facts->admitted, allowed);
	}
	if (facts->rollout_failed > overall) {
		fail(d);
		decision_say(d->out,
			"%u of %u clients of the rollout have failed; at "
			"most %.0f may.",
			facts->rollout_failed, facts->rollout_clients, overall);
	}
}

/* What the buckets of the judged wave hold. */
struct census {
	size_t total, with_data, with_load, with_probes;
	size_t generator; /* limited by the agents' own host */
	size_t windows, within;
	uint64_t probes, failures;
};

/* A window is above the SLO when more than 5 % of its probes are, beyond what
 * chance explains (one-sided 95 %): of 30 probes at the SLO exactly, the
 * second largest is above it in every other window. */
struct window {
	double end_s;
	unsigned probes, above;
};

static void close_window(struct census *census, struct window *window)
{
	if (window->probes >= 5) {
		census->windows++;
		census->within += window->above <= chance_most(window->probes);
	}
	window->probes = window->above = 0;
}

static void count_bucket(struct census *census, const struct bucket *bucket)
{
	census->total++;
	if (!(bucket->flags & (BUCKET_NO_DATA | BUCKET_INVALID)))
		census->with_data++;
	census->generator += (bucket->flags & BUCKET_GENERATOR) != 0;
	if (isfinite(bucket->load[LOAD_CPU]))
		census->with_load++;
	if (bucket->probes)
		census->with_probes++;
	census->probes += bucket->probes;
	census->failures += bucket->failures;
}

static struct census take_census(const struct decision *d)
{
	struct census census = {0};
	struct window window = {.end_s = -INFINITY};
	bool slo = isfinite(d->out->slo_ms);
	unsigned slo_bin = slo ? hist_bin((int64_t)(d->out->slo_ms * 1000))
			       : HIST_BINS;

	for (size_t i = 0; i < d->count; i++) {
		const struct bucket *bucket = &d->buckets[i];
		if (bucket->wave != d->facts->wave || bucket->wave == 0)
			continue;
		count_bucket(&census, bucket);
		if (bucket->start_s >= window.end_s) {
			close_window(&census, &window);
			window.end_s = bucket->start_s + WINDOW_S;
		}
		window.probes += bucket->probes_kept;
		for (uint32_t p = 0; p < bucket->probes_kept; p++)
			window.above += bucket->probe[p] > slo_bin;
	}
	close_window(&census, &window);
	return census;
}

static void gate_canary(struct decision *d, const struct census *census)
{
	double share = census->windows
		? (double)census->within / (double)census->windows
		: 1;
	double failures = census->probes
		? (double)census->failures / (double)census->probes
		: 0;

	if (d->facts->slo_ms > 0 && d->out->idle_p95_ms > d->facts->slo_ms) {
		fail(d);
		decision_say(d->out,
			"The SLO of %.0f ms is below the p95 of the idle "
			"server (%.0f ms): no batch size can keep it. "
			"Set a larger one.",
			d->facts->slo_ms, d->out->idle_p95_ms);
		return;
	}
	size_t above = census->windows - census->within;
	if (isfinite(d->out->slo_ms) &&
		(double)above > chance_most((double)census->windows)) {
		fail(d);
		d->shrink = true;
		decision_say(d->out,
			"Waiting users were above the SLO of %.0f ms in "
			"%.0f %% of %zu windows of 30 s, more than chance "
			"makes of 5 %%.",
			d->out->slo_ms, 100 * (1 - share), census->windows);
	}
	if (failures > PROBE_FAILURES) {
		fail(d);
		decision_say(d->out,
			"%.1f %% of the canary's probes failed; at most "
			"%.0f %% may.",
			100 * failures, 100 * PROBE_FAILURES);
	}
}

static void gate_share(
	struct decision *d, size_t with, size_t total, const char *what)
{
	double share = total ? (double)with / (double)total : 0;

	if (share >= d->policy->data_min)
		return;
	doubt(d);
	decision_say(d->out,
		"Only %.0f %% of the wave's %zu buckets have %s; "
		"%.0f %% are needed.",
		100 * share, total, what, 100 * d->policy->data_min);
}

/* Such buckets are not in the fit: they would put the server's knee where
 * the generator's is. */
static void gate_generator(struct decision *d, const struct census *census)
{
	double share = census->total
		? (double)census->generator / (double)census->total
		: 0;

	if (census->generator == 0)
		return;
	if (share > 1 - d->policy->data_min)
		doubt(d);
	decision_say(d->out,
		"The load generator was the bottleneck in %.0f %% of the "
		"wave's %zu buckets: their figures are a lower bound and "
		"were left out; use more or larger hosts for the fleet.",
		100 * share, census->total);
}

static void gate_data(struct decision *d, const struct census *census)
{
	const struct recommend_facts *facts = d->facts;
	unsigned slots = facts->wave_slots;

	if (facts->wave) {
		gate_share(d, census->with_data, census->total,
			"data of all active agents");
		if (facts->exporter)
			gate_share(d, census->with_load, census->total,
				"server load");
		if (facts->canary)
			gate_share(d, census->with_probes, census->total,
				"canary probes");
	}
	/* A wave smaller than its slots could never fill them. */
	if (facts->admitted && facts->admitted < slots)
		slots = facts->admitted;
	const struct level *broken = levels_broken(d->levels);
	unsigned most = broken ? broken->n : d->out->n_obs;
	if (slots == 0 && most == 0 && d->out->fit.points) {
		doubt(d);
		decision_say(d->out,
			"No number of syncs was seen for %.0f s: measure "
			"longer.",
			d->policy->levels.observed_s);
	}
	if (slots && most < floor(SLOTS_FILLED * slots)) {
		doubt(d);
		decision_say(d->out,
			"%u syncs at once were never seen for %.0f s "
			"together; the largest number was %u.",
			slots, d->policy->levels.observed_s, most);
	}
}

static void gate_fit(struct decision *d)
{
	struct recommendation *out = d->out;
	double width = (double)out->choice_high - (double)out->choice_low;

	if (out->fit.points == 0)
		return;
	if (out->sd_ln > d->policy->sd_ln_max) {
		doubt(d);
		decision_say(out,
			"The throughput of %u syncs is uncertain by "
			"%.0f %%; %.0f %% is the most that is accepted.",
			out->n_now, 100 * out->sd_ln,
			100 * d->policy->sd_ln_max);
	}
	/* On a flat curve any of them will do. */
	double matters = fit_x(&out->fit, out->choice_high) /
			fit_x(&out->fit, out->choice_low) -
		1;
	if (width <= fmax(2, 0.25 * out->batch_size) ||
		fabs(matters) <= CHOICE_MATTERS)
		return;
	const struct level *now = levels_find(d->levels, out->n_now);
	unsigned careful = (unsigned)ceil(CAREFUL_STEP * out->n_now);
	if (now && now->seconds >= SEEN_ENOUGH_S) {
		/* More of the same would not tell. */
		if (careful < out->choice_low)
			careful = out->choice_low;
		if (careful >= out->batch_size)
			return;
		out->batch_size = careful;
		decision_say(out,
			"The data allow anything from %u to %u; after %.0f s "
			"of %u a step to %u shall tell.",
			out->choice_low, out->choice_high, now->seconds,
			out->n_now, careful);
		return;
	}
	doubt(d);
	decision_say(out,
		"The data allow anything from %u to %u; repeat the wave for "
		"a narrower range.",
		out->choice_low, out->choice_high);
}

void decision_gate(struct decision *d)
{
	struct recommendation *out = d->out;
	struct census census = take_census(d);
	/* Who names no batch size has run what was seen. */
	unsigned slots = d->facts->wave_slots ? d->facts->wave_slots
					      : out->n_now;

	gate_clients(d);
	gate_canary(d, &census);
	/* Only a pilot of one that was seen long enough goes on by plan. */
	if (out->fit.points == 0 && out->n_obs != 1)
		doubt(d);
	gate_data(d, &census);
	gate_generator(d, &census);
	gate_fit(d);
	if (out->verdict == VERDICT_INCONCLUSIVE && out->batch_size > slots)
		out->batch_size = slots;
	if (out->verdict != VERDICT_FAIL)
		return;
	/* A failure never grows; one of the waiting users shrinks. */
	if (d->shrink && out->batch_size >= slots)
		out->batch_size = slots > 1 ? slots * 3 / 4 : 1;
	else if (out->batch_size > slots)
		out->batch_size = slots;
}
