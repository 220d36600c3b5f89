/* counsel.c - see counsel.h. On the loop's thread, within a transaction. */
#include "counsel.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "hub.h"
#include "record.h"
#include "waves.h"

/* What a client still has to copy: its plan's total once it has one. */
static double mb_left(const struct client_row *client)
{
	uint64_t total = client->progress.total_bytes
		? client->progress.total_bytes
		: client->expected_bytes;

	if (client_state_final(client->state) || total <= client->app_bytes)
		return 0;
	return (double)(total - client->app_bytes) / 1e6;
}

double counsel_mb_left(const struct hub *hub)
{
	double sum = 0;

	for (size_t i = 0; i < hub->rollout.client_count; i++)
		sum += mb_left(&hub->rollout.clients[i]);
	return sum;
}

static int compare(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static void fill_sizes(const struct hub *hub, struct recommend_facts *facts)
{
	const struct rollout *r = &hub->rollout;
	double *sizes = xcalloc(r->client_count + 1, sizeof(*sizes));
	size_t count = 0;

	for (size_t i = 0; i < r->client_count; i++) {
		if (client_state_final(r->clients[i].state))
			continue;
		facts->clients_left++;
		sizes[count] = mb_left(&r->clients[i]);
		facts->mb_left += sizes[count];
		count += sizes[count] > 0;
	}
	qsort(sizes, count, sizeof(*sizes), compare);
	if (count) {
		facts->mb_left_max = sizes[count - 1];
		facts->mb_left_q90 =
			sizes[(size_t)ceil(0.9 * (double)count) - 1];
	}
	free(sizes);
}

static void fill_wave(struct hub *hub, struct recommend_facts *facts)
{
	struct rollout *r = &hub->rollout;
	const struct wave_row *wave = r->wave_count
		? &r->waves[r->wave_count - 1]
		: NULL;
	struct judge_counts counts = {.clients = 0};
	unsigned queued, active;

	if (wave) {
		wave_count(r, wave, &counts, &queued, &active);
		facts->wave = wave->number;
		facts->wave_slots = wave->batch_size;
		facts->admitted = wave->admitted;
		facts->done = counts.done;
		facts->failed = counts.failed;
	}
	facts->rollout_clients = (unsigned)r->client_count;
	facts->rollout_failed = rollout_count(r, CLIENT_FAILED) +
		rollout_count(r, CLIENT_GAVE_UP);
}

static double number_in(const char *json, const char *key)
{
	json_t *object = json_loads(json, 0, NULL);
	const json_t *value = json_object_get(object, key);
	double number = json_is_number(value) ? json_number_value(value) : NAN;

	json_decref(object);
	return number;
}

/* Past decisions that a wave obeyed, for the model's hysteresis. */
static int fill_past(struct hub *hub, struct recommend_facts *facts,
	struct recommend_past **past, struct err *err)
{
	struct recommendation_row *rows;
	const struct rollout *r = &hub->rollout;
	size_t count;

	if (archive_recommendations(hub->archive, &rows, &count, err) < 0)
		return -1;
	*past = xcalloc(r->wave_count + 1, sizeof(**past));
	for (size_t w = 1; w < r->wave_count; w++) {
		const struct recommendation_row *advice = NULL;
		struct recommend_past *p = &(*past)[facts->past_count];

		for (size_t i = 0; i < count; i++)
			if (rows[i].at_us <= r->waves[w].started_us &&
				rows[i].batch_size == r->waves[w].batch_size)
				advice = &rows[i];
		if (!advice)
			continue;
		*p = (struct recommend_past){
			.wave = r->waves[w].number,
			.slots = r->waves[w].batch_size,
			.slots_before = r->waves[w - 1].batch_size,
			.x_low = number_in(advice->result_json, "x_batch_low"),
		};
		facts->past_count++;
	}
	archive_recommendations_free(rows, count);
	facts->past = *past;
	return 0;
}

static int fill_facts(struct hub *hub, struct recommend_facts *facts,
	struct recommend_past **past, struct err *err)
{
	const struct scenario *s = &hub->scenario;
	struct gauge_now now;
	float connections;

	gauge_now(hub->gauge, &now);
	connections = now.load[LOAD_CONNECTIONS];
	*facts = (struct recommend_facts){
		.slo_ms = (double)s->canary.slo_us / US_PER_MS,
		.idle_p95_ms = isfinite(now.idle_p95_ms) ? now.idle_p95_ms : 0,
		.window_s = (double)s->limits.user_window_us / US_PER_S,
		.connections_limit = s->limits.connections,
		.connections_used = isfinite(connections)
			? (unsigned)connections
			: 0,
		.connections_per_client = s->limits.connections_per_client,
		.exporter = s->server.exporter != NULL,
		.canary = s->canary.user != NULL,
		.disk_rotational = s->server.rotational,
	};
	fill_sizes(hub, facts);
	fill_wave(hub, facts);
	return fill_past(hub, facts, past, err);
}

/* The administrator's own cap holds against any recommendation. */
static unsigned capped(const struct hub *hub, unsigned batch)
{
	unsigned max = hub->scenario.limits.batch_max;

	return max && batch > max ? max : batch;
}

int counsel_ask(struct hub *hub, struct recommendation *out, char **json,
	struct err *err)
{
	struct recommend_facts facts;
	struct recommend_policy policy;
	struct recommend_past *past = NULL;
	struct recommendation_row row = {.at_us = gauge_clock_us()};
	const struct bucket *buckets;
	size_t count;
	int result;

	if (fill_facts(hub, &facts, &past, err) < 0)
		return -1;
	gauge_policy(hub->gauge, &policy);
	buckets = gauge_buckets(hub->gauge, &count);
	recommend(out, buckets, count, &facts, &policy);
	row.wave = facts.wave;
	row.batch_size = out->batch_size;
	(void)snprintf(row.verdict, sizeof(row.verdict), "%s",
		verdict_name(out->verdict));
	(void)snprintf(row.binding, sizeof(row.binding), "%s",
		limit_key(out->binding));
	struct recommend_data data = recommend_data_of(buckets, count);
	row.inputs_json = recommend_input_encode(&facts, &policy, &data);
	row.result_json = recommendation_encode(out);
	result = archive_add_recommendation(hub->archive, &row, err);
	out->batch_size = capped(hub, out->batch_size);
	out->explore = out->batch_size > out->known;
	if (result == 0 && json)
		*json = row.result_json;
	else
		free(row.result_json);
	free(row.inputs_json);
	free(past);
	return result;
}
