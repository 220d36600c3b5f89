/*
 * imap_odd_test.c - the IMAP source against what servers may say and few do.
 */
#include "imap_bench_use.h"

static bool is(const char *command, const char *word)
{
	return strncmp(command, word, strlen(word)) == 0;
}

/* How often LINE is in the server's log. */
static unsigned count_asked(const struct bench *bench, const char *line)
{
	const char *at = bench->fake.log;
	unsigned count = 0;

	for (; (at = strstr(at, line)); at++)
		count++;
	return count;
}

/* ----------------------------------------------------------------- login */

#define SECRET "AHUxAHB3ICJ4XA==" /* of u1 and pw "x\ */

static const char *by_password(struct fake_imap *fake, const char *command)
{
	const char *verdict = fake->context;

	if (is(command, "AUTHENTICATE PLAIN " SECRET) || is(command, SECRET))
		return verdict;
	if (is(command, "AUTHENTICATE PLAIN"))
		return "+ \r\n";
	return is(command, "LOGIN") ? "@ BAD disabled\r\n" : NULL;
}

static void logs_in_where_login_is_disabled(void **state)
{
	static const char *const servers[] = {
		"IMAP4rev1 LOGINDISABLED AUTH=PLAIN AUTH=X LIST-STATUS",
		"IMAP4rev1 LOGINDISABLED auth=plain SASL-IR LIST-STATUS ID"};
	static char welcome[] = "@ OK [CAPABILITY IMAP4rev1] hello\r\n";
	static char wrong[] = "@ NO [AUTHENTICATIONFAILED] no\r\n";
	static char bye[] = "* BYE [UNAVAILABLE] going down\r\n";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fake_imap fake = {.capabilities = servers[i],
			.instead = by_password,
			.context = welcome};
		struct bench *bench = set_up(&fake);

		open_and_list(bench);
		assert_null(strstr(bench->fake.log, "LOGIN "));
		/* What is offered now was asked for anew. */
		assert_non_null(strstr(bench->fake.log, "RETURN (STATUS"));
		tear_down(bench);
		fake.context = wrong;
		bench = set_up(&fake);
		assert_int_equal(try_open(bench), -1);
		assert_int_equal(bench->err.kind, ERR_AUTH);
		assert_non_null(strstr(bench->err.text, "u1"));
		assert_null(strstr(bench->err.text, SECRET));
		assert_int_equal(bench->fake.connections, 1);
		tear_down(bench);
		fake.context = bye;
		bench = set_up(&fake);
		assert_int_equal(try_open(bench), -1);
		assert_non_null(strstr(bench->err.text, "going down"));
		assert_int_equal(bench->err.kind, ERR_THROTTLED);
		tear_down(bench);
	}
}

static void says_when_there_is_no_way_in(void **state)
{
	const struct fake_imap fake = {
		.capabilities = "IMAP4rev1 LOGINDISABLED AUTH=GSSAPI"};
	struct bench *bench = set_up(&fake);

	(void)state;
	assert_int_equal(try_open(bench), -1);
	assert_int_equal(bench->err.kind, ERR_AUTH);
	assert_non_null(strstr(bench->err.text, "set security"));
	tear_down(bench);
}

static const char *twice(struct fake_imap *fake, const char *command)
{
	(void)fake;
	return is(command, "LIST")
		? "* LIST () \"/\" INBOX\r\n* LIST () \"/\" B\r\n"
		  "* LIST () \"/\" Inbox\r\n* LIST () \"/\" B\r\n"
		  "* LIST () \"/\" b\r\n"
		  "* STATUS Inbox (MESSAGES 4 UIDNEXT 10 UIDVALIDITY 77)\r\n"
		  "* STATUS B (MESSAGES 4 UIDNEXT 10 UIDVALIDITY 78)\r\n"
		  "* STATUS b (MESSAGES 4 UIDNEXT 10 UIDVALIDITY 79)\r\n"
		  "@ OK done\r\n"
		: NULL;
}

static void what_is_listed_twice_is_there_once(void **state)
{
	const struct fake_imap fake = {.instead = twice};
	struct bench *bench = set_up(&fake);
	const struct collection *c = bench->record.collections;

	(void)state;
	open_and_list(bench);
	assert_int_equal(bench->record.collection_count, 3);
	assert_string_equal(c[0].path, "INBOX");
	for (size_t i = 0; i < 3; i++)
		assert_true(c[i].state_known);
	assert_int_equal(count_asked(bench, "STATUS \""), 0);
	tear_down(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_in_where_login_is_disabled),
		cmocka_unit_test(says_when_there_is_no_way_in),
		cmocka_unit_test(what_is_listed_twice_is_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
