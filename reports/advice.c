/*
 * advice.c - gather_advice(): the recommendation and the curve it rests on.
 *
 * What was decided is read from the archive as it was written down. Only what
 * a picture needs beyond it is computed again, by the model's own functions
 * from the same buckets: levels, and the band of the fit.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "archived.h"
#include "bucket.h"
#include "err.h"
#include "findings.h"
#include "fit.h"
#include "gather.h"
#include "levels.h"
#include "recommend.h"

#define CURVE_POINTS 160

char *gather_limit(const char *key)
{
	for (int id = 0; key && id < LIMIT_COUNT; id++)
		if (strcmp(limit_key((enum limit_id)id), key) == 0)
			return xstrdup(limit_name((enum limit_id)id));
	return xstrdup(key ? key : "");
}

static char *limit_of(const json_t *object, const char *key)
{
	return gather_limit(json_string_value(json_object_get(object, key)));
}

static char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return xstrdup(text ? text : "");
}

static double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static unsigned count_of(const json_t *object, const char *key)
{
	double value = number_of(object, key);

	return value >= 0 && value < LEVEL_MAX_N ? (unsigned)value : 0;
}

/* Scalars of OBJECT as rows "prefix.key"; arrays of numbers by index. Lists
 * of sentences are shown elsewhere. */
static void flatten(
	struct findings *findings, const char *prefix, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		char *name = *prefix ? xasprintf("%s.%s", prefix, key)
				     : xstrdup(key);
		char *text = NULL;

		if (json_is_object(value))
			flatten(findings, name, value);
		else if (json_is_string(value))
			text = xstrdup(json_string_value(value));
		else if (!json_is_array(value) ||
			json_is_number(json_array_get(value, 0)))
			text = json_dumps(value,
				JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
		if (text) {
			struct finding_text *row = findings_add(
				&findings->parameters,
				&findings->parameter_count, sizeof(*row));

			row->name = xstrdup(name);
			row->value = text;
		}
		free(name);
	}
}

static void take_reasons(struct findings *findings, const json_t *reasons)
{
	for (size_t i = 0; i < json_array_size(reasons); i++) {
		const char *reason = json_string_value(
			json_array_get(reasons, i));
		struct finding_text *row;

		if (!reason)
			continue;
		row = findings_add(&findings->reasons, &findings->reason_count,
			sizeof(*row));
		row->value = xstrdup(reason);
	}
}

static void take_result(struct findings *findings, json_t *result)
{
	findings->has_advice = true;
	findings->verdict = text_of(result, "verdict");
	findings->binding = limit_of(result, "binding");
	findings->next_limit = limit_of(result, "next_limit");
	findings->batch = count_of(result, "batch_size");
	findings->batch_before = count_of(result, "n_now");
	findings->observed = count_of(result, "n_obs");
	findings->step_cap = count_of(result, "n_cap");
	findings->gain = number_of(result, "gain");
	findings->gain_low = number_of(result, "gain_low");
	findings->gain_high = number_of(result, "gain_high");
	findings->eta_s = number_of(result, "eta_seconds");
	findings->canary_slo_ms = number_of(result, "slo_ms");
	take_reasons(findings, json_object_get(result, "reasons"));
}

/* Near its end a rollout is limited by the clients that are left: true, but
 * no news of the server, unless something broke. A damaged row says enough
 * to be found damaged by who reads it. */
static bool says_little(const struct recommendation_row *row)
{
	json_t *result = json_loads(row->result_json, 0, NULL);
	const char *binding = json_string_value(
		json_object_get(result, "binding"));
	bool little = binding &&
		strcmp(binding, limit_key(LIMIT_CLIENTS)) == 0 &&
		strcmp(row->verdict, verdict_name(VERDICT_FAIL)) != 0;

	json_decref(result);
	return little;
}

/* The last one that knew no more than the report may show and says something
 * of the server; else the last. *LAST is the last in any case. */
static const struct recommendation_row *choose(const struct findings *findings,
	const struct archived *archived, const struct recommendation_row **last)
{
	*last = NULL;
	for (size_t i = archived->advice_count; i-- > 0;) {
		const struct recommendation_row *row = &archived->advice[i];

		if (findings->wave && row->wave != findings->wave)
			continue;
		if (!*last)
			*last = row;
		if (!says_little(row))
			return row;
	}
	return *last;
}

/* What the report may show, of before BEFORE_US. */
static struct levels *levels_of(const struct findings *findings,
	const struct archived *archived, int64_t before_us, bool drift)
{
	struct bucket *buckets = xcalloc(
		archived->bucket_count + 1, sizeof(*buckets));
	struct levels *levels;
	size_t count = 0;

	for (size_t i = 0; i < archived->bucket_count; i++) {
		const struct bucket *row = &archived->buckets[i];

		if ((findings->wave && row->wave > findings->wave) ||
			row->start_s * 1e6 >= (double)before_us)
			continue;
		buckets[count++] = *row;
	}
	levels = levels_new(buckets, count, &level_policy_default);
	levels_weigh(levels, drift);
	free(buckets);
	return levels;
}

