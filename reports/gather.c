/*
 * gather.c - findings_gather(): rows of the archive become findings. Pure.
 *
 * Clients, waves and spans here; the recommendation and its curve in
 * advice.c, the time series in moments.c.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "archived.h"
#include "err.h"
#include "findings.h"
#include "gather.h"

#define MB 1e6

/* NONE: nothing is drawn. */
static int activity_of(enum client_state state)
{
	switch (state) {
	case CLIENT_QUEUED:
		return ACTIVITY_WAITING;
	case CLIENT_INSTALLING:
	case CLIENT_STARTING:
	case CLIENT_LISTING:
		return ACTIVITY_LISTING;
	case CLIENT_SYNCING:
		return ACTIVITY_BULK;
	case CLIENT_PAUSED:
		return ACTIVITY_PAUSED;
	case CLIENT_VERIFYING:
		return ACTIVITY_VERIFYING;
	case CLIENT_FAILED:
	case CLIENT_LOST:
	case CLIENT_GAVE_UP:
		return ACTIVITY_FAILED;
	default:
		return -1;
	}
}

static bool failed_state(enum client_state state)
{
	return state == CLIENT_FAILED || state == CLIENT_LOST ||
		state == CLIENT_GAVE_UP;
}

static int state_from_name(const char *name)
{
	for (int s = 0; s < CLIENT_STATE_COUNT; s++)
		if (strcmp(client_state_name((enum client_state)s), name) == 0)
			return s;
	return -1;
}

static void gather_client(
	struct findings *findings, const struct client_row *row)
{
	struct finding_client *client = findings_add(
		&findings->clients, &findings->client_count, sizeof(*client));
	const struct progress *progress = &row->progress;

	client->name = xstrdup(row->name);
	client->host = xstrdup(row->host);
	client->version = xstrdup(row->version);
	client->state = xstrdup(client_state_name(row->state));
	client->wave = row->wave;
	client->done = row->state == CLIENT_DONE ||
		row->state == CLIENT_SKIPPED;
	client->failed = failed_state(row->state);
	client->excluded = row->state == CLIENT_EXCLUDED;
	client->verified = progress->verified;
	client->messages = progress->messages;
	client->bodies = progress->bodies;
	client->folders = progress->folders;
	client->items = progress->contacts + progress->events +
		progress->tasks + progress->notes;
	client->quarantined = progress->quarantined;
	client->retries = progress->retries +
		(row->attempts > 1 ? row->attempts - 1 : 0);
	client->mb = (double)row->app_bytes / MB;
	client->seconds = progress->seconds > 0 ? progress->seconds : NAN;
	client->mb_min = client->done && client->mb > 0
		? client->mb * 60 / client->seconds
		: NAN;
	client->ended_us = row->finished_us;
	if (client->failed) {
		size_t kind = strcspn(row->reason, ":");

		client->cause = xstrdup(row->reason);
		client->cause_kind = kind && kind < 40
			? xstrndup(row->reason, kind)
			: xstrdup("other");
	}
}

static void gather_waves(struct findings *findings,
	const struct archived *archived, int64_t now_us)
{
	for (size_t i = 0; i < archived->wave_count; i++) {
		const struct wave_row *row = &archived->waves[i];
		struct finding_wave *wave;

		if (findings->wave && row->number != findings->wave)
			continue;
		wave = findings_add(
			&findings->waves, &findings->wave_count, sizeof(*wave));
		wave->number = row->number;
		wave->kind = xstrdup(wave_kind_name(row->kind));
		wave->state = xstrdup(wave_state_name(row->state));
		wave->verdict = xstrdup(row->verdict);
		wave->batch = row->batch_size;
		wave->clients = row->clients;
		wave->from_us = row->started_us;
		wave->to_us = row->ended_us;
		if (!wave->to_us && wave->from_us &&
			!wave_state_final(row->state))
			wave->to_us = now_us;
	}
	for (size_t i = 0; i < findings->client_count; i++) {
		const struct finding_client *client = &findings->clients[i];

		for (size_t w = 0; w < findings->wave_count; w++) {
			struct finding_wave *wave = &findings->waves[w];

			if (client->wave != wave->number)
				continue;
			wave->done += client->done;
			wave->failed += client->failed;
			wave->mb += client->mb;
		}
	}
}

