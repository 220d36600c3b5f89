/*
 * What `sluice check` says of addresses: DAV where a PROPFIND is answered or
 * wants a login, here or at the well-known place; everything else is a
 * failure that says what to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "fake_http.h"
#include "reach.h"

#define STEPS(S) S, sizeof(S) / sizeof((S)[0])

/* The verdict on PATH of a server with these STEPS, WORDS in its text. */
static bool found(bool (*reach)(const char *, const char *, char **),
	const struct fake_step *steps, size_t count, const char *path,
	const char *words)
{
	struct fake_http *http = fake_http_start(steps, count);
	char *url = xasprintf("%s%s", fake_http_url(http), path);
	char *text = NULL;
	bool good = reach(url, NULL, &text);

	if (!strstr(text, words))
		fail_msg("\"%s\" lacks \"%s\"", text, words);
	free(text);
	free(url);
	fake_http_stop(http);
	return good;
}

static void dav_answers_or_wants_a_login(void **state)
{
	const struct fake_step login[] = {
		{.method = "PROPFIND", .path = "/dav/", .status = 401}};
	const struct fake_step open[] = {{.method = "PROPFIND",
		.path = "/dav/",
		.status = 207,
		.body = "<d:multistatus xmlns:d=\"DAV:\"/>"}};
	const struct fake_step redirected[] = {
		{.path = "/dav/",
			.status = 301,
			.headers = "Location: /there/\r\n"},
		{.method = "PROPFIND", .path = "/there/", .status = 401}};
	const struct fake_step elsewhere[] = {{.path = "/", .status = 404},
		{.method = "PROPFIND",
			.path = "/.well-known/caldav",
			.status = 401}};

	(void)state;
	assert_true(found(reach_dav, STEPS(login), "/dav/", "wants a login"));
	assert_true(found(reach_dav, STEPS(open), "/dav/", "/dav/ answers"));
	assert_true(
		found(reach_dav, STEPS(redirected), "/dav/", "wants a login"));
	assert_true(found(reach_dav, STEPS(elsewhere), "/",
		"/.well-known/caldav answers"));
}

static void anything_else_is_no_dav(void **state)
{
	const struct fake_step missing[] = {{.times = -1, .status = 404}};
	const struct fake_step page[] = {
		{.times = -1, .status = 200, .body = "<html>It works</html>"}};
	const struct fake_step closed[] = {{.times = -1, .status = 503}};
	const struct fake_step ill[] = {{.times = -1, .status = 500}};
	const struct fake_step away[] = {{.times = -1,
		.status = 302,
		.headers = "Location: https://dav.example.org/\r\n"}};

	(void)state;
	assert_false(found(reach_dav, STEPS(missing), "/x/",
		"/x/: status 404; no DAV is there; set server.dav.url"));
	assert_false(found(reach_dav, STEPS(page), "/", "status 200; no DAV"));
	assert_false(found(reach_dav, STEPS(closed), "/", "overloaded"));
	assert_false(found(reach_dav, STEPS(ill), "/", "server's log"));
	assert_false(found(reach_dav, STEPS(away), "/",
		"points to https://dav.example.org/; set server.dav.url"));
}

static void nobody_there(void **state)
{
	char *text = NULL;

	(void)state;
	assert_false(reach_dav("http://127.0.0.1:1/", NULL, &text));
	assert_non_null(strstr(text, "is the server running"));
	free(text);
}

static void exporter_shows_metrics(void **state)
{
	const struct fake_step metrics[] = {
		{.path = "/metrics", .status = 200, .body = "up 1\n"}};
	const struct fake_step missing[] = {{.status = 404}};

	(void)state;
	assert_true(
		found(reach_exporter, STEPS(metrics), "/metrics", "answers"));
	assert_false(found(reach_exporter, STEPS(missing), "/",
		"status 404; is this the address of its metrics?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dav_answers_or_wants_a_login),
		cmocka_unit_test(anything_else_is_no_dav),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(exporter_shows_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
