/*
 * automatic.c - see automatic.h. Called at the end of the scheduler's second.
 *
 * The pilots of the scenario come first, then waves of the recommended size;
 * a recommendation that fails pauses the rollout.
 */
#include "automatic.h"

#include <stdio.h>

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

/* The size of the next wave, or 0 when the model says to stop. */
static unsigned ask_size(struct hub *hub, int64_t now_us)
{
	struct recommendation advice;
	struct err err = ERR_INIT;
	char reason[ROW_REASON_BYTES];

	if (counsel_ask(hub, &advice, NULL, &err) < 0) {
		hub_fail(hub, &err);
		return 0;
	}
	hub_event(hub, "recommend", "batch size %u (%s, limited by %s)%s%s",
		advice.batch_size, verdict_name(advice.verdict),
		limit_name(advice.binding), advice.reason_count ? ": " : "",
		advice.reason_count ? advice.reasons[0] : "");
	if (advice.verdict != VERDICT_FAIL)
		return advice.batch_size;
	(void)snprintf(reason, sizeof(reason), "recommendation: %.200s",
		advice.reason_count ? advice.reasons[0] : "FAIL");
	(void)rollout_pause(&hub->rollout, now_us, who, reason, NULL);
	return 0;
}

void automatic_step(struct hub *hub)
{
	struct rollout *r = &hub->rollout;
	const struct scenario_steps *steps = &hub->scenario.steps;
	int64_t now_us = gauge_clock_us();
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
		order.batch_size = ask_size(hub, now_us);
		if (order.batch_size == 0)
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
