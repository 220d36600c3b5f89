/* rollout_test.c - the state machines, driven by invented time. */
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
#include "version.h"
#include "waves.h"

#define S US_PER_S

struct world {
	struct scenario scenario;
	struct rollout r;
	struct rollout_inputs in;
};

static struct world *world_new(unsigned clients)
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

static void world_free(struct world *w)
{
	rollout_free(&w->r);
	free(w);
}

static struct client_row *client(struct world *w, unsigned id)
{
	return &w->r.clients[id - 1];
}

static void enroll(struct world *w, unsigned id)
{
	char version[] = "0.1.0", host[] = "h";
	struct enroll enroll = {.version = version,
		.host = host,
		.store_free_bytes = INT64_C(1) << 40};
	char agent[16];

	snprintf(agent, sizeof(agent), "agent%u", id);
	rollout_enrolled(&w->r, client(w, id), &enroll, agent, w->in.now_us);
}

static void enroll_all(struct world *w)
{
	for (unsigned i = 1; i <= w->r.client_count; i++)
		enroll(w, i);
}

/* The agent obeys whatever it was last told, and is in PHASE. */
static void report(struct world *w, unsigned id, enum phase phase,
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

static void tick(struct world *w, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		w->in.now_us += S;
		for (size_t k = 0; k < w->r.client_count; k++)
			if (w->r.clients[k].agent[0])
				w->r.clients[k].seen_us = w->in.now_us;
		rollout_tick(&w->r, &w->in);
	}
}

static void begin(
	struct world *w, enum wave_kind kind, unsigned batch, unsigned clients)
{
	struct wave_order order = {
		.kind = kind, .batch_size = batch, .clients = clients};
	struct err err = ERR_INIT;

	if (rollout_begin_wave(&w->r, &order, w->in.now_us, "test", &err) < 0)
		fail_msg("%s", err.text);
}

static unsigned in_state(struct world *w, enum client_state state)
{
	return rollout_count(&w->r, state);
}

/* ---- tables */

static void tables_are_sane(void **state)
{
	(void)state;
	for (int from = 0; from < CLIENT_STATE_COUNT; from++) {
		assert_string_not_equal(client_state_name(from), "?");
		assert_false(client_state_legal(from, CLIENT_STATE_COUNT));
		/* An active sync can always end. */
		if (client_state_active(from)) {
			assert_true(client_state_legal(from, CLIENT_FAILED));
			assert_true(client_state_legal(from, CLIENT_DONE));
			assert_false(client_state_final(from));
		}
	}
	/* done and skipped never enter a wave by themselves. */
	for (int to = 0; to < CLIENT_STATE_COUNT; to++) {
		if (to != CLIENT_FAILED)
			assert_false(client_state_legal(CLIENT_DONE, to));
		assert_false(client_state_legal(CLIENT_SKIPPED,
			to == CLIENT_UNKNOWN || to == CLIENT_EXCLUDED
				? CLIENT_QUEUED
				: to));
	}
	for (int from = 0; from < WAVE_STATE_COUNT; from++)
		for (int to = 0; to < WAVE_STATE_COUNT; to++)
			if (wave_state_final(from))
				assert_false(wave_state_legal(from, to));
	for (int from = 0; from < ROLLOUT_STATE_COUNT; from++)
		assert_string_not_equal(rollout_state_name(from), "?");
}

static void refuses_and_records(void **state)
{
	struct world *w = world_new(1);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(client_set_state(&w->r, client(w, 1), CLIENT_SYNCING,
				 5, "x", "", &err),
		-1);
	assert_non_null(strstr(err.text,
		"client u001 is unknown and cannot "
		"become syncing"));
	assert_int_equal(w->r.transition_count, 0);
	assert_int_equal(client_set_state(&w->r, client(w, 1), CLIENT_CHECKED,
				 5, "agent", "why", &err),
		0);
	assert_int_equal(w->r.transition_count, 1);
	assert_string_equal(w->r.transitions[0].object, "client u001");
	assert_string_equal(w->r.transitions[0].from, "unknown");
	assert_string_equal(w->r.transitions[0].to, "checked");
	assert_string_equal(w->r.transitions[0].reason, "why");
	assert_string_equal(w->r.transitions[0].who, "agent");
	assert_true(w->r.client_changed[0]);
	/* Staying is no transition. */
	assert_int_equal(client_set_state(&w->r, client(w, 1), CLIENT_CHECKED,
				 6, "agent", "", &err),
		0);
	assert_int_equal(w->r.transition_count, 1);
	rollout_written(&w->r);
	assert_int_equal(w->r.transition_count, 0);
	assert_false(w->r.client_changed[0]);
	world_free(w);
}

