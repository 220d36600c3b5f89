/* waves_test.c - who starts when, and what a gate says. */
#include "rollout_world.h"

/* ---- admission */

static void keeps_the_batch_full(void **state)
{
	struct world *w = world_enrolled(12);

	(void)state;
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
	struct world *w = world_enrolled(12);

	(void)state;
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

/* Where the scenario names none, the one beyond follows the other, also when
 * a person changes that. */
static void staggers_beyond_by_default(void **state)
{
	struct world *w = world_enrolled(12);

	(void)state;
	w->in.n_observed = 1;
	w->scenario.steps.stagger_beyond_us = 0;
	begin(w, WAVE_KIND_WAVE, 3, 8);
	tick(w, 5);
	assert_int_equal(rollout_active(&w->r), 1);
	tick(w, 1); /* 2.5 x 2 s after the first */
	assert_int_equal(rollout_active(&w->r), 2);
	w->scenario.steps.stagger_us = 4 * S;
	tick(w, 9);
	assert_int_equal(rollout_active(&w->r), 2);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 3);
	world_free(w);
}

/* Short mailboxes end more often than the batch may grow. */
static void grows_although_others_are_replaced(void **state)
{
	struct world *w = world_enrolled(30);
	unsigned next = 1;

	(void)state;
	begin(w, WAVE_KIND_WAVE, 3, 30);
	for (int s = 0; s < 8; s++) {
		tick(w, 1);
		report(w, next++, PHASE_DONE, NULL, false);
	}
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 3);
	world_free(w);
}

static void starts_a_barrier_together(void **state)
{
	struct world *w = world_enrolled(6);
	struct wave_order order = {WAVE_KIND_WAVE, 3, 4, true, false};

	(void)state;
	assert_int_equal(
		rollout_begin_wave(&w->r, &order, w->in.now_us, "t", NULL), 0);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 4);
	world_free(w);
}

