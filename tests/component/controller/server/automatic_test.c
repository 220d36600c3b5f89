/*
 * automatic_test.c - `run --auto` from the first pilot to the last client.
 *
 * The whole controller but its sockets, with a real archive; agents, the law
 * that the server follows and the clock are the test's own, and a second takes
 * no time.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "fake_http.h"
#include "fake_imap.h"
#include "hub.h"
#include "log.h"
#include "temp_dir.h"

struct world_agent {
	enum phase phase;
	uint64_t seq, obeyed, rate_bytes_s;
	double bytes, total_bytes;
	int64_t late_us; /* its reports are under way for so long */
};

struct hub_world {
	char dir[TEMP_DIR_SIZE];
	struct hub hub;
	int64_t now_us;
	struct world_agent *agents; /* as hub.rollout.clients */
	double c0, c1, c2;	    /* minutes per MB: n / X(n) */
	bool dead;		    /* the server answers nobody */
};

static void world_must(int result, const struct err *err)
{
	if (result < 0)
		fail_msg("%s", err->text);
}

/* COUNT clients of 240 to 260 MB. */
static struct client_row *world_clients(unsigned count)
{
	struct client_row *rows = xcalloc(count, sizeof(*rows));

	for (unsigned i = 0; i < count; i++) {
		rows[i].id = i + 1;
		rows[i].expected_bytes = 240000000 + i % 3 * 10000000;
		(void)snprintf(
			rows[i].name, sizeof(rows[i].name), "u%03u", i + 1);
	}
	return rows;
}

/* SCENARIO must name u001..uCOUNT. */
static struct hub_world *world_new(unsigned count, const char *scenario)
{
	struct hub_world *w = xcalloc(1, sizeof(*w));
	struct rollout_row row = {.name = "world", .state = ROLLOUT_PLANNED};
	struct client_row *rows = world_clients(count);
	struct archive *archive = NULL;
	struct err err = ERR_INIT;

	(void)snprintf(w->dir, sizeof(w->dir), "%s/hub_world.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	world_must(archive_create(w->dir, &row, scenario, rows, count, &err),
		&err);
	free(rows);
	world_must(archive_open(&archive, w->dir, ARCHIVE_OWN, &err), &err);
	world_must(archive_set(archive, "scenario_folder", "/", &err), &err);
	archive_close(&archive);
	world_must(hub_open(&w->hub, w->dir, &err), &err);
	w->now_us = gauge_clock_us();
	w->agents = xcalloc(count, sizeof(*w->agents));
	/* 52 MB/min each, however many. */
	w->c0 = 1.0 / 52;
	for (unsigned i = 0; i < count; i++) {
		char version[] = "1.0", host[] = "h", agent[32];
		struct enroll enroll = {.version = version,
			.host = host,
			.store_free_bytes = INT64_C(1) << 40};

		(void)snprintf(agent, sizeof(agent), "agent%u", i);
		w->agents[i].total_bytes =
			(double)w->hub.rollout.clients[i].expected_bytes;
		rollout_enrolled(&w->hub.rollout, &w->hub.rollout.clients[i],
			&enroll, agent, w->now_us);
	}
	return w;
}

static void world_free(struct hub_world *w)
{
	hub_close(&w->hub);
	temp_dir_remove(w->dir);
	free(w->agents);
	free(w);
}

static unsigned world_running(const struct hub_world *w)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->hub.rollout.client_count; i++)
		n += w->agents[i].phase == PHASE_STARTING ||
			w->agents[i].phase == PHASE_SYNCING;
	return n;
}

static void world_obey(const struct hub_world *w, struct world_agent *agent,
	const struct client_row *client)
{
	agent->rate_bytes_s = client->rate_bytes_s;
	if (agent->phase == PHASE_STARTING && !w->dead)
		agent->phase = PHASE_SYNCING;
	if (client->command_id <= agent->obeyed)
		return;
	agent->obeyed = client->command_id;
	switch (client->command) {
	case COMMAND_START:
	case COMMAND_RESUME:
		agent->phase = PHASE_STARTING;
		break;
	case COMMAND_PAUSE:
		agent->phase = PHASE_PAUSED;
		break;
	case COMMAND_CANCEL:
		agent->phase = PHASE_IDLE;
		break;
	default:
		break;
	}
}

