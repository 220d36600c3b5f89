/*
 * rollout.c - a rollout that never was, included by the tests of reports.
 *
 * A second by second simulation with the capacity law and a fixed seed:
 * pilots of one and five, then waves; one client is paused, one fails once
 * and one for good. Its rows are what a controller would have archived.
 */
#include "archived.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "archive.h"
#include "bucket.h"
#include "findings.h"
#include "recommend.h"
#include "record.h"

struct rollout_plan {
	unsigned clients;
	const char *const *names; /* the first ones; NULL-terminated or NULL */
	unsigned waves;		  /* stop after so many; 0: all */
	double mb;		  /* of a typical mailbox */
	bool exporter, canary, failures;
};

#define START_US  INT64_C(1772355600000000) /* 2026-03-01 09:00 UTC */
#define SECOND_US INT64_C(1000000)
#define BUCKET_S  5

struct sim_client {
	double left_mb, done_mb, total_mb;
	unsigned second; /* since its start, in its state */
	unsigned wave;
};

struct sim {
	struct archived *out;
	const struct rollout_plan *plan;
	struct sim_client *clients;
	uint64_t random;
	unsigned at_s;
	unsigned wave; /* 0: between waves */
	double n_sum, mb_sum;
	bool n_changed;
	unsigned settle_s; /* no usable bucket before */
};

static double noise(struct sim *sim) /* -1..1 */
{
	sim->random = sim->random * 6364136223846793005u + 1442695040888963407u;
	return (double)(sim->random >> 40) / (double)(1 << 23) - 1;
}

static int64_t now_us(const struct sim *sim)
{
	return START_US + sim->at_s * SECOND_US;
}

/* MB/min of N syncs: c0, c1, c2 of the capacity law. */
static double capacity(double n)
{
	return n > 0 ? n / (0.0125 + 0.0003 * (n - 1) + 0.000095 * n * (n - 1))
		     : 0;
}

static void put_state(struct sim *sim, unsigned client, enum client_state to,
	const char *reason)
{
	struct archived *out = sim->out;
	struct client_row *row = &out->clients[client];
	struct transition_row *transition = findings_add(
		&out->transitions, &out->transition_count, sizeof(*transition));

	transition->at_us = now_us(sim);
	snprintf(transition->object, sizeof(transition->object), "client %.88s",
		row->name);
	snprintf(transition->from, sizeof(transition->from), "%s",
		client_state_name(row->state));
	snprintf(transition->to, sizeof(transition->to), "%s",
		client_state_name(to));
	snprintf(transition->reason, sizeof(transition->reason), "%s", reason);
	snprintf(transition->who, sizeof(transition->who), "agent");
	snprintf(row->reason, sizeof(row->reason), "%s", reason);
	row->state = to;
	sim->clients[client].second = 0;
	if (client_state_final(to) || to == CLIENT_FAILED)
		row->finished_us = now_us(sim);
	if (to == CLIENT_STARTING)
		row->attempts++;
	if (to == CLIENT_SYNCING || to == CLIENT_VERIFYING) {
		sim->n_changed = true;
		sim->settle_s = sim->at_s + 10;
	}
}

static void note(struct sim *sim, const char *object, const char *from,
	const char *to, const char *reason)
{
	struct transition_row *row = findings_add(&sim->out->transitions,
		&sim->out->transition_count, sizeof(*row));

	row->at_us = now_us(sim);
	snprintf(row->object, sizeof(row->object), "%s", object);
	snprintf(row->from, sizeof(row->from), "%s", from);
	snprintf(row->to, sizeof(row->to), "%s", to);
	snprintf(row->reason, sizeof(row->reason), "%s", reason);
	snprintf(row->who, sizeof(row->who), "uid 1000");
}

static unsigned in_state(const struct sim *sim, enum client_state state)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sim->plan->clients; i++)
		count += sim->out->clients[i].state == state;
	return count;
}

static unsigned active(const struct sim *sim)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sim->plan->clients; i++)
		count += client_state_active(sim->out->clients[i].state);
	return count;
}

static void finish(struct sim *sim, unsigned client)
{
	struct client_row *row = &sim->out->clients[client];
	struct sim_client *c = &sim->clients[client];
	struct progress *progress = &row->progress;

	put_state(sim, client, CLIENT_DONE, "");
	progress->verified = true;
	progress->folders = 4 + client % 23;
	progress->messages = (uint64_t)(c->total_mb * 30);
	progress->bodies = progress->messages / 3;
	progress->contacts = 40;
	progress->events = 25;
	progress->tasks = 7;
	progress->notes = 3;
	progress->total_bytes = (uint64_t)(c->total_mb * 1e6);
	progress->stored_bytes = progress->total_bytes * 11 / 10;
}

