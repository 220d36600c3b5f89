/*
 * operator_api.c - POST /v1/operator/VERB: what a person may ask and order.
 *
 * Who may: over the UNIX socket the controller's own user and root, over
 * HTTPS the bearer of an operator token. One table of verbs. The answer is
 * {"exit": n, "text": "…", "data": {…}} or {"error": "…"}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "reply.h"
#include "secret.h"
#include "setting.h"
#include "units.h"

#define PATH_PREFIX "/v1/operator/"
#define DAY_US	    (86400 * US_PER_S)

const char *arg_text(const json_t *args, const char *key)
{
	return json_string_value(json_object_get(args, key));
}

unsigned arg_count(const json_t *args, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(args, key));

	return value > 0 && value <= 1000000 ? (unsigned)value : 0;
}

bool arg_flag(const json_t *args, const char *key)
{
	return json_is_true(json_object_get(args, key));
}

/* ---- the small verbs */

static int verb_pause(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	const char *reason = arg_text(args, "reason");

	if (rollout_pause(&hub->rollout, gauge_clock_us(), who,
		    reason ? reason : "user", err) < 0)
		return -1;
	(void)buf_printf(&reply->text,
		"paused: nothing new starts, %u running syncs go on\n",
		rollout_active(&hub->rollout));
	return 0;
}

static int verb_resume(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	if (rollout_resume(&hub->rollout, arg_flag(args, "force"),
		    gauge_clock_us(), who, err) < 0 ||
		gauge_release(hub->gauge, err) < 0)
		return -1;
	(void)buf_printf(&reply->text, "the rollout is %s\n",
		rollout_state_name(hub->rollout.row.state));
	return 0;
}

static int verb_promote(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	const char *skip = arg_text(args, "skip_gate");

	if (skip && !*skip)
		return err_set(err, ERR_USAGE,
			"--skip-gate: state the reason; it is recorded");
	if (rollout_promote(&hub->rollout, skip, gauge_clock_us(), who, err) <
			0 ||
		gauge_release(hub->gauge, err) < 0)
		return -1;
	if (skip)
		hub_event(hub, "gate", "skipped by %s: %s", who, skip);
	(void)buf_printf(&reply->text, "the rollout is %s\n",
		rollout_state_name(hub->rollout.row.state));
	return 0;
}

static int verb_abort(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	bool kill = arg_flag(args, "kill");
	unsigned active = rollout_active(&hub->rollout);

	if (!kill && active && gauge_stopped(hub->gauge))
		return err_set(err, ERR_REFUSED,
			"the brake has stopped all %u syncs, so that they "
			"cannot finish: sluice abort --kill cancels them and "
			"keeps their data, sluice resume lets them go on",
			active);
	if (rollout_abort(&hub->rollout, kill, gauge_clock_us(), who, err) < 0)
		return -1;
	hub->rollout.row.automatic = false;
	hub->rollout.row_changed = true;
	(void)buf_printf(&reply->text, "aborting: %u syncs still run\n",
		rollout_active(&hub->rollout));
	return 0;
}

static int verb_retry(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	unsigned count = 0;

	if (rollout_retry(&hub->rollout, arg_text(args, "client"),
		    gauge_clock_us(), who, &count, err) < 0)
		return -1;
	(void)buf_printf(&reply->text,
		"%u client%s will be in the next wave again\n", count,
		count == 1 ? "" : "s");
	return 0;
}

static int need_client(const json_t *args, const char **client, struct err *err)
{
	*client = arg_text(args, "client");
	return *client ? 0 : err_set(err, ERR_USAGE, "name a client");
}

static int verb_exclude(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	const char *client, *reason = arg_text(args, "reason");

	if (need_client(args, &client, err) < 0 ||
		rollout_exclude(&hub->rollout, client,
			reason ? reason : "by a person", gauge_clock_us(), who,
			err) < 0)
		return -1;
	(void)buf_printf(&reply->text, "%s is excluded\n", client);
	return 0;
}