static void compares_versions(void **state)
{
	(void)state;
	assert_true(version_at_least("3.10", "3.9"));
	assert_true(version_at_least("3.6", "3.6"));
	assert_true(version_at_least("3.6.1-4+deb12u3-Debian", "3.6.1"));
	assert_true(version_at_least("v2.0", "1.9.9"));
	assert_true(version_at_least("1", NULL));
	assert_false(version_at_least("3.6", "3.6.1"));
	assert_false(version_at_least("2.4", "3"));
	assert_false(version_at_least("", "0.1"));
	assert_false(version_at_least("devel", "0.1"));
}

/* ---- baseline */

static void checks_the_baseline(void **state)
{
	struct world *w = world_new(2);
	char min[] = "0.2";

	(void)state;
	w->scenario.baseline.agent_min = min;
	w->scenario.baseline.free_bytes = 1000;
	enroll(w, 1);
	assert_int_equal(client(w, 1)->state, CLIENT_OUTDATED);
	assert_non_null(strstr(client(w, 1)->reason, "update"));
	min[2] = '1';
	report(w, 1, PHASE_IDLE, NULL, false);
	assert_int_equal(client(w, 1)->state, CLIENT_CHECKED);
	w->scenario.baseline.free_bytes = UINT64_C(1) << 50;
	enroll(w, 2);
	assert_int_equal(client(w, 2)->state, CLIENT_OUTDATED);
	assert_non_null(strstr(client(w, 2)->reason, "disk"));
	world_free(w);
}

static void waits_for_agents_that_speak(void **state)
{
	struct world *w = world_new(2);
	struct wave_order order = {WAVE_KIND_PILOT, 1, 0, false};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		rollout_begin_wave(&w->r, &order, w->in.now_us, "t", &err), -1);
	assert_non_null(strstr(err.text, "2 without an agent"));
	enroll(w, 1);
	w->in.now_us += 61 * S;
	rollout_tick(&w->r, &w->in);
	assert_int_equal(client(w, 1)->state, CLIENT_UNREACHABLE);
	report(w, 1, PHASE_IDLE, NULL, false);
	assert_int_equal(client(w, 1)->state, CLIENT_CHECKED);
	world_free(w);
}

static void skips_who_is_done(void **state)
{
	struct world *w = world_new(1);

	(void)state;
	enroll(w, 1);
	report(w, 1, PHASE_DONE, NULL, false);
	assert_int_equal(client(w, 1)->state, CLIENT_SKIPPED);
	tick(w, 1);
	assert_int_equal(w->r.row.state, ROLLOUT_DONE);
	world_free(w);
}

/* ---- admission */

static void keeps_the_batch_full(void **state)
{
	struct world *w = world_new(12);

	(void)state;
	enroll_all(w);
	begin(w, WAVE_KIND_WAVE, 3, 0);
	assert_int_equal(w->r.waves[0].clients, 9);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 1);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 1);
	tick(w, 1); /* 2 s after the first */
	assert_int_equal(rollout_active(&w->r), 2);
	assert_int_equal(w->r.waves[0].state, WAVE_RAMPING);
	tick(w, 2);
	assert_int_equal(rollout_active(&w->r), 3);
	assert_int_equal(w->r.waves[0].state, WAVE_STEADY);
	tick(w, 10);
	assert_int_equal(rollout_active(&w->r), 3);
	/* A slot that was full before is filled again at once. */
	report(w, 1, PHASE_DONE, NULL, false);
	report(w, 2, PHASE_DONE, NULL, false);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 3);
	assert_int_equal(in_state(w, CLIENT_DONE), 2);
	assert_int_equal(client(w, 1)->command, COMMAND_START);
	assert_int_equal(client(w, 6)->command, COMMAND_NONE);
	world_free(w);
}

