/*
 * record.c - recommendations and their inputs as JSON.
 *
 * Written by the controller into the archive and to people; read back by
 * replay. Facts and policy go through one table each, so that no field can
 * be written and not read. What is not a number is null. Any thread.
 */
#include "record.h"

#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"

#define EXACT	 JSON_REAL_PRECISION(17)
#define READABLE JSON_REAL_PRECISION(9)

enum field_type {
	FIELD_DOUBLE,
	FIELD_UNSIGNED,
	FIELD_BOOL,
	FIELD_U64
};

struct field {
	const char *key;
	size_t offset;
	enum field_type type;
};

#define D(type, name)                                                          \
	{                                                                      \
#name, offsetof(struct type, name), FIELD_DOUBLE               \
	}
#define U(type, name)                                                          \
	{                                                                      \
#name, offsetof(struct type, name), FIELD_UNSIGNED             \
	}
#define B(type, name)                                                          \
	{                                                                      \
#name, offsetof(struct type, name), FIELD_BOOL                 \
	}

static const struct field fact_fields[] = {
	U(recommend_facts, wave),
	U(recommend_facts, wave_slots),
	U(recommend_facts, admitted),
	U(recommend_facts, done),
	U(recommend_facts, failed),
	U(recommend_facts, rollout_clients),
	U(recommend_facts, rollout_failed),
	U(recommend_facts, clients_left),
	D(recommend_facts, mb_left),
	D(recommend_facts, mb_left_max),
	D(recommend_facts, mb_left_q90),
	D(recommend_facts, slo_ms),
	D(recommend_facts, idle_p95_ms),
	D(recommend_facts, window_s),
	U(recommend_facts, connections_limit),
	U(recommend_facts, connections_used),
	U(recommend_facts, connections_per_client),
	B(recommend_facts, exporter),
	B(recommend_facts, canary),
	B(recommend_facts, disk_rotational),
};

static const struct field policy_fields[] = {
	D(recommend_policy, levels.observed_s),
	D(recommend_policy, levels.rho),
	D(recommend_policy, levels.sd_floor),
	D(recommend_policy, levels.se_floor),
	D(recommend_policy, levels.block_s),
	U(recommend_policy, levels.probes_min),
	D(recommend_policy, knee),
	D(recommend_policy, max_step),
	U(recommend_policy, plan_batch),
	D(recommend_policy, repay),
	D(recommend_policy, slo_observed),
	D(recommend_policy, slo_beyond),
	D(recommend_policy, cpu_max),
	D(recommend_policy, nic_max),
	D(recommend_policy, disk_util_max),
	D(recommend_policy, disk_await_hdd_ms),
	D(recommend_policy, disk_await_ssd_ms),
	D(recommend_policy, disk_await_idle),
	D(recommend_policy, mem_available_min),
	D(recommend_policy, connections_max),
	D(recommend_policy, gain_delta),
	D(recommend_policy, data_min),
	D(recommend_policy, sd_ln_max),
	D(recommend_policy, failed_wave),
	D(recommend_policy, failed_rollout),
	{"seed", offsetof(struct recommend_policy, seed), FIELD_U64},
};

static const struct field past_fields[] = {
	U(recommend_past, wave),
	U(recommend_past, slots),
	U(recommend_past, slots_before),
	D(recommend_past, x_low),
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *limit_number(uint32_t n)
{
	return n == LIMIT_NONE ? json_null() : json_integer(n);
}

static json_t *encode_fields(
	const struct field *fields, size_t count, const void *object)
{
	json_t *json = json_object();

	for (size_t i = 0; i < count; i++) {
		const void *at = (const char *)object + fields[i].offset;
		json_t *value = NULL;
		switch (fields[i].type) {
		case FIELD_DOUBLE:
			value = number(*(const double *)at);
			break;
		case FIELD_UNSIGNED:
			value = json_integer(*(const unsigned *)at);
			break;
		case FIELD_BOOL:
			value = json_boolean(*(const bool *)at);
			break;
		case FIELD_U64:
			value = json_integer(
				(json_int_t) * (const uint64_t *)at);
			break;
		}
		json_object_set_new(json, fields[i].key, value);
	}
	return json;
}

/* A key that is missing keeps what OBJECT holds: older archives know fewer
 * keys, and the default was in force then. */
static int decode_fields(const struct field *fields, size_t count,
	const json_t *json, void *object, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		void *at = (char *)object + fields[i].offset;
		const json_t *value = json_object_get(json, fields[i].key);
		bool boolean = fields[i].type == FIELD_BOOL;
		if (!value)
			continue;
		if (json_is_null(value) && fields[i].type == FIELD_DOUBLE)
			*(double *)at = NAN;
		else if (boolean ? !json_is_boolean(value)
				 : !json_is_number(value))
			return err_set(err, ERR_DATABASE,
				"stored inputs: %s has the wrong type",
				fields[i].key);
		else if (boolean)
			*(bool *)at = json_is_true(value);
		else if (fields[i].type == FIELD_DOUBLE)
			*(double *)at = json_number_value(value);
		else if (fields[i].type == FIELD_U64)
			*(uint64_t *)at = (uint64_t)json_integer_value(value);
		else
			*(unsigned *)at = (unsigned)json_integer_value(value);
	}
	return 0;
}