static void holds_and_goes_on(void **state)
{
	struct world *w = world_enrolled(6);

	(void)state;
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
	struct world *w = world_enrolled(2);

	(void)state;
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

static void starts_nobody_who_would_end_too_late(void **state)
{
	struct world *w = world_enrolled(4);
	const uint64_t hour = 3600 * 1000000ULL;

	(void)state;
	w->scenario.steps.has_window = true;
	w->scenario.steps.window[0] = 20 * 60;
	w->scenario.steps.window[1] = 6 * 60;
	w->in.sync_bytes_s = 1e6;
	client(w, 1)->expected_bytes = 4 * hour;
	client(w, 2)->expected_bytes = 2 * hour;
	client(w, 3)->expected_bytes = hour; /* two on its own line */
	client(w, 3)->link_bytes_s = 500000;
	client(w, 4)->expected_bytes = 12 * hour; /* it fits no window */
	begin(w, WAVE_KIND_WAVE, 4, 4);
	w->in.minute = 4 * 60 + 30;
	tick(w, 20);
	assert_int_equal(rollout_active(&w->r), 0);
	assert_int_equal(w->r.waves[0].state, WAVE_PREFLIGHT);
	assert_non_null(strstr(w->r.waves[0].reason, "window_closed: nobody"));
	w->in.minute = 4 * 60;
	tick(w, 20);
	assert_int_equal(client(w, 1)->state, CLIENT_QUEUED);
	assert_int_equal(client(w, 2)->state, CLIENT_STARTING);
	assert_int_equal(client(w, 3)->state, CLIENT_STARTING);
	w->in.minute = 90;
	tick(w, 20);
	assert_int_equal(client(w, 1)->state, CLIENT_STARTING);
	assert_int_equal(client(w, 4)->state, CLIENT_QUEUED);
	w->in.minute = 20 * 60;
	tick(w, 20);
	assert_int_equal(client(w, 4)->state, CLIENT_STARTING);
	world_free(w);
}

static void does_not_touch_a_distressed_server(void **state)
{
	struct world *w = world_enrolled(2);

	(void)state;
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
	struct world *w = world_enrolled(9);

	(void)state;
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

/* One that tries a size: typical mailboxes, and over when it was seen. */
static void explores_with_typical_mailboxes(void **state)
{
	struct world *w = world_enrolled(12);
	struct wave_order order = {WAVE_KIND_WAVE, 2, 0, false, true};

	(void)state;
	w->r.row.automatic = true;
	w->scenario.steps.longest_first = 1;
	w->in.n_observed = 0;
	for (unsigned i = 1; i <= 12; i++)
		client(w, i)->expected_bytes = i * 1000;
	assert_int_equal(
		rollout_begin_wave(&w->r, &order, w->in.now_us, "t", NULL), 0);
	assert_true(w->r.waves[0].explore);
	tick(w, 100);
	/* 4 to 9 are in it; the middle ones are first. */
	assert_int_equal(client(w, 6)->state, CLIENT_STARTING);
	assert_int_equal(client(w, 7)->state, CLIENT_STARTING);
	assert_int_equal(rollout_active(&w->r), 2);
	/* The batch stays full while the size is being looked at. */
	report(w, 6, PHASE_DONE, NULL, false);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 2);
	w->in.cut = "2 at once were seen for 120 s";
	tick(w, 1);
	assert_string_equal(w->r.waves[0].verdict, "PASS");
	assert_non_null(strstr(w->r.waves[0].gates, "seen for 120 s"));
	assert_int_equal(w->r.waves[0].state, WAVE_DRAINING);
	assert_int_equal(w->r.row.state, ROLLOUT_PLANNED);
	assert_int_equal(in_state(w, CLIENT_QUEUED), 0);
	assert_int_equal(rollout_active(&w->r), 2);
	world_free(w);
}

/* Client 12 has half of all there is: at its share of two slots it is the
 * last to end. It does not wait for the end of the trial, and takes a slot
 * that is none. */
static void a_mailbox_that_ends_last_does_not_wait_for_a_trial(void **state)
{
	struct world *w = world_enrolled(12);
	struct wave_order order = {WAVE_KIND_WAVE, 2, 0, false, true};

	(void)state;
	w->r.row.automatic = true;
	w->scenario.steps.longest_first = 1;
	w->in.n_observed = 1;
	for (unsigned i = 1; i <= 12; i++)
		client(w, i)->expected_bytes = i * 1000;
	client(w, 12)->expected_bytes = 66000;
	assert_int_equal(
		rollout_begin_wave(&w->r, &order, w->in.now_us, "t", NULL), 0);
	tick(w, 5);
	assert_int_equal(client(w, 12)->state, CLIENT_STARTING);
	assert_int_equal(client(w, 11)->state, CLIENT_QUEUED);
	tick(w, 100);
	/* The second slot was never observed: a usual one. */
	assert_int_equal(rollout_active(&w->r), 2);
	assert_int_equal(client(w, 11)->state, CLIENT_QUEUED);
	assert_true(client(w, 5)->state == CLIENT_STARTING ||
		client(w, 6)->state == CLIENT_STARTING);
	world_free(w);
}

/* Slots that the wave before still fills are refilled without a stagger. */
static void replaces_stragglers_at_once(void **state)
{
	struct world *w = world_enrolled(12);

	(void)state;
	w->r.row.automatic = true;
	begin(w, WAVE_KIND_WAVE, 4, 4);
	tick(w, 10);
	assert_int_equal(rollout_active(&w->r), 4);
	w->in.cut = "the recommendation is 3 now";
	tick(w, 1);
	w->in.cut = NULL;
	begin(w, WAVE_KIND_WAVE, 4, 6);
	tick(w, 1);
	report(w, 1, PHASE_DONE, NULL, false);
	report(w, 2, PHASE_DONE, NULL, false);
	tick(w, 1);
	assert_int_equal(rollout_active(&w->r), 4);
	assert_int_equal(w->r.waves[1].admitted, 2);
	world_free(w);
}

/* ---- gates */

/* Three clients, the pilot of one begun, its client done with copying. */
static struct world *world_pilot_copied(void)
{
	struct world *w = world_enrolled(3);

	begin(w, WAVE_KIND_PILOT, 1, 0);
	tick(w, 1);
	report(w, 1, PHASE_DONE, NULL, false);
	return w;
}

static void pilot_of_one_ends_with_acceptance(void **state)
{
	struct world *w = world_pilot_copied();

	(void)state;
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
	struct world *w = world_pilot_copied();

	(void)state;
	tick(w, 302);
	assert_string_equal(w->r.waves[0].verdict, "INCONCLUSIVE");
	assert_int_equal(w->r.row.state, ROLLOUT_PAUSED);
	world_free(w);
}

static void gate_opens_at_two_thirds(void **state)
{
	struct world *w = world_enrolled(12);

	(void)state;
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
	struct world *w = world_enrolled(20);
	struct wave_order order = {WAVE_KIND_WAVE, 3, 0, false, false};
	struct err err = ERR_INIT;

	(void)state;
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
		.windows = 20,
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
	m.windows_above = 10;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_FAIL);
	assert_non_null(strstr(result.reason, "waiting users"));
	m.windows = m.windows_above = 0;
	m.exporter_share = 1;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_INCONCLUSIVE);
	m.windows = 20;
	m.probe_failures = 0.05;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_FAIL);
	/* Two of twenty are chance, three are not. */
	m.probe_failures = 0;
	m.windows_above = 2;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_PASS);
	m.windows_above = 3;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_FAIL);
	assert_non_null(strstr(result.reason, "in 17 of 20 windows"));
	/* A wave of two seconds has no buckets; that is said, not judged. */
	m = (struct judge_measured){
		.exporter = true, .seconds = 2, .exporter_share = NAN};
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_PASS);
	world_free(w);
}

