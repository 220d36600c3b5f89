/*
 * tick.c - what one second brings: silence, stalls, starts, gates, ends.
 *
 * rollout_tick() is the order of it all; every step is idempotent, so that a
 * controller that was killed goes on where the archive says it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "rollout.h"
#include "units.h"
#include "waves.h"

static const char controller[] = "controller";

/* ---- silence and stalls */

static void watch_active(
	struct rollout *r, struct client_row *client, int64_t now_us)
{
	const struct scenario_steps *steps = &r->scenario->steps;
	int64_t heard_us = client->seen_us > client->admitted_us
		? client->seen_us
		: client->admitted_us;
	char reason[ROW_REASON_BYTES], span[UNITS_TEXT_BYTES];

	if (client->state == CLIENT_LOST) {
		if (now_us - client->lost_us < steps->lost_us)
			return;
		(void)snprintf(reason, sizeof(reason),
			"lost: the agent on %.64s is silent", client->host);
		client_fail(r, client, true, now_us, reason);
	} else if (now_us - heard_us >= steps->heartbeat_us) {
		(void)snprintf(reason, sizeof(reason), "silent for %s",
			units_format_duration(now_us - heard_us, span));
		(void)client_set_state(r, client, CLIENT_LOST, now_us,
			controller, reason, NULL);
	} else if (client->state != CLIENT_PAUSED && !client->braked &&
		now_us - client->progress_us >= steps->stall_us) {
		(void)snprintf(reason, sizeof(reason),
			"stalled: nothing stored for %s in %s",
			units_format_duration(steps->stall_us, span),
			client_state_name(client->state));
		client_command(r, client, COMMAND_CANCEL);
		client_fail(r, client, true, now_us, reason);
	}
}

/* Who waits and whose agent is gone cannot be admitted. */
static void watch_waiting(
	struct rollout *r, struct client_row *client, int64_t now_us)
{
	if (now_us - client->seen_us < r->scenario->steps.heartbeat_us)
		return;
	(void)client_set_state(r, client, CLIENT_UNREACHABLE, now_us,
		controller, "the agent is silent; is its machine on?", NULL);
}

static void watch_clients(struct rollout *r, int64_t now_us)
{
	for (size_t i = 0; i < r->client_count; i++) {
		struct client_row *client = &r->clients[i];

		if (client_state_active(client->state))
			watch_active(r, client, now_us);
		else if (client->state == CLIENT_CHECKED ||
			client->state == CLIENT_QUEUED)
			watch_waiting(r, client, now_us);
	}
}

/* ---- the brake: the newest syncs stand still, the rest go on */

static int compare_newest(const void *left, const void *right)
{
	const struct client_row *a = *(struct client_row *const *)left;
	const struct client_row *b = *(struct client_row *const *)right;

	if (a->admitted_us != b->admitted_us)
		return a->admitted_us < b->admitted_us ? 1 : -1;
	return a->id < b->id ? 1 : -1;
}

static void apply_brake(struct rollout *r, const struct rollout_inputs *in)
{
	struct client_row **list = xcalloc(r->client_count + 1, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < r->client_count; i++)
		if (client_state_active(r->clients[i].state) &&
			r->clients[i].state != CLIENT_LOST)
			list[count++] = &r->clients[i];
	qsort(list, count, sizeof(*list), compare_newest);
	for (size_t i = 0; i < count; i++) {
		bool brake = i < in->pause_newest;

		if (list[i]->braked == brake)
			continue;
		list[i]->braked = brake;
		list[i]->progress_us = in->now_us; /* standing was no stall */
		client_command(
			r, list[i], brake ? COMMAND_PAUSE : COMMAND_RESUME);
	}
	free(list);
}

/* ---- gates */

static void pass_wave(struct rollout *r, struct wave_row *wave, int64_t now_us)
{
	bool automatic = r->row.automatic || r->scenario->steps.automatic;

	(void)wave_set_state(
		r, wave, WAVE_DRAINING, now_us, controller, "", NULL);
	(void)rollout_set_state(r,
		automatic ? ROLLOUT_PLANNED : ROLLOUT_WAITING_GATE, now_us,
		controller, "", NULL);
}