static char *dump(json_t *json, size_t flags)
{
	char *text = json_dumps(json, flags);

	json_decref(json);
	/* jansson gives NULL only when memory is out. */
	char *copy = xstrdup(text ? text : "{}");
	free(text);
	return copy;
}

static uint64_t mix(uint64_t digest, double value)
{
	uint64_t bits = 0;

	/* One NaN is as good as another. */
	if (!isnan(value))
		memcpy(&bits, &value, sizeof(bits));
	/* FNV-1a, a word at a time. */
	return (digest ^ bits) * UINT64_C(0x100000001b3);
}

struct recommend_data recommend_data_of(
	const struct bucket *buckets, size_t count)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < count; i++) {
		const struct bucket *b = &buckets[i];
		digest = mix(digest, b->start_s);
		digest = mix(digest, (double)b->n);
		digest = mix(digest, (double)b->x_mb_min);
		digest = mix(digest, b->wave);
		digest = mix(digest, b->flags);
		digest = mix(digest, b->probes);
		digest = mix(digest, (double)b->p95_ms);
		for (int l = 0; l <= LOAD_CONNECTIONS; l++)
			digest = mix(digest, (double)b->load[l]);
	}
	/* JSON integers are signed. */
	return (struct recommend_data){count, digest >> 1};
}

char *recommend_input_encode(const struct recommend_facts *facts,
	const struct recommend_policy *policy,
	const struct recommend_data *data)
{
	json_t *json = json_object();
	json_t *past = json_array();

	for (size_t i = 0; i < facts->past_count; i++)
		json_array_append_new(past,
			encode_fields(past_fields, COUNT(past_fields),
				&facts->past[i]));
	json_object_set_new(json, "facts",
		encode_fields(fact_fields, COUNT(fact_fields), facts));
	json_object_set_new(json, "past", past);
	json_object_set_new(json, "buckets",
		json_pack("{s:I,s:I}", "count", (json_int_t)data->count,
			"digest", (json_int_t)data->digest));
	json_object_set_new(json, "policy",
		encode_fields(policy_fields, COUNT(policy_fields), policy));
	return dump(json, JSON_COMPACT | EXACT);
}

static int decode_input(struct recommend_facts *facts,
	struct recommend_policy *policy, const json_t *json, struct err *err)
{
	const json_t *list = json_object_get(json, "past");
	size_t count = json_array_size(list);
	struct recommend_past *past = xcalloc(count + 1, sizeof(*past));

	if (decode_fields(fact_fields, COUNT(fact_fields),
		    json_object_get(json, "facts"), facts, err) < 0 ||
		decode_fields(policy_fields, COUNT(policy_fields),
			json_object_get(json, "policy"), policy, err) < 0)
		goto past;
	for (size_t i = 0; i < count; i++)
		if (decode_fields(past_fields, COUNT(past_fields),
			    json_array_get(list, i), &past[i], err) < 0)
			goto past;
	facts->past = past;
	facts->past_count = count;
	return 0;
past:
	free(past);
	return -1;
}

static struct recommend_data decode_data(const json_t *json)
{
	const json_t *data = json_object_get(json, "buckets");

	return (struct recommend_data){
		(size_t)json_integer_value(json_object_get(data, "count")),
		(uint64_t)json_integer_value(json_object_get(data, "digest"))};
}

int recommend_input_decode(struct recommend_facts *facts,
	struct recommend_policy *policy, struct recommend_data *data,
	const char *text, struct err *err)
{
	struct recommend_facts new_facts = {0};
	struct recommend_policy new_policy = recommend_policy_default;
	json_error_t where;
	json_t *json = json_loads(text, 0, &where);

	if (!json_is_object(json)) {
		json_decref(json);
		return err_set(err, ERR_DATABASE,
			"stored inputs are not a JSON object: %s", where.text);
	}
	int rc = decode_input(&new_facts, &new_policy, json, err);
	struct recommend_data new_data = decode_data(json);
	json_decref(json);
	if (rc < 0)
		return -1;
	*data = new_data;
	*facts = new_facts;
	*policy = new_policy;
	return 0;
}

static json_t *encode_limits(const struct recommendation *rec)
{
	json_t *list = json_array();

	for (int i = 0; i < LIMIT_COUNT; i++) {
		const struct limit *limit = &rec->limit[i];
		enum limit_id id = (enum limit_id)i;
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:o,s:o,s:o}", "limit",
				limit_key(id), "name", limit_name(id), "n",
				limit_number(limit->n), "value",
				number(limit->value), "ceiling",
				number(limit->ceiling)));
	}
	return list;
}

