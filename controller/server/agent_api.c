/*
 * agent_api.c - the three requests of agents: enroll, report, policy.
 *
 * A report is counted, answered with what its agent is to do, and parked
 * while there is nothing to do. docs/protocol.md is the contract.
 */
#include "hub.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "secret.h"

#define LONG_POLL_US (25 * US_PER_S)
#define BUSY_POLL_MS 1000

/* ---- who it is */

struct client_row *agent_of(struct hub *hub, const struct web_request *request)
{
	unsigned char hash[SECRET_HASH_BYTES];
	const char *dot = request->bearer ? strchr(request->bearer, '.') : NULL;
	unsigned client = 0;
	char *agent;

	if (!dot)
		return NULL;
	agent = xstrndup(request->bearer, (size_t)(dot - request->bearer));
	secret_hash(dot + 1, hash);
	if (archive_check_secret(hub->archive, agent, hash, &client, NULL) < 0)
		client = 0;
	free(agent);
	if (client == 0 || client > hub->rollout.client_count)
		return NULL;
	return &hub->rollout.clients[client - 1];
}

/* ---- enroll */

static int use_token(
	struct hub *hub, const char *token, int64_t now_us, struct err *err)
{
	unsigned char hash[SECRET_HASH_BYTES];
	bool good = false;

	secret_hash(token, hash);
	if (archive_use_token(
		    hub->archive, hash, "enroll", now_us, &good, err) < 0)
		return -1;
	if (!good)
		return err_set(err, ERR_AUTH,
			"the token is wrong, used up or expired; make one with "
			"sluice token");
	return 0;
}

static int make_agent(struct hub *hub, struct client_row *client,
	const struct enroll *enroll, struct enrolled *enrolled, struct err *err)
{
	unsigned char hash[SECRET_HASH_BYTES];
	char agent[SECRET_TEXT_BYTES], secret[SECRET_TEXT_BYTES];

	if (secret_make(agent, err) < 0 || secret_make(secret, err) < 0)
		return -1;
	agent[16] = '\0'; /* a name, not a secret */
	secret_hash(secret, hash);
	if (archive_put_secret(hub->archive, client->id, agent, hash, err) < 0)
		return -1;
	rollout_enrolled(
		&hub->rollout, client, enroll, agent, gauge_clock_us());
	*enrolled = (struct enrolled){
		.protocol = PROTOCOL_VERSION,
		.agent = xstrdup(agent),
		.secret = xstrdup(secret),
	};
	explicit_bzero(secret, sizeof(secret));
	return 0;
}

static int enroll_status(const struct err *err)
{
	switch (err->kind) {
	case ERR_AUTH:
		return 401;
	case ERR_REFUSED:
		return 404;
	case ERR_PROTOCOL:
	case ERR_LIMIT:
		return 400;
	default:
		return 503;
	}
}

static int enroll(struct hub *hub, const struct enroll *message,
	struct enrolled *enrolled, struct err *err)
{
	struct client_row *client;

	if (use_token(hub, message->token, gauge_clock_us(), err) < 0)
		return -1;
	client = rollout_client(&hub->rollout, message->client);
	if (!client)
		return err_set(err, ERR_REFUSED,
			"no client is called %.80s in this rollout's scenario",
			message->client);
	return make_agent(hub, client, message, enrolled, err);
}

void agent_enroll(struct hub *hub, struct web_request *request)
{
	struct enroll message;
	struct enrolled enrolled;
	struct err err = ERR_INIT;
	char *answer;

	if (enroll_decode(&message, buf_text(&request->body), &err) < 0) {
		hub_refuse(request, 400, err.text);
		return;
	}
	if (!hub_begin(hub)) {
		hub_refuse(request, 503, "the archive cannot be written");
	} else if (enroll(hub, &message, &enrolled, &err) < 0) {
		hub->refused++;
		hub_event(hub, "enroll", "%.80s from %.80s refused: %s",
			message.client, message.host, err.text);
		hub_refuse(request, enroll_status(&err), err.text);
	} else {
		answer = enrolled_encode(&enrolled);
		web_answer(request, 200, "application/json", answer);
		explicit_bzero(answer, strlen(answer));
		free(answer);
		enrolled_free(&enrolled);
	}
	enroll_free(&message);
}

