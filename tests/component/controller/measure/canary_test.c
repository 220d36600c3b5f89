/* canary_test.c - the waiting user against a scripted mail server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "canary.h"
#include "clock.h"
#include "err.h"
#include "fake_imap.h"

#define PATIENCE_US (60 * US_PER_S)

static char password_file[] = "/tmp/canary-XXXXXX";
static struct fake_imap fake;

static const struct fake_message messages[] = {
	{.uid = 1, .text = "Subject: one\r\n\r\nbody\r\n"},
	{.uid = 2, .text = "Subject: two\r\n\r\nbody\r\n"},
	{.uid = 0},
};
static const struct fake_folder folders[] = {
	{"() \"/\" \"INBOX\"", "INBOX", 1, messages},
	{NULL, NULL, 0, NULL},
};

static int group_setup(void **state)
{
	int fd = mkstemp(password_file);

	(void)state;
	if (fd < 0 || write(fd, "secret\n", 7) != 7)
		return -1;
	return close(fd);
}

static int group_teardown(void **state)
{
	(void)state;
	return unlink(password_file);
}

static int start(struct canary **canary, struct err *err)
{
	struct account account = {.user = "guest",
		.password_file = password_file,
		.imap = {"127.0.0.1", fake.port, SECURITY_NONE}};
	struct canary_options options = {
		.account = &account, .timeout_us = 2 * US_PER_S};

	return canary_start(canary, &options, clock_wall_us, err);
}

/* The first probe that ended. */
static struct canary_probe first_probe(struct canary *canary)
{
	struct canary_probe probe;
	int64_t give_up_us = clock_monotonic_us() + PATIENCE_US;

	while (canary_take(canary, &probe, 1) == 0) {
		assert_true(clock_monotonic_us() < give_up_us);
		clock_sleep_us(5 * US_PER_MS);
	}
	return probe;
}

static void refused_login_is_said(void **state)
{
	struct err err = ERR_INIT;
	struct canary *canary;
	struct canary_status status;

	(void)state;
	fake = (struct fake_imap){.folders = folders,
		.login_answer = "NO [AUTHENTICATIONFAILED] go away"};
	fake_imap_start(&fake);
	assert_int_equal(start(&canary, &err), 0);
	struct canary_probe probe = first_probe(canary);
	assert_true(probe.latency_us == -1);
	assert_true(probe.step_us[CANARY_LOGIN] == -1);
	canary_status(canary, &status);
	assert_false(status.up);
	assert_int_equal(status.failed, 1);
	assert_true(status.refused);
	assert_non_null(strstr(status.text, "go away"));
	canary_stop(&canary);
	assert_null(canary);
	fake_imap_stop(&fake);
	/* Not hammered: one login for the whole test. */
	assert_int_equal(fake.connections, 1);
}

static void a_dead_server_fails_probes(void **state)
{
	struct err err = ERR_INIT;
	struct canary *canary;

	(void)state;
	fake = (struct fake_imap){.folders = folders};
	fake_imap_start(&fake);
	fake_imap_stop(&fake);
	assert_int_equal(start(&canary, &err), 0);
	struct canary_probe probe = first_probe(canary);
	assert_true(probe.latency_us == -1);
	assert_true(probe.start_us > 0);
	canary_stop(&canary);
}

/* Silence after the greeting: the probe ends with its time. */
static void a_silent_server_times_out(void **state)
{
	struct err err = ERR_INIT;
	struct canary *canary;
	struct canary_status status;

	(void)state;
	fake = (struct fake_imap){.folders = folders, .stall_after = 10};
	fake_imap_start(&fake);
	assert_int_equal(start(&canary, &err), 0);
	struct canary_probe probe = first_probe(canary);
	assert_true(probe.latency_us == -1);
	canary_status(canary, &status);
	assert_true(status.text[0] != '\0');
	canary_stop(&canary);
	fake_imap_stop(&fake);
}

/* Answers the commands of one probe of an empty mailbox. */
static void serve_once(int fd)
{
	FILE *in = fdopen(dup(fd), "r");
	char line[512], tag[32];

	assert_non_null(in);
	assert_true(dprintf(fd, "* OK hello\r\n") > 0);
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%31s", tag) != 1)
			break;
		assert_true(dprintf(fd, "%s OK done\r\n", tag) > 0);
		if (strstr(line, "LOGOUT"))
			break;
	}
	fclose(in);
}

/* A server that takes connections and says nothing for as long as it likes:
 * how many are made while the first one waits. */
static void a_slow_probe_delays_no_other(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	struct account account = {
		.user = "guest", .password_file = password_file};
	struct canary_options options = {.account = &account,
		.interval_us = US_PER_S / 2,
		.timeout_us = 10 * PATIENCE_US};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct err err = ERR_INIT;
	struct canary *canary;
	struct canary_probe probe;
	int fd[3];

	(void)state;
	assert_int_equal(
		bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 16), 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	account.imap = (struct endpoint){
		"127.0.0.1", ntohs(address.sin_port), SECURITY_NONE};
	assert_int_equal(
		canary_start(&canary, &options, clock_wall_us, &err), 0);
	fd[0] = accept(listener, NULL, NULL);
	/* Let in once, so that it need not be careful. */
	serve_once(fd[0]);
	probe = first_probe(canary);
	assert_true(probe.latency_us >= 0);
	for (int i = 1; i < 3; i++) {
		struct pollfd wait = {.fd = listener, .events = POLLIN};

		assert_int_equal(poll(&wait, 1, PATIENCE_US / 1000), 1);
		fd[i] = accept(listener, NULL, NULL);
	}
	assert_int_equal(canary_take(canary, &probe, 1), 0);
	canary_stop(&canary);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	close(listener);
}

static void wants_imap_and_a_password(void **state)
{
	struct err err = ERR_INIT;
	struct canary *canary;
	struct account account = {.user = "guest"};
	struct canary_options options = {.account = &account};

	(void)state;
	assert_int_equal(
		canary_start(&canary, &options, clock_wall_us, &err), -1);
	assert_non_null(strstr(err.text, "no imap server"));
	account.imap = (struct endpoint){"127.0.0.1", 1, SECURITY_NONE};
	account.password_file = "/nonexistent/file";
	assert_int_equal(
		canary_start(&canary, &options, clock_wall_us, &err), -1);
	assert_non_null(strstr(err.text, "canary"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_login_is_said),
		cmocka_unit_test(a_dead_server_fails_probes),
		cmocka_unit_test(a_silent_server_times_out),
		cmocka_unit_test(a_slow_probe_delays_no_other),
		cmocka_unit_test(wants_imap_and_a_password),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