static void take_levels(struct findings *findings, const struct levels *levels)
{
	size_t count;
	const struct level *rows = levels_rows(levels, &count);

	for (size_t i = 0; i < count; i++) {
		struct finding_level *level;

		if (!rows[i].n)
			continue;
		level = findings_add(&findings->levels, &findings->level_count,
			sizeof(*level));
		level->n = rows[i].n;
		level->mb_min = rows[i].x_mb_min;
		level->error = rows[i].se;
		level->seconds = rows[i].seconds;
		level->buckets = (unsigned)lround(rows[i].k);
		level->canary_p95_ms = rows[i].p95_ms;
	}
}

/* Coefficients as archived; false without a fit. */
static bool fit_of(const json_t *result, struct fit *fit)
{
	const json_t *object = json_object_get(result, "fit");
	const json_t *c = json_object_get(object, "c");

	*fit = (struct fit){.points = count_of(object, "points")};
	for (size_t i = 0; i < 3; i++)
		fit->c[i] = json_number_value(json_array_get(c, i));
	fit->ceiling = json_number_value(json_object_get(object, "ceiling"));
	return fit->points > 0 && fit->c[0] > 0;
}

static void take_curve(struct findings *findings, const struct levels *levels,
	const struct fit *fit, const struct fit_quad *canary, uint64_t seed)
{
	struct fit_band *band = xcalloc(1, sizeof(*band));
	double right = findings->step_cap;
	double step;

	if (findings->observed > right)
		right = findings->observed;
	if (findings->batch > right)
		right = findings->batch;
	if (findings->level_count)
		right = fmax(
			right, findings->levels[findings->level_count - 1].n);
	step = fmax((right - 1) / CURVE_POINTS, 0.05);
	fit_bootstrap(band, levels, seed);
	for (unsigned i = 0; 1 + i * step <= right + 1e-9; i++) {
		double n = 1 + i * step;
		struct finding_curve *point = findings_add(&findings->curve,
			&findings->curve_count, sizeof(*point));

		point->n = n;
		point->mb_min = fit_x(fit, n);
		point->low = point->high = NAN;
		fit_band_x(band, n, &point->low, &point->high);
		point->canary_p95_ms = canary->points ? fit_quad_y(canary, n)
						      : NAN;
	}
	free(band);
}

static void quad_of(const json_t *result, struct fit_quad *quad)
{
	const json_t *object = json_object_get(result, "canary");
	const json_t *l = json_object_get(object, "l");

	*quad = (struct fit_quad){.points = count_of(object, "points")};
	for (size_t i = 0; i < 3; i++)
		quad->l[i] = json_number_value(json_array_get(l, i));
	if (json_array_size(l) != 3)
		quad->points = 0;
}

static int take_row(struct findings *findings,
	const struct recommendation_row *row, json_t **result, struct err *err)
{
	json_error_t where;
	json_t *inputs;

	*result = json_loads(row->result_json, 0, &where);
	if (!*result)
		return err_set(err, ERR_DATABASE,
			"recommendation %u is damaged: %s", row->id,
			where.text);
	inputs = json_loads(
		row->inputs_json ? row->inputs_json : "{}", 0, NULL);
	findings->advice_wave = row->wave;
	take_result(findings, *result);
	flatten(findings, "", *result);
	flatten(findings, "input", inputs);
	findings->result_json = xstrdup(row->result_json);
	json_decref(inputs);
	return 0;
}

/* How long what is left takes is asked of the last one. */
static void take_eta(
	struct findings *findings, const struct recommendation_row *last)
{
	json_t *result = json_loads(last->result_json, 0, NULL);

	findings->eta_s = number_of(result, "eta_seconds");
	json_decref(result);
}

int gather_advice(struct findings *findings, const struct archived *archived,
	struct err *err)
{
	const struct recommendation_row *last;
	const struct recommendation_row *row = choose(
		findings, archived, &last);
	json_t *result = NULL;
	struct fit_quad canary;
	struct levels *levels, *known;
	struct fit fit;
	bool drift;

	findings->gain = findings->eta_s = findings->canary_slo_ms = NAN;
	if (row && take_row(findings, row, &result, err) < 0)
		return -1;
	if (last && last != row)
		take_eta(findings, last);
	drift = json_is_true(json_object_get(result, "drift"));
	levels = levels_of(findings, archived, INT64_MAX, drift);
	take_levels(findings, levels);
	levels_free(levels);
	quad_of(result, &canary);
	if (fit_of(result, &fit)) {
		findings->knee = fit_knee(&fit,
			findings->step_cap ? findings->step_cap
					   : findings->observed,
			recommend_policy_default.knee);
		known = levels_of(findings, archived, row->at_us, drift);
		take_curve(findings, known, &fit, &canary,
			recommend_policy_default.seed);
		levels_free(known);
	}
	json_decref(result);
	return 0;
}
