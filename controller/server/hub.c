/*
 * hub.c - loading the controller from its archive, writing what changed, and
 * the scheduler's second.
 *
 * Between the pure state machines, the measurements and the archive. Owned by
 * the loop's thread.
 */
#include "hub.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "clock.h"
#include "log.h"
#include "setting.h"

#define STUCK_US (30 * US_PER_S)
#define SLOW	 3 /* times the predicted time */

/* ---- open and close */

static int load_rollout(struct hub *hub, struct err *err)
{
	struct rollout_row row;
	struct client_row *clients = NULL;
	struct wave_row *waves = NULL;
	size_t client_count = 0, wave_count = 0;

	if (archive_rollout(hub->archive, &row, err) < 0 ||
		archive_clients(hub->archive, &clients, &client_count, err) <
			0 ||
		archive_waves(hub->archive, &waves, &wave_count, err) < 0) {
		free(clients);
		return -1;
	}
	rollout_init(&hub->rollout, &row, clients, client_count, waves,
		wave_count, &hub->scenario);
	hub->slow_said = xcalloc(client_count + 1, sizeof(*hub->slow_said));
	return 0;
}

static int load_scenario(struct hub *hub, struct err *err)
{
	char *text = NULL, *folder = NULL;
	int result = -1;

	if (archive_scenario(hub->archive, &text, err) == 0 &&
		archive_get(hub->archive, "scenario_folder", &folder, err) == 0)
		result = scenario_parse(&hub->scenario, text, strlen(text),
			"scenario in the archive", folder, err);
	free(text);
	free(folder);
	return result;
}

/* While we were away nobody could report: silence counts from now on. */
static void forgive_silence(struct hub *hub)
{
	int64_t now_us = gauge_clock_us();

	for (size_t i = 0; i < hub->rollout.client_count; i++) {
		struct client_row *client = &hub->rollout.clients[i];

		if (!client->agent[0])
			continue;
		if (client->state == CLIENT_LOST)
			client->lost_us = now_us;
		else
			client->seen_us = client->progress_us = now_us;
	}
}

int hub_open(struct hub *hub, const char *dir, struct err *err)
{
	*hub = (struct hub){.dir = xstrdup(dir)};
	if (archive_open(&hub->archive, dir, ARCHIVE_OWN, err) < 0 ||
		load_scenario(hub, err) < 0 ||
		setting_load(hub->archive, &hub->scenario, err) < 0 ||
		load_rollout(hub, err) < 0 ||
		gauge_start(&hub->gauge, &hub->scenario, hub->archive, err) <
			0) {
		hub_close(hub);
		return -1;
	}
	forgive_silence(hub);
	return 0;
}

void hub_close(struct hub *hub)
{
	gauge_stop(&hub->gauge);
	rollout_free(&hub->rollout);
	if (hub->archive)
		archive_rollback(hub->archive);
	archive_close(&hub->archive);
	scenario_free(&hub->scenario);
	free(hub->slow_said);
	hub->slow_said = NULL;
	free(hub->dir);
	hub->dir = NULL;
}

/* ---- transactions */

void hub_fail(struct hub *hub, const struct err *err)
{
	if (!hub->failed)
		hub->err = *err;
	hub->failed = true;
}

bool hub_begin(struct hub *hub)
{
	struct err err = ERR_INIT;

	if (hub->failed)
		return false;
	if (!hub->open && archive_begin(hub->archive, &err) < 0) {
		hub_fail(hub, &err);
		return false;
	}
	hub->open = true;
	return true;
}

static void log_transitions(const struct rollout *r)
{
	for (size_t i = 0; i < r->transition_count; i++) {
		const struct transition_row *t = &r->transitions[i];

		log_info(t->object, "%s -> %s%s%s (%s)", t->from, t->to,
			t->reason[0] ? ": " : "", t->reason, t->who);
	}
}

static int write_rows(struct hub *hub, struct err *err)
{
	struct rollout *r = &hub->rollout;

	if (r->row_changed &&
		archive_put_rollout(hub->archive, &r->row, err) < 0)
		return -1;
	for (size_t i = 0; i < r->client_count; i++)
		if (r->client_changed[i] &&
			archive_put_client(hub->archive, &r->clients[i], err) <
				0)
			return -1;
	for (size_t i = 0; i < r->wave_count; i++)
		if (r->wave_changed[i] &&
			archive_put_wave(hub->archive, &r->waves[i], err) < 0)
			return -1;
	for (size_t i = 0; i < r->transition_count; i++)
		if (archive_add_transition(
			    hub->archive, &r->transitions[i], err) < 0)
			return -1;
	return 0;
}

