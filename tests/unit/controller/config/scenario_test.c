/* scenario_test.c - a scenario's defaults, its clients, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "clock.h"
#include "err.h"
#include "scenario.h"

#define SERVER                                                                 \
	"rollout: t\nserver: {imap: {host: 127.0.0.1, port: 143, security: none}}\n"
#define BOXES "mailboxes: {small: {messages: 10}, large: {messages: 900}}\n"

static int parse(struct scenario *s, const char *text, struct err *err)
{
	return scenario_parse(s, text, strlen(text), "s.yaml", "/tmp", err);
}

static void must_parse(struct scenario *s, const char *text)
{
	struct err err = ERR_INIT;

	if (parse(s, text, &err) < 0)
		fail_msg("%s", err.text);
}

static void has_defaults(void **state)
{
	struct scenario s;

	(void)state;
	must_parse(&s, SERVER "clients: {range: u1..u3}\n");
	assert_int_equal(s.steps.pilot_count, 2);
	assert_int_equal(s.steps.pilots[0], 1);
	assert_int_equal(s.steps.pilots[1], 5);
	assert_true(s.steps.wave == 3);
	assert_int_equal(s.steps.max_step, 2);
	assert_int_equal(s.steps.stagger_us, 20 * US_PER_S);
	assert_int_equal(s.steps.stagger_beyond_us, 0);
	assert_int_equal(s.steps.heartbeat_us, 60 * US_PER_S);
	assert_int_equal(s.steps.lost_us, 600 * US_PER_S);
	assert_int_equal(s.steps.retries, 2);
	assert_false(s.steps.has_window);
	assert_true(s.steps.gate == 0.67);
	assert_true(s.limits.cpu == 0.85);
	assert_int_equal(s.brake.cap_us, 30 * US_PER_S);
	assert_int_equal(s.brake.pause_us, 60 * US_PER_S);
	assert_int_equal(s.brake.again_us, 20 * US_PER_S);
	assert_int_equal(s.brake.release_us, 0);
	assert_string_equal(s.baseline.agent_min, "0.1");
	assert_null(s.canary.user);
	assert_int_equal(s.client_count, 3);
	assert_string_equal(s.client[2].name, "u3");
	assert_null(s.client[0].mailbox);
	scenario_free(&s);
}

static void expands_a_range_with_its_zeros(void **state)
{
	struct scenario s;

	(void)state;
	must_parse(
		&s, SERVER "clients: {range: user098..user101, link: 2MB/s}\n");
	assert_int_equal(s.client_count, 4);
	assert_string_equal(s.client[0].name, "user098");
	assert_string_equal(s.client[3].name, "user101");
	assert_int_equal(s.client[3].link_bytes_s, 2000000);
	scenario_free(&s);
}

/* After any number of clients each profile has its share to within one. */
static void spreads_mailboxes_evenly(void **state)
{
	struct scenario s;
	unsigned large = 0;

	(void)state;
	must_parse(&s,
		SERVER BOXES
		"clients: {range: u001..u100, mailbox: {small: 60%, large: 40%}}\n");
	for (unsigned i = 0; i < 100; i++) {
		const struct mailbox *box = scenario_mailbox(
			&s, s.client[i].mailbox);
		double due = 0.4 * (i + 1);

		assert_non_null(box);
		assert_int_equal(s.client[i].expected_bytes,
			mailbox_expected_bytes(box));
		large += strcmp(s.client[i].mailbox, "large") == 0;
		assert_true(large <= due + 1 && large >= due - 1);
	}
	assert_int_equal(large, 40);
	scenario_free(&s);
}

