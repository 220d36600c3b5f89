/* stream_test.c - the transport: TLS is verified, ends and silence are
 * errors, limits and cancelling hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "fake_imap.h"
#include "imap_client.h"
#include "wire.h"

#define DAY_S (24 * 3600)

struct bench {
	struct fake_imap fake;
	struct wire *wire;
	struct imap_client *client;
	struct err err;
	char dir[64];
	char *cert, *key;
};

static struct bench *set_up(const struct fake_imap *fake)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));

	if (fake)
		bench->fake = *fake;
	bench->wire = wire_new();
	return bench;
}

/* A certificate for NAME, that becomes the fake's. */
static void certify(struct bench *bench, const char *name, bool address,
	int64_t from_s, int64_t to_s)
{
	snprintf(bench->dir, sizeof(bench->dir), "/tmp/stream_test.XXXXXX");
	assert_non_null(mkdtemp(bench->dir));
	fake_certificate(bench->dir, name, address, from_s, to_s, &bench->cert,
		&bench->key);
	bench->fake.cert_file = bench->cert;
	bench->fake.key_file = bench->key;
}

static int try_open(
	struct bench *bench, const char *host, enum security security, bool ca)
{
	char name[64];
	struct stream_options options = {
		.endpoint = {name, bench->fake.port, security},
		.ca_file = ca ? bench->cert : NULL,
		.connect_us = 5 * US_PER_S,
		.stall_us = 500 * US_PER_MS,
	};

	snprintf(name, sizeof(name), "%s", host);
	bench->err = ERR_INIT;
	return imap_client_open(
		&bench->client, &options, bench->wire, &bench->err);
}

static void tear_down(struct bench *bench)
{
	imap_client_close(bench->client);
	fake_imap_stop(&bench->fake);
	wire_free(bench->wire);
	if (bench->cert) {
		unlink(bench->cert);
		unlink(bench->key);
		rmdir(bench->dir);
	}
	free(bench->cert);
	free(bench->key);
	free(bench);
}

static void tls_with_name_and_with_address(void **state)
{
	struct bench *bench = set_up(NULL);

	(void)state;
	certify(bench, "localhost", true, -DAY_S, DAY_S);
	bench->fake.tls = true;
	fake_imap_start(&bench->fake);
	if (try_open(bench, "localhost", SECURITY_TLS, true) < 0)
		fail_msg("%s", bench->err.text);
	imap_client_close(bench->client);
	bench->client = NULL;
	if (try_open(bench, "127.0.0.1", SECURITY_TLS, true) < 0)
		fail_msg("%s", bench->err.text);
	assert_int_equal(
		imap_client_login(bench->client, "u", "p", &bench->err), 0);
	tear_down(bench);
}

static void starttls_hides_the_login(void **state)
{
	struct bench *bench = set_up(NULL);

	(void)state;
	certify(bench, "localhost", false, -DAY_S, DAY_S);
	fake_imap_start(&bench->fake);
	if (try_open(bench, "localhost", SECURITY_STARTTLS, true) < 0)
		fail_msg("%s", bench->err.text);
	assert_int_equal(
		imap_client_login(bench->client, "u", "p", &bench->err), 0);
	tear_down(bench);
}

static void refuse(const char *host, const char *name, int64_t from_s,
	int64_t to_s, bool ca, const char *words)
{
	struct bench *bench = set_up(NULL);

	certify(bench, name, false, from_s, to_s);
	bench->fake.tls = true;
	fake_imap_start(&bench->fake);
	assert_int_equal(try_open(bench, host, SECURITY_TLS, ca), -1);
	assert_int_equal(bench->err.kind, ERR_TLS);
	if (!strstr(bench->err.text, words) || !strstr(bench->err.text, host))
		fail_msg("no \"%s\" in: %s", words, bench->err.text);
	assert_int_equal(bench->fake.commands, 0);
	tear_down(bench);
}

static void bad_certificates_are_refused_in_words(void **state)
{
	(void)state;
	refuse("localhost", "localhost", -DAY_S, DAY_S, false,
		"unknown issuer");
	refuse("localhost", "other.example", -DAY_S, DAY_S, true,
		"is for other.example, not for localhost");
	refuse("127.0.0.1", "localhost", -DAY_S, DAY_S, true, "not for");
	refuse("localhost", "localhost", -2 * DAY_S, -DAY_S, true, "expired");
	refuse("localhost", "localhost", DAY_S, 2 * DAY_S, true,
		"not valid yet");
}

