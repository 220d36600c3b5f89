/*
 * judge.c - the rules of the gate, one function each, and their defaults.
 *
 * Called by the wave when it is due and by a person who asks again. Pure.
 */
#include "judge.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "alloc.h"
#include "chance.h"
#include "scenario.h"

#define PROBE_FAILURES_MAX 0.01
#define DATA_MIN	   0.80
#define GENERATOR_MAX	   0.20
#define MEASURABLE_S	   10.0 /* a shorter wave cannot be measured */

const char *judgement_name(enum judgement verdict)
{
	static const char *const names[] = {"PASS", "FAIL", "INCONCLUSIVE"};

	return names[verdict];
}

static struct judge_rule *add_rule(
	struct judge_result *result, const char *name, enum judgement verdict)
{
	struct judge_rule *rule = &result->rules[result->rule_count++];

	*rule = (struct judge_rule){.verdict = verdict};
	(void)snprintf(rule->rule, sizeof(rule->rule), "%s", name);
	return rule;
}

__attribute__((format(printf, 2, 3))) static void say(
	char *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, JUDGE_TEXT_BYTES, fmt, ap);
	va_end(ap);
}

static unsigned at_least(unsigned least, double share, unsigned of)
{
	unsigned n = (unsigned)floor(share * of + 1e-9);

	return n > least ? n : least;
}

/* A pilot of one proves the way; it may not fail at all. */
static unsigned wave_failures_max(
	const struct judge_counts *counts, const struct scenario_steps *steps)
{
	if (counts->pilot && counts->clients <= 1)
		return 0;
	return at_least(1, steps->failed_wave, counts->admitted);
}

static unsigned rollout_failures_max(
	const struct judge_counts *counts, const struct scenario_steps *steps)
{
	return at_least(3, steps->failed_rollout, counts->rollout_clients);
}

bool judge_is_lost(
	const struct judge_counts *counts, const struct scenario_steps *steps)
{
	if (counts->failed > wave_failures_max(counts, steps) &&
		(counts->done + counts->failed >= 3 || counts->clients < 3))
		return true;
	return counts->rollout_failed > rollout_failures_max(counts, steps);
}

static void judge_clients(struct judge_result *result,
	const struct judge_counts *counts, const struct scenario_steps *steps)
{
	unsigned most = wave_failures_max(counts, steps);
	unsigned all = rollout_failures_max(counts, steps);
	unsigned wanted = (unsigned)ceil(steps->gate * counts->clients - 1e-9);
	struct judge_rule *rule;

	if (counts->pilot)
		wanted = counts->clients > most ? counts->clients - most : 0;
	if (counts->cut) {
		rule = add_rule(result, "ended early", JUDGE_PASS);
		say(rule->measured, "%s", counts->cut);
		say(rule->limit, "any number of clients done");
	} else {
		rule = add_rule(result, "clients done",
			counts->done >= wanted ? JUDGE_PASS : JUDGE_FAIL);
		say(rule->measured, "%u of %u", counts->done, counts->clients);
		say(rule->limit, "at least %u", wanted);
	}
	rule = add_rule(result, "failures in the wave",
		counts->failed <= most ? JUDGE_PASS : JUDGE_FAIL);
	say(rule->measured, "%u", counts->failed);
	say(rule->limit, "at most %u", most);
	rule = add_rule(result, "failures in the rollout",
		counts->rollout_failed <= all ? JUDGE_PASS : JUDGE_FAIL);
	say(rule->measured, "%u", counts->rollout_failed);
	say(rule->limit, "at most %u", all);
	if (!counts->acceptance)
		return;
	rule = add_rule(result, "functional acceptance",
		counts->accepted	  ? JUDGE_PASS
			: counts->refused ? JUDGE_FAIL
					  : JUDGE_INCONCLUSIVE);
	say(rule->measured, "%s",
		counts->accepted	  ? "passed"
			: counts->refused ? "failed"
					  : "no answer");
	say(rule->limit, "passed");
}

