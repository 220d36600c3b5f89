/*
 * restart_test.c - the controller is killed in the middle of something.
 */
#include "hub_course.h"
#include "log.h"

/* The controller is killed and started again; the agents are the same. */
static void restart(struct hub_world *w)
{
	struct err err = ERR_INIT;

	hub_close(&w->hub);
	world_must(hub_open(&w->hub, w->dir, &err), &err);
}

static void what_the_brake_stopped_stays_so(void **state)
{
	struct hub_world *w = start();
	char *said;

	(void)state;
	world_until_wave(w, 2, 900);
	while (world_running(w) < 3)
		world_second(w);
	w->dead = true;
	for (int s = 0; w->hub.rollout.row.state == ROLLOUT_RUNNING && s < 100;
		s++)
		world_second(w);
	world_second(w);
	assert_int_equal(world_running(w), 0);
	w->dead = false;
	restart(w);
	for (int s = 0; s < 120; s++)
		world_second(w);
	assert_int_equal(world_running(w), 0);
	assert_int_equal(w->hub.rollout.row.state, ROLLOUT_PAUSED);
	assert_true(gauge_stopped(w->hub.gauge));
	/* Nor does it come back once a person has let it go. */
	assert_true(hub_begin(&w->hub));
	assert_int_equal(gauge_release(w->hub.gauge, NULL), 0);
	assert_int_equal(
		rollout_resume(&w->hub.rollout, false, w->now_us, "me", NULL),
		0);
	assert_true(hub_commit(&w->hub));
	said = world_event(w, "brake", "stopped -> released");
	assert_non_null(said);
	free(said);
	restart(w);
	for (int s = 0; s < 30; s++)
		world_second(w);
	assert_int_equal(w->hub.rollout.row.state, ROLLOUT_RUNNING);
	assert_true(world_running(w) >= 3);
	world_free(w);
}

/* Silence counts from the controller's own start, for the lost ones too. */
static void a_lost_client_is_waited_for_after_a_restart(void **state)
{
	struct hub_world *w = start();
	struct client_row *client;

	(void)state;
	while (rollout_count(&w->hub.rollout, CLIENT_SYNCING) < 1)
		world_second(w);
	client = w->hub.rollout.clients;
	while (client->state != CLIENT_SYNCING)
		client++;
	size_t i = (size_t)(client - w->hub.rollout.clients);
	assert_true(hub_begin(&w->hub));
	world_must(client_set_state(&w->hub.rollout, client, CLIENT_LOST,
			   w->now_us - 3600 * US_PER_S, "controller", "silent",
			   NULL),
		NULL);
	client->lost_us = w->now_us - 3600 * US_PER_S;
	assert_true(hub_commit(&w->hub));
	restart(w);
	assert_true(hub_begin(&w->hub));
	hub_tick(&w->hub, gauge_clock_us());
	assert_int_equal(w->hub.rollout.clients[i].state, CLIENT_LOST);
	world_free(w);
}

/* What was idle before is the baseline after a restart in mid-wave, when
 * nothing is idle. */
static void the_baseline_survives_a_restart(void **state)
{
	struct hub_world *w = start();
	double now_s = (double)w->now_us / 1e6;
	struct gauge_now now;

	(void)state;
	assert_true(hub_begin(&w->hub));
	for (int i = 0; i < 40; i++) {
		struct bucket bucket;
		int64_t probes[5];
		bool idle = i < 20;

		bucket_init(&bucket, floor(now_s) - 3600 + 5 * i, 5);
		bucket.x_mb_min = 0;
		bucket.n = bucket.active = idle ? 0 : 5;
		for (int p = 0; p < 5; p++)
			probes[p] = (idle ? 60 : 300) * US_PER_MS;
		bucket_set_probes(&bucket, probes, 5, 0);
		world_must(archive_put_bucket(w->hub.archive, &bucket, NULL),
			NULL);
	}
	assert_true(hub_commit(&w->hub));
	restart(w);
	gauge_now(w->hub.gauge, &now);
	assert_true(fabs(now.idle_p95_ms - 60) < 1);
	assert_true(fabs(now.slo_ms - 120) < 2);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_brake_stopped_stays_so),
		cmocka_unit_test(a_lost_client_is_waited_for_after_a_restart),
		cmocka_unit_test(the_baseline_survives_a_restart),
	};

	log_set_level(LOG_LEVEL_WARN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