static void run_client(struct sim *sim, unsigned client, double share_mb)
{
	struct client_row *row = &sim->out->clients[client];
	struct sim_client *c = &sim->clients[client];
	bool fails = sim->plan->failures;

	c->second++;
	if (client_state_active(row->state))
		row->progress.seconds += 1;
	if (row->state == CLIENT_STARTING && c->second >= 1) {
		put_state(sim, client, CLIENT_LISTING, "");
	} else if (row->state == CLIENT_LISTING && c->second >= 3) {
		if (fails && client == 7)
			put_state(sim, client, CLIENT_GAVE_UP,
				"auth: imap.example.org:993: login: NO wrong "
				"password; write the new one into u008.pw");
		else
			put_state(sim, client, CLIENT_SYNCING, "");
	} else if (row->state == CLIENT_SYNCING) {
		c->done_mb += fmin(share_mb, c->left_mb);
		c->left_mb -= fmin(share_mb, c->left_mb);
		row->app_bytes = (uint64_t)(c->done_mb * 1e6);
		row->wire_bytes = row->app_bytes * 21 / 20;
		if (c->left_mb <= 0)
			put_state(sim, client, CLIENT_VERIFYING, "");
		else if (fails && client == 9 && c->second == 20 &&
			row->attempts == 1)
			put_state(sim, client, CLIENT_FAILED,
				"network: imap.example.org:993: connection "
				"reset");
		else if (fails && client == 11 && c->second == 15)
			put_state(sim, client, CLIENT_PAUSED, "held");
	} else if (row->state == CLIENT_PAUSED && c->second >= 12) {
		put_state(sim, client, CLIENT_SYNCING, "");
		c->second = 16;
	} else if (row->state == CLIENT_FAILED && c->second >= 30) {
		put_state(sim, client, CLIENT_QUEUED, "retry");
	} else if (row->state == CLIENT_VERIFYING && c->second >= 2) {
		finish(sim, client);
	}
}

static void put_bucket(struct sim *sim)
{
	struct archived *out = sim->out;
	struct bucket *row = findings_add(
		&out->buckets, &out->bucket_count, sizeof(*row));
	int64_t latencies[BUCKET_S];
	size_t count = 0;

	bucket_init(
		row, (double)(now_us(sim) / SECOND_US) - BUCKET_S, BUCKET_S);
	row->wave = sim->wave;
	row->n = (float)(sim->n_sum / BUCKET_S);
	row->active = row->n;
	row->x_mb_min = (float)(sim->mb_sum * 60 / BUCKET_S);
	if (sim->n_changed)
		row->flags |= BUCKET_N_CHANGED;
	else if (sim->at_s < sim->settle_s + BUCKET_S)
		row->flags |= BUCKET_SETTLING;
	for (size_t i = out->probe_count; i-- > 0;)
		if (out->probes[i].start_us >=
			now_us(sim) - BUCKET_S * SECOND_US)
			latencies[count++] = out->probes[i].latency_us;
		else
			break;
	bucket_set_probes(row, latencies, count, 0);
	if (out->load_count)
		memcpy(row->load, out->loads[out->load_count - 1].load,
			sizeof(row->load));
	sim->n_sum = sim->mb_sum = 0;
	sim->n_changed = false;
}

static void put_load(struct sim *sim, double n, double mb_s)
{
	struct load_row *row = findings_add(
		&sim->out->loads, &sim->out->load_count, sizeof(*row));
	float *load = row->load;

	row->at_us = now_us(sim);
	row->span_us = SECOND_US;
	for (size_t m = 0; m < LOAD_COUNT; m++)
		load[m] = NAN;
	load[LOAD_CPU] = (float)fmin(1, 0.04 + 0.035 * n + 0.02 * noise(sim));
	load[LOAD_CPU_IOWAIT] = (float)fmax(
		0, 0.02 + 0.02 * n + 0.02 * noise(sim));
	load[LOAD_DISK_READ_AWAIT] = (float)(0.9 + 0.016 * n * n +
		0.2 * noise(sim));
	load[LOAD_DISK_WRITE_AWAIT] = (float)(1.2 + 0.022 * n * n +
		0.3 * noise(sim));
	load[LOAD_DISK_QUEUE] = (float)fmax(
		0, 0.1 + 0.45 * n + 0.2 * noise(sim));
	load[LOAD_DISK_READ_MB_S] = (float)fmax(
		0, mb_s * 1.1 + 0.5 * noise(sim));
	load[LOAD_DISK_WRITE_MB_S] = (float)fmax(0, 0.6 + 0.4 * noise(sim));
	load[LOAD_NET_TX_MB_S] = (float)(mb_s * 1.05);
	load[LOAD_MEM_AVAILABLE] = 0.7F;
}

