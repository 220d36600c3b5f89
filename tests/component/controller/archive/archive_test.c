/* archive_test.c - what is written comes back, once, and only one may write. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "archive_fixture.h"
#include "err.h"

static void keeps_rows(void **state)
{
	struct fixture *f = *state;
	struct rollout_row rollout;
	struct client_row *clients;
	struct wave_row wave = {.number = 1,
		.kind = WAVE_KIND_WAVE,
		.state = WAVE_STEADY,
		.batch_size = 6,
		.barrier = true};
	struct archive *reader = NULL;
	struct wave_row *waves;
	struct err err = ERR_INIT;
	char *scenario;
	size_t count;

	must(archive_rollout(f->archive, &rollout, &err), &err);
	assert_string_equal(rollout.name, "demo");
	assert_int_equal(rollout.batch_size, 3);
	must(archive_scenario(f->archive, &scenario, &err), &err);
	assert_string_equal(scenario, "rollout: demo\n");
	free(scenario);
	must(archive_clients(f->archive, &clients, &count, &err), &err);
	assert_int_equal(count, 2);
	assert_int_equal(clients[1].state, CLIENT_SYNCING);
	clients[1].app_bytes = UINT64_C(1) << 40;
	clients[1].progress.seconds = 1.5;
	clients[1].progress.verified = true;
	clients[1].command = COMMAND_VERIFY;
	must(archive_put_client(f->archive, &clients[1], &err), &err);
	free(clients);
	must(archive_put_wave(f->archive, &wave, &err), &err);
	/* A fresh reader sees it all, the writer still open. */
	must(archive_open(&reader, f->dir, ARCHIVE_READ, &err), &err);
	must(archive_clients(reader, &clients, &count, &err), &err);
	assert_int_equal(count, 2);
	assert_int_equal(clients[1].app_bytes, UINT64_C(1) << 40);
	assert_true(clients[1].progress.seconds == 1.5);
	assert_true(clients[1].progress.verified);
	assert_int_equal(clients[1].command, COMMAND_VERIFY);
	free(clients);
	must(archive_waves(reader, &waves, &count, &err), &err);
	assert_int_equal(count, 1);
	assert_int_equal(waves[0].kind, WAVE_KIND_WAVE);
	assert_int_equal(waves[0].state, WAVE_STEADY);
	assert_true(waves[0].barrier);
	free(waves);
	archive_close(&reader);
}

static double x_seen(struct archive *archive, unsigned advice, size_t wanted)
{
	struct bucket *buckets = NULL;
	struct err err = ERR_INIT;
	size_t count;
	double x;

	must(archive_buckets_seen(archive, advice, &buckets, &count, &err),
		&err);
	assert_int_equal(count, wanted);
	x = count ? (double)buckets[0].x_mb_min : NAN;
	if (count) {
		assert_true(buckets[0].load[LOAD_CPU] == 0.1f);
		assert_true(isnan(buckets[0].load[LOAD_NIC]));
		assert_int_equal(buckets[0].probe[3], 65535);
	}
	free(buckets);
	return x;
}

/* What late samples revise stays for the recommendations made before. */
static void keeps_what_a_recommendation_saw(void **state)
{
	struct fixture *f = *state;
	struct recommendation_row advice = {
		.verdict = "PASS", .inputs_json = "{}", .result_json = "{}"};
	struct err err = ERR_INIT;
	struct bucket bucket;

	bucket_init(&bucket, 1000, 5);
	bucket.load[LOAD_CPU] = 0.1f;
	bucket.probe[3] = 65535;
	must(archive_add_recommendation(f->archive, &advice, &err), &err);
	for (int i = 0; i < 6; i++) {
		bucket.x_mb_min = (float)i;
		must(archive_put_bucket(f->archive, &bucket, &err), &err);
		if (i == 1 || i == 3 || i == 4)
			must(archive_add_recommendation(
				     f->archive, &advice, &err),
				&err);
	}
	(void)x_seen(f->archive, 1, 0);
	assert_true(x_seen(f->archive, 2, 1) == 1);
	assert_true(x_seen(f->archive, 3, 1) == 3);
	assert_true(x_seen(f->archive, 4, 1) == 4);
	/* A later bucket was not there yet. */
	bucket.start_s = 1005;
	must(archive_put_bucket(f->archive, &bucket, &err), &err);
	assert_true(x_seen(f->archive, 4, 1) == 4);
	assert_true(x_seen(f->archive, 5, 2) == 5);
}

