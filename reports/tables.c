/* tables.c - see tables.h. */
#include "tables.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "findings.h"
#include "rows.h"
#include "summary.h"

static void csv_text(struct buf *csv, const char *text, char end)
{
	text = text ? text : "";
	buf_append_text(csv, strchr("=+-@\t\r", *text) && *text ? "\"'" : "\"");
	for (; *text; text++)
		if (*text == '"')
			buf_append_text(csv, "\"\"");
		else
			buf_append(csv, text, 1);
	buf_printf(csv, "\"%c", end);
}

static void csv_number(struct buf *csv, double value, char end)
{
	if (isfinite(value))
		buf_printf(csv, "%.10g", value);
	buf_append(csv, &end, 1);
}

static void csv_count(struct buf *csv, uint64_t value, char end)
{
	buf_printf(csv, "%llu%c", (unsigned long long)value, end);
}

static void csv_time(struct buf *csv, int64_t wall_us, char end)
{
	char text[32] = "";

	if (wall_us)
		clock_format_utc(wall_us, text);
	buf_printf(csv, "%s%c", text, end);
}

void tables_clients_csv(const struct findings *findings, struct buf *csv)
{
	buf_append_text(csv,
		"client,host,agent_version,wave,state,verified,messages,"
		"complete_messages,items,folders,quarantined,mb,seconds,"
		"mb_per_min,paused_s,retries,started_utc,ended_utc,cause\n");
	for (size_t i = 0; i < findings->client_count; i++) {
		const struct finding_client *client = &findings->clients[i];

		csv_text(csv, client->name, ',');
		csv_text(csv, client->host, ',');
		csv_text(csv, client->version, ',');
		csv_count(csv, client->wave, ',');
		csv_text(csv, client->state, ',');
		csv_text(csv, client->verified ? "yes" : "no", ',');
		csv_count(csv, client->messages, ',');
		csv_count(csv, client->bodies, ',');
		csv_count(csv, client->items, ',');
		csv_count(csv, client->folders, ',');
		csv_count(csv, client->quarantined, ',');
		csv_number(csv, client->mb, ',');
		csv_number(csv, client->seconds, ',');
		csv_number(csv, client->mb_min, ',');
		csv_number(csv, client->paused_s, ',');
		csv_count(csv, client->retries, ',');
		csv_time(csv, client->started_us, ',');
		csv_time(csv, client->ended_us, ',');
		csv_text(csv, client->cause, '\n');
	}
}

/* The first reason; one is enough to drop a bucket. */
static const char *why_dropped(const struct bucket *bucket)
{
	for (unsigned i = 0; i < BUCKET_FLAGS; i++)
		if (bucket->flags & 1u << i)
			return bucket_flag_name((enum bucket_flag)(1u << i));
	return "";
}

static void bucket_titles(struct buf *csv)
{
	buf_append_text(csv,
		"start_utc,start_s,seconds,wave,n,active,"
		"mb_per_min,usable,why,probes,failures,"
		"canary_p50_ms,canary_p95_ms,canary_p99_ms");
	for (size_t m = 0; m < LOAD_COUNT; m++)
		buf_printf(csv, ",%s", load_metric_table[m].name);
	buf_append_text(csv, "\n");
}

void tables_buckets_csv(const struct findings *findings, struct buf *csv)
{
	bucket_titles(csv);
	for (size_t i = 0; i < findings->bucket_count; i++) {
		const struct bucket *row = &findings->buckets[i];

		csv_time(csv, (int64_t)(row->start_s * 1e6), ',');
		csv_number(csv, row->start_s - (double)findings->from_us / 1e6,
			',');
		csv_number(csv, (double)row->seconds, ',');
		csv_count(csv, row->wave, ',');
		csv_number(csv, (double)row->n, ',');
		csv_number(csv, (double)row->active, ',');
		csv_number(csv, (double)row->x_mb_min, ',');
		csv_text(csv, bucket_usable(row) ? "yes" : "no", ',');
		csv_text(csv, why_dropped(row), ',');
		csv_count(csv, row->probes, ',');
		csv_count(csv, row->failures, ',');
		csv_number(csv, (double)row->p50_ms, ',');
		csv_number(csv, (double)row->p95_ms, ',');
		csv_number(csv, (double)row->p99_ms, ',');
		for (size_t m = 0; m < LOAD_COUNT; m++)
			csv_number(csv, (double)row->load[m],
				m + 1 < LOAD_COUNT ? ',' : '\n');
	}
}