/* What a brief wave could not show is said, not judged. */
static void judge_canary(struct judge_result *result,
	const struct judge_measured *measured, bool brief)
{
	unsigned most = (unsigned)chance_most(measured->windows);
	struct judge_rule *rule;

	rule = add_rule(result, "waiting users",
		measured->windows == 0			  ? JUDGE_INCONCLUSIVE
			: measured->windows_above <= most ? JUDGE_PASS
							  : JUDGE_FAIL);
	if (measured->windows == 0)
		say(rule->measured, "not measured");
	else
		say(rule->measured, "p95 within %.0f ms in %u of %u windows",
			measured->slo_ms,
			measured->windows - measured->windows_above,
			measured->windows);
	if (measured->windows == 0)
		say(rule->limit, "95%% of windows");
	else
		say(rule->limit, "at least %u", measured->windows - most);
	rule->advisory = brief && measured->windows == 0;
	rule = add_rule(result, "failed probes",
		isnan(measured->probe_failures) ? JUDGE_INCONCLUSIVE
			: measured->probe_failures <= PROBE_FAILURES_MAX
			? JUDGE_PASS
			: JUDGE_FAIL);
	if (isnan(measured->probe_failures))
		say(rule->measured, "not measured");
	else
		say(rule->measured, "%.1f%%", 100 * measured->probe_failures);
	say(rule->limit, "at most %.0f%%", 100 * PROBE_FAILURES_MAX);
	rule->advisory = brief && isnan(measured->probe_failures);
}

static void judge_share(struct judge_result *result, const char *name,
	double share, bool advisory)
{
	struct judge_rule *rule = add_rule(result, name,
		share >= DATA_MIN ? JUDGE_PASS : JUDGE_INCONCLUSIVE);

	if (isnan(share))
		say(rule->measured, "none");
	else
		say(rule->measured, "%.0f%%", 100 * share);
	say(rule->limit, "at least %.0f%%", 100 * DATA_MIN);
	rule->advisory = advisory;
}

/* What was measured then is a lower bound, and no limit of the server's. */
static void judge_generator(
	struct judge_result *result, const struct judge_measured *measured)
{
	struct judge_rule *rule;

	if (isnan(measured->generator_share) || !measured->generator)
		return;
	rule = add_rule(result, "load generator",
		measured->generator_share <= GENERATOR_MAX
			? JUDGE_PASS
			: JUDGE_INCONCLUSIVE);
	if (measured->generator_share > 0)
		say(rule->measured,
			"the bottleneck for %.0f%% of the wave (%s)",
			100 * measured->generator_share, measured->generator);
	else
		say(rule->measured, "never the bottleneck");
	say(rule->limit, "at most %.0f%%", 100 * GENERATOR_MAX);
}

/* FAIL beats INCONCLUSIVE beats PASS; the first of the worst is the reason.*/
static void conclude(struct judge_result *result)
{
	static const int weight[] = {
		[JUDGE_PASS] = 0, [JUDGE_INCONCLUSIVE] = 1, [JUDGE_FAIL] = 2};

	for (unsigned i = 0; i < result->rule_count; i++) {
		const struct judge_rule *rule = &result->rules[i];

		if (rule->advisory ||
			weight[rule->verdict] <= weight[result->verdict])
			continue;
		result->verdict = rule->verdict;
		(void)snprintf(result->reason, sizeof(result->reason),
			"%.64s: %.80s, expected %.80s", rule->rule,
			rule->measured, rule->limit);
	}
}

void judge_wave(struct judge_result *result, const struct judge_counts *counts,
	const struct judge_measured *measured,
	const struct scenario_steps *steps)
{
	bool brief = measured->seconds < MEASURABLE_S;

	*result = (struct judge_result){.verdict = JUDGE_PASS};
	judge_clients(result, counts, steps);
	if (measured->canary)
		judge_canary(result, measured, brief);
	if (measured->exporter)
		judge_share(result, "server load data",
			measured->exporter_share, brief);
	if (measured->canary)
		judge_share(
			result, "probe data", measured->canary_share, brief);
	judge_generator(result, measured);
	conclude(result);
}

char *judge_encode(const struct judge_result *result)
{
	json_t *rules = json_array();
	char *text;

	for (unsigned i = 0; i < result->rule_count; i++) {
		const struct judge_rule *rule = &result->rules[i];

		json_array_append_new(rules,
			json_pack("{s:s, s:s, s:s, s:s, s:b}", "rule",
				rule->rule, "measured", rule->measured, "limit",
				rule->limit, "verdict",
				judgement_name(rule->verdict), "advisory",
				rule->advisory));
	}
	text = json_dumps(rules, JSON_COMPACT);
	json_decref(rules);
	return text ? text : xstrdup("[]");
}