static void keeps_measurements_exactly(void **state)
{
	struct fixture *f = *state;
	struct bucket bucket, *buckets;
	struct load_row load = {.at_us = 5, .span_us = 1000000}, *loads;
	struct probe_row probe = {.start_us = 7,
				 .latency_us = -1,
				 .step_us = {1, 2, -1}},
			 *probes;
	struct recommendation_row advice = {.verdict = "PASS",
		.inputs_json = "{}",
		.result_json = "{\"a\":1}"};
	struct recommendation_row *all;
	struct err err = ERR_INIT;
	size_t count;

	bucket_init(&bucket, 1000.0625, 5);
	bucket.n = 4.1f;
	bucket.x_mb_min = 123.456789f;
	bucket.probe[3] = 65535;
	bucket.load[LOAD_CPU] = 0.1f;
	must(archive_put_bucket(f->archive, &bucket, &err), &err);
	bucket.wave = 2;
	must(archive_put_bucket(f->archive, &bucket, &err), &err);
	must(archive_buckets(f->archive, &buckets, &count, &err), &err);
	assert_int_equal(count, 1);
	assert_int_equal(buckets[0].wave, 2);
	assert_true(buckets[0].n == 4.1f);
	assert_true(buckets[0].x_mb_min == 123.456789f);
	assert_int_equal(buckets[0].probe[3], 65535);
	assert_true(buckets[0].load[LOAD_CPU] == 0.1f);
	assert_true(isnan(buckets[0].load[LOAD_NIC]));
	assert_true(isnan(buckets[0].p95_ms));
	free(buckets);
	for (int i = 0; i < LOAD_COUNT; i++)
		load.load[i] = i % 2 ? NAN : (float)i / 3;
	must(archive_add_load(f->archive, &load, &err), &err);
	must(archive_loads(f->archive, 5, &loads, &count, &err), &err);
	assert_int_equal(count, 1);
	assert_true(loads[0].load[2] == 2.0f / 3);
	assert_true(isnan(loads[0].load[3]));
	free(loads);
	must(archive_loads(f->archive, 6, &loads, &count, &err), &err);
	assert_int_equal(count, 0);
	must(archive_add_probe(f->archive, &probe, &err), &err);
	must(archive_probes(f->archive, 0, &probes, &count, &err), &err);
	assert_int_equal(probes[0].latency_us, -1);
	assert_int_equal(probes[0].step_us[1], 2);
	free(probes);
	must(archive_add_recommendation(f->archive, &advice, &err), &err);
	assert_int_equal(advice.id, 1);
	must(archive_add_recommendation(f->archive, &advice, &err), &err);
	assert_int_equal(advice.id, 2);
	must(archive_recommendations(f->archive, &all, &count, &err), &err);
	assert_int_equal(count, 2);
	assert_string_equal(all[1].result_json, "{\"a\":1}");
	archive_recommendations_free(all, count);
}

static void counts_a_report_once(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	bool fresh = false;

	must(archive_add_report(f->archive, "a1", 7, 1, &fresh, &err), &err);
	assert_true(fresh);
	must(archive_add_report(f->archive, "a1", 7, 2, &fresh, &err), &err);
	assert_false(fresh);
	must(archive_add_report(f->archive, "a2", 7, 3, &fresh, &err), &err);
	assert_true(fresh);
}

static void rolls_back_as_a_whole(void **state)
{
	struct fixture *f = *state;
	struct transition_row row = {
		.object = "client u1", .from = "queued", .to = "starting"};
	struct transition_row *rows;
	struct err err = ERR_INIT;
	size_t count;

	must(archive_begin(f->archive, &err), &err);
	must(archive_add_transition(f->archive, &row, &err), &err);
	archive_rollback(f->archive);
	must(archive_transitions(f->archive, NULL, &rows, &count, &err), &err);
	assert_int_equal(count, 0);
	must(archive_begin(f->archive, &err), &err);
	must(archive_add_transition(f->archive, &row, &err), &err);
	must(archive_commit(f->archive, &err), &err);
	must(archive_transitions(f->archive, "client u1", &rows, &count, &err),
		&err);
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].to, "starting");
	free(rows);
	must(archive_transitions(f->archive, "client u2", &rows, &count, &err),
		&err);
	assert_int_equal(count, 0);
}

