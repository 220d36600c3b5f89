/*
 * rollout.c - the rollout in memory: look-ups, and the one place where each
 * kind of state changes.
 *
 * Used by the other parts of the folder and by the server's thread.
 */
#include "rollout.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"

void rollout_init(struct rollout *r, const struct rollout_row *row,
	struct client_row *clients, size_t client_count, struct wave_row *waves,
	size_t wave_count, const struct scenario *scenario)
{
	*r = (struct rollout){
		.row = *row,
		.clients = clients,
		.client_count = client_count,
		.waves = waves,
		.wave_count = wave_count,
		.scenario = scenario,
		.client_changed = xcalloc(client_count + 1, sizeof(bool)),
		.wave_changed = xcalloc(wave_count + 1, sizeof(bool)),
	};
}

void rollout_free(struct rollout *r)
{
	free(r->clients);
	free(r->waves);
	free(r->client_changed);
	free(r->wave_changed);
	free(r->transitions);
	*r = (struct rollout){0};
}

void rollout_written(struct rollout *r)
{
	r->row_changed = false;
	memset(r->client_changed, 0, r->client_count * sizeof(bool));
	memset(r->wave_changed, 0, r->wave_count * sizeof(bool));
	r->transition_count = 0;
}

struct client_row *rollout_client(struct rollout *r, const char *name)
{
	for (size_t i = 0; i < r->client_count; i++)
		if (strcmp(r->clients[i].name, name) == 0)
			return &r->clients[i];
	return NULL;
}

void rollout_touch(struct rollout *r, const struct client_row *client)
{
	size_t i = (size_t)(client - r->clients);

	assert(i < r->client_count);
	r->client_changed[i] = true;
}

struct wave_row *rollout_wave(struct rollout *r)
{
	struct wave_row *wave;

	if (r->wave_count == 0)
		return NULL;
	wave = &r->waves[r->wave_count - 1];
	return wave_state_final(wave->state) ? NULL : wave;
}

unsigned rollout_count(const struct rollout *r, enum client_state state)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->client_count; i++)
		n += r->clients[i].state == state;
	return n;
}

unsigned rollout_active(const struct rollout *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->client_count; i++)
		n += client_state_active(r->clients[i].state);
	return n;
}

/* ---- changing states */

static void add_transition(struct rollout *r, const char *object,
	const char *from, const char *to, int64_t now_us, const char *who,
	const char *reason)
{
	struct transition_row *row;

	r->transitions = xrealloc(
		r->transitions, r->transition_count + 1, sizeof(*row));
	row = &r->transitions[r->transition_count++];
	*row = (struct transition_row){.at_us = now_us};
	(void)snprintf(row->object, sizeof(row->object), "%s", object);
	(void)snprintf(row->from, sizeof(row->from), "%s", from);
	(void)snprintf(row->to, sizeof(row->to), "%s", to);
	(void)snprintf(row->reason, sizeof(row->reason), "%s", reason);
	(void)snprintf(row->who, sizeof(row->who), "%s", who);
}

static int refuse(
	const char *object, const char *from, const char *to, struct err *err)
{
	return err_set(err, ERR_REFUSED, "%s is %s and cannot become %s",
		object, from, to);
}

int rollout_set_state(struct rollout *r, enum rollout_state to, int64_t now_us,
	const char *who, const char *reason, struct err *err)
{
	const char *from = rollout_state_name(r->row.state);

	if (r->row.state == to)
		return 0;
	if (!rollout_state_legal(r->row.state, to))
		return refuse("the rollout", from, rollout_state_name(to), err);
	add_transition(r, "rollout", from, rollout_state_name(to), now_us, who,
		reason);
	r->row.state = to;
	(void)snprintf(r->row.reason, sizeof(r->row.reason), "%s", reason);
	if (to == ROLLOUT_RUNNING && !r->row.started_us)
		r->row.started_us = now_us;
	r->row.ended_us = rollout_state_final(to) ? now_us : 0;
	r->row_changed = true;
	return 0;
}