static void bytes_behind_starttls_are_an_attack(void **state)
{
	const struct fake_imap fake = {.inject = true};
	struct bench *bench = set_up(&fake);

	(void)state;
	fake_imap_start(&bench->fake);
	assert_int_equal(
		try_open(bench, "localhost", SECURITY_STARTTLS, false), -1);
	assert_int_equal(bench->err.kind, ERR_TLS);
	assert_non_null(strstr(bench->err.text, "injects"));
	assert_null(strstr(bench->fake.log, "LOGIN"));
	tear_down(bench);
}

static void plain_port_for_tls_is_explained(void **state)
{
	struct bench *bench = set_up(NULL);

	(void)state;
	fake_imap_start(&bench->fake);
	assert_int_equal(try_open(bench, "localhost", SECURITY_TLS, false), -1);
	assert_int_equal(bench->err.kind, ERR_TLS);
	tear_down(bench);
}

static void plain_text_stays_on_this_machine(void **state)
{
	char host[] = "192.0.2.1";
	const struct stream_options options = {
		.endpoint = {host, 143, SECURITY_NONE}};
	struct wire *wire = wire_new();
	struct stream *stream = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(stream_open(&stream, &options, wire, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "192.0.2.1:143"));
	wire_free(wire);
}

static void refused_and_unresolvable_say_what_to_check(void **state)
{
	struct bench *bench = set_up(NULL);
	uint16_t port;

	(void)state;
	fake_imap_start(&bench->fake);
	port = bench->fake.port;
	fake_imap_stop(&bench->fake);
	assert_int_equal(
		try_open(bench, "127.0.0.1", SECURITY_NONE, false), -1);
	assert_int_equal(bench->err.kind, ERR_NETWORK);
	assert_non_null(strstr(bench->err.text, "is the server running"));
	(void)port;
	assert_int_equal(
		try_open(bench, "no.such.invalid", SECURITY_NONE, false), -1);
	assert_int_equal(bench->err.kind, ERR_NETWORK);
	assert_non_null(strstr(bench->err.text, "resolve"));
	wire_free(bench->wire);
	free(bench);
}

static void the_end_is_an_error(void **state)
{
	const struct fake_imap fake = {.cut_after = 20};
	struct bench *bench = set_up(&fake);

	(void)state;
	fake_imap_start(&bench->fake);
	assert_int_equal(
		try_open(bench, "127.0.0.1", SECURITY_NONE, false), -1);
	assert_int_equal(bench->err.kind, ERR_NETWORK);
	assert_non_null(strstr(bench->err.text, "closed the connection"));
	tear_down(bench);
}

static void silence_is_an_error(void **state)
{
	const struct fake_imap fake = {.stall_after = 20};
	struct bench *bench = set_up(&fake);

	(void)state;
	fake_imap_start(&bench->fake);
	assert_int_equal(
		try_open(bench, "127.0.0.1", SECURITY_NONE, false), -1);
	assert_int_equal(bench->err.kind, ERR_TIMEOUT);
	tear_down(bench);
}

static void *cancel_soon(void *wire)
{
	clock_sleep_us(20 * US_PER_MS);
	wire_cancel(wire);
	return NULL;
}

static void another_thread_can_cancel_a_wait(void **state)
{
	char host[] = "127.0.0.1";
	const struct fake_imap fake = {.stall_after = 5};
	struct bench *bench = set_up(&fake);
	struct stream_options options = {0};
	struct stream *stream = NULL;
	const char *line;
	size_t length;
	pthread_t thread;

	(void)state;
	fake_imap_start(&bench->fake);
	options.endpoint = (struct endpoint){
		host, bench->fake.port, SECURITY_NONE};
	assert_int_equal(
		stream_open(&stream, &options, bench->wire, &bench->err), 0);
	pthread_create(&thread, NULL, cancel_soon, bench->wire);
	assert_int_equal(
		stream_line(stream, &line, &length, 100, &bench->err), -1);
	assert_int_equal(bench->err.kind, ERR_CANCELLED);
	pthread_join(thread, NULL);
	assert_true(wire_cancelled(bench->wire));
	wire_uncancel(bench->wire);
	assert_false(wire_cancelled(bench->wire));
	stream_close(stream);
	tear_down(bench);
}