static void has_one_owner(void **state)
{
	struct fixture *f = *state;
	struct archive *other = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(archive_open(&other, f->dir, ARCHIVE_OWN, &err), -1);
	assert_int_equal(err.kind, ERR_LOCKED);
	assert_non_null(strstr(err.text, "another controller"));
	assert_null(other);
	must(archive_open(&other, f->dir, ARCHIVE_READ, &err), &err);
	assert_int_equal(archive_set(other, "k", "v", &err), -1);
	archive_close(&other);
}

static void names_what_is_missing(void **state)
{
	struct archive *archive = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		archive_open(&archive, "/nowhere", ARCHIVE_READ, &err), -1);
	assert_non_null(strstr(err.text, "sluice init"));
	assert_int_equal(
		archive_create(((struct fixture *)*state)->dir,
			&(struct rollout_row){.name = "x"}, "", NULL, 0, &err),
		-1);
	assert_int_equal(err.kind, ERR_REFUSED);
}

static void knows_secrets_and_tokens(void **state)
{
	struct fixture *f = *state;
	unsigned char a[ARCHIVE_HASH_BYTES] = {1}, b[ARCHIVE_HASH_BYTES] = {2};
	struct err err = ERR_INIT;
	unsigned client = 9;
	bool good = true;

	must(archive_put_secret(f->archive, 2, "agent2", a, &err), &err);
	must(archive_check_secret(f->archive, "agent2", b, &client, &err),
		&err);
	assert_int_equal(client, 0);
	must(archive_check_secret(f->archive, "agent3", a, &client, &err),
		&err);
	assert_int_equal(client, 0);
	must(archive_check_secret(f->archive, "agent2", a, &client, &err),
		&err);
	assert_int_equal(client, 2);
	/* Enrolling again replaces the agent. */
	must(archive_put_secret(f->archive, 2, "agent4", b, &err), &err);
	must(archive_check_secret(f->archive, "agent2", a, &client, &err),
		&err);
	assert_int_equal(client, 0);

	must(archive_add_token(f->archive, a, "enroll", 100, 2, &err), &err);
	must(archive_use_token(f->archive, b, "enroll", 1, &good, &err), &err);
	assert_false(good);
	must(archive_use_token(f->archive, a, "operator", 1, &good, &err),
		&err);
	assert_false(good);
	must(archive_use_token(f->archive, a, "enroll", 100, &good, &err),
		&err);
	assert_false(good);
	for (int use = 0; use < 3; use++) {
		must(archive_use_token(f->archive, a, "enroll", 1, &good, &err),
			&err);
		assert_int_equal(good, use < 2);
	}
	must(archive_add_token(f->archive, b, "enroll", 0, 0, &err), &err);
	for (int use = 0; use < 3; use++) {
		must(archive_use_token(f->archive, b, "enroll", 1, &good, &err),
			&err);
		assert_true(good);
	}
}

/* A child commits, writes more without a commit and is killed. */
static void survives_sigkill(void **state)
{
	struct fixture *f = *state;
	struct event_row *rows;
	struct err err = ERR_INIT;
	size_t count;
	int status;
	pid_t child;

	archive_close(&f->archive);
	child = fork();
	if (child == 0) {
		struct archive *archive = NULL;
		struct event_row row = {
			.at_us = 1, .subject = "s", .text = "kept"};

		if (archive_open(&archive, f->dir, ARCHIVE_OWN, NULL) == 0 &&
			archive_begin(archive, NULL) == 0 &&
			archive_add_event(archive, &row, NULL) == 0 &&
			archive_commit(archive, NULL) == 0 &&
			archive_begin(archive, NULL) == 0 &&
			archive_add_event(archive, &row, NULL) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	must(archive_open(&f->archive, f->dir, ARCHIVE_OWN, &err), &err);
	must(archive_events(f->archive, &rows, &count, &err), &err);
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].text, "kept");
	free(rows);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, archive_setup, archive_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_rows),
		TEST(keeps_measurements_exactly),
		TEST(keeps_what_a_recommendation_saw),
		TEST(counts_a_report_once),
		TEST(rolls_back_as_a_whole),
		TEST(has_one_owner),
		TEST(names_what_is_missing),
		TEST(knows_secrets_and_tokens),
		TEST(survives_sigkill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