static void staggers_more_beyond_what_was_seen(void **state)
{
	struct world *w = world_new(12);

	(void)state;
	enroll_all(w);
	w->in.n_observed = 2;
	begin(w, WAVE_KIND_WAVE, 4, 8);
	tick(w, 3);
	assert_int_equal(rollout_active(&w->r), 2);
	tick(w, 5);
	assert_int_equal(rollout_active(&w->r), 2);
	tick(w, 1); /* 6 s after the second */
	assert_int_equal(rollout_active(&w->r), 3);
	world_free(w);
}

static void starts_a_barrier_together(void **state)
{
	struct world *w = world_new(6);
	struct wave_order order = {WAVE_KIND_WAVE, 3, 4, true};

	(void)state;
	enroll_all(w);
	assert_int_equal(
		rollout_begin_wave(&w->r, &order, w->in.now_us, "t", NULL), 0);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 4);
	world_free(w);
}

static void holds_and_goes_on(void **state)
{
	struct world *w = world_new(6);

	(void)state;
	enroll_all(w);
	begin(w, WAVE_KIND_WAVE, 3, 6);
	tick(w, 1);
	w->in.hold = "canary";
	tick(w, 20);
	assert_int_equal(rollout_active(&w->r), 1);
	assert_int_equal(w->r.waves[0].state, WAVE_HOLDING);
	assert_string_equal(w->r.waves[0].reason, "canary");
	w->in.hold = NULL;
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 2);
	/* A person's pause is a hold too; running syncs go on. */
	assert_int_equal(
		rollout_pause(&w->r, w->in.now_us, "me", "lunch", NULL), 0);
	assert_int_equal(
		rollout_pause(&w->r, w->in.now_us, "me", "lunch", NULL), 0);
	tick(w, 20);
	assert_int_equal(rollout_active(&w->r), 2);
	assert_int_equal(
		rollout_resume(&w->r, false, w->in.now_us, "me", NULL), 0);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 3);
	world_free(w);
}

static void keeps_the_window(void **state)
{
	struct world *w = world_new(2);

	(void)state;
	enroll_all(w);
	w->scenario.steps.has_window = true;
	w->scenario.steps.window[0] = 20 * 60;
	w->scenario.steps.window[1] = 6 * 60;
	w->in.minute = 12 * 60;
	begin(w, WAVE_KIND_WAVE, 2, 2);
	tick(w, 5);
	assert_int_equal(rollout_active(&w->r), 0);
	assert_string_equal(w->r.waves[0].reason, "window_closed");
	w->in.minute = 23 * 60;
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 1);
	w->in.minute = 6 * 60;
	tick(w, 5);
	assert_int_equal(rollout_active(&w->r), 1);
	w->in.minute = 5 * 60;
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 2);
	world_free(w);
}

static void does_not_touch_a_distressed_server(void **state)
{
	struct world *w = world_new(2);

	(void)state;
	enroll_all(w);
	w->in.preflight_ready = false;
	w->in.not_ready = "CPU is at 97 %";
	begin(w, WAVE_KIND_PILOT, 1, 0);
	tick(w, 30);
	assert_int_equal(w->r.waves[0].state, WAVE_PREFLIGHT);
	assert_string_equal(w->r.waves[0].reason, "CPU is at 97 %");
	w->in.preflight_ready = true;
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 1);
	world_free(w);
}

static void takes_the_longest_first_but_not_in_pilots(void **state)
{
	struct world *w = world_new(9);

	(void)state;
	enroll_all(w);
	w->scenario.steps.longest_first = 1;
	for (unsigned i = 1; i <= 9; i++)
		client(w, i)->expected_bytes = i * 1000;
	begin(w, WAVE_KIND_PILOT, 1, 0);
	tick(w, 1);
	assert_int_equal(client(w, 5)->state, CLIENT_STARTING);
	report(w, 5, PHASE_DONE, NULL, false);
	tick(w, 1);
	report(w, 5, PHASE_DONE, NULL, false);
	tick(w, 1);
	begin(w, WAVE_KIND_WAVE, 1, 3);
	tick(w, 1);
	assert_int_equal(client(w, 9)->state, CLIENT_STARTING);
	world_free(w);
}