static void world_report(struct hub_world *w, size_t i)
{
	struct world_agent *agent = &w->agents[i];
	struct client_row *client = &w->hub.rollout.clients[i];
	char boot[] = "boot", version[] = "1.0";
	struct sample sample = {.at_us = w->now_us - agent->late_us,
		.phase = agent->phase,
		.app_bytes = (uint64_t)agent->bytes,
		.wire_bytes = (uint64_t)agent->bytes};
	struct report report = {.seq = ++agent->seq,
		.boot = boot,
		.sent_us = w->now_us - agent->late_us,
		.phase = agent->phase,
		.command = agent->obeyed,
		.version = version,
		.progress = {.total_bytes = (uint64_t)agent->total_bytes,
			.verified = agent->phase == PHASE_DONE},
		.samples = &sample,
		.sample_count = 1};
	struct err err = ERR_INIT;

	world_must(gauge_report(w->hub.gauge, client, &report, w->now_us, &err),
		&err);
	client->seq = report.seq;
	rollout_report(&w->hub.rollout, client, &report, w->now_us);
}

/* One second: agents obey, sync at the server's law, report; then the
 * controller has its turn. */
static void world_second(struct hub_world *w)
{
	double n = world_running(w);
	double each = n > 0
		? 1e6 / 60 / (w->c0 + w->c1 * (n - 1) + w->c2 * n * (n - 1))
		: 0;

	w->now_us += US_PER_S;
	assert_true(hub_begin(&w->hub));
	for (size_t i = 0; i < w->hub.rollout.client_count; i++) {
		struct world_agent *agent = &w->agents[i];
		bool was = agent->phase == PHASE_SYNCING;
		double cap = (double)agent->rate_bytes_s;

		w->hub.rollout.clients[i].seen_us = w->now_us;
		if (was && !w->dead)
			agent->bytes += cap > 0 && cap < each ? cap : each;
		if (was && agent->bytes >= agent->total_bytes)
			agent->phase = PHASE_DONE;
		world_obey(w, agent, &w->hub.rollout.clients[i]);
		if (was || agent->phase != PHASE_IDLE)
			world_report(w, i);
	}
	hub_tick(&w->hub, w->now_us);
	assert_false(w->hub.failed);
}

static const struct wave_row *world_wave(const struct hub_world *w)
{
	const struct rollout *r = &w->hub.rollout;

	return r->wave_count ? &r->waves[r->wave_count - 1] : NULL;
}

/* Seconds until wave NUMBER exists; fails after LIMIT. */
static int world_until_wave(struct hub_world *w, unsigned number, int limit)
{
	for (int s = 0; s < limit; s++) {
		world_second(w);
		if (w->hub.rollout.wave_count >= number)
			return s + 1;
	}
	fail_msg("no wave %u after %d s: %s", number, limit,
		w->hub.rollout.row.reason);
	return limit;
}

/* The newest event of SUBJECT whose text has PART; NULL: none. A copy for
 * free(). */
static char *world_event(
	struct hub_world *w, const char *subject, const char *part)
{
	struct event_row *rows;
	struct err err = ERR_INIT;
	size_t count;
	char *found = NULL;

	world_must(archive_events(w->hub.archive, &rows, &count, &err), &err);
	for (size_t i = count; i-- > 0 && !found;)
		if (strcmp(rows[i].subject, subject) == 0 &&
			strstr(rows[i].text, part))
			found = xstrdup(rows[i].text);
	free(rows);
	return found;
}

static const char scenario[] =
	"rollout: world\n"
	"server: { imap: { host: 127.0.0.1, port: 1, security: none } }\n"
	"clients: { range: u001..u200 }\n"
	"steps: { pilots: [1, 5], order: longest }\n";

static struct hub_world *start_with(const char *more)
{
	char *text = xasprintf("%s%s", scenario, more);
	struct hub_world *w = world_new(200, text);

	w->hub.rollout.row.automatic = true;
	free(text);
	return w;
}

static struct hub_world *start(void)
{
	return start_with("");
}

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
	gauge_release(w->hub.gauge);
	assert_int_equal(
		rollout_resume(&w->hub.rollout, true, w->now_us, "me", NULL),
		0);
	for (int s = 0; s < 60; s++)
		world_second(w);
	assert_int_equal(r->row.state, ROLLOUT_RUNNING);
	assert_true(world_running(w) >= 3);
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
		cmocka_unit_test(says_whose_clock_is_uncertain),
		cmocka_unit_test(an_exporter_of_another_kind_is_refused),
		cmocka_unit_test(a_canary_that_may_not_log_in_is_refused),
	};

	log_set_level(LOG_LEVEL_WARN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