static void reads_an_inventory(void **state)
{
	char path[] = "/tmp/scenario_test.XXXXXX", text[512];
	int fd = mkstemp(path);
	struct scenario s;
	struct err err = ERR_INIT;
	static const char csv[] = "floor,client,size,mailbox,link\r\n"
				  "3,\"anna\", 2GB,large,\r\n"
				  "\r\n"
				  "4,bert,,,500kB/s\r\n";
	static const char bad[] = "client,link\nx,1\n";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, csv, sizeof(csv) - 1), sizeof(csv) - 1);
	snprintf(text, sizeof(text),
		SERVER BOXES "clients: {inventory: %s, link: 1MB/s}\n",
		strrchr(path, '/') + 1);
	must_parse(&s, text);
	assert_int_equal(s.client_count, 2);
	assert_string_equal(s.client[0].name, "anna");
	assert_string_equal(s.client[0].mailbox, "large");
	assert_int_equal(s.client[0].expected_bytes, 2000000000);
	assert_int_equal(s.client[0].link_bytes_s, 1000000);
	assert_int_equal(s.client[1].link_bytes_s, 500000);
	assert_null(s.client[1].mailbox);
	scenario_free(&s);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, bad, sizeof(bad) - 1, 0), sizeof(bad) - 1);
	assert_int_equal(parse(&s, text, &err), -1);
	assert_non_null(strstr(err.text, ":2: expected a unit"));
	close(fd);
	unlink(path);
}

static const struct {
	const char *text, *error;
} refused[] = {
	{"rollout: t\n", "server: missing"},
	{SERVER, "clients: missing"},
	{SERVER "clients: {}\n", "exactly one of range, list and inventory"},
	{SERVER "clients: {range: u1..u2, list: [a]}\n", "exactly one of"},
	{SERVER "clients: {range: u1..v2}\n", "FIRST..LAST with one prefix"},
	{SERVER "clients: {range: u5..u2}\n", "FIRST..LAST"},
	{SERVER "clients: {range: u..u}\n", "FIRST..LAST"},
	{SERVER "clients: {range: u1..u999999}\n", "at most 100000"},
	{SERVER "clients: {list: [a, b, a]}\n",
		"3:24: clients.list: a stands twice"},
	{SERVER "clients: {list: ['a b']}\n", "spaces, slashes and quotes"},
	{SERVER "clients: {list: [../x]}\n", "spaces, slashes and quotes"},
	{SERVER "clients: {list: []}\n", "exactly one of"},
	{SERVER "clients:\n  inventory: /nowhere.csv\n",
		"4:14: clients.inventory: /nowhere.csv: No such file"},
	{SERVER "clients: {list: [a], mailbox: {huge: 100%}}\n",
		"no such profile"},
	{SERVER BOXES "clients: {list: [a], mailbox: {small: 60%}}\n",
		"add up to 60.0%"},
	{SERVER "clients: {list: [a]}\ncanary: {user: a, password_file: p}\n",
		"4:16: canary.user: a is one of the clients"},
	{SERVER "clients: {list: [a]}\ncanary: {user: c}\n",
		"exactly one of password_file"},
	{SERVER "clients: {list: [a]}\nsteps: {max_step: 4}\n", "from 1 to 3"},
	{SERVER "clients: {list: [a]}\nsteps: {window: 25:00-06:00}\n",
		"steps.window: expected a time of day"},
	{SERVER "clients: {list: [a]}\nbrake: {cap: 0s}\n",
		"brake: give 1s or more"},
	{SERVER "clients: {list: [a]}\nbrake: {release: 10ms}\n",
		"brake: give 1s or more"},
	{SERVER "clients: {list: [a]}\nsteps: {pilots: [0]}\n",
		"steps.pilots.1: expected a whole number from 1"},
	{"rollout: t\nserver: {imap: {host: mail.example.org, security: none}}\n"
	 "clients: {list: [a]}\n",
		"plain text"},
	{"rollout: t\nserver: {imap: {host: h}, exporter: ftp://x}\n"
	 "clients: {list: [a]}\n",
		"expected http:// or https://"},
	{"rollout: t\nserver: {imap: {host: h}, dav: {url: 'http://h/'}}\n"
	 "clients: {list: [a]}\n",
		"use https"},
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct scenario s;
		struct err err = ERR_INIT;

		assert_int_equal(parse(&s, refused[i].text, &err), -1);
		if (!strstr(err.text, refused[i].error))
			fail_msg("wanted '%s', got '%s'", refused[i].error,
				err.text);
		assert_int_equal(err_exit_status(&err), 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(expands_a_range_with_its_zeros),
		cmocka_unit_test(spreads_mailboxes_evenly),
		cmocka_unit_test(reads_an_inventory),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
