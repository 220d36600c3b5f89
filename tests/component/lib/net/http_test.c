/* http_test.c - requests, what is refused, and what an answer means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "fake_http.h"
#include "http.h"
#include "wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int answer_wordily(
	void *context, const struct fake_request *request, struct buf *body)
{
	(void)context;
	(void)request;
	for (int i = 0; i < 100000; i++)
		buf_append_text(body, "0123456789");
	return 404;
}

static const struct fake_step steps[] = {
	{.path = "/wordy", .times = -1, .answer = answer_wordily},
	{.path = "/ok",
		.times = -1,
		.status = 200,
		.headers = "X-One: two words \r\nETag: \"e\"\r\n",
		.body = "hello"},
	{.path = "/echo", .contains = "ping", .times = -1, .status = 207},
	{.path = "/busy",
		.times = -1,
		.status = 503,
		.headers = "Retry-After: 17\r\n"},
	{.path = "/until",
		.times = -1,
		.status = 429,
		.headers = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
			   "Retry-After: Sun, 06 Nov 1994 08:50:00 GMT\r\n"},
	{.path = "/past",
		.times = -1,
		.status = 429,
		.headers = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
			   "Retry-After: Sun, 06 Nov 1994 08:49:00 GMT\r\n"},
	{.path = "/never",
		.times = -1,
		.status = 429,
		.headers = "Retry-After: 99999999999\r\n"},
	{.path = "/denied", .times = -1, .status = 401},
	{.path = "/here",
		.times = -1,
		.status = 301,
		.headers = "Location: /ok\r\n"},
	{.path = "/away",
		.times = -1,
		.status = 302,
		.headers = "Location: http://localhost:1/ok\r\n"},
	{.path = "/cut",
		.times = -1,
		.status = 200,
		.body = "0123456789",
		.cut_after = 4},
	{.path = "/hang", .times = -1, .hang_up = 1},
	{.path = "/stall",
		.times = -1,
		.status = 200,
		.body = "0123456789",
		.stall_after = 4},
	{.path = "/drip",
		.times = -1,
		.status = 200,
		.body = "01234567890123456789012345678901234567890123456789"
			"01234567890123456789012345678901234567890123456789",
		.drip_ms = 200},
};

struct bench {
	struct fake_http *fake;
	struct wire *wire;
	struct http *http;
	struct http_request request;
	struct http_response response;
	struct err err;
	char *url;
};

static struct bench *set_up(const char *path)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));

	bench->fake = fake_http_start(steps, COUNT(steps));
	bench->wire = wire_new();
	bench->http = http_new(NULL, bench->wire);
	bench->url = xasprintf("%s%s", fake_http_url(bench->fake), path);
	bench->request.url = bench->url;
	return bench;
}

static int perform(struct bench *bench)
{
	bench->err = ERR_INIT;
	return http_perform(
		bench->http, &bench->request, &bench->response, &bench->err);
}

static void tear_down(struct bench *bench)
{
	http_response_free(&bench->response);
	http_free(bench->http);
	wire_free(bench->wire);
	fake_http_stop(bench->fake);
	free(bench->url);
	free(bench);
}

static void answers_carry_status_body_and_headers(void **state)
{
	struct bench *bench = set_up("/ok");
	char *value;

	(void)state;
	assert_int_equal(perform(bench), 0);
	assert_int_equal(bench->response.status, 200);
	assert_string_equal(buf_text(&bench->response.body), "hello");
	value = http_header(&bench->response, "x-one");
	assert_string_equal(value, "two words");
	free(value);
	assert_null(http_header(&bench->response, "X-On"));
	assert_int_equal(
		http_check(&bench->request, &bench->response, &bench->err), 0);
	assert_true(wire_counts(bench->wire).socket_in > 5);
	assert_int_equal(wire_counts(bench->wire).plain_in, 5);
	tear_down(bench);
}

static void bodies_credentials_and_methods_are_sent(void **state)
{
	const char *const headers[] = {"Depth: 1", NULL};
	struct bench *bench = set_up("/echo");
	char *log;

	(void)state;
	bench->request.method = "REPORT";
	bench->request.body = "ping";
	bench->request.body_bytes = 4;
	bench->request.headers = headers;
	bench->request.user = "u";
	bench->request.password = "p";
	assert_int_equal(perform(bench), 0);
	assert_int_equal(bench->response.status, 207);
	assert_int_equal(fake_http_saw(bench->fake, "Depth: 1"), 1);
	assert_int_equal(fake_http_saw(bench->fake, "Basic dTpw"), 1);
	http_response_free(&bench->response);
	bench->request.user = NULL;
	bench->request.bearer = "tok";
	assert_int_equal(perform(bench), 0);
	assert_int_equal(fake_http_saw(bench->fake, "Bearer tok"), 1);
	assert_int_equal(fake_http_saw(bench->fake, "Basic dTpw"), 1);
	log = fake_http_log(bench->fake);
	assert_non_null(strstr(log, "REPORT /echo"));
	free(log);
	tear_down(bench);
}

static int take(void *context, const char *data, size_t bytes, struct err *err)
{
	struct buf *buf = context;

	if (buf->limit == 3)
		return err_set(err, ERR_DISK_FULL, "the disk is full");
	return buf_append(buf, data, bytes);
}

static void a_sink_takes_the_body_and_may_stop_it(void **state)
{
	struct bench *bench = set_up("/ok");
	struct buf body = BUF_INIT(100);

	(void)state;
	bench->request.sink = take;
	bench->request.context = &body;
	assert_int_equal(perform(bench), 0);
	assert_string_equal(buf_text(&body), "hello");
	assert_int_equal(bench->response.body.length, 0);
	http_response_free(&bench->response);
	body.limit = 3;
	assert_int_equal(perform(bench), -1);
	assert_int_equal(bench->err.kind, ERR_DISK_FULL);
	buf_free(&body);
	tear_down(bench);
}

static void an_answer_has_a_cap(void **state)
{
	struct bench *bench = set_up("/ok");

	(void)state;
	bench->request.max_bytes = 4;
	assert_int_equal(perform(bench), -1);
	assert_int_equal(bench->err.kind, ERR_LIMIT);
	tear_down(bench);
}

/* Who takes large answers in pieces has no room for a large error. */
static void of_an_error_little_is_kept(void **state)
{
	struct bench *bench = set_up("/wordy");

	(void)state;
	bench->request.sink = take;
	bench->request.max_bytes = 1 << 30;
	assert_int_equal(perform(bench), 0);
	assert_int_equal(bench->response.status, 404);
	assert_true(bench->response.body.length <= 64 << 10);
	http_response_free(&bench->response);
	bench->request.sink = NULL;
	assert_int_equal(perform(bench), 0);
	assert_int_equal(bench->response.body.length, 1000000);
	tear_down(bench);
}