static void apply_judgement(struct rollout *r, struct wave_row *wave,
	const struct judge_result *result, int64_t now_us)
{
	static const enum wave_state states[] = {
		[JUDGE_PASS] = WAVE_PASSED,
		[JUDGE_FAIL] = WAVE_FAILED,
		[JUDGE_INCONCLUSIVE] = WAVE_INCONCLUSIVE,
	};
	char *gates = judge_encode(result);
	char reason[ROW_REASON_BYTES];

	(void)snprintf(wave->verdict, sizeof(wave->verdict), "%s",
		judgement_name(result->verdict));
	(void)snprintf(wave->gates, sizeof(wave->gates), "%s", gates);
	free(gates);
	(void)wave_set_state(r, wave, states[result->verdict], now_us,
		controller, result->reason, NULL);
	if (result->verdict == JUDGE_PASS) {
		pass_wave(r, wave, now_us);
		return;
	}
	(void)snprintf(reason, sizeof(reason), "%s: wave %u: %.180s",
		result->verdict == JUDGE_FAIL ? "gate_failed"
					      : "gate_inconclusive",
		wave->number, result->reason);
	wave_return_queue(r, wave, now_us, "the gate did not pass");
	(void)rollout_set_state(
		r, ROLLOUT_PAUSED, now_us, controller, reason, NULL);
}

/* Ask for the acceptance once the client is done; true while it is out. */
static bool await_acceptance(struct rollout *r, struct wave_row *wave,
	const struct judge_counts *counts, int64_t now_us)
{
	if (!counts->acceptance || counts->accepted || counts->failed)
		return false;
	if (wave->accept_us)
		return now_us - wave->accept_us < r->scenario->steps.stall_us;
	for (size_t i = 0; i < r->client_count; i++) {
		struct client_row *client = &r->clients[i];

		if (client->wave != wave->number ||
			client->state != CLIENT_DONE)
			continue;
		client_command(r, client, COMMAND_VERIFY);
		client->accept_id = client->command_id;
		wave->accept_us = now_us;
		r->wave_changed[wave - r->waves] = true;
		return true;
	}
	return false;
}

/* Pilots are judged when all have ended, waves when enough are done. */
static bool gate_is_due(const struct rollout *r, const struct wave_row *wave,
	const struct judge_counts *counts, unsigned queued, unsigned active)
{
	const struct scenario_steps *steps = &r->scenario->steps;

	if (judge_is_lost(counts, steps) || queued + active == 0)
		return true;
	return wave->kind != WAVE_KIND_PILOT && queued == 0 &&
		counts->done >= steps->gate * counts->clients;
}

static void step_gate(struct rollout *r, struct wave_row *wave,
	const struct rollout_inputs *in)
{
	struct judge_counts counts;
	struct judge_result result;
	unsigned queued, active;

	wave_count(r, wave, &counts, &queued, &active);
	if (in->cut && queued + active > 0 && wave == rollout_wave(r)) {
		counts.cut = in->cut;
		wave_return_queue(r, wave, in->now_us, in->cut);
	} else if (!gate_is_due(r, wave, &counts, queued, active) ||
		await_acceptance(r, wave, &counts, in->now_us)) {
		return;
	}
	if (wave_set_state(
		    r, wave, WAVE_GATING, in->now_us, controller, "", NULL) < 0)
		return;
	judge_wave(&result, &counts, &in->measured, &r->scenario->steps);
	apply_judgement(r, wave, &result, in->now_us);
}

/* ---- waves */