static void put_probe(struct sim *sim, double n)
{
	struct probe_row *row = findings_add(
		&sim->out->probes, &sim->out->probe_count, sizeof(*row));
	double wild = noise(sim);
	double ms = 38 + 1.1 * n + 0.2 * n * n + 9 * noise(sim) +
		(wild > 0.93 ? 30 * wild : 0);

	row->start_us = now_us(sim);
	row->latency_us = (int64_t)(ms * 1e3);
}

static void second(struct sim *sim)
{
	unsigned n = in_state(sim, CLIENT_SYNCING);
	double mb_s = capacity(n) / 60 * (1 + 0.06 * noise(sim));

	for (unsigned i = 0; i < sim->plan->clients; i++)
		run_client(sim, i, n ? mb_s / n * (1 + 0.15 * noise(sim)) : 0);
	sim->n_sum += n;
	sim->mb_sum += mb_s;
	if (sim->plan->exporter)
		put_load(sim, n, mb_s);
	if (sim->plan->canary && sim->at_s % 2 == 1)
		put_probe(sim, n);
	sim->at_s++;
	if (sim->at_s % BUCKET_S == 0)
		put_bucket(sim);
}

static void advise(struct sim *sim, const struct wave_row *wave)
{
	struct archived *out = sim->out;
	struct recommend_facts facts = {.wave = wave->number,
		.wave_slots = wave->batch_size,
		.admitted = wave->clients,
		.done = wave->clients,
		.rollout_clients = sim->plan->clients,
		.exporter = sim->plan->exporter,
		.canary = sim->plan->canary};
	struct recommendation_row *row = findings_add(
		&out->advice, &out->advice_count, sizeof(*row));
	struct recommendation *advice = xcalloc(1, sizeof(*advice));

	for (unsigned i = 0; i < sim->plan->clients; i++)
		if (!client_state_final(out->clients[i].state)) {
			facts.clients_left++;
			facts.mb_left += sim->clients[i].left_mb;
		}
	recommend(advice, out->buckets, out->bucket_count, &facts,
		&recommend_policy_default);
	row->id = (unsigned)out->advice_count;
	row->at_us = now_us(sim);
	row->wave = wave->number;
	snprintf(row->verdict, sizeof(row->verdict), "%s",
		verdict_name(advice->verdict));
	row->batch_size = advice->batch_size;
	row->result_json = recommendation_encode(advice);
	struct recommend_data data = recommend_data_of(
		out->buckets, out->bucket_count);
	row->inputs_json = recommend_input_encode(
		&facts, &recommend_policy_default, &data);
	free(advice);
}

static void run_wave(struct sim *sim, unsigned batch, unsigned size)
{
	unsigned number = (unsigned)sim->out->wave_count + 1;
	unsigned stagger = 0, admitted = 0;
	struct wave_row wave = {.number = number,
		.kind = number <= 2 ? WAVE_KIND_PILOT : WAVE_KIND_WAVE,
		.state = WAVE_CLOSED,
		.batch_size = batch,
		.started_us = now_us(sim)};
	char object[32];

	snprintf(object, sizeof(object), "wave %u", number);
	note(sim, object, "planned", "ramping", "");
	sim->wave = number;
	for (unsigned i = 0; i < sim->plan->clients && admitted < size; i++)
		if (sim->out->clients[i].state == CLIENT_CHECKED) {
			put_state(sim, i, CLIENT_QUEUED, "");
			sim->out->clients[i].wave = number;
			admitted++;
		}
	wave.clients = admitted;
	while (in_state(sim, CLIENT_QUEUED) || in_state(sim, CLIENT_FAILED) ||
		active(sim)) {
		for (unsigned i = 0; i < sim->plan->clients && !stagger &&
			active(sim) < batch;
			i++)
			if (sim->out->clients[i].state == CLIENT_QUEUED) {
				put_state(sim, i, CLIENT_STARTING, "");
				stagger = 6;
			}
		stagger -= stagger > 0;
		second(sim);
	}
	wave.ended_us = now_us(sim);
	snprintf(wave.verdict, sizeof(wave.verdict), "PASS");
	snprintf(wave.gates, sizeof(wave.gates),
		"[{\"rule\":\"clients done\",\"measured\":\"%u of %u\","
		"\"limit\":\"at least 67 %%\",\"verdict\":\"PASS\"},"
		"{\"rule\":\"PSI io\",\"measured\":0.41,\"limit\":\"\","
		"\"verdict\":\"PASS\",\"advisory\":true}]",
		admitted, admitted);
	*(struct wave_row *)findings_add(
		&sim->out->waves, &sim->out->wave_count, sizeof(wave)) = wave;
	note(sim, object, "gating", "closed", "gate passed");
	advise(sim, &wave);
	sim->wave = 0;
	for (unsigned i = 0; i < 20; i++)
		second(sim);
}

