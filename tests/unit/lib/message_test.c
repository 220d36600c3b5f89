/* message_test.c - every message there and back, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "err.h"
#include "message.h"

static struct report full_report(struct sample samples[2])
{
	static char boot[] = "b-1", version[] = "0.1", error[] = "a \"b\"\n";
	static char kind[] = "network";
	struct report report = {
		.seq = UINT64_C(1) << 60,
		.boot = boot,
		.sent_us = -5,
		.phase = PHASE_VERIFYING,
		.wave = 4,
		.command = 77,
		.version = version,
		.error = error,
		.error_kind = kind,
		.retryable = true,
		.samples = samples,
		.sample_count = 2,
	};

	samples[0] = (struct sample){1, PHASE_SYNCING, 2, 3, 4};
	samples[1] = (struct sample){-9, PHASE_IDLE, INT64_MAX, 0, 1};
	report.progress = (struct progress){
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1.25, true};
	return report;
}

static void report_there_and_back(void **state)
{
	struct sample samples[2];
	struct report out = full_report(samples), in;
	struct err err = ERR_INIT;
	char *text = report_encode(&out);

	(void)state;
	if (report_decode(&in, text, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(in.seq == out.seq);
	assert_string_equal(in.boot, out.boot);
	assert_int_equal(in.sent_us, -5);
	assert_int_equal(in.phase, PHASE_VERIFYING);
	assert_int_equal(in.wave, 4);
	assert_int_equal(in.command, 77);
	assert_string_equal(in.error, out.error);
	assert_true(in.retryable);
	assert_int_equal(in.sample_count, 2);
	assert_int_equal(in.samples[0].at_us, 1);
	assert_int_equal(in.samples[0].phase, PHASE_SYNCING);
	assert_int_equal(in.samples[0].wire_bytes, 3);
	assert_int_equal(in.samples[0].messages, 4);
	assert_int_equal(in.samples[1].app_bytes, INT64_MAX);
	assert_int_equal(in.progress.total_bytes, 1);
	assert_int_equal(in.progress.protected_messages, 5);
	assert_int_equal(in.progress.stored_bytes, 12);
	assert_true(in.progress.seconds == 1.25);
	assert_true(in.progress.verified);
	report_free(&in);
	assert_null(in.boot);
	free(text);
}

static void a_fleet_says_how_busy_its_host_is(void **state)
{
	struct sample samples[2];
	struct host_sample host = {
		7, 8, 0.5, 0.25, 0.75, 99, -1, 12.5, 1.5, -1, true};
	struct report out = full_report(samples), in;
	char *text = report_encode(&out);

	(void)state;
	/* Others say nothing, and what they say is read as before. */
	assert_null(strstr(text, "hosts"));
	assert_int_equal(report_decode(&in, text, NULL), 0);
	assert_int_equal(in.host_count, 0);
	report_free(&in);
	free(text);
	out.hosts = &host;
	out.host_count = 1;
	text = report_encode(&out);
	assert_int_equal(report_decode(&in, text, NULL), 0);
	assert_int_equal(in.host_count, 1);
	assert_memory_equal(&in.hosts[0].at_us, &host.at_us, 16);
	assert_true(in.hosts[0].cpu == 0.5 && in.hosts[0].cpu_own == 0.25);
	assert_true(in.hosts[0].memory == 0.75 && in.hosts[0].disk_busy == -1);
	assert_true(in.hosts[0].disk_await_ms == 12.5);
	assert_int_equal(in.hosts[0].resident_bytes, 99);
	assert_true(in.hosts[0].shared);
	report_free(&in);
	free(text);
}

static void the_rest_there_and_back(void **state)
{
	char t[] = "tok", c[] = "ü", h[] = "host", v[] = "0.1";
	struct enroll enroll = {PROTOCOL_VERSION, t, c, h, v, 99}, e;
	struct enrolled enrolled = {PROTOCOL_VERSION, t, h}, d;
	struct answer answer = {5, COMMAND_PAUSE, 6, 7, 8, 9}, a;
	char *text = enroll_encode(&enroll);

	(void)state;
	assert_int_equal(enroll_decode(&e, text, NULL), 0);
	assert_string_equal(e.client, "ü");
	assert_int_equal(e.store_free_bytes, 99);
	enroll_free(&e);
	free(text);
	text = enrolled_encode(&enrolled);
	assert_int_equal(enrolled_decode(&d, text, NULL), 0);
	assert_string_equal(d.secret, "host");
	enrolled_free(&d);
	free(text);
	text = answer_encode(&answer);
	assert_int_equal(answer_decode(&a, text, NULL), 0);
	assert_int_equal(a.command, COMMAND_PAUSE);
	assert_int_equal(a.next_poll_ms, 9);
	free(text);
}