bool hub_commit(struct hub *hub)
{
	struct err err = ERR_INIT;

	if (hub->failed)
		return false;
	if (!hub->open)
		return true;
	if (write_rows(hub, &err) < 0 ||
		archive_commit(hub->archive, &err) < 0) {
		archive_rollback(hub->archive);
		hub->open = false;
		hub_fail(hub, &err);
		return false;
	}
	hub->open = false;
	log_transitions(&hub->rollout);
	rollout_written(&hub->rollout);
	return true;
}

void hub_event(struct hub *hub, const char *subject, const char *fmt, ...)
{
	struct event_row row = {.at_us = gauge_clock_us()};
	struct err err = ERR_INIT;
	va_list ap;

	(void)snprintf(row.subject, sizeof(row.subject), "%s", subject);
	va_start(ap, fmt);
	(void)vsnprintf(row.text, sizeof(row.text), fmt, ap);
	va_end(ap);
	log_info(subject, "%s", row.text);
	if (hub_begin(hub) && archive_add_event(hub->archive, &row, &err) < 0)
		hub_fail(hub, &err);
}

/* ---- the scheduler's second */

static int local_minute(int64_t now_us)
{
	time_t seconds = (time_t)(now_us / US_PER_S);
	struct tm local;

	if (!localtime_r(&seconds, &local))
		return 0;
	return local.tm_hour * 60 + local.tm_min;
}

/* An agent that fell silent no longer counts as active in the buckets. */
static void forget_lost(struct hub *hub, int64_t now_us)
{
	const struct rollout *r = &hub->rollout;

	for (size_t i = 0; i < r->client_count; i++)
		if (r->client_changed[i] &&
			(r->clients[i].state == CLIENT_LOST ||
				r->clients[i].state == CLIENT_FAILED ||
				r->clients[i].state == CLIENT_CANCELLED))
			gauge_lost(hub->gauge, r->clients[i].id, now_us);
}

/* A wave that does not begin is an event with its reason, once. */
static void say_untouched(struct hub *hub, const struct rollout_inputs *in)
{
	const struct wave_row *wave = rollout_wave(&hub->rollout);
	char subject[32];

	if (!wave || wave->state != WAVE_PREFLIGHT || in->preflight_ready ||
		!in->refused || hub->untouched == wave->number)
		return;
	hub->untouched = wave->number;
	(void)snprintf(subject, sizeof(subject), "wave %u", wave->number);
	hub_event(hub, subject, "%s", in->not_ready);
}

/* A sync that takes far longer than predicted is an event, once an attempt; it
 * is left alone. */
static void flag_slow(struct hub *hub, const struct rollout_inputs *in)
{
	const struct rollout *r = &hub->rollout;

	for (size_t i = 0; i < r->client_count; i++) {
		const struct client_row *client = &r->clients[i];
		double predicted_s = client_predicted_s(
			client, in->sync_bytes_s);
		char subject[ROW_NAME_BYTES + 8];

		if (!client_state_active(client->state) || !(predicted_s > 0) ||
			client->progress.seconds <= SLOW * predicted_s ||
			hub->slow_said[i] == client->attempts)
			continue;
		hub->slow_said[i] = client->attempts;
		(void)snprintf(
			subject, sizeof(subject), "client %s", client->name);
		hub_event(hub, subject,
			"slow: %.0f s, where %.0f were predicted by what one "
			"sync moves of late (%.1f MB/min)",
			client->progress.seconds, predicted_s,
			in->sync_bytes_s * 60 / 1e6);
	}
}

/* What was only started a little late is no matter for a person. */
static void watch_stuck(struct hub *hub, const struct rollout_inputs *in)
{
	const struct wave_row *wave = rollout_wave(&hub->rollout);

	if (!wave || wave->state != WAVE_PREFLIGHT || !in->hopeless)
		hub->stuck_us = 0;
	else if (!hub->stuck_us)
		hub->stuck_us = in->now_us;
	hub->stuck = hub->stuck_us && in->now_us - hub->stuck_us >= STUCK_US;
}

void hub_tick(struct hub *hub, int64_t now_us)
{
	struct rollout_inputs in = {
		.now_us = now_us, .minute = local_minute(now_us)};
	struct err err = ERR_INIT;

	if (!hub_begin(hub))
		return;
	if (gauge_tick(hub->gauge, &hub->rollout, &in, &err) < 0) {
		hub_fail(hub, &err);
		return;
	}
	in.cut = automatic_cut(hub, now_us);
	rollout_tick(&hub->rollout, &in);
	say_untouched(hub, &in);
	watch_stuck(hub, &in);
	flag_slow(hub, &in);
	automatic_step(hub, now_us);
	rollout_share_rate(&hub->rollout, gauge_rate(hub->gauge));
	forget_lost(hub, now_us);
	(void)hub_commit(hub);
}

void hub_refuse(struct web_request *request, int status, const char *text)
{
	json_t *json = json_pack("{s:s}", "error", text);
	char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;

	web_answer(request, status, "application/json",
		body ? body : "{\"error\":\"\"}");
	free(body);
	json_decref(json);
}