static void brakes_the_newest(void **state)
{
	struct world *w = world_new(3);

	(void)state;
	enroll_all(w);
	begin(w, WAVE_KIND_WAVE, 3, 3);
	tick(w, 5);
	assert_int_equal(rollout_active(&w->r), 3);
	w->in.pause_newest = 1;
	tick(w, 1);
	assert_int_equal(client(w, 3)->command, COMMAND_PAUSE);
	assert_int_equal(client(w, 2)->command, COMMAND_START);
	report(w, 3, PHASE_PAUSED, NULL, false);
	assert_int_equal(client(w, 3)->state, CLIENT_PAUSED);
	tick(w, 400); /* standing still by order is no stall */
	assert_int_equal(client(w, 3)->state, CLIENT_PAUSED);
	w->in.pause_newest = 0;
	tick(w, 1);
	assert_int_equal(client(w, 3)->command, COMMAND_RESUME);
	report(w, 3, PHASE_SYNCING, NULL, false);
	assert_int_equal(client(w, 3)->state, CLIENT_SYNCING);
	world_free(w);
}

/* ---- clients */

static void ignores_the_past(void **state)
{
	struct world *w = world_new(1);
	char version[] = "0.1", boot[] = "b";
	struct report old = {
		.boot = boot, .version = version, .phase = PHASE_FAILED};

	(void)state;
	enroll(w, 1);
	begin(w, WAVE_KIND_WAVE, 1, 1);
	tick(w, 1);
	/* Sent before the start was obeyed. */
	rollout_report(&w->r, client(w, 1), &old, w->in.now_us);
	assert_int_equal(client(w, 1)->state, CLIENT_STARTING);
	report(w, 1, PHASE_LISTING, NULL, false);
	assert_int_equal(client(w, 1)->state, CLIENT_LISTING);
	report(w, 1, PHASE_SYNCING, NULL, false);
	assert_int_equal(client(w, 1)->bulk_us, w->in.now_us);
	world_free(w);
}

static void loses_and_finds_a_client(void **state)
{
	struct world *w = world_new(2);

	(void)state;
	enroll_all(w);
	begin(w, WAVE_KIND_WAVE, 1, 1);
	tick(w, 1);
	report(w, 1, PHASE_SYNCING, NULL, false);
	w->in.now_us += 61 * S;
	client(w, 2)->seen_us = w->in.now_us;
	rollout_tick(&w->r, &w->in);
	assert_int_equal(client(w, 1)->state, CLIENT_LOST);
	assert_int_equal(rollout_active(&w->r), 1);
	report(w, 1, PHASE_SYNCING, NULL, false);
	assert_int_equal(client(w, 1)->state, CLIENT_SYNCING);
	assert_int_equal(client(w, 1)->attempts, 1);
	/* Ten minutes of silence free the slot. */
	w->in.now_us += 61 * S;
	rollout_tick(&w->r, &w->in);
	w->in.now_us += 601 * S;
	rollout_tick(&w->r, &w->in);
	assert_int_equal(client(w, 1)->state, CLIENT_FAILED);
	assert_int_equal(rollout_active(&w->r), 0);
	assert_true(client(w, 1)->not_before_us > w->in.now_us);
	/* It was alive after all and ended. */
	report(w, 1, PHASE_DONE, NULL, false);
	assert_int_equal(client(w, 1)->state, CLIENT_DONE);
	world_free(w);
}

static void fails_what_stalls(void **state)
{
	struct world *w = world_new(1);

	(void)state;
	enroll(w, 1);
	begin(w, WAVE_KIND_WAVE, 1, 1);
	tick(w, 1);
	report(w, 1, PHASE_SYNCING, NULL, false);
	tick(w, 299);
	assert_int_equal(client(w, 1)->state, CLIENT_SYNCING);
	tick(w, 2);
	assert_int_equal(client(w, 1)->state, CLIENT_FAILED);
	assert_int_equal(client(w, 1)->command, COMMAND_CANCEL);
	assert_non_null(strstr(client(w, 1)->reason, "stalled:"));
	world_free(w);
}