static json_t *encode_load(const struct level *level)
{
	json_t *load = json_object();

	for (int i = 0; i <= LOAD_CONNECTIONS; i++)
		json_object_set_new(load, load_metric_table[i].name,
			number(level->load[i]));
	return load;
}

static json_t *encode_levels(const struct recommendation *rec)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < rec->level_count; i++) {
		const struct level *level = &rec->level[i];
		json_array_append_new(list,
			json_pack(
				"{s:i,s:o,s:o,s:o,s:o,s:o,s:b,s:b,s:i,s:i,s:o,"
				"s:o}",
				"n", (int)level->n, "buckets", number(level->k),
				"seconds", number(level->seconds), "mb_min",
				number(level->x_mb_min), "sd",
				number(level->sd), "se", number(level->se),
				"observed", (int)level->observed, "left_out",
				(int)level->left_out, "probes",
				(int)level->probes, "failures",
				(int)level->failures, "p95_ms",
				number(level->p95_ms), "load",
				encode_load(level)));
	}
	return list;
}

static json_t *encode_fit(const struct fit *fit)
{
	if (fit->points == 0)
		return json_null();
	return json_pack("{s:[f,f,f],s:o,s:o,s:o,s:o,s:o,s:i}", "c", fit->c[0],
		fit->c[1], fit->c[2], "gamma", number(fit->gamma), "alpha",
		number(fit->alpha), "beta", number(fit->beta), "n_peak",
		number(fit->n_peak), "ceiling",
		number(fit->ceiling > 0 ? fit->ceiling : NAN), "points",
		(int)fit->points);
}

static json_t *encode_canary(const struct fit_quad *fit)
{
	if (fit->points == 0)
		return json_null();
	return json_pack("{s:[f,f,f],s:o,s:i,s:o}", "l", fit->l[0], fit->l[1],
		fit->l[2], "rel_residual", number(fit->rel_residual), "points",
		(int)fit->points, "n_max", number(fit->n_max));
}

static void encode_numbers(json_t *json, const struct recommendation *rec)
{
	const struct {
		const char *key;
		double value;
	} rows[] = {
		{"gain", rec->gain},
		{"gain_low", rec->gain_low},
		{"gain_high", rec->gain_high},
		{"capacity", rec->capacity},
		{"eta_seconds", rec->eta_seconds},
		{"x_now", rec->x_now},
		{"x_batch", rec->x_batch},
		{"x_batch_low", rec->x_batch_low},
		{"client_now", rec->client_now},
		{"client_batch", rec->client_batch},
		{"slo_ms", rec->slo_ms},
		{"idle_p95_ms", rec->idle_p95_ms},
		{"sd_ln", rec->sd_ln},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		json_object_set_new(json, rows[i].key, number(rows[i].value));
}

char *recommendation_encode(const struct recommendation *rec)
{
	bool next = rec->next_limit != LIMIT_COUNT;
	bool bound = rec->binding != LIMIT_COUNT;
	json_t *json = json_pack("{s:s,s:i,s:o,s:o}", "verdict",
		verdict_name(rec->verdict), "batch_size", (int)rec->batch_size,
		"binding",
		bound ? json_string(limit_key(rec->binding)) : json_null(),
		"next_limit",
		next ? json_string(limit_key(rec->next_limit)) : json_null());
	json_t *reasons = json_array();

	encode_numbers(json, rec);
	json_object_update_new(json,
		json_pack("{s:i,s:i,s:i,s:i,s:i,s:s,s:b,s:b,s:I,s:I}", "n_now",
			(int)rec->n_now, "n_obs", (int)rec->n_obs, "n_cap",
			(int)rec->n_cap, "choice_low", (int)rec->choice_low,
			"choice_high", (int)rec->choice_high, "bottleneck",
			rec->bottleneck, "drift", (int)rec->drift, "explore",
			(int)rec->explore, "buckets", (json_int_t)rec->buckets,
			"usable", (json_int_t)rec->usable));
	json_object_set_new(json, "capacity_of",
		isfinite(rec->capacity)
			? json_string(load_metric_table[rec->capacity_of].name)
			: json_null());
	json_object_set_new(json, "fit", encode_fit(&rec->fit));
	json_object_set_new(json, "canary", encode_canary(&rec->canary));
	json_object_set_new(json, "limits", encode_limits(rec));
	json_object_set_new(json, "levels", encode_levels(rec));
	for (unsigned i = 0; i < rec->reason_count; i++)
		json_array_append_new(reasons, json_string(rec->reasons[i]));
	json_object_set_new(json, "reasons", reasons);
	return dump(json, JSON_INDENT(2) | READABLE);
}