static void step_running(struct rollout *r, struct wave_row *wave,
	const struct rollout_inputs *in)
{
	const char *hold = wave_hold(r, wave, in);
	struct judge_counts counts;
	unsigned queued, active;
	enum wave_state state = WAVE_HOLDING;

	if (!hold)
		(void)wave_admit(r, wave, in);
	wave_count(r, wave, &counts, &queued, &active);
	/* With nobody left to admit there is nothing to hold. */
	if (!hold || queued == 0)
		state = queued == 0 || rollout_active(r) >= wave->batch_size
			? WAVE_STEADY
			: WAVE_RAMPING;
	(void)wave_set_state(r, wave, state, in->now_us, controller,
		state == WAVE_HOLDING ? hold : "", NULL);
	step_gate(r, wave, in);
}

static void step_preflight(struct rollout *r, struct wave_row *wave,
	const struct rollout_inputs *in)
{
	const char *hold = wave_hold(r, wave, in);

	if (!in->preflight_ready)
		hold = in->not_ready;
	if (!hold) {
		(void)wave_set_state(r, wave, WAVE_RAMPING, in->now_us,
			controller, "", NULL);
		step_running(r, wave, in);
	} else if (strcmp(wave->reason, hold) != 0) {
		(void)snprintf(wave->reason, sizeof(wave->reason), "%s", hold);
		r->wave_changed[wave - r->waves] = true;
	}
}

static void step_draining(
	struct rollout *r, struct wave_row *wave, int64_t now_us)
{
	struct judge_counts counts;
	unsigned queued, active;

	wave_count(r, wave, &counts, &queued, &active);
	if (queued + active == 0)
		(void)wave_set_state(
			r, wave, WAVE_CLOSED, now_us, controller, "", NULL);
}

static void step_wave(struct rollout *r, struct wave_row *wave,
	const struct rollout_inputs *in)
{
	switch (wave->state) {
	case WAVE_PREFLIGHT:
		step_preflight(r, wave, in);
		break;
	case WAVE_RAMPING:
	case WAVE_STEADY:
	case WAVE_HOLDING:
		step_running(r, wave, in);
		break;
	case WAVE_DRAINING:
		step_draining(r, wave, in->now_us);
		break;
	default:
		break;
	}
}

/* ---- the rollout */

static void end_rollout(struct rollout *r, int64_t now_us)
{
	bool errors = false;

	for (size_t i = 0; i < r->client_count; i++) {
		enum client_state state = r->clients[i].state;

		if (!client_state_final(state))
			return;
		errors |= state == CLIENT_GAVE_UP || state == CLIENT_CANCELLED;
	}
	if (rollout_wave(r) && rollout_wave(r)->state != WAVE_FAILED &&
		rollout_wave(r)->state != WAVE_INCONCLUSIVE)
		return;
	if (r->row.state == ROLLOUT_PLANNED ||
		r->row.state == ROLLOUT_RUNNING ||
		r->row.state == ROLLOUT_WAITING_GATE)
		(void)rollout_set_state(r,
			errors ? ROLLOUT_DONE_WITH_ERRORS : ROLLOUT_DONE,
			now_us, controller, "", NULL);
}

static void step_abort(struct rollout *r, int64_t now_us)
{
	if (r->row.state != ROLLOUT_ABORTING || rollout_active(r))
		return;
	for (size_t i = 0; i < r->wave_count; i++)
		if (!wave_state_final(r->waves[i].state))
			(void)wave_set_state(r, &r->waves[i], WAVE_CANCELLED,
				now_us, controller, "aborted", NULL);
	(void)rollout_set_state(
		r, ROLLOUT_ABORTED, now_us, controller, r->row.reason, NULL);
}

void rollout_tick(struct rollout *r, const struct rollout_inputs *in)
{
	watch_clients(r, in->now_us);
	if (in->stop)
		(void)rollout_set_state(r, ROLLOUT_PAUSED, in->now_us,
			controller, in->stop, NULL);
	apply_brake(r, in);
	for (size_t i = 0; i < r->wave_count; i++)
		if (!wave_state_final(r->waves[i].state))
			step_wave(r, &r->waves[i], in);
	step_abort(r, in->now_us);
	end_rollout(r, in->now_us);
}
