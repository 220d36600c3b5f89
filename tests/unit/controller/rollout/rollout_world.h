/*
 * rollout_world.h - a rollout with invented clients, agents and time, for the
 * tests of the state machines.
 */
#ifndef SLUICE_ROLLOUT_WORLD_H
#define SLUICE_ROLLOUT_WORLD_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "rollout.h"
#include "waves.h"

#define S US_PER_S

struct world {
	struct scenario scenario;
	struct rollout r;
	struct rollout_inputs in;
};

static inline struct world *world_new(unsigned clients)
{
	static unsigned pilots[] = {1, 5};
	struct world *w = xcalloc(1, sizeof(*w));
	struct client_row *rows = xcalloc(clients, sizeof(*rows));
	struct rollout_row row = {.name = "t", .state = ROLLOUT_PLANNED};

	w->scenario.steps = (struct scenario_steps){
		.pilots = pilots,
		.pilot_count = 2,
		.stagger_us = 2 * S,
		.stagger_beyond_us = 6 * S,
		.wave = 3,
		.gate = 0.67,
		.failed_wave = 0.1,
		.failed_rollout = 0.05,
		.retries = 2,
		.backoff_us = 300 * S,
		.heartbeat_us = 60 * S,
		.lost_us = 600 * S,
		.stall_us = 300 * S,
	};
	for (unsigned i = 0; i < clients; i++) {
		rows[i].id = i + 1;
		snprintf(rows[i].name, sizeof(rows[i].name), "u%03u", i + 1);
	}
	rollout_init(&w->r, &row, rows, clients, NULL, 0, &w->scenario);
	w->in = (struct rollout_inputs){
		.now_us = 1000 * S, .preflight_ready = true, .n_observed = 100};
	w->in.measured.seconds = 60;
	return w;
}

static inline void world_free(struct world *w)
{
	rollout_free(&w->r);
	free(w);
}

static inline struct client_row *client(struct world *w, unsigned id)
{
	return &w->r.clients[id - 1];
}

static inline void enroll(struct world *w, unsigned id)
{
	char version[] = "0.1.0", host[] = "h";
	struct enroll enroll = {.version = version,
		.host = host,
		.store_free_bytes = INT64_C(1) << 40};
	char agent[16];

	snprintf(agent, sizeof(agent), "agent%u", id);
	rollout_enrolled(&w->r, client(w, id), &enroll, agent, w->in.now_us);
}

/* With an agent for each of its clients. */
static inline struct world *world_enrolled(unsigned clients)
{
	struct world *w = world_new(clients);

	while (clients)
		enroll(w, clients--);
	return w;
}

/* The agent obeys whatever it was last told, and is in PHASE. */
static inline void report(struct world *w, unsigned id, enum phase phase,
	const char *error, bool retryable)
{
	char version[] = "0.1.0", boot[] = "b", kind[] = "auth";
	char *text = error ? xstrdup(error) : NULL;
	struct sample sample = {.app_bytes = client(w, id)->app_bytes + 1000};
	struct report report = {
		.seq = client(w, id)->seq + 1,
		.boot = boot,
		.version = version,
		.phase = phase,
		.command = client(w, id)->command_id,
		.progress = {.verified = phase == PHASE_DONE},
		.error = text,
		.error_kind = kind,
		.retryable = retryable,
		.samples = &sample,
		.sample_count = 1,
	};

	rollout_report(&w->r, client(w, id), &report, w->in.now_us);
	free(text);
}

static inline void tick(struct world *w, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		w->in.now_us += S;
		for (size_t k = 0; k < w->r.client_count; k++)
			if (w->r.clients[k].agent[0])
				w->r.clients[k].seen_us = w->in.now_us;
		rollout_tick(&w->r, &w->in);
	}
}

static inline void begin(
	struct world *w, enum wave_kind kind, unsigned batch, unsigned clients)
{
	struct wave_order order = {
		.kind = kind, .batch_size = batch, .clients = clients};
	struct err err = ERR_INIT;

	if (rollout_begin_wave(&w->r, &order, w->in.now_us, "test", &err) < 0)
		fail_msg("%s", err.text);
}

static inline unsigned in_state(struct world *w, enum client_state state)
{
	return rollout_count(&w->r, state);
}

#endif