static void peeked_bytes_can_be_put_back(void **state)
{
	char host[] = "127.0.0.1";
	struct bench *bench = set_up(NULL);
	struct stream_options options = {0};
	struct stream *stream = NULL;
	const char *data;
	size_t length;

	(void)state;
	fake_imap_start(&bench->fake);
	options.endpoint = (struct endpoint){
		host, bench->fake.port, SECURITY_NONE};
	assert_int_equal(
		stream_open(&stream, &options, bench->wire, &bench->err), 0);
	assert_int_equal(
		stream_line(stream, &data, &length, 5, &bench->err), -1);
	assert_int_equal(bench->err.kind, ERR_LIMIT);
	assert_int_equal(
		stream_line(stream, &data, &length, 100, &bench->err), 0);
	assert_memory_equal(data, "* OK fake ready\r\n", 17);
	stream_consume(stream, 17);
	assert_int_equal(stream_unread(stream, "xyz", 3, &bench->err), 0);
	assert_int_equal(stream_peek(stream, &data), 3);
	assert_memory_equal(data, "xyz", 3);
	stream_close(stream);
	tear_down(bench);
}

static void bytes_are_counted(void **state)
{
	struct bench *bench = set_up(NULL);
	struct wire_counts counts;

	(void)state;
	fake_imap_start(&bench->fake);
	assert_int_equal(try_open(bench, "127.0.0.1", SECURITY_NONE, false), 0);
	counts = wire_counts(bench->wire);
	assert_int_equal(counts.socket_out, strlen("S1 CAPABILITY\r\n"));
	assert_int_equal(counts.plain_out, counts.socket_out);
	assert_int_equal(counts.plain_in, counts.socket_in);
	assert_true(counts.socket_in > 30);
	tear_down(bench);
}

static void the_raw_client_keeps_ends_in_order(void **state)
{
	struct bench *bench = set_up(NULL);
	struct imap_result result;
	uint32_t tags[3];
	int i;

	(void)state;
	fake_imap_start(&bench->fake);
	assert_int_equal(try_open(bench, "127.0.0.1", SECURITY_NONE, false), 0);
	assert_true(imap_client_has(bench->client, "literal+"));
	assert_false(imap_client_has(bench->client, "LITERAL"));
	for (i = 0; i < 3; i++) {
		imap_client_begin(bench->client);
		imap_client_text(
			bench->client, i == 1 ? "EXAMINE \"nowhere\"" : "NOOP");
		assert_int_equal(imap_client_end(bench->client, i == 2,
					 &tags[i], &bench->err),
			0);
	}
	for (i = 2; i >= 0; i--) {
		assert_int_equal(imap_client_wait(bench->client, tags[i],
					 &result, &bench->err),
			0);
		assert_int_equal(result.status, i == 1 ? IMAP_NO : IMAP_OK);
	}
	assert_int_equal(
		imap_client_wait(bench->client, tags[0], &result, &bench->err),
		-1);
	assert_int_equal(
		imap_client_run(bench->client, "EXAMINE \"x\"", &bench->err),
		-1);
	assert_int_equal(bench->err.kind, ERR_REFUSED);
	tear_down(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_with_name_and_with_address),
		cmocka_unit_test(starttls_hides_the_login),
		cmocka_unit_test(bad_certificates_are_refused_in_words),
		cmocka_unit_test(bytes_behind_starttls_are_an_attack),
		cmocka_unit_test(plain_port_for_tls_is_explained),
		cmocka_unit_test(plain_text_stays_on_this_machine),
		cmocka_unit_test(refused_and_unresolvable_say_what_to_check),
		cmocka_unit_test(the_end_is_an_error),
		cmocka_unit_test(silence_is_an_error),
		cmocka_unit_test(another_thread_can_cancel_a_wait),
		cmocka_unit_test(peeked_bytes_can_be_put_back),
		cmocka_unit_test(bytes_are_counted),
		cmocka_unit_test(the_raw_client_keeps_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
