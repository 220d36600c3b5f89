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

/* ------------------------------------------------------- what comes unasked */

#define NEWS                                                                   \
	"* 2 FETCH (FLAGS (\\Seen))\r\n* 3 EXISTS\r\n"                         \
	"* 1 FETCH (UID 1 BODY[] {5}\r\n* 2 F)\r\n"

static const char *with_news(struct fake_imap *fake, const char *command)
{
	(void)fake;
	if (is(command, "LIST"))
		return NEWS "* LIST () \"/\" INBOX\r\n" NEWS "@ OK done\r\n";
	if (is(command, "STATUS"))
		return NEWS "* STATUS INBOX (MESSAGES 4 UIDNEXT 10 UIDVALIDITY "
			    "77)\r\n" NEWS "@ OK done\r\n";
	return NULL;
}

static void news_may_come_with_any_command(void **state)
{
	const struct fake_imap fake = {
		.capabilities = "IMAP4rev1 NAMESPACE", .instead = with_news};
	struct bench *bench = set_up(&fake);

	(void)state;
	open_and_list(bench);
	assert_int_equal(bench->record.collection_count, 1);
	assert_int_equal(bench->record.collections[0].items, 4);
	assert_int_equal(bench->fake.connections, 1);
	tear_down(bench);
}

static const char *with_words(struct fake_imap *fake, const char *command)
{
	(void)fake;
	if (is(command, "EXAMINE"))
		return "* OK [ALERT] see {40}\r\n@ NO no folder like {12}\r\n";
	return NULL;
}

/* What people are told may end in anything. */
static void words_are_no_literals(void **state)
{
	const struct fake_imap fake = {.instead = with_words};
	struct bench *bench = set_up(&fake);

	(void)state;
	open_and_list(bench);
	assert_int_equal(fetch(bench, FETCH_FULL, all_ids, 4), 0);
	expect(bench, "end INBOX 1\n");
	assert_int_equal(bench->fake.connections, 1);
	tear_down(bench);
}

static const char *bye_to_list(struct fake_imap *fake, const char *command)
{
	const char *bye = fake->context;

	return is(command, "LIST") ? bye : NULL;
}

static void parting_words_are_heard_while_listing(void **state)
{
	static char bye[] = "* BYE [UNAVAILABLE] going down\r\n";
	const struct fake_imap fake = {.instead = bye_to_list, .context = bye};
	struct bench *bench = set_up(&fake);

	(void)state;
	assert_int_equal(try_open(bench), 0);
	assert_int_equal(source_list(bench->source, on_collection,
				 &bench->record, &bench->err),
		-1);
	assert_int_equal(bench->err.kind, ERR_THROTTLED);
	assert_non_null(strstr(bench->err.text, "going down"));
	tear_down(bench);
}

/* --------------------------------------------------------------- folders */

static const struct fake_folder pair[] = {
	{"() \"/\" \"INBOX\"", "INBOX", 77, letters},
	{"() \"/\" \"Bad\"", "Bad", 5, letters},
	{NULL, NULL, 0, NULL},
};

static void fetch_both(struct bench *bench, enum fetch_mode mode)
{
	struct record *record = &bench->record;
	const struct feed feed = {on_next, &sink, record};

	for (size_t i = 2; i--;)
		record->windows[record->window_count++] = (struct window){
			.collection = &record->collections[i],
			.mode = mode,
			.bytes = 1000,
		};
	if (source_fetch(bench->source, &feed, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
}

static const char *falls_over(struct fake_imap *fake, const char *command)
{
	(void)fake;
	return is(command, "EXAMINE \"Bad\"") ? "" : NULL;
}

/* A mailbox that the server cannot open without dying. */
static void a_folder_that_ends_the_session_is_left(void **state)
{
	const struct fake_imap fake = {.folders = pair, .instead = falls_over};
	struct bench *bench = set_up(&fake);
	const char *events;

	(void)state;
	bench->options.pause_us = 1;
	open_and_list(bench);
	fetch_both(bench, FETCH_FULL);
	events = buf_text(&bench->record.events);
	assert_non_null(strstr(events, "end Bad 4\n"));
	assert_non_null(strstr(events, ONE TWO FIVE NINE END));
	assert_in_range(bench->fake.connections, 2, 4);
	tear_down(bench);
}

static const char *no_search(struct fake_imap *fake, const char *command)
{
	const char *answer = fake->context;

	return is(command, "UID SEARCH") ? answer : NULL;
}

/* The listing makes no sense, and what is there may not be asked. */
static void a_refused_search_ends_its_window_only(void **state)
{
	static char no[] = "@ NO not here\r\n";
	static char hang_up[] = "";
	char *const answers[] = {no, hang_up};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct fake_imap fake = {
			.instead = no_search, .context = answers[i]};
		struct bench *bench = set_up(&fake);

		letters[1].fault = FAKE_GARBLED_NAME;
		bench->options.pause_us = 1;
		open_and_list(bench);
		assert_int_equal(fetch(bench, FETCH_LIST, NULL, 0), 0);
		letters[1].fault = FAKE_GOOD;
		assert_non_null(strstr(buf_text(&bench->record.events),
			i ? "end INBOX 4\n" : "end INBOX 1\n"));
		tear_down(bench);
	}
}

/* IMAP4rev2 answers SEARCH with ESEARCH, whatever was asked. */
static void takes_every_form_of_a_search(void **state)
{
	static char forms[][80] = {
		"* ESEARCH (TAG \"@\") UID ALL 1:2,5,9\r\n@ OK done\r\n",
		"* ESEARCH (TAG \"@\") UID COUNT 4 ALL 9,1:5\r\n@ OK done\r\n",
		"* SEARCH 9 5\r\n* SEARCH 2 1 5\r\n@ OK done\r\n",
		"* SEARCH 1 2 5 9 (MODSEQ 917162500)\r\n@ OK done\r\n",
		"* ESEARCH (TAG \"@\") UID\r\n@ OK done\r\n",
	};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		const struct fake_imap fake = {
			.instead = no_search, .context = forms[i]};
		struct bench *bench = set_up(&fake);
		const char *events;

		letters[1].fault = FAKE_GARBLED_NAME;
		open_and_list(bench);
		assert_int_equal(fetch(bench, FETCH_HEADERS, NULL, 0), 0);
		letters[1].fault = FAKE_GOOD;
		events = buf_text(&bench->record.events);
		assert_non_null(strstr(events, "item 1 size 21"));
		assert_int_equal(strstr(events, "item 9 size 22") != NULL, 1);
		assert_int_equal(strstr(events, "failed 2") != NULL, i < 4);
		tear_down(bench);
	}
}