static void make_clients(struct sim *sim)
{
	const struct rollout_plan *plan = sim->plan;
	bool named = plan->names != NULL;

	for (unsigned i = 0; i < plan->clients; i++) {
		struct client_row *row = findings_add(&sim->out->clients,
			&sim->out->client_count, sizeof(*row));

		named = named && plan->names[i];
		row->id = i + 1;
		if (named)
			snprintf(row->name, sizeof(row->name), "%s",
				plan->names[i]);
		else
			snprintf(row->name, sizeof(row->name), "u%03u", i + 1);
		snprintf(row->version, sizeof(row->version), "0.1.0");
		snprintf(row->host, sizeof(row->host), "pc-%u", i + 1);
		row->state = CLIENT_CHECKED;
		sim->clients[i].total_mb = plan->mb * exp(0.6 * noise(sim));
		sim->clients[i].left_mb = sim->clients[i].total_mb;
	}
}

static void rollout_simulate(
	struct archived *out, const struct rollout_plan *plan)
{
	struct sim sim = {.out = out, .plan = plan, .random = 42};
	unsigned batch = 1, size = 1;

	memset(out, 0, sizeof(*out));
	out->scenario = xstrdup("rollout: demo\nserver: {imap: "
				"{host: mail.example.org, port: 993}}\n");
	snprintf(out->rollout.name, sizeof(out->rollout.name), "demo");
	out->rollout.state = ROLLOUT_RUNNING;
	out->rollout.created_us = out->rollout.started_us = START_US;
	sim.clients = xcalloc(plan->clients + 1, sizeof(*sim.clients));
	make_clients(&sim);
	note(&sim, "rollout", "planned", "running", "sluice run --auto");
	while (in_state(&sim, CLIENT_CHECKED) &&
		(!plan->waves || out->wave_count < plan->waves)) {
		run_wave(&sim, batch, size);
		batch = out->wave_count == 1
			? 5
			: out->advice[out->advice_count - 1].batch_size;
		size = out->wave_count == 1 ? 5 : batch * 3;
	}
	if (!in_state(&sim, CLIENT_CHECKED))
		out->rollout.state = ROLLOUT_DONE;
	free(sim.clients);
}

static int put_rows(
	const struct archived *rows, struct archive *archive, struct err *err)
{
	int bad = archive_put_rollout(archive, &rows->rollout, err);

	for (size_t i = 0; i < rows->client_count; i++)
		bad |= archive_put_client(archive, &rows->clients[i], err);
	for (size_t i = 0; i < rows->wave_count; i++)
		bad |= archive_put_wave(archive, &rows->waves[i], err);
	for (size_t i = 0; i < rows->transition_count; i++)
		bad |= archive_add_transition(
			archive, &rows->transitions[i], err);
	for (size_t i = 0; i < rows->bucket_count; i++)
		bad |= archive_put_bucket(archive, &rows->buckets[i], err);
	for (size_t i = 0; i < rows->load_count; i++)
		bad |= archive_add_load(archive, &rows->loads[i], err);
	for (size_t i = 0; i < rows->probe_count; i++)
		bad |= archive_add_probe(archive, &rows->probes[i], err);
	for (size_t i = 0; i < rows->advice_count; i++)
		bad |= archive_add_recommendation(
			archive, &rows->advice[i], err);
	return bad;
}

static int rollout_archive(
	const struct archived *rows, const char *dir, struct err *err)
{
	struct archive *archive = NULL;
	int result;

	if (archive_create(dir, &rows->rollout, rows->scenario, rows->clients,
		    rows->client_count, err) < 0 ||
		archive_open(&archive, dir, ARCHIVE_OWN, err) < 0)
		return -1;
	result = archive_begin(archive, err);
	if (result == 0)
		result = put_rows(rows, archive, err);
	if (result == 0)
		result = archive_commit(archive, err);
	archive_close(&archive);
	return result;
}
