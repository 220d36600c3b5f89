/* braked_test.c - syncs that the brake slows and stills. */
#include "rollout_world.h"

static void brakes_the_newest(void **state)
{
	struct world *w = world_enrolled(3);

	(void)state;
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

/* An order to start that has not arrived is overtaken by one to stand still. */
static void what_should_stand_does_not_start(void **state)
{
	struct world *w = world_enrolled(1);

	(void)state;
	begin(w, WAVE_KIND_WAVE, 1, 1);
	tick(w, 1);
	assert_int_equal(client(w, 1)->command, COMMAND_START);
	w->in.pause_newest = UINT32_MAX;
	tick(w, 1);
	report(w, 1, PHASE_IDLE, NULL, false);
	assert_int_equal(client(w, 1)->command, COMMAND_PAUSE);
	tick(w, 400);
	assert_int_equal(client(w, 1)->state, CLIENT_STARTING);
	/* Its machine is set up anew. */
	enroll(w, 1);
	report(w, 1, PHASE_IDLE, NULL, false);
	assert_int_equal(client(w, 1)->command, COMMAND_PAUSE);
	tick(w, 400);
	w->in.pause_newest = 0;
	tick(w, 2);
	assert_int_equal(client(w, 1)->command, COMMAND_RESUME);
	assert_int_equal(client(w, 1)->state, CLIENT_STARTING);
	report(w, 1, PHASE_IDLE, NULL, false);
	assert_int_equal(client(w, 1)->command, COMMAND_START);
	world_free(w);
}

/* An agent that was killed goes on by itself when it comes back. */
static void what_should_stand_is_told_again(void **state)
{
	struct world *w = world_enrolled(1);
	uint64_t told;

	(void)state;
	begin(w, WAVE_KIND_WAVE, 1, 1);
	tick(w, 1);
	report(w, 1, PHASE_SYNCING, NULL, false);
	w->in.pause_newest = 1;
	tick(w, 1);
	told = client(w, 1)->command_id;
	/* It still works off what it has asked for. */
	report(w, 1, PHASE_SYNCING, NULL, false);
	assert_int_equal(client(w, 1)->command_id, told);
	report(w, 1, PHASE_STARTING, NULL, false);
	assert_int_equal(client(w, 1)->command, COMMAND_PAUSE);
	assert_true(client(w, 1)->command_id > told);
	report(w, 1, PHASE_PAUSED, NULL, false);
	told = client(w, 1)->command_id;
	report(w, 1, PHASE_PAUSED, NULL, false);
	assert_int_equal(client(w, 1)->command_id, told);
	report(w, 1, PHASE_LISTING, NULL, false);
	assert_int_equal(client(w, 1)->command, COMMAND_PAUSE);
	assert_true(client(w, 1)->command_id > told);
	world_free(w);
}

/* What the brake leaves the fleet is shared among those that move. */
static void shares_a_rate(void **state)
{
	struct world *w = world_enrolled(5);

	(void)state;
	client(w, 1)->link_bytes_s = 100;
	begin(w, WAVE_KIND_WAVE, 4, 4);
	tick(w, 10);
	assert_int_equal(rollout_active(&w->r), 4);
	rollout_share_rate(&w->r, 0);
	assert_int_equal(client(w, 1)->rate_bytes_s, 100);
	assert_int_equal(client(w, 2)->rate_bytes_s, 0);
	/* 100 on its own slow line leave 500 to each of three. */
	rollout_share_rate(&w->r, 1600);
	assert_int_equal(client(w, 1)->rate_bytes_s, 100);
	assert_int_equal(client(w, 2)->rate_bytes_s, 500);
	assert_int_equal(client(w, 4)->rate_bytes_s, 500);
	assert_int_equal(client(w, 5)->rate_bytes_s, 0);
	rollout_share_rate(&w->r, 200);
	assert_int_equal(client(w, 1)->rate_bytes_s, 50);
	/* One that the brake has paused needs none of it. */
	w->in.pause_newest = 1;
	tick(w, 1);
	rollout_share_rate(&w->r, 1500);
	assert_int_equal(client(w, 2)->rate_bytes_s, 700);
	w->scenario.limits.rate_bytes_s = 300;
	rollout_share_rate(&w->r, 1500);
	assert_int_equal(client(w, 2)->rate_bytes_s, 300);
	rollout_share_rate(&w->r, 1);
	assert_int_equal(client(w, 2)->rate_bytes_s, 1);
	w->scenario.limits.rate_bytes_s = 0;
	rollout_share_rate(&w->r, 0);
	assert_int_equal(client(w, 2)->rate_bytes_s, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brakes_the_newest),
		cmocka_unit_test(what_should_stand_does_not_start),
		cmocka_unit_test(what_should_stand_is_told_again),
		cmocka_unit_test(shares_a_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