static void a_load_generator_at_its_limit_proves_nothing(void **state)
{
	struct judge_counts counts = {
		.clients = 9, .admitted = 9, .done = 9, .rollout_clients = 20};
	struct judge_measured m = {
		.seconds = 60, .generator_share = NAN, .generator = ""};
	struct judge_result result;
	struct world *w = world_new(1);
	const struct scenario_steps *steps = &w->scenario.steps;
	unsigned rules;

	(void)state;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_PASS);
	rules = result.rule_count;
	m.generator_share = 0.1;
	m.generator = "fleet1: CPU 95 %";
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_PASS);
	assert_int_equal(result.rule_count, rules + 1);
	m.generator_share = 0.64;
	judge_wave(&result, &counts, &m, steps);
	assert_int_equal(result.verdict, JUDGE_INCONCLUSIVE);
	assert_non_null(strstr(result.reason,
		"load generator: the bottleneck for 64% of the wave (fleet1: "
		"CPU 95 %)"));
	world_free(w);
}

static void aborts(void **state)
{
	struct world *w = world_enrolled(6);

	(void)state;
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
	struct world *w = world_enrolled(2);
	struct err err = ERR_INIT;

	(void)state;
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
		cmocka_unit_test(keeps_the_batch_full),
		cmocka_unit_test(staggers_more_beyond_what_was_seen),
		cmocka_unit_test(staggers_beyond_by_default),
		cmocka_unit_test(grows_although_others_are_replaced),
		cmocka_unit_test(starts_a_barrier_together),
		cmocka_unit_test(holds_and_goes_on),
		cmocka_unit_test(keeps_the_window),
		cmocka_unit_test(starts_nobody_who_would_end_too_late),
		cmocka_unit_test(does_not_touch_a_distressed_server),
		cmocka_unit_test(takes_the_longest_first_but_not_in_pilots),
		cmocka_unit_test(explores_with_typical_mailboxes),
		cmocka_unit_test(
			a_mailbox_that_ends_last_does_not_wait_for_a_trial),
		cmocka_unit_test(replaces_stragglers_at_once),
		cmocka_unit_test(pilot_of_one_ends_with_acceptance),
		cmocka_unit_test(acceptance_without_answer_is_inconclusive),
		cmocka_unit_test(gate_opens_at_two_thirds),
		cmocka_unit_test(failures_fail_the_gate),
		cmocka_unit_test(no_data_is_not_a_pass),
		cmocka_unit_test(a_load_generator_at_its_limit_proves_nothing),
		cmocka_unit_test(aborts),
		cmocka_unit_test(excludes_and_includes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