static void redirects_stay_on_the_host(void **state)
{
	struct bench *bench = set_up("/here");

	(void)state;
	assert_int_equal(perform(bench), 0);
	assert_int_equal(bench->response.status, 301);
	assert_non_null(strstr(bench->response.redirect_url, "/ok"));
	http_response_free(&bench->response);
	bench->request.follow = true;
	assert_int_equal(perform(bench), 0);
	assert_int_equal(bench->response.status, 200);
	assert_non_null(strstr(bench->response.final_url, "/ok"));
	tear_down(bench);

	bench = set_up("/away");
	bench->request.follow = true;
	bench->request.user = "u";
	assert_int_equal(perform(bench), 0);
	assert_int_equal(bench->response.status, 302);
	tear_down(bench);
}

static void a_named_time_is_by_the_servers_clock(void **state)
{
	static const struct {
		const char *path;
		unsigned seconds;
	} cases[] = {{"/busy", 17}, {"/until", 23}, {"/past", 0},
		{"/never", 86400}, {"/ok", 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench *bench = set_up(cases[i].path);

		assert_int_equal(perform(bench), 0);
		assert_int_equal(
			bench->response.retry_after_s, cases[i].seconds);
		tear_down(bench);
	}
}

static void statuses_become_kinds(void **state)
{
	static const struct {
		int status;
		enum err_kind kind;
	} cases[] = {{401, ERR_AUTH}, {403, ERR_AUTH}, {404, ERR_REFUSED},
		{408, ERR_TIMEOUT}, {429, ERR_THROTTLED}, {500, ERR_NETWORK},
		{503, ERR_THROTTLED}, {507, ERR_LIMIT}};
	struct bench *bench = set_up("/busy");
	size_t i;

	(void)state;
	assert_int_equal(perform(bench), 0);
	assert_int_equal(
		http_check(&bench->request, &bench->response, &bench->err), -1);
	assert_int_equal(bench->err.kind, ERR_THROTTLED);
	assert_int_equal(bench->err.retry_after_s, 17);
	for (i = 0; i < COUNT(cases); i++) {
		bench->response.status = cases[i].status;
		assert_int_equal(http_check(&bench->request, &bench->response,
					 &bench->err),
			-1);
		assert_int_equal(bench->err.kind, cases[i].kind);
		assert_non_null(strstr(bench->err.text, "/busy"));
	}
	tear_down(bench);
}

static void no_password_over_plain_text_to_another_machine(void **state)
{
	static const char *const urls[] = {
		"http://192.0.2.1/", "http://127.example.org/"};
	struct bench *bench = set_up("/ok");
	size_t i;

	(void)state;
	bench->request.bearer = "secret";
	for (i = 0; i < COUNT(urls); i++) {
		bench->request.url = urls[i];
		assert_int_equal(perform(bench), -1);
		assert_int_equal(bench->err.kind, ERR_CONFIG);
		assert_null(strstr(bench->err.text, "secret"));
		http_response_free(&bench->response);
	}
	bench->request.url = "no url";
	assert_int_equal(perform(bench), -1);
	assert_int_equal(bench->err.kind, ERR_CONFIG);
	tear_down(bench);
}

static void cut_and_hung_up_are_errors(void **state)
{
	struct bench *bench = set_up("/cut");

	(void)state;
	assert_int_equal(perform(bench), -1);
	assert_int_equal(err_retry(&bench->err), ERR_RETRY_SOON);
	assert_non_null(strstr(bench->err.text, "/cut"));
	tear_down(bench);
	bench = set_up("/hang");
	assert_int_equal(perform(bench), -1);
	assert_int_equal(err_retry(&bench->err), ERR_RETRY_SOON);
	tear_down(bench);
}

/* Neither silence nor a byte now and then holds a request for ever. */
static void stalls_and_drips_end(void **state)
{
	static const char *const paths[] = {"/stall", "/drip"};
	const struct http_options impatient = {.stall_us = 100000};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(paths); i++) {
		struct bench *bench = set_up(paths[i]);

		http_free(bench->http);
		bench->http = http_new(&impatient, bench->wire);
		assert_int_equal(perform(bench), -1);
		assert_int_equal(bench->err.kind, ERR_TIMEOUT);
		assert_int_equal(err_retry(&bench->err), ERR_RETRY_SOON);
		assert_non_null(strstr(bench->err.text, paths[i]));
		tear_down(bench);
	}
}

static void cancelling_ends_a_request(void **state)
{
	struct bench *bench = set_up("/ok");

	(void)state;
	wire_cancel(bench->wire);
	assert_int_equal(perform(bench), -1);
	assert_int_equal(bench->err.kind, ERR_CANCELLED);
	tear_down(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_carry_status_body_and_headers),
		cmocka_unit_test(bodies_credentials_and_methods_are_sent),
		cmocka_unit_test(a_sink_takes_the_body_and_may_stop_it),
		cmocka_unit_test(an_answer_has_a_cap),
		cmocka_unit_test(of_an_error_little_is_kept),
		cmocka_unit_test(redirects_stay_on_the_host),
		cmocka_unit_test(a_named_time_is_by_the_servers_clock),
		cmocka_unit_test(statuses_become_kinds),
		cmocka_unit_test(
			no_password_over_plain_text_to_another_machine),
		cmocka_unit_test(cut_and_hung_up_are_errors),
		cmocka_unit_test(stalls_and_drips_end),
		cmocka_unit_test(cancelling_ends_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
