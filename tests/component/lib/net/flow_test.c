/* flow_test.c - a stream that gathers what comes fast in small pieces: all of
 * it arrives, and what ends a burst is not waited for in vain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "stream.h"
#include "wire.h"

#define PIECE	   16384
#define BURST	   (8 * 1024 * 1024 + 777) /* no multiple of anything */
#define TIMES	   5
#define PATIENCE_S 60
#define PAUSE_US   (20 * US_PER_MS)

/* Sends a burst whenever it is asked for one by a byte, and leaves when it is
 * not asked for long: then the last one was not seen to end. */
static void *peer(void *argument)
{
	int listener = *(int *)argument;
	int fd = accept(listener, NULL, NULL);
	static const char zeros[PIECE];
	const struct timeval patience = {PATIENCE_S, 0};
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));

	while (recv(fd, &byte, 1, 0) == 1) {
		size_t left = BURST;

		while (left) {
			ssize_t sent;

			/* The last piece comes alone. */
			if (left < PIECE)
				clock_sleep_us(PAUSE_US);
			sent = send(fd, zeros, left < PIECE ? left : PIECE,
				MSG_NOSIGNAL);
			if (sent <= 0)
				break;
			left -= (size_t)sent;
		}
	}
	close(fd);
	return NULL;
}

static void the_end_of_a_burst_is_not_waited_for(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	char host[] = "127.0.0.1";
	struct stream_options options = {.stall_us = 2 * PATIENCE_S * US_PER_S};
	struct wire *wire = wire_new();
	struct stream *stream = NULL;
	struct err err = ERR_INIT;
	pthread_t thread;

	(void)state;
	assert_int_equal(
		bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	assert_int_equal(pthread_create(&thread, NULL, peer, &listener), 0);
	options.endpoint = (struct endpoint){
		host, ntohs(address.sin_port), SECURITY_NONE};
	assert_int_equal(stream_open(&stream, &options, wire, &err), 0);
	for (int i = 0; i < TIMES; i++) {
		size_t got = 0;

		assert_int_equal(stream_write(stream, "x", 1, &err), 0);
		while (got < BURST) {
			const char *data;

			if (stream_fill(stream, 0, &err) < 0)
				fail_msg("after %zu bytes: %s", got, err.text);
			got += stream_peek(stream, &data);
			stream_consume(stream, stream_peek(stream, &data));
		}
		assert_int_equal(got, BURST);
	}
	stream_close(stream);
	pthread_join(thread, NULL);
	close(listener);
	wire_free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_a_burst_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