/* Names sorted, to find a client by the object of a transition. */
struct name_entry {
	const char *name;
	size_t client;
};

static int by_name(const void *left, const void *right)
{
	const struct name_entry *a = left, *b = right;

	return strcmp(a->name, b->name);
}

struct open_span {
	int activity; /* -1: none */
	int64_t from_us;
	bool last; /* nothing follows */
};

/* The end of a client that gave up is a mark, not a bar to the end of time. */
#define GAVE_UP_SHARE 60

static void close_span(struct findings *findings, size_t client,
	struct open_span *open, int64_t at_us)
{
	struct finding_client *who = &findings->clients[client];
	struct finding_span *span;

	if (open->activity < 0 || at_us < open->from_us)
		return;
	span = findings_add(
		&findings->spans, &findings->span_count, sizeof(*span));
	span->client = client;
	span->activity = (enum activity)open->activity;
	span->from_us = open->from_us;
	span->to_us = at_us;
	if (span->activity == ACTIVITY_PAUSED)
		who->paused_s += (double)(at_us - open->from_us) / 1e6;
	if (span->activity == ACTIVITY_LISTING && !who->started_us)
		who->started_us = open->from_us;
}

static void gather_spans(struct findings *findings,
	const struct archived *archived, int64_t end_us)
{
	size_t count = findings->client_count;
	struct name_entry *names = xcalloc(count + 1, sizeof(*names));
	struct open_span *open = xcalloc(count + 1, sizeof(*open));

	for (size_t i = 0; i < count; i++) {
		names[i] = (struct name_entry){findings->clients[i].name, i};
		open[i].activity = -1;
	}
	qsort(names, count, sizeof(*names), by_name);
	for (size_t i = 0; i < archived->transition_count; i++) {
		const struct transition_row *row = &archived->transitions[i];
		struct name_entry key = {row->object + strlen("client "), 0};
		const struct name_entry *entry;
		int state = state_from_name(row->to);

		if (strncmp(row->object, "client ", strlen("client ")) != 0)
			continue;
		entry = bsearch(&key, names, count, sizeof(*names), by_name);
		if (!entry || state < 0)
			continue;
		close_span(findings, entry->client, &open[entry->client],
			row->at_us);
		open[entry->client] = (struct open_span){
			activity_of((enum client_state)state), row->at_us,
			state == CLIENT_GAVE_UP};
	}
	for (size_t i = 0; i < count; i++) {
		int64_t mark_us = open[i].from_us +
			(end_us - findings->from_us) / GAVE_UP_SHARE;

		close_span(findings, i, &open[i],
			open[i].last && mark_us < end_us ? mark_us : end_us);
	}
	free(open);
	free(names);
}

/* The agent's own clock starts anew with each run (a retry, the acceptance
 * after a pilot), the payload does not: the controller's clock fits it. */
static void time_clients(struct findings *findings)
{
	double *active_s = xcalloc(findings->client_count + 1, sizeof(double));

	for (size_t i = 0; i < findings->span_count; i++) {
		const struct finding_span *span = &findings->spans[i];

		if (span->activity == ACTIVITY_LISTING ||
			span->activity == ACTIVITY_BULK ||
			span->activity == ACTIVITY_VERIFYING)
			active_s[span->client] +=
				(double)(span->to_us - span->from_us) / 1e6;
	}
	for (size_t i = 0; i < findings->client_count; i++) {
		struct finding_client *client = &findings->clients[i];

		if (active_s[i] <= 0)
			continue;
		client->seconds = active_s[i];
		if (client->done && client->mb > 0)
			client->mb_min = client->mb * 60 / client->seconds;
	}
	free(active_s);
}

