/*
 * automatic.c - see automatic.h. Around the scheduler's second.
 *
 * The pilots of the scenario come first, then waves of the recommended size;
 * a recommendation that fails pauses the rollout. What the study of
 * controller/simulate/product.c does on invented servers.
 */
#include "automatic.h"

#include <stdio.h>

#include "clock.h"
#include "counsel.h"
#include "hub.h"

static const char who[] = "run --auto";

static bool has_candidate(const struct rollout *r, int64_t now_us)
{
	for (size_t i = 0; i < r->client_count; i++) {
		const struct client_row *client = &r->clients[i];

		if (client->state == CLIENT_CHECKED ||
			(client->state == CLIENT_FAILED &&
				client->not_before_us <= now_us))
			return true;
	}
	return false;
}

static void say_advice(struct hub *hub, const struct recommendation *advice)
{
	hub_event(hub, "recommend", "batch size %u (%s, limited by %s)%s%s",
		advice->batch_size, verdict_name(advice->verdict),
		limit_name(advice->binding), advice->reason_count ? ": " : "",
		advice->reason_count ? advice->reasons[0] : "");
}

/* ---- the early end of a wave */

static const char *cut_explored(struct hub *hub, const struct wave_row *wave)
{
	int64_t enough_us = hub->scenario.measure.explored_us;
	double seen_s = gauge_seen_s(
		hub->gauge, wave->number, wave->batch_size);

	if (seen_s < (double)enough_us / US_PER_S)
		return NULL;
	(void)snprintf(hub->automatic.cut, sizeof(hub->automatic.cut),
		"%u at once were seen for %.0f s", wave->batch_size, seen_s);
	return hub->automatic.cut;
}

static const char *cut_advised(
	struct hub *hub, const struct wave_row *wave, int64_t now_us)
{
	struct automatic *a = &hub->automatic;
	struct recommendation advice;
	struct err err = ERR_INIT;

	if (a->asked_us < wave->started_us)
		a->asked_us = wave->started_us;
	if (now_us - a->asked_us < hub->scenario.measure.again_us)
		return NULL;
	a->asked_us = now_us;
	if (counsel_ask(hub, &advice, NULL, &err) < 0) {
		hub_fail(hub, &err);
		return NULL;
	}
	/* Fewer clients than slots need no other wave. */
	if (advice.verdict == VERDICT_INCONCLUSIVE ||
		advice.binding == LIMIT_CLIENTS ||
		advice.batch_size == wave->batch_size)
		return NULL;
	say_advice(hub, &advice);
	(void)snprintf(a->cut, sizeof(a->cut),
		"the recommendation is %u now (%s, %s)", advice.batch_size,
		verdict_name(advice.verdict), limit_name(advice.binding));
	return a->cut;
}

const char *automatic_cut(struct hub *hub, int64_t now_us)
{
	struct rollout *r = &hub->rollout;
	const struct wave_row *wave = rollout_wave(r);

	if (r->row.state != ROLLOUT_RUNNING || !wave ||
		wave->kind == WAVE_KIND_PILOT ||
		(wave->state != WAVE_RAMPING && wave->state != WAVE_STEADY &&
			wave->state != WAVE_HOLDING))
		return NULL;
	if (wave->explore)
		return cut_explored(hub, wave);
	return r->row.automatic ? cut_advised(hub, wave, now_us) : NULL;
}

/* ---- the next wave */

/* Fills the size of the next wave; false when the model says to stop. */
static bool ask_size(struct hub *hub, int64_t now_us, struct wave_order *order)
{
	struct recommendation advice;
	struct err err = ERR_INIT;
	char reason[ROW_REASON_BYTES];

	if (counsel_ask(hub, &advice, NULL, &err) < 0) {
		hub_fail(hub, &err);
		return false;
	}
	say_advice(hub, &advice);
	order->batch_size = advice.batch_size;
	order->explore = advice.explore;
	if (advice.verdict != VERDICT_FAIL)
		return true;
	(void)snprintf(reason, sizeof(reason), "recommendation: %.200s",
		advice.reason_count ? advice.reasons[0] : "FAIL");
	(void)rollout_pause(&hub->rollout, now_us, who, reason, NULL);
	return false;
}

void automatic_step(struct hub *hub, int64_t now_us)
{
	struct rollout *r = &hub->rollout;
	const struct scenario_steps *steps = &hub->scenario.steps;
	struct wave_order order = {.kind = WAVE_KIND_PILOT};
	struct err err = ERR_INIT;

	if (!r->row.automatic ||
		(r->row.state != ROLLOUT_PLANNED &&
			r->row.state != ROLLOUT_WAITING_GATE) ||
		!has_candidate(r, now_us))
		return;
	if (r->row.auto_pilot < steps->pilot_count) {
		/* A pilot of five beside the straggler of another would not
		 * be five. */
		if (rollout_wave(r))
			return;
		order.batch_size = steps->pilots[r->row.auto_pilot];
	} else {
		order.kind = WAVE_KIND_WAVE;
		if (!ask_size(hub, now_us, &order))
			return;
	}
	if (rollout_begin_wave(r, &order, now_us, who, &err) < 0) {
		hub_event(hub, "run --auto", "%s", err.text);
		return;
	}
	if (order.kind == WAVE_KIND_PILOT)
		r->row.auto_pilot++;
	r->row_changed = true;
}