static void retries_in_later_waves(void **state)
{
	struct world *w = world_new(1);
	struct wave_order order = {WAVE_KIND_RETRY, 1, 1, false};
	int64_t waits[] = {300 * S, 1200 * S};

	(void)state;
	enroll(w, 1);
	for (int attempt = 0; attempt < 3; attempt++) {
		begin(w, WAVE_KIND_WAVE, 1, 1);
		tick(w, 1);
		report(w, 1, PHASE_FAILED, "server busy", true);
		if (attempt == 2)
			break;
		assert_int_equal(client(w, 1)->state, CLIENT_FAILED);
		assert_int_equal(client(w, 1)->not_before_us - w->in.now_us,
			waits[attempt]);
		tick(w, 1);
		assert_int_equal(rollout_promote(&w->r, "test", w->in.now_us,
					 "me", NULL),
			0);
		tick(w, 1);
		assert_int_equal(rollout_begin_wave(&w->r, &order, w->in.now_us,
					 "t", NULL),
			-1);
		tick(w, waits[attempt] / S);
	}
	assert_int_equal(client(w, 1)->state, CLIENT_GAVE_UP);
	assert_string_equal(client(w, 1)->reason, "auth: server busy");
	world_free(w);
}

static void does_not_retry_what_cannot_help(void **state)
{
	struct world *w = world_new(1);
	unsigned count;

	(void)state;
	enroll(w, 1);
	begin(w, WAVE_KIND_WAVE, 1, 1);
	tick(w, 1);
	report(w, 1, PHASE_FAILED, "wrong password", false);
	assert_int_equal(client(w, 1)->state, CLIENT_GAVE_UP);
	tick(w, 1);
	assert_int_equal(
		rollout_promote(&w->r, "known", w->in.now_us, "me", NULL), 0);
	tick(w, 1);
	assert_int_equal(w->r.row.state, ROLLOUT_DONE_WITH_ERRORS);
	/* A person mended it. */
	assert_int_equal(
		rollout_retry(&w->r, NULL, w->in.now_us, "me", &count, NULL),
		0);
	assert_int_equal(count, 1);
	assert_int_equal(client(w, 1)->state, CLIENT_CHECKED);
	assert_int_equal(w->r.row.state, ROLLOUT_PLANNED);
	world_free(w);
}

static void restarts_an_agent_that_forgot(void **state)
{
	struct world *w = world_new(1);
	uint64_t first;

	(void)state;
	enroll(w, 1);
	begin(w, WAVE_KIND_WAVE, 1, 1);
	tick(w, 1);
	first = client(w, 1)->command_id;
	report(w, 1, PHASE_SYNCING, NULL, false);
	report(w, 1, PHASE_IDLE, NULL, false);
	assert_int_equal(client(w, 1)->command, COMMAND_START);
	assert_true(client(w, 1)->command_id > first);
	/* A machine set up anew enrols in mid-sync and starts over. */
	first = client(w, 1)->command_id;
	enroll(w, 1);
	assert_true(client(w, 1)->command_id > first);
	assert_int_equal(client(w, 1)->seq, 0);
	world_free(w);
}

/* ---- gates */

static void pilot_of_one_ends_with_acceptance(void **state)
{
	struct world *w = world_new(3);

	(void)state;
	enroll_all(w);
	begin(w, WAVE_KIND_PILOT, 1, 0);
	tick(w, 1);
	report(w, 1, PHASE_DONE, NULL, false);
	tick(w, 2);
	assert_int_equal(client(w, 1)->command, COMMAND_VERIFY);
	assert_int_equal(w->r.waves[0].state, WAVE_STEADY);
	report(w, 1, PHASE_DONE, NULL, false);
	assert_true(client(w, 1)->accepted);
	tick(w, 1);
	assert_string_equal(w->r.waves[0].verdict, "PASS");
	assert_non_null(strstr(w->r.waves[0].gates, "functional acceptance"));
	tick(w, 1);
	assert_int_equal(w->r.waves[0].state, WAVE_CLOSED);
	assert_int_equal(w->r.row.state, ROLLOUT_WAITING_GATE);
	world_free(w);
}

static void acceptance_without_answer_is_inconclusive(void **state)
{
	struct world *w = world_new(3);

	(void)state;
	enroll_all(w);
	begin(w, WAVE_KIND_PILOT, 1, 0);
	tick(w, 1);
	report(w, 1, PHASE_DONE, NULL, false);
	tick(w, 302);
	assert_string_equal(w->r.waves[0].verdict, "INCONCLUSIVE");
	assert_int_equal(w->r.row.state, ROLLOUT_PAUSED);
	world_free(w);
}