int wave_set_state(struct rollout *r, struct wave_row *wave, enum wave_state to,
	int64_t now_us, const char *who, const char *reason, struct err *err)
{
	const char *from = wave_state_name(wave->state);
	char object[ROW_NAME_BYTES];

	(void)snprintf(object, sizeof(object), "wave %u", wave->number);
	if (wave->state == to)
		return 0;
	if (!wave_state_legal(wave->state, to))
		return refuse(object, from, wave_state_name(to), err);
	add_transition(
		r, object, from, wave_state_name(to), now_us, who, reason);
	wave->state = to;
	(void)snprintf(wave->reason, sizeof(wave->reason), "%s", reason);
	if (wave_state_final(to))
		wave->ended_us = now_us;
	r->wave_changed[wave - r->waves] = true;
	return 0;
}

/* Times that belong to a state are taken where it is entered. */
static void stamp_client(
	struct client_row *client, enum client_state from, int64_t now_us)
{
	switch (client->state) {
	case CLIENT_STARTING:
		if (from != CLIENT_QUEUED)
			break;
		client->admitted_us = client->progress_us = now_us;
		client->bulk_us = client->finished_us = 0;
		client->attempts++;
		break;
	case CLIENT_SYNCING:
		if (!client->bulk_us)
			client->bulk_us = now_us;
		break;
	case CLIENT_LOST:
		client->lost_us = now_us;
		break;
	case CLIENT_DONE:
	case CLIENT_FAILED:
	case CLIENT_GAVE_UP:
	case CLIENT_CANCELLED:
		client->finished_us = now_us;
		client->braked = false;
		break;
	default:
		break;
	}
}

int client_set_state(struct rollout *r, struct client_row *client,
	enum client_state to, int64_t now_us, const char *who,
	const char *reason, struct err *err)
{
	enum client_state before = client->state;
	const char *from = client_state_name(before);
	char object[ROW_NAME_BYTES + 8];

	(void)snprintf(object, sizeof(object), "client %s", client->name);
	if (client->state == to)
		return 0;
	if (!client_state_legal(client->state, to))
		return refuse(object, from, client_state_name(to), err);
	add_transition(
		r, object, from, client_state_name(to), now_us, who, reason);
	client->state = to;
	(void)snprintf(client->reason, sizeof(client->reason), "%s", reason);
	stamp_client(client, before, now_us);
	rollout_touch(r, client);
	return 0;
}

void client_command(
	struct rollout *r, struct client_row *client, enum command command)
{
	client->command = command;
	client->command_id++;
	if (command == COMMAND_START)
		client->start_id = client->command_id;
	rollout_touch(r, client);
}

double client_predicted_s(const struct client_row *client, double bytes_s)
{
	uint64_t total = client->progress.total_bytes
		? client->progress.total_bytes
		: client->expected_bytes;
	double line = (double)client->link_bytes_s;

	if (!(bytes_s > 0))
		return 0;
	return (double)total / (line > 0 && line < bytes_s ? line : bytes_s);
}

/* Back-off grows fourfold; its shift is capped well below overflow. */
static int64_t backoff_us(const struct client_row *client, int64_t first_us)
{
	unsigned tries = client->attempts > 0 ? client->attempts - 1 : 0;

	return first_us << (2 * (tries < 10 ? tries : 10));
}

void client_fail(struct rollout *r, struct client_row *client, bool retryable,
	int64_t now_us, const char *reason)
{
	const struct scenario_steps *steps = &r->scenario->steps;

	if (client_set_state(r, client, CLIENT_FAILED, now_us, "controller",
		    reason, NULL) < 0)
		return;
	if (!retryable || client->attempts > steps->retries)
		(void)client_set_state(r, client, CLIENT_GAVE_UP, now_us,
			"controller", reason, NULL);
	else
		client->not_before_us = now_us +
			backoff_us(client, steps->backoff_us);
}
