/* rollout_test.c - states, the baseline and what agents say, in invented
 * time. */
#include "rollout_world.h"
#include "version.h"

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
	struct wave_order order = {WAVE_KIND_PILOT, 1, 0, false, false};
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
	struct world *w = world_enrolled(2);

	(void)state;
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
	struct wave_order order = {WAVE_KIND_RETRY, 1, 1, false, false};
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sane),
		cmocka_unit_test(refuses_and_records),
		cmocka_unit_test(compares_versions),
		cmocka_unit_test(checks_the_baseline),
		cmocka_unit_test(waits_for_agents_that_speak),
		cmocka_unit_test(skips_who_is_done),
		cmocka_unit_test(ignores_the_past),
		cmocka_unit_test(loses_and_finds_a_client),
		cmocka_unit_test(fails_what_stalls),
		cmocka_unit_test(retries_in_later_waves),
		cmocka_unit_test(does_not_retry_what_cannot_help),
		cmocka_unit_test(restarts_an_agent_that_forgot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
