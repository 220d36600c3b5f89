/* mailbox_test.c - mailbox profiles and measurement times of a scenario. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "err.h"
#include "scenario.h"

#define HEAD                                                                   \
	"rollout: r\n"                                                         \
	"server: { imap: { host: 127.0.0.1, port: 143, security: none } }\n"   \
	"clients: { list: [a, b], mailbox: { m: 100% } }\n"

static int parse(const char *text, struct scenario *scenario, struct err *err)
{
	*err = ERR_INIT;
	return scenario_parse(scenario, text, strlen(text), "s.yaml", ".", err);
}

static void every_key_of_a_profile_is_read(void **state)
{
	struct scenario scenario;
	const struct mailbox *m;
	struct err err;

	(void)state;
	assert_int_equal(
		parse(HEAD "mailboxes: { m: { messages: 7, inbox: 25%, "
			   "median: 3kB, spread: 0.5, attachments: 10%, "
			   "attachment: 90kB, max: 1MB, smime: 1%, pgp: 2%, "
			   "eight_bit: 5%, folders: 9, depth: 3, width: 2, "
			   "contacts: 11, events: 12, tasks: 13, notes: 14, "
			   "mail_notes: 15 } }\n",
			&scenario, &err),
		0);
	m = scenario_mailbox(&scenario, "m");
	assert_non_null(m);
	assert_int_equal(m->messages, 7);
	assert_float_equal(m->inbox, 0.25, 1e-12);
	assert_int_equal(m->median_bytes, 3000);
	assert_float_equal(m->spread, 0.5, 1e-12);
	assert_float_equal(m->attachments, 0.1, 1e-12);
	assert_int_equal(m->attachment_bytes, 90000);
	assert_int_equal(m->max_bytes, 1000000);
	assert_float_equal(m->smime + m->pgp, 0.03, 1e-12);
	assert_float_equal(m->eight_bit, 0.05, 1e-12);
	assert_int_equal(m->folders * 100 + m->depth * 10 + m->width, 932);
	assert_int_equal(m->contacts, 11);
	assert_int_equal(m->events, 12);
	assert_int_equal(m->tasks, 13);
	assert_int_equal(m->notes, 14);
	assert_int_equal(m->mail_notes, 15);
	scenario_free(&scenario);
}

static void expected_bytes_follow_the_policy(void **state)
{
	struct mailbox m = {
		.messages = 1000,
		.inbox = 1,
		.median_bytes = 10000,
		.max_bytes = 1000000,
	};
	uint64_t whole = mailbox_expected_bytes(&m);

	(void)state;
	/* No spread: the mean is the median, plus a header each. */
	assert_in_range(whole, 10000000, 11500000);
	m.inbox = 0;
	assert_true(mailbox_expected_bytes(&m) < whole / 5);
	m.smime = 1;
	assert_int_equal(mailbox_expected_bytes(&m), whole);
	m.attachments = 1;
	m.attachment_bytes = 5000000;
	/* The largest size cuts the mean off. */
	assert_in_range(mailbox_expected_bytes(&m), whole + 999000000,
		whole + 1001000000);
}

static void measurement_times_have_defaults_and_limits(void **state)
{
	static const char *const bad[] = {"500ms", "1500ms", "0", "61s"};
	struct scenario scenario;
	struct err err;

	(void)state;
	assert_int_equal(
		parse(HEAD "mailboxes: { m: {} }\n", &scenario, &err), 0);
	assert_int_equal(scenario.measure.bucket_us, 5000000);
	assert_int_equal(scenario.measure.settle_us, 10000000);
	assert_int_equal(scenario.measure.observed_us, 30000000);
	scenario_free(&scenario);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char *text = xasprintf("%smeasure: { bucket: %s }\n",
			HEAD "mailboxes: { m: {} }\n", bad[i]);

		assert_int_equal(parse(text, &scenario, &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.text, "s.yaml:5:"));
		assert_non_null(strstr(err.text, "bucket"));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_a_profile_is_read),
		cmocka_unit_test(expected_bytes_follow_the_policy),
		cmocka_unit_test(measurement_times_have_defaults_and_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