/* NAN has no form in JSON: null. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* Names are bytes from elsewhere; JSON takes UTF-8 only. */
static json_t *text(const char *value)
{
	json_t *string = json_string(value ? value : "");

	return string ? string : json_string("(not UTF-8)");
}

static json_t *levels(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->level_count; i++) {
		const struct finding_level *level = &findings->levels[i];

		json_array_append_new(array,
			json_pack("{s:o,s:o,s:o,s:o,s:I,s:o}", "n",
				number(level->n), "mb_per_min",
				number(level->mb_min), "standard_error",
				number(level->error), "seconds",
				number(level->seconds), "buckets",
				(json_int_t)level->buckets, "canary_p95_ms",
				number(level->canary_p95_ms)));
	}
	return array;
}

static json_t *curve(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->curve_count; i++) {
		const struct finding_curve *point = &findings->curve[i];

		json_array_append_new(array,
			json_pack("{s:o,s:o,s:o,s:o}", "n", number(point->n),
				"mb_per_min", number(point->mb_min), "low",
				number(point->low), "high",
				number(point->high)));
	}
	return array;
}

static json_t *advice(const struct findings *findings)
{
	json_t *value = findings->result_json
		? json_loads(findings->result_json, 0, NULL)
		: NULL;

	return value ? value : json_null();
}

static void dump(json_t *object, struct buf *json)
{
	char *dumped = json_dumps(
		object, JSON_INDENT(2) | JSON_REAL_PRECISION(10));

	buf_append_text(json, dumped ? dumped : "null");
	buf_append_text(json, "\n");
	free(dumped);
	json_decref(object);
}

void tables_fit_json(const struct findings *findings, struct buf *json)
{
	dump(json_pack("{s:o,s:o,s:o}", "recommendation", advice(findings),
		     "levels", levels(findings), "curve", curve(findings)),
		json);
}

static json_t *clients(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->client_count; i++) {
		const struct finding_client *client = &findings->clients[i];

		json_array_append_new(array,
			json_pack("{s:o,s:o,s:i,s:o,s:b,s:I,s:I,s:I,s:o,s:o,"
				  "s:o,s:I,s:o}",
				"name", text(client->name), "state",
				text(client->state), "wave", (int)client->wave,
				"version", text(client->version), "verified",
				client->verified, "messages",
				(json_int_t)client->messages, "folders",
				(json_int_t)client->folders, "items",
				(json_int_t)client->items, "mb",
				number(client->mb), "seconds",
				number(client->seconds), "mb_per_min",
				number(client->mb_min), "retries",
				(json_int_t)client->retries, "cause",
				client->cause ? text(client->cause)
					      : json_null()));
	}
	return array;
}

static json_t *waves(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->wave_count; i++) {
		const struct finding_wave *wave = &findings->waves[i];

		json_array_append_new(array,
			json_pack("{s:i,s:o,s:o,s:o,s:i,s:i,s:i,s:i,s:o,s:o,"
				  "s:o,s:o,s:o,s:o,s:i,s:i,s:o}",
				"wave", (int)wave->number, "kind",
				text(wave->kind), "state", text(wave->state),
				"verdict", text(wave->verdict), "batch_size",
				(int)wave->batch, "clients", (int)wave->clients,
				"done", (int)wave->done, "failed",
				(int)wave->failed, "mb", number(wave->mb),
				"generator_share",
				number(findings_generator_share(wave)),
				"client_median_mb_per_min",
				number(wave->median_mb_min), "n",
				number(wave->n), "mb_per_min_at_n",
				number(wave->n_mb_min), "canary_p95_ms",
				number(wave->canary_p95_ms), "brake_actions",
				(int)wave->brakes, "advised",
				(int)wave->advised, "limit",
				wave->limit ? text(wave->limit) : json_null()));
	}
	return array;
}

void tables_report_json(const struct findings *findings, struct buf *json)
{
	struct findings_summary sum = findings_summary(findings);

	dump(json_pack("{s:o,s:o,s:i,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,"
		       "s:o}",
		     "rollout", text(findings->rollout), "state",
		     text(findings->state), "wave", (int)findings->wave,
		     "clients", (json_int_t)sum.clients, "verified",
		     (json_int_t)sum.verified, "failed", (json_int_t)sum.failed,
		     "mb", number(sum.mb), "seconds",
		     number((double)(findings->to_us - findings->from_us) /
			     1e6),
		     "median_mb_per_min", number(sum.median_mb_min),
		     "recommendation", advice(findings),
		     "recommended_after_wave",
		     findings->has_advice ? json_integer(findings->advice_wave)
					  : json_null(),
		     "levels", levels(findings), "waves", waves(findings),
		     "clients_detail", clients(findings)),
		json);
}
