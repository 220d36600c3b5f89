/*
 * person.c - what a person may order. Everything may be said twice.
 */
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "rollout.h"
#include "waves.h"

static int find_client(struct rollout *r, const char *name,
	struct client_row **client, struct err *err)
{
	*client = rollout_client(r, name);
	return *client
		? 0
		: err_set(err, ERR_USAGE,
			  "no client is called %.80s; see sluice status", name);
}

int rollout_pause(struct rollout *r, int64_t now_us, const char *who,
	const char *reason, struct err *err)
{
	return rollout_set_state(r, ROLLOUT_PAUSED, now_us, who, reason, err);
}

/* The newest wave that a gate has stopped. */
static struct wave_row *stopped_wave(struct rollout *r)
{
	struct wave_row *wave = rollout_wave(r);

	if (wave &&
		(wave->state == WAVE_FAILED ||
			wave->state == WAVE_INCONCLUSIVE))
		return wave;
	return NULL;
}

/* What a rollout that goes on is: with a wave under way it runs. */
static enum rollout_state going_on(struct rollout *r)
{
	const struct wave_row *wave = rollout_wave(r);

	return wave && wave->state != WAVE_DRAINING ? ROLLOUT_RUNNING
						    : ROLLOUT_PLANNED;
}

int rollout_resume(struct rollout *r, bool force, int64_t now_us,
	const char *who, struct err *err)
{
	struct wave_row *wave = stopped_wave(r);

	if (r->row.state == ROLLOUT_RUNNING || r->row.state == ROLLOUT_PLANNED)
		return 0;
	if (r->row.state == ROLLOUT_ABORTED) {
		if (!force)
			return err_set(err, ERR_REFUSED,
				"the rollout was aborted; to go on all the "
				"same: sluice resume --force");
		return rollout_set_state(
			r, ROLLOUT_PAUSED, now_us, who, "was aborted", err);
	}
	if (r->row.state != ROLLOUT_PAUSED)
		return err_set(err, ERR_REFUSED,
			"the rollout is %s, not paused%s",
			rollout_state_name(r->row.state),
			r->row.state == ROLLOUT_WAITING_GATE
				? "; run sluice promote or sluice wave"
				: r->row.state == ROLLOUT_ABORTING
				? "; sluice abort --kill ends its syncs"
				: "");
	/* To resume after a gate is to leave that wave as it ended. */
	if (wave)
		(void)wave_set_state(r, wave, WAVE_DRAINING, now_us, who,
			"resumed after the gate", NULL);
	return rollout_set_state(r, going_on(r), now_us, who, "", err);
}

int rollout_promote(struct rollout *r, const char *skip, int64_t now_us,
	const char *who, struct err *err)
{
	struct wave_row *wave = stopped_wave(r);

	if (wave && !skip)
		return err_set(err, ERR_REFUSED,
			"wave %u did not pass (%s); to go on all the same: "
			"sluice promote --skip-gate REASON",
			wave->number, wave->reason);
	if (wave) {
		(void)snprintf(
			wave->skipped, sizeof(wave->skipped), "%s", skip);
		(void)wave_set_state(
			r, wave, WAVE_PASSED, now_us, who, skip, NULL);
		(void)wave_set_state(
			r, wave, WAVE_DRAINING, now_us, who, "", NULL);
	}
	if (r->row.state != ROLLOUT_WAITING_GATE &&
		r->row.state != ROLLOUT_PAUSED)
		return 0;
	return rollout_set_state(
		r, going_on(r), now_us, who, skip ? skip : "gate opened", err);
}

int rollout_abort(struct rollout *r, bool kill, int64_t now_us, const char *who,
	struct err *err)
{
	if (r->row.state == ROLLOUT_ABORTED)
		return 0;
	if (rollout_set_state(r, ROLLOUT_ABORTING, now_us, who,
		    kill ? "aborted, syncs cancelled" : "aborted", err) < 0)
		return -1;
	for (size_t i = 0; i < r->wave_count; i++)
		if (!wave_state_final(r->waves[i].state))
			wave_return_queue(r, &r->waves[i], now_us, "aborted");
	for (size_t i = 0; kill && i < r->client_count; i++) {
		struct client_row *client = &r->clients[i];

		if (!client_state_active(client->state))
			continue;
		client_command(r, client, COMMAND_CANCEL);
		(void)client_set_state(r, client, CLIENT_CANCELLED, now_us, who,
			"aborted", NULL);
	}
	return 0;
}

int rollout_exclude(struct rollout *r, const char *name, const char *reason,
	int64_t now_us, const char *who, struct err *err)
{
	struct client_row *client;

	if (find_client(r, name, &client, err) < 0)
		return -1;
	if (client_state_active(client->state))
		return err_set(err, ERR_REFUSED,
			"%s is %s; wait for its end or abort", name,
			client_state_name(client->state));
	return client_set_state(
		r, client, CLIENT_EXCLUDED, now_us, who, reason, err);
}

int rollout_include(struct rollout *r, const char *name, int64_t now_us,
	const char *who, struct err *err)
{
	struct client_row *client;

	if (find_client(r, name, &client, err) < 0)
		return -1;
	if (client->state != CLIENT_EXCLUDED && client->state != CLIENT_SKIPPED)
		return 0;
	if (client_set_state(r, client, CLIENT_UNKNOWN, now_us, who,
		    "included again", err) < 0)
		return -1;
	if (rollout_state_final(r->row.state) &&
		r->row.state != ROLLOUT_ABORTED)
		return rollout_set_state(r, ROLLOUT_PLANNED, now_us, who,
			"a client was included", err);
	return 0;
}

/* Back to where the next wave finds it, with all its retries. */
static void renew(struct rollout *r, struct client_row *client, int64_t now_us,
	const char *who)
{
	client->attempts = 0;
	client->not_before_us = 0;
	if (client->state != CLIENT_FAILED) {
		(void)client_set_state(
			r, client, CLIENT_QUEUED, now_us, who, "retry", NULL);
		(void)client_set_state(
			r, client, CLIENT_CHECKED, now_us, who, "retry", NULL);
	}
	rollout_touch(r, client);
}

int rollout_retry(struct rollout *r, const char *name, int64_t now_us,
	const char *who, unsigned *count, struct err *err)
{
	struct client_row *only = NULL;

	if (name && find_client(r, name, &only, err) < 0)
		return -1;
	*count = 0;
	for (size_t i = 0; i < r->client_count; i++) {
		struct client_row *client = &r->clients[i];

		if ((only && client != only) ||
			(client->state != CLIENT_FAILED &&
				client->state != CLIENT_GAVE_UP &&
				client->state != CLIENT_CANCELLED))
			continue;
		renew(r, client, now_us, who);
		(*count)++;
	}
	if (*count && rollout_state_final(r->row.state) &&
		r->row.state != ROLLOUT_ABORTED)
		return rollout_set_state(
			r, ROLLOUT_PLANNED, now_us, who, "retry", err);
	return 0;
}
