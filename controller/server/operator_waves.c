/*
 * operator_waves.c - the verbs that plan, recommend and start.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "counsel.h"
#include "recommend.h"
#include "reply.h"
#include "units.h"

static void report_wave(struct hub *hub, struct reply *reply)
{
	const struct wave_row *wave =
		&hub->rollout.waves[hub->rollout.wave_count - 1];

	reply->exit = EXIT_RUNNING;
	(void)buf_printf(&reply->text, "wave %u: %u client%s, %u at once%s\n",
		wave->number, wave->clients, wave->clients == 1 ? "" : "s",
		wave->batch_size,
		wave->barrier		? ", all start together"
			: wave->explore ? ", a size not tried yet: ends when "
					  "it was seen for long enough"
					: "");
	json_object_set_new(reply->data, "wave", json_integer(wave->number));
	json_object_set_new(
		reply->data, "clients", json_integer(wave->clients));
	json_object_set_new(
		reply->data, "batch_size", json_integer(wave->batch_size));
}

static int begin(struct hub *hub, const struct wave_order *order, bool dry,
	const char *who, struct reply *reply, struct err *err)
{
	if (dry) {
		(void)buf_printf(&reply->text,
			"would start a wave with %u at once\n",
			order->batch_size);
		return 0;
	}
	if (rollout_begin_wave(
		    &hub->rollout, order, gauge_clock_us(), who, err) < 0)
		return -1;
	report_wave(hub, reply);
	return 0;
}

int verb_pilot(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	struct wave_order order = {
		.kind = WAVE_KIND_PILOT, .batch_size = arg_count(args, "size")};

	return begin(hub, &order, arg_flag(args, "dry_run"), who, reply, err);
}

/* Sentences first, then what a program reads. */
static void report_advice(
	const struct recommendation *advice, char *json, struct reply *reply)
{
	json_t *data = json_loads(json, 0, NULL);

	(void)buf_printf(&reply->text, "%s: batch size %u, limited by %s",
		verdict_name(advice->verdict), advice->batch_size,
		limit_name(advice->binding));
	if (advice->next_limit < LIMIT_COUNT)
		(void)buf_printf(&reply->text, "; next limit: %s",
			limit_name(advice->next_limit));
	(void)buf_append_text(&reply->text, "\n");
	for (unsigned i = 0; i < advice->reason_count; i++)
		(void)buf_printf(&reply->text, "  %s\n", advice->reasons[i]);
	if (json_is_object(data)) {
		json_object_set_new(
			data, "batch_size", json_integer(advice->batch_size));
		json_object_update(reply->data, data);
	}
	json_decref(data);
}

int verb_recommend(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	struct recommendation advice;
	char *json = NULL;

	(void)args;
	(void)who;
	if (counsel_ask(hub, &advice, &json, err) < 0)
		return -1;
	report_advice(&advice, json, reply);
	if (advice.verdict == VERDICT_FAIL)
		reply->exit = EXIT_FAILED;
	else if (advice.verdict == VERDICT_INCONCLUSIVE)
		reply->exit = EXIT_WAITS;
	free(json);
	return 0;
}

/* "auto" asks the model, a number is the person's own decision. */
static int wave_size(struct hub *hub, const char *size, struct reply *reply,
	struct wave_order *order, struct err *err)
{
	struct recommendation advice;
	char *end, *json = NULL;
	unsigned long number;

	if (size && strcmp(size, "auto") != 0) {
		number = strtoul(size, &end, 10);
		if (end == size || *end || number == 0 || number > 100000)
			return err_set(err, ERR_USAGE,
				"--size: expected a number from 1 or auto, "
				"found '%.40s'",
				size);
		order->batch_size = (unsigned)number;
		return 0;
	}
	if (counsel_ask(hub, &advice, &json, err) < 0)
		return -1;
	report_advice(&advice, json, reply);
	free(json);
	if (advice.verdict == VERDICT_FAIL)
		return err_set(err, ERR_REFUSED,
			"the recommendation is FAIL: %s; mend the cause, or "
			"give a size of your own",
			advice.reason_count ? advice.reasons[0] : "");
	order->batch_size = advice.batch_size;
	order->explore = advice.explore && !order->barrier;
	return 0;
}

int verb_wave(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	struct wave_order order = {
		.kind = arg_flag(args, "retry") ? WAVE_KIND_RETRY
						: WAVE_KIND_WAVE,
		.clients = arg_count(args, "clients"),
		.barrier = arg_flag(args, "barrier"),
	};

	if (wave_size(hub, arg_text(args, "size"), reply, &order, err) < 0)
		return -1;
	return begin(hub, &order, arg_flag(args, "dry_run"), who, reply, err);
}

int verb_run(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	struct rollout *r = &hub->rollout;

	(void)args;
	if (r->row.state == ROLLOUT_PAUSED)
		return err_set(err, ERR_REFUSED,
			"the rollout is paused (%s); run sluice resume or "
			"sluice promote first",
			r->row.reason);
	if (r->row.state == ROLLOUT_ABORTING || r->row.state == ROLLOUT_ABORTED)
		return err_set(err, ERR_REFUSED,
			"the rollout is %s; to go on all the same, once it is "
			"aborted: sluice resume --force",
			rollout_state_name(r->row.state));
	/* Pilots that a person ran already are not run again. */
	if (!r->row.automatic) {
		unsigned pilots = 0;

		for (size_t i = 0; i < r->wave_count; i++)
			pilots += r->waves[i].kind == WAVE_KIND_PILOT &&
				strcmp(r->waves[i].verdict, "PASS") == 0;
		if (pilots > r->row.auto_pilot)
			r->row.auto_pilot = pilots;
		hub_event(hub, "run --auto", "begun by %s", who);
	}
	r->row.automatic = true;
	r->row_changed = true;
	reply->exit = hub_exit(hub);
	(void)buf_append_text(&reply->text,
		"the rollout goes on by itself; sluice pause stops it\n");
	return 0;
}

int verb_plan(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	const struct scenario *s = &hub->scenario;
	char size[UNITS_TEXT_BYTES];
	json_t *clients = json_array();
	uint64_t bytes = 0;

	(void)args;
	(void)who;
	(void)err;
	for (size_t i = 0; i < hub->rollout.client_count; i++) {
		const struct client_row *c = &hub->rollout.clients[i];

		bytes += c->expected_bytes;
		json_array_append_new(clients,
			json_pack("{s:s, s:s, s:s, s:I}", "name", c->name,
				"state", client_state_name(c->state), "mailbox",
				c->mailbox, "expected_bytes",
				(json_int_t)c->expected_bytes));
	}
	(void)buf_printf(&reply->text,
		"rollout %s: %zu client%s, about %s to copy\n", s->rollout,
		hub->rollout.client_count,
		hub->rollout.client_count == 1 ? "" : "s",
		units_format_bytes(bytes, size));
	for (size_t i = 0; i < s->steps.pilot_count; i++)
		(void)buf_printf(&reply->text, "pilot of %u%s\n",
			s->steps.pilots[i],
			s->steps.pilots[i] == 1
				? ", ends with a functional acceptance"
				: "");
	(void)buf_printf(&reply->text,
		"then waves of %.3g x batch size, %s first, at most x%u from "
		"wave to wave, gate at %.0f%% done\n",
		s->steps.wave,
		s->steps.longest_first ? "the largest mailbox" : "as listed",
		s->steps.max_step, 100 * s->steps.gate);
	json_object_set_new(reply->data, "clients", clients);
	return 0;
}
