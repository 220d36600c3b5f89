/* resolver_test.c - a resolver that does not come back holds up nobody: not
 * a connection's deadline, not a cancelled one, not an HTTP request. This
 * program's getaddrinfo() hangs until the end of a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "http.h"
#include "stream.h"
#include "wire.h"

#define HOST "hangs.example.org"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int asking; /* threads in getaddrinfo() */
static bool open;

/* Instead of the C library's, for curl as well. */
int getaddrinfo(const char *restrict host, const char *restrict port,
	const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
	(void)port;
	(void)hints;
	(void)list;
	assert_string_equal(host, HOST);
	pthread_mutex_lock(&mutex);
	asking++;
	pthread_cond_broadcast(&changed);
	while (!open)
		pthread_cond_wait(&changed, &mutex);
	asking--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	return EAI_AGAIN;
}

static int set_up(void **state)
{
	open = false;
	*state = wire_new();
	return 0;
}

/* Whoever was left behind comes back late, and harms nobody. */
static int tear_down(void **state)
{
	pthread_mutex_lock(&mutex);
	open = true;
	pthread_cond_broadcast(&changed);
	while (asking)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
	wire_free(*state);
	return 0;
}

static int connect_for(struct wire *wire, int64_t us, struct err *err)
{
	static char host[] = HOST;
	const struct stream_options options = {
		.endpoint = {host, 993, SECURITY_TLS},
		.connect_us = us,
	};
	struct stream *stream;

	return stream_open(&stream, &options, wire, err);
}

static void *cancel_when_asked(void *wire)
{
	pthread_mutex_lock(&mutex);
	while (!asking)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
	wire_cancel(wire);
	return NULL;
}

static int still_asking(void)
{
	int count;

	pthread_mutex_lock(&mutex);
	count = asking;
	pthread_mutex_unlock(&mutex);
	return count;
}

static void the_deadline_holds(void **state)
{
	struct err err = ERR_INIT;

	assert_int_equal(connect_for(*state, 500 * US_PER_MS, &err), -1);
	assert_int_equal(err.kind, ERR_TIMEOUT);
	assert_non_null(strstr(err.text, HOST ":993: cannot resolve"));
	assert_int_equal(still_asking(), 1);
}

static void cancelling_leaves_it(void **state)
{
	struct err err = ERR_INIT;
	pthread_t thread;

	pthread_create(&thread, NULL, cancel_when_asked, *state);
	assert_int_equal(connect_for(*state, 3600 * US_PER_S, &err), -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	assert_int_equal(still_asking(), 1);
	pthread_join(thread, NULL);
}

static void a_request_leaves_it(void **state)
{
	const struct http_options options = {.connect_us = 3600 * US_PER_S};
	const struct http_request request = {.url = "https://" HOST "/"};
	struct http *http = http_new(&options, *state);
	struct http_response response;
	struct err err = ERR_INIT;
	pthread_t thread;

	pthread_create(&thread, NULL, cancel_when_asked, *state);
	assert_int_equal(http_perform(http, &request, &response, &err), -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	http_response_free(&response);
	http_free(http);
	assert_int_equal(still_asking(), 1);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_deadline_holds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			cancelling_leaves_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_request_leaves_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