/* From the first wave's start to the last thing that happened in it. */
static void gather_extent(struct findings *findings,
	const struct archived *archived, int64_t now_us)
{
	for (size_t i = 0; i < findings->wave_count; i++) {
		const struct finding_wave *wave = &findings->waves[i];

		if (wave->from_us &&
			(!findings->from_us ||
				wave->from_us < findings->from_us))
			findings->from_us = wave->from_us;
		if (wave->to_us > findings->to_us)
			findings->to_us = wave->to_us;
	}
	if (!findings->from_us)
		return;
	for (size_t i = 0; i < archived->bucket_count; i++) {
		const struct bucket *row = &archived->buckets[i];
		double end_s = row->start_s + (double)row->seconds;
		int64_t end_us = (int64_t)(end_s * 1e6);

		if (row->wave && row->n > 0 && end_us > findings->to_us &&
			(!findings->wave || row->wave == findings->wave))
			findings->to_us = end_us;
	}
	for (size_t i = 0; i < findings->client_count; i++)
		if (findings->clients[i].ended_us > findings->to_us)
			findings->to_us = findings->clients[i].ended_us;
	if (findings->to_us > now_us)
		findings->to_us = now_us;
	if (findings->to_us <= findings->from_us)
		findings->to_us = findings->from_us + 1000000;
}

static void gather_buckets(
	struct findings *findings, const struct archived *archived)
{
	for (size_t i = 0; i < archived->bucket_count; i++) {
		const struct bucket *row = &archived->buckets[i];
		struct bucket *copy;

		if (findings->wave && row->wave != findings->wave)
			continue;
		copy = findings_add(&findings->buckets, &findings->bucket_count,
			sizeof(*copy));
		*copy = *row;
		for (size_t w = 0; w < findings->wave_count; w++) {
			struct finding_wave *wave = &findings->waves[w];

			if (wave->number != row->wave)
				continue;
			wave->buckets++;
			wave->generator += (row->flags & BUCKET_GENERATOR) != 0;
		}
	}
}

static void add_text(struct finding_text **texts, size_t *count,
	const char *name, const char *value)
{
	struct finding_text *text = findings_add(texts, count, sizeof(*text));

	text->name = xstrdup(name);
	text->value = xstrdup(value);
}

static void gather_versions(struct findings *findings)
{
	add_text(&findings->versions, &findings->version_count, "sluice",
		SLUICE_VERSION);
	for (size_t i = 0; i < findings->client_count; i++) {
		const char *version = findings->clients[i].version;
		size_t agents = 0;
		bool seen = !*version;
		char *label;

		for (size_t j = 0; j < i && !seen; j++)
			seen = strcmp(findings->clients[j].version, version) ==
				0;
		for (size_t j = i; j < findings->client_count && !seen; j++)
			agents += strcmp(findings->clients[j].version,
					  version) == 0;
		if (seen)
			continue;
		label = xasprintf("sluice-agent, %zu client%s", agents,
			agents == 1 ? "" : "s");
		add_text(&findings->versions, &findings->version_count, label,
			version);
		free(label);
	}
}

int findings_gather(struct findings *findings, const struct archived *archived,
	unsigned wave, int64_t now_us, struct err *err)
{
	const struct rollout_row *rollout = &archived->rollout;

	memset(findings, 0, sizeof(*findings));
	findings->wave = wave;
	for (size_t i = 0; i < archived->client_count; i++)
		if (!wave || archived->clients[i].wave == wave)
			gather_client(findings, &archived->clients[i]);
	gather_waves(findings, archived, now_us);
	if (wave && !findings->wave_count) {
		findings_free(findings);
		return err_set(err, ERR_USAGE,
			"there is no wave %u; `sluice status` lists them",
			wave);
	}
	findings->rollout = xstrdup(rollout->name);
	findings->state = xstrdup(rollout_state_name(rollout->state));
	findings->version = xstrdup(SLUICE_VERSION);
	findings->scenario = xstrdup(archived->scenario);
	findings->made_us = now_us;
	gather_extent(findings, archived, now_us);
	gather_spans(findings, archived, findings->to_us);
	time_clients(findings);
	gather_buckets(findings, archived);
	gather_comparison(findings, archived);
	gather_moments(findings, archived);
	gather_versions(findings);
	gather_history(findings, archived);
	if (gather_advice(findings, archived, err) < 0) {
		findings_free(findings);
		return -1;
	}
	return 0;
}
