/* tls_test.c - records that come together are all found, although some of
 * them carry no data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "fake_imap.h"
#include "tls.h"

#define DAY_S	 (24 * 3600)
#define GREETING "* OK fake ready\r\n"

static int dial(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* The socket blocks: it never says that there is nothing yet. */
static ssize_t receive(void *context, void *data, size_t bytes)
{
	return recv(*(int *)context, data, bytes, 0);
}

static ssize_t transmit(void *context, const void *data, size_t bytes)
{
	return send(*(int *)context, data, bytes, MSG_NOSIGNAL);
}

/* Until COUNT whole TLS records wait in the socket. */
static void await_records(int fd, unsigned count)
{
	unsigned char bytes[4096];
	unsigned whole = 0;

	while (whole < count) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
		size_t at = 0;

		assert_true(got > 0);
		for (whole = 0; at + 5 <= (size_t)got; whole++) {
			at += 5 + (size_t)bytes[at + 3] * 256 + bytes[at + 4];
			if (at > (size_t)got)
				break;
		}
		clock_sleep_us(US_PER_MS);
	}
}

/* A ticket carries no data, and poll() tells nothing of the greeting that
 * was received with it: the read that met the ticket must go on. */
static void a_ticket_does_not_hide_what_follows(void **state)
{
	struct fake_imap fake = {.tls = true, .ticket = true};
	char dir[] = "/tmp/tls_test.XXXXXX";
	struct err err = ERR_INIT;
	struct tls_io io = {.recv = receive, .send = transmit};
	struct tls *tls = NULL;
	char *cert, *key;
	char text[100];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fake_certificate(dir, "localhost", true, -DAY_S, DAY_S, &cert, &key);
	fake.cert_file = cert;
	fake.key_file = key;
	fake_imap_start(&fake);
	fd = dial(fake.port);
	io.context = &fd;
	assert_int_equal(tls_new(&tls, "localhost", cert, &io, &err), 0);
	assert_int_equal(tls_handshake(tls, &err), 0);
	await_records(fd, 2);
	assert_int_equal(
		tls_read(tls, text, sizeof(text), &err), strlen(GREETING));
	assert_memory_equal(text, GREETING, strlen(GREETING));
	tls_free(tls);
	close(fd);
	fake_imap_stop(&fake);
	unlink(cert);
	unlink(key);
	rmdir(dir);
	free(cert);
	free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_does_not_hide_what_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