static void gate_opens_at_two_thirds(void **state)
{
	struct world *w = world_new(12);

	(void)state;
	enroll_all(w);
	w->r.row.automatic = true;
	begin(w, WAVE_KIND_WAVE, 3, 9);
	tick(w, 10);
	for (unsigned i = 1; i <= 6; i++) {
		report(w, i, PHASE_DONE, NULL, false);
		tick(w, 1);
		assert_int_equal(w->r.waves[0].state, WAVE_STEADY);
	}
	report(w, 7, PHASE_DONE, NULL, false);
	tick(w, 1); /* 7 of 9 done, nobody queued */
	assert_int_equal(w->r.waves[0].state, WAVE_DRAINING);
	assert_int_equal(w->r.row.state, ROLLOUT_PLANNED);
	/* The next wave shares the batch with the stragglers. */
	begin(w, WAVE_KIND_WAVE, 3, 0);
	assert_int_equal(w->r.waves[1].clients, 3);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 3);
	report(w, 8, PHASE_DONE, NULL, false);
	report(w, 9, PHASE_DONE, NULL, false);
	tick(w, 1);
	assert_int_equal(w->r.waves[0].state, WAVE_CLOSED);
	for (unsigned i = 10; i <= 12; i++) {
		tick(w, 6);
		report(w, i, PHASE_DONE, NULL, false);
	}
	tick(w, 1);
	tick(w, 1);
	assert_int_equal(w->r.row.state, ROLLOUT_DONE);
	world_free(w);
}

static void failures_fail_the_gate(void **state)
{
	struct world *w = world_new(20);
	struct wave_order order = {WAVE_KIND_WAVE, 3, 0, false};
	struct err err = ERR_INIT;

	(void)state;
	enroll_all(w);
	begin(w, WAVE_KIND_WAVE, 3, 9);
	tick(w, 10);
	report(w, 1, PHASE_DONE, NULL, false);
	report(w, 2, PHASE_FAILED, "x", true);
	tick(w, 1);
	assert_string_equal(w->r.waves[0].verdict, "");
	report(w, 3, PHASE_FAILED, "x", true);
	tick(w, 1);
	assert_string_equal(w->r.waves[0].verdict, "FAIL");
	assert_int_equal(w->r.row.state, ROLLOUT_PAUSED);
	assert_non_null(strstr(w->r.row.reason, "gate_failed: wave 1"));
	/* Who was not admitted waits for another wave. */
	assert_int_equal(in_state(w, CLIENT_QUEUED), 0);
	assert_int_equal(
		rollout_begin_wave(&w->r, &order, w->in.now_us, "t", &err), -1);
	assert_non_null(strstr(err.text, "--skip-gate"));
	assert_int_equal(
		rollout_promote(&w->r, NULL, w->in.now_us, "me", &err), -1);
	assert_int_equal(rollout_promote(&w->r, "two laptops were closed",
				 w->in.now_us, "me", &err),
		0);
	assert_string_equal(w->r.waves[0].skipped, "two laptops were closed");
	assert_int_equal(w->r.row.state, ROLLOUT_PLANNED);
	world_free(w);
}

static void no_data_is_not_a_pass(void **state)
{
	struct judge_counts counts = {
		.clients = 9, .admitted = 9, .done = 9, .rollout_clients = 20};
	struct judge_measured m = {.exporter = true,
		.canary = true,
		.seconds = 60,
		.exporter_share = 1,
		.canary_share = 1,
		.slo_ms = 100,
		.slo_kept = 1,
		.probe_failures = 0};
	struct judge_result result;
	struct world *w = world_new(1);
	const struct scenario_steps *steps = &w->scenario.steps;

	(void)state;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_PASS);
	m.exporter_share = 0.5;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_INCONCLUSIVE);
	assert_non_null(strstr(result.reason, "server load data: 50%"));
	m.exporter_share = NAN;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_INCONCLUSIVE);
	/* Worse beats unknown. */
	m.slo_kept = 0.5;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_FAIL);
	assert_non_null(strstr(result.reason, "waiting users"));
	m.slo_kept = NAN;
	m.exporter_share = 1;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_INCONCLUSIVE);
	m.slo_kept = 1;
	m.probe_failures = 0.05;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_FAIL);
	/* A wave of two seconds has no buckets; that is said, not judged. */
	m = (struct judge_measured){
		.exporter = true, .seconds = 2, .exporter_share = NAN};
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_PASS);
	world_free(w);
}