static void names_are_stable(void **state)
{
	(void)state;
	assert_string_equal(phase_name(PHASE_SYNCING), "syncing");
	assert_string_equal(command_name(COMMAND_START), "start");
	assert_string_equal(phase_name(PHASE_COUNT), "?");
	for (int i = 0; i < PHASE_COUNT; i++)
		assert_non_null(phase_name(i));
	for (int i = 0; i < COMMAND_COUNT; i++)
		assert_non_null(command_name(i));
}

static const struct {
	const char *text, *error;
} refused[] = {
	{"", "not JSON"},
	{"[]", "expected an object"},
	{"{\"ack\":1,\"ack\":2}", "not JSON"},
	{"{}", "ack: missing"},
	{"{\"ack\":\"1\"}", "ack: expected a whole number"},
	{"{\"ack\":1.5}", "ack: expected a whole number"},
	{"{\"ack\":-1}", "ack: expected a number from 0"},
	{"{\"ack\":99999999999999999999}", "not JSON"},
	{"{\"ack\":1,\"command\":\"fly\"}", "command: unknown word 'fly'"},
	{"{\"ack\":1,\"command\":3}", "command: expected a word"},
	{"{\"ack\":1,\"command\":\"none\",\"command_id\":1,"
	 "\"wave\":4294967296}",
		"wave: expected a number from 0 that fits"},
	{"{\"ack\":1} x", "not JSON"},
	{"{\"a\":\"\\u0000\"}", "not JSON"},
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct answer answer;
		struct err err = ERR_INIT;

		assert_int_equal(
			answer_decode(&answer, refused[i].text, &err), -1);
		if (!strstr(err.text, refused[i].error))
			fail_msg("wanted '%s', got '%s'", refused[i].error,
				err.text);
	}
}

static void ignores_what_it_does_not_know(void **state)
{
	struct answer answer;

	(void)state;
	assert_int_equal(
		answer_decode(&answer,
			"{\"ack\":1,\"command\":\"none\","
			"\"command_id\":0,\"wave\":0,\"rate_bytes_s\":0,"
			"\"next_poll_ms\":0,\"later\":{\"x\":[1]}}",
			NULL),
		0);
}

static void refuses_another_protocol(void **state)
{
	struct enrolled enrolled;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(enrolled_decode(&enrolled,
				 "{\"protocol\":2,\"agent\":\"a\","
				 "\"secret\":\"s\"}",
				 &err),
		-1);
	assert_non_null(strstr(err.text, "the peer speaks protocol 2"));
}

static void caps_texts_and_lists(void **state)
{
	struct sample samples[2];
	struct report out = full_report(samples), in;
	struct err err = ERR_INIT;
	char *text;

	(void)state;
	out.boot = calloc(1, 5000);
	memset(out.boot, 'x', 4999);
	text = report_encode(&out);
	assert_int_equal(report_decode(&in, text, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	free(out.boot);
	free(text);
	out = full_report(samples);
	out.sample_count = 20001;
	out.samples = calloc(out.sample_count, sizeof(struct sample));
	text = report_encode(&out);
	assert_int_equal(report_decode(&in, text, &err), -1);
	assert_non_null(strstr(err.text, "samples: more than 20000"));
	free(out.samples);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_there_and_back),
		cmocka_unit_test(a_fleet_says_how_busy_its_host_is),
		cmocka_unit_test(the_rest_there_and_back),
		cmocka_unit_test(names_are_stable),
		cmocka_unit_test(refuses),
		cmocka_unit_test(ignores_what_it_does_not_know),
		cmocka_unit_test(refuses_another_protocol),
		cmocka_unit_test(caps_texts_and_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