static int verb_include(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	const char *client;

	if (need_client(args, &client, err) < 0 ||
		rollout_include(
			&hub->rollout, client, gauge_clock_us(), who, err) < 0)
		return -1;
	(void)buf_printf(&reply->text, "%s is included\n", client);
	return 0;
}

static int verb_token(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	bool operator_kind = arg_flag(args, "operator");
	const char *lifetime = arg_text(args, "expires");
	unsigned char hash[SECRET_HASH_BYTES];
	char token[SECRET_TEXT_BYTES];
	int64_t life_us = DAY_US;

	if (lifetime && units_parse_duration(lifetime, &life_us, err) < 0) {
		if (err)
			err->kind = ERR_USAGE;
		return err_context(err, "--expires");
	}
	/* 0 would be any number. */
	if (json_object_get(args, "uses") && !arg_count(args, "uses"))
		return err_set(err, ERR_USAGE,
			"uses: expected a number from 1 to 1000000");
	if (secret_make(token, err) < 0)
		return -1;
	secret_hash(token, hash);
	if (archive_add_token(hub->archive, hash,
		    operator_kind ? "operator" : "enroll",
		    life_us ? gauge_clock_us() + life_us : 0,
		    arg_count(args, "uses"), err) < 0)
		return -1;
	hub_event(hub, "token", "%s token made by %s",
		operator_kind ? "operator" : "enrolment", who);
	(void)buf_printf(&reply->text, "%s\n", token);
	json_object_set_new(reply->data, "token", json_string(token));
	return 0;
}

/* The verb that read the server's version tells the archive. */
static int verb_checked(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	const char *text = arg_text(args, "text");
	const char *version = arg_text(args, "server");

	(void)reply;
	if (!text)
		return err_set(err, ERR_USAGE, "text is missing");
	if (version &&
		archive_set(hub->archive, "server_version", version, err) < 0)
		return -1;
	hub_event(hub, "check", "%s (%s)", text, who);
	if (hub->rollout.row.state == ROLLOUT_DRAFT)
		return rollout_set_state(&hub->rollout, ROLLOUT_PLANNED,
			gauge_clock_us(), who, "checked", err);
	return 0;
}

static int verb_set(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	const char *key = arg_text(args, "key");
	const char *value = arg_text(args, "value");

	if (!key || !value)
		return err_set(err, ERR_USAGE, "expected KEY=VALUE");
	if (setting_apply(&hub->scenario, key, value, err) < 0 ||
		setting_keep(hub->archive, key, value, err) < 0)
		return -1;
	hub_event(hub, "set", "%s=%s (%s)", key, value, who);
	(void)buf_printf(&reply->text, "%s is %s\n", key, value);
	return 0;
}

static int verb_log(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	struct transition_row *rows;
	struct event_row *events;
	size_t count, event_count, e = 0;
	char time[32];

	(void)who;
	if (archive_events(hub->archive, &events, &event_count, err) < 0)
		return -1;
	if (archive_transitions(hub->archive, arg_text(args, "object"), &rows,
		    &count, err) < 0) {
		free(events);
		return -1;
	}
	if (arg_text(args, "object"))
		event_count = 0;
	for (size_t i = 0; i < count || e < event_count;) {
		if (e < event_count &&
			(i == count || events[e].at_us <= rows[i].at_us)) {
			(void)buf_printf(&reply->text, "%s %s: %s\n",
				clock_format_utc(events[e].at_us, time),
				events[e].subject, events[e].text);
			e++;
			continue;
		}
		(void)buf_printf(&reply->text, "%s %s: %s -> %s%s%s (%s)\n",
			clock_format_utc(rows[i].at_us, time), rows[i].object,
			rows[i].from, rows[i].to, rows[i].reason[0] ? ": " : "",
			rows[i].reason, rows[i].who);
		i++;
	}
	free(rows);
	free(events);
	return 0;
}

/* ---- dispatch */

