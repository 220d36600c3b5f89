/* automatic_test.c - `run --auto` from the first pilot to the last client. */
#include "fake_http.h"
#include "fake_imap.h"
#include "hub_course.h"
#include "log.h"

/* The newest recommendation's fact KEY. */
static double asked_with(struct hub_world *w, const char *key)
{
	struct recommendation_row *rows;
	struct err err = ERR_INIT;
	size_t count;

	world_must(archive_recommendations(w->hub.archive, &rows, &count, &err),
		&err);
	assert_true(count > 0);
	const char *found = strstr(rows[count - 1].inputs_json, key);
	assert_non_null(found);
	double value = strtod(found + strlen(key), NULL);
	archive_recommendations_free(rows, count);
	return value;
}

static void pilots_then_explores_then_rolls_out(void **state)
{
	struct hub_world *w = start();
	const struct rollout *r = &w->hub.rollout;

	(void)state;
	world_until_wave(w, 2, 900);
	assert_int_equal(r->waves[0].clients, 1);
	assert_string_equal(r->waves[0].verdict, "PASS");
	world_until_wave(w, 3, 1200);
	assert_int_equal(r->waves[1].batch_size, 5);
	assert_int_equal(r->waves[1].admitted, 5);
	/* More than five were never seen: typical mailboxes, and not for
	 * longer than it takes to see. */
	assert_true(r->waves[2].batch_size > 5);
	assert_true(r->waves[2].batch_size <= 10);
	assert_true(r->waves[2].explore);
	world_until_wave(w, 4, 1200);
	assert_string_equal(r->waves[2].verdict, "PASS");
	assert_non_null(strstr(r->waves[2].gates, "at once were seen for"));
	/* Those that still run are clients left, and the next wave does not
	 * wait for them. */
	assert_true(world_running(w) > 0);
	unsigned done = rollout_count(r, CLIENT_DONE);
	assert_true(asked_with(w, "\"clients_left\":") == 200 - done);
	for (int s = 0; s < 20000 && r->row.state != ROLLOUT_DONE; s++)
		world_second(w);
	assert_int_equal(r->row.state, ROLLOUT_DONE);
	assert_int_equal(rollout_count(r, CLIENT_DONE), 200);
	world_free(w);
}

static void asks_again_inside_a_wave(void **state)
{
	struct hub_world *w = start_with("limits: { batch_max: 8 }\n");
	const struct rollout *r = &w->hub.rollout;
	char *said;
	int s;

	(void)state;
	world_until_wave(w, 4, 3000);
	assert_true(r->waves[2].explore);
	assert_int_equal(world_wave(w)->batch_size, 8);
	assert_false(world_wave(w)->explore);
	/* From here on the disk thrashes: eight move less than four. */
	w->c2 = 0.05 * w->c0;
	s = world_until_wave(w, 5, 2000);
	assert_true(s >= 300);
	assert_true(world_wave(w)->batch_size < 8);
	assert_non_null(strstr(r->waves[3].gates, "the recommendation is "));
	assert_string_equal(r->waves[3].verdict, "PASS");
	assert_true(r->waves[3].admitted < r->waves[3].clients);
	said = world_event(w, "recommend", "batch size");
	assert_non_null(said);
	free(said);
	world_free(w);
}

/* In the pilot already: what nobody reaches is not asked for more. */
static void brakes_in_a_pilot(void **state)
{
	struct hub_world *w = start();
	const struct rollout *r = &w->hub.rollout;
	int held = 0;
	char *said = NULL;

	(void)state;
	world_until_wave(w, 2, 900);
	while (world_running(w) < 3)
		world_second(w);
	w->dead = true;
	for (; !said && held < 60; held++) {
		world_second(w);
		said = world_event(w, "brake", "released -> holding");
	}
	/* Ten seconds without a byte are the evidence, five more the rule. */
	assert_in_range(held, 10, 17);
	assert_non_null(strstr(said, "server unreachable for"));
	free(said);
	while (r->row.state == ROLLOUT_RUNNING && held++ < 100)
		world_second(w);
	assert_int_equal(r->row.state, ROLLOUT_PAUSED);
	assert_non_null(strstr(r->row.reason, "server_distressed"));
	assert_non_null(strstr(r->row.reason, "unreachable for"));
	assert_int_equal(world_wave(w)->admitted, 3);
	world_second(w);
	assert_int_equal(world_running(w), 0);
	/* A person looks, and lets it go on. */
	w->dead = false;
	assert_true(hub_begin(&w->hub));
	assert_int_equal(gauge_release(w->hub.gauge, NULL), 0);
	assert_int_equal(
		rollout_resume(&w->hub.rollout, true, w->now_us, "me", NULL),
		0);
	for (int s = 0; s < 60; s++)
		world_second(w);
	assert_int_equal(r->row.state, ROLLOUT_RUNNING);
	assert_true(world_running(w) >= 3);
	world_free(w);
}