static void aborts(void **state)
{
	struct world *w = world_new(6);

	(void)state;
	enroll_all(w);
	begin(w, WAVE_KIND_WAVE, 2, 6);
	tick(w, 5);
	assert_int_equal(
		rollout_abort(&w->r, false, w->in.now_us, "me", NULL), 0);
	assert_int_equal(in_state(w, CLIENT_QUEUED), 0);
	tick(w, 1);
	assert_int_equal(w->r.row.state, ROLLOUT_ABORTING);
	report(w, 1, PHASE_DONE, NULL, false);
	tick(w, 5);
	assert_int_equal(w->r.row.state, ROLLOUT_ABORTING);
	assert_int_equal(
		rollout_abort(&w->r, true, w->in.now_us, "me", NULL), 0);
	assert_int_equal(client(w, 2)->command, COMMAND_CANCEL);
	tick(w, 1);
	assert_int_equal(w->r.row.state, ROLLOUT_ABORTED);
	assert_int_equal(w->r.waves[0].state, WAVE_CANCELLED);
	assert_int_equal(
		rollout_resume(&w->r, false, w->in.now_us, "me", NULL), -1);
	assert_int_equal(
		rollout_resume(&w->r, true, w->in.now_us, "me", NULL), 0);
	assert_int_equal(w->r.row.state, ROLLOUT_PAUSED);
	world_free(w);
}

static void excludes_and_includes(void **state)
{
	struct world *w = world_new(2);
	struct err err = ERR_INIT;

	(void)state;
	enroll_all(w);
	assert_int_equal(rollout_exclude(&w->r, "u002", "on leave",
				 w->in.now_us, "me", NULL),
		0);
	assert_int_equal(
		rollout_exclude(&w->r, "nobody", "", w->in.now_us, "me", &err),
		-1);
	assert_int_equal(err.kind, ERR_USAGE);
	begin(w, WAVE_KIND_WAVE, 2, 2);
	assert_int_equal(w->r.waves[0].clients, 1);
	tick(w, 1);
	report(w, 1, PHASE_DONE, NULL, false);
	tick(w, 2);
	assert_int_equal(w->r.row.state, ROLLOUT_DONE);
	assert_int_equal(
		rollout_include(&w->r, "u002", w->in.now_us, "me", NULL), 0);
	assert_int_equal(w->r.row.state, ROLLOUT_PLANNED);
	report(w, 2, PHASE_IDLE, NULL, false);
	assert_int_equal(client(w, 2)->state, CLIENT_CHECKED);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sane),
		cmocka_unit_test(refuses_and_records),
		cmocka_unit_test(compares_versions),
		cmocka_unit_test(checks_the_baseline),
		cmocka_unit_test(waits_for_agents_that_speak),
		cmocka_unit_test(skips_who_is_done),
		cmocka_unit_test(keeps_the_batch_full),
		cmocka_unit_test(staggers_more_beyond_what_was_seen),
		cmocka_unit_test(starts_a_barrier_together),
		cmocka_unit_test(holds_and_goes_on),
		cmocka_unit_test(keeps_the_window),
		cmocka_unit_test(does_not_touch_a_distressed_server),
		cmocka_unit_test(takes_the_longest_first_but_not_in_pilots),
		cmocka_unit_test(brakes_the_newest),
		cmocka_unit_test(ignores_the_past),
		cmocka_unit_test(loses_and_finds_a_client),
		cmocka_unit_test(fails_what_stalls),
		cmocka_unit_test(retries_in_later_waves),
		cmocka_unit_test(does_not_retry_what_cannot_help),
		cmocka_unit_test(restarts_an_agent_that_forgot),
		cmocka_unit_test(pilot_of_one_ends_with_acceptance),
		cmocka_unit_test(acceptance_without_answer_is_inconclusive),
		cmocka_unit_test(gate_opens_at_two_thirds),
		cmocka_unit_test(failures_fail_the_gate),
		cmocka_unit_test(no_data_is_not_a_pass),
		cmocka_unit_test(aborts),
		cmocka_unit_test(excludes_and_includes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