static const struct verb {
	const char *name;
	verb_fn *run;
} verbs[] = {
	{"abort", verb_abort},
	{"checked", verb_checked},
	{"exclude", verb_exclude},
	{"include", verb_include},
	{"log", verb_log},
	{"pause", verb_pause},
	{"pilot", verb_pilot},
	{"plan", verb_plan},
	{"promote", verb_promote},
	{"recommend", verb_recommend},
	{"resume", verb_resume},
	{"retry", verb_retry},
	{"run", verb_run},
	{"set", verb_set},
	{"show", verb_show},
	{"status", verb_status},
	{"token", verb_token},
	{"wave", verb_wave},
};

bool operator_allowed(struct hub *hub, const struct web_request *request)
{
	unsigned char hash[SECRET_HASH_BYTES];
	bool good = false;

	if (request->local)
		return request->uid == 0 || request->uid == geteuid();
	if (!request->bearer)
		return false;
	secret_hash(request->bearer, hash);
	if (archive_use_token(hub->archive, hash, "operator", gauge_clock_us(),
		    &good, NULL) < 0)
		return false;
	return good;
}

int hub_exit(const struct hub *hub)
{
	const struct rollout *r = &hub->rollout;

	if (r->row.state == ROLLOUT_RUNNING && hub->stuck)
		return EXIT_WAITS;
	switch (r->row.state) {
	case ROLLOUT_DONE:
		return EXIT_DONE;
	case ROLLOUT_DONE_WITH_ERRORS:
	case ROLLOUT_ABORTED:
		return EXIT_FAILED;
	case ROLLOUT_RUNNING:
	case ROLLOUT_ABORTING:
		return EXIT_RUNNING;
	case ROLLOUT_PLANNED:
		return r->row.automatic ? EXIT_RUNNING : EXIT_WAITS;
	default:
		return EXIT_WAITS;
	}
}

static void send_reply(struct web_request *request, struct reply *reply)
{
	json_t *json = json_pack("{s:i, s:s, s:O}", "exit", reply->exit, "text",
		buf_text(&reply->text), "data", reply->data);
	char *body = json
		? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9))
		: NULL;

	if (body)
		web_answer(request, 200, "application/json", body);
	else
		hub_refuse(request, 500, "the answer is not valid text");
	free(body);
	json_decref(json);
}

static void run_verb(struct hub *hub, struct web_request *request,
	const struct verb *verb, const json_t *args)
{
	struct reply reply = {.exit = EXIT_DONE, .data = json_object()};
	struct err err = ERR_INIT;
	char who[ROW_NAME_BYTES];

	if (request->local)
		(void)snprintf(
			who, sizeof(who), "uid %u", (unsigned)request->uid);
	else
		(void)snprintf(who, sizeof(who), "operator token");
	if (!hub_begin(hub)) {
		hub_refuse(request, 503, "the archive cannot be written");
	} else if (verb->run(hub, args, who, &reply, &err) < 0) {
		/* Nothing of a verb that failed is kept but events. */
		hub_refuse(request, err_exit_status(&err) == 2 ? 400 : 409,
			err.text);
	} else {
		send_reply(request, &reply);
	}
	buf_free(&reply.text);
	json_decref(reply.data);
}

void operator_verb(struct hub *hub, struct web_request *request)
{
	const char *name = request->path + strlen(PATH_PREFIX);
	json_t *args;

	if (!operator_allowed(hub, request)) {
		hub->refused++;
		hub_refuse(request, 401,
			"only the controller's own user, root or the bearer "
			"of an operator token may do this");
		return;
	}
	args = json_loads(
		buf_text(&request->body), JSON_REJECT_DUPLICATES, NULL);
	for (size_t i = 0;
		json_is_object(args) && i < sizeof(verbs) / sizeof(*verbs);
		i++) {
		if (strcmp(verbs[i].name, name) != 0)
			continue;
		run_verb(hub, request, &verbs[i], args);
		json_decref(args);
		return;
	}
	hub_refuse(request, json_is_object(args) ? 404 : 400,
		json_is_object(args) ? "no such verb"
				     : "the body is not a JSON object");
	json_decref(args);
}