static void a_slow_sync_is_flagged_and_left_alone(void **state)
{
	struct hub_world *w = start();
	const struct client_row *client;
	char subject[ROW_NAME_BYTES + 8], *said;

	(void)state;
	world_until_wave(w, 2, 900);
	while (rollout_count(&w->hub.rollout, CLIENT_SYNCING) < 3)
		world_second(w);
	client = w->hub.rollout.clients;
	while (client->state != CLIENT_SYNCING)
		client++;
	(void)snprintf(subject, sizeof(subject), "client %s", client->name);
	struct world_agent *agent = &w->agents[client - w->hub.rollout.clients];
	/* 240 to 260 MB at 52 MB/min are five minutes. */
	agent->seconds = 13 * 60;
	world_second(w);
	assert_null(world_event(w, subject, "slow: "));
	agent->seconds = 16 * 60;
	world_second(w);
	said = world_event(w, subject, "slow: 960 s");
	assert_non_null(said);
	free(said);
	agent->seconds = 17 * 60;
	world_second(w);
	assert_null(world_event(w, subject, "slow: 1020 s"));
	assert_int_equal(client->state, CLIENT_SYNCING);
	world_free(w);
}

static void says_whose_clock_is_uncertain(void **state)
{
	struct hub_world *w = start();

	(void)state;
	world_until_wave(w, 2, 900);
	while (world_running(w) < 3)
		world_second(w);
	for (int s = 0; s < 20; s++)
		world_second(w);
	assert_null(world_event(w, "clock", "may be wrong"));
	for (size_t i = 0; i < w->hub.rollout.client_count; i++)
		w->agents[i].late_us = 700 * US_PER_MS;
	for (int s = 0; s < 10; s++)
		world_second(w);
	char *said = world_event(w, "clock", "may be wrong by 0.7 s");
	assert_non_null(said);
	free(said);
	world_free(w);
}

/* Threads of its own measure in real time: wait for them. */
static void until_refused(struct hub_world *w, const char *part)
{
	struct wave_order order = {.kind = WAVE_KIND_PILOT, .batch_size = 1};
	int64_t give_up_us = clock_monotonic_us() + 60 * US_PER_S;
	struct err err = ERR_INIT;
	char *said;

	for (int s = 0; s < 10; s++)
		world_second(w);
	world_must(rollout_begin_wave(
			   &w->hub.rollout, &order, w->now_us, "me", &err),
		&err);
	while (!strstr(world_wave(w)->reason, part)) {
		assert_true(clock_monotonic_us() < give_up_us);
		clock_sleep_us(10 * US_PER_MS);
		world_second(w);
	}
	assert_int_equal(world_wave(w)->state, WAVE_PREFLIGHT);
	assert_int_equal(world_running(w), 0);
	/* It needs a person, unless that ends within half a minute. */
	assert_false(w->hub.stuck);
	for (int s = 0; s < 31; s++)
		world_second(w);
	assert_true(w->hub.stuck);
	said = world_event(w, "wave 1", part);
	assert_non_null(said);
	free(said);
}

static void an_exporter_of_another_kind_is_refused(void **state)
{
	static const struct fake_step steps[] = {
		{.times = -1, .status = 200, .body = "up 1\nfoo_total 2\n"}};
	struct fake_http *http = fake_http_start(steps, 1);
	char *text = xasprintf(
		"rollout: world\n"
		"server: { imap: { host: 127.0.0.1, port: 1, security: none },"
		" exporter: \"%s/metrics\" }\n"
		"clients: { range: u001..u005 }\n",
		fake_http_url(http));
	struct hub_world *w = world_new(5, text);

	(void)state;
	until_refused(w, "none with a name of node_exporter");
	assert_non_null(strstr(world_wave(w)->reason, "mend server.exporter"));
	world_free(w);
	free(text);
	fake_http_stop(http);
}

static void a_canary_that_may_not_log_in_is_refused(void **state)
{
	static const struct fake_folder folders[] = {{NULL, NULL, 0, NULL}};
	struct fake_imap fake = {.folders = folders,
		.login_answer = "NO [AUTHENTICATIONFAILED] go away"};
	char password[] = "/tmp/canary-XXXXXX";
	int fd = mkstemp(password);

	(void)state;
	assert_int_equal(write(fd, "secret\n", 7), 7);
	close(fd);
	fake_imap_start(&fake);
	char *text = xasprintf(
		"rollout: world\n"
		"server: { imap: { host: 127.0.0.1, port: %u, security: none } }\n"
		"clients: { range: u001..u005 }\n"
		"canary: { user: guest, password_file: %s }\n",
		fake.port, password);
	struct hub_world *w = world_new(5, text);
	until_refused(w, "the online probe never succeeded");
	assert_non_null(strstr(world_wave(w)->reason, "go away"));
	world_free(w);
	free(text);
	fake_imap_stop(&fake);
	unlink(password);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pilots_then_explores_then_rolls_out),
		cmocka_unit_test(asks_again_inside_a_wave),
		cmocka_unit_test(brakes_in_a_pilot),
		cmocka_unit_test(a_slow_sync_is_flagged_and_left_alone),
		cmocka_unit_test(says_whose_clock_is_uncertain),
		cmocka_unit_test(an_exporter_of_another_kind_is_refused),
		cmocka_unit_test(a_canary_that_may_not_log_in_is_refused),
	};

	log_set_level(LOG_LEVEL_WARN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