/* ---- report */

static bool has_command(const struct client_row *client)
{
	return client->command != COMMAND_NONE &&
		client->command_id > client->command_done;
}

/* Whether its agent is to be left in peace until there is news. One that was
 * started again in the middle of its sync says idle before it goes on: parked,
 * it could not tell that it does. */
static bool is_idle(const struct client_row *client)
{
	if (client_state_active(client->state))
		return false;
	return client->phase == PHASE_IDLE || client->phase == PHASE_DONE ||
		client->phase == PHASE_FAILED;
}

static void answer_agent(
	struct web_request *request, const struct client_row *client)
{
	struct answer answer = {
		.ack = client->seq,
		.wave = client->wave,
		.rate_bytes_s = client->rate_bytes_s,
		.next_poll_ms = is_idle(client) ? 0 : BUSY_POLL_MS,
	};
	char *text;

	if (has_command(client)) {
		answer.command = client->command;
		answer.command_id = client->command_id;
	}
	text = answer_encode(&answer);
	web_answer(request, 200, "application/json", text);
	free(text);
}

static int count_report(struct hub *hub, struct client_row *client,
	const struct report *report, struct err *err)
{
	int64_t now_us = gauge_clock_us();
	bool fresh = false;

	if (archive_add_report(hub->archive, client->agent, report->seq, now_us,
		    &fresh, err) < 0)
		return -1;
	if (!fresh) {
		hub->doubled++;
		client->seen_us = now_us;
		rollout_touch(&hub->rollout, client);
		return 0;
	}
	hub->reports++;
	if (gauge_report(hub->gauge, client, report, now_us, err) < 0)
		return -1;
	/* One that was overtaken counts its samples, but is no news. */
	if (report->seq > client->seq) {
		client->seq = report->seq;
		rollout_report(&hub->rollout, client, report, now_us);
	}
	return 0;
}

void agent_report(struct hub *hub, struct web_request *request)
{
	struct client_row *client = agent_of(hub, request);
	struct report report;
	struct err err = ERR_INIT;

	if (!client) {
		hub->refused++;
		hub_refuse(request, 401,
			"this agent is not known here; enrol it again");
		return;
	}
	if (report_decode(&report, buf_text(&request->body), &err) < 0) {
		hub_refuse(request, 400, err.text);
		return;
	}
	if (!hub_begin(hub)) {
		hub_refuse(request, 503, "the archive cannot be written");
	} else if (count_report(hub, client, &report, &err) < 0) {
		hub_fail(hub, &err);
		hub_refuse(request, 503, "the archive cannot be written");
	} else if (is_idle(client) && !has_command(client)) {
		request->client = client->id;
		web_park(request, clock_monotonic_us() + LONG_POLL_US);
	} else {
		answer_agent(request, client);
	}
	report_free(&report);
}

static void release(void *context, struct web_request *request)
{
	struct hub *hub = context;
	struct client_row *client;

	if (request->client == 0)
		return;
	client = &hub->rollout.clients[request->client - 1];
	/* Waiting is being there. */
	client->seen_us = gauge_clock_us();
	if (has_command(client) || !is_idle(client) ||
		clock_monotonic_us() >= request->until_us)
		answer_agent(request, client);
}

void agent_release(struct hub *hub)
{
	web_each_parked(hub->web, release, hub);
}

/* ---- policy */

void agent_policy(struct hub *hub, struct web_request *request)
{
	struct client_row *client = agent_of(hub, request);
	json_t *json;
	char *text;

	if (!client) {
		hub_refuse(request, 401, "this agent is not known here");
		return;
	}
	json = json_pack("{s:s, s:s, s:I, s:I, s:I}", "client", client->name,
		"rollout", hub->rollout.row.name, "rate_bytes_s",
		(json_int_t)client->rate_bytes_s, "heartbeat_ms",
		(json_int_t)BUSY_POLL_MS, "connections",
		(json_int_t)hub->scenario.limits.connections_per_client);
	text = json_dumps(json, JSON_COMPACT);
	web_answer(request, 200, "application/json", text ? text : "{}");
	free(text);
	json_decref(json);
}