static const char *unsized(struct fake_imap *fake, const char *command)
{
	(void)fake;
	return is(command, "UID FETCH")
		? "* 1 FETCH (UID 1 FLAGS (\\Seen) RFC822.SIZE 21)\r\n"
		  "* 2 FETCH (FLAGS () RFC822.SIZE NIL UID 2)\r\n"
		  "* 3 FETCH (UID 5 FLAGS (\\Seen))\r\n@ OK done\r\n"
		: NULL;
}

/* One whose size the server does not know is there all the same; what only
 * tells of flags is no listing. */
static void a_message_without_a_size_is_listed(void **state)
{
	const struct fake_imap fake = {.instead = unsized};
	struct bench *bench = set_up(&fake);

	(void)state;
	open_and_list(bench);
	assert_int_equal(fetch(bench, FETCH_LIST, NULL, 0), 0);
	expect(bench,
		COMPLETE "item 1 size 21 flags \\Seen data []\n"
			 "item 2 size 0 flags  data []\n" END);
	tear_down(bench);
}

static const char *no_modseq(struct fake_imap *fake, const char *command)
{
	(void)fake;
	if (is(command, "LIST"))
		return "* LIST () \"/\" inbox\r\n* STATUS inbox (MESSAGES 4 "
		       "UIDNEXT 10 UIDVALIDITY 77 HIGHESTMODSEQ 0)\r\n"
		       "@ OK done\r\n";
	return is(command, "UID FETCH") && strstr(command, "MODSEQ")
		? "@ BAD no mod-sequences here\r\n"
		: NULL;
}

/* RFC 7162 3.1.2.2: there it is an error to ask for them. */
static void mod_sequences_are_asked_where_there_are_any(void **state)
{
	const struct fake_imap fake = {
		.capabilities = QRESYNC, .instead = no_modseq};
	struct bench *bench = set_up(&fake);

	(void)state;
	open_and_list(bench);
	assert_int_equal(fetch(bench, FETCH_HEADERS, all_ids, 4), 0);
	assert_int_equal(count_asked(bench, "UID FETCH"), 1);
	assert_int_equal(count_asked(bench, "BODYSTRUCTURE"), 1);
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

static const char *falls_over_structures(
	struct fake_imap *fake, const char *command)
{
	(void)fake;
	return is(command, "UID FETCH") && strstr(command, "STRUCTURE") ? ""
									: NULL;
}

/* What ends the session with its structure may come without. */
static void a_structure_that_ends_the_session_is_done_without(void **state)
{
	const struct fake_imap fake = {.instead = falls_over_structures};
	struct bench *bench = set_up(&fake);

	(void)state;
	bench->options.pause_us = 1;
	open_and_list(bench);
	assert_int_equal(fetch(bench, FETCH_HEADERS, all_ids, 1), 0);
	assert_non_null(
		strstr(buf_text(&bench->record.events), "item 1 size 21"));
	tear_down(bench);
}

static const char *wants_less(struct fake_imap *fake, const char *command)
{
	(void)fake;
	return is(command, "UID FETCH 1:2,5,9") ? "@ BAD too much\r\n" : NULL;
}

/* What is refused for its length comes in halves, and all of it. */
static void halves_come_with_their_structure(void **state)
{
	const struct fake_imap fake = {.instead = wants_less};
	struct bench *bench = set_up(&fake);
	const char *events = NULL;
	unsigned structures = 0;

	(void)state;
	open_and_list(bench);
	assert_int_equal(fetch(bench, FETCH_HEADERS, all_ids, 4), 0);
	events = buf_text(&bench->record.events);
	for (; (events = strstr(events, "] S\n")); events++)
		structures++;
	assert_int_equal(structures, 4);
	tear_down(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_in_where_login_is_disabled),
		cmocka_unit_test(says_when_there_is_no_way_in),
		cmocka_unit_test(news_may_come_with_any_command),
		cmocka_unit_test(words_are_no_literals),
		cmocka_unit_test(parting_words_are_heard_while_listing),
		cmocka_unit_test(a_folder_that_ends_the_session_is_left),
		cmocka_unit_test(a_refused_search_ends_its_window_only),
		cmocka_unit_test(takes_every_form_of_a_search),
		cmocka_unit_test(a_message_without_a_size_is_listed),
		cmocka_unit_test(mod_sequences_are_asked_where_there_are_any),
		cmocka_unit_test(what_is_listed_twice_is_there_once),
		cmocka_unit_test(
			a_structure_that_ends_the_session_is_done_without),
		cmocka_unit_test(halves_come_with_their_structure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
