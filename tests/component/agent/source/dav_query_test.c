/*
 * A whole collection by one query, where the quirks say that this is cheap:
 * whatever the server makes of it, every object arrives once.
 */
#include "dav_rig_use.h"

#define DATA(HREF, TAG)                                                        \
	OK200(HREF, ETAG(TAG) "<c:calendar-data>" OBJECT "</c:calendar-data>")
#define CARD(HREF, TAG)                                                        \
	OK200(HREF, ETAG(TAG) "<a:address-data>" OBJECT "</a:address-data>")
#define OBJECT	   "BEGIN:X\nEND:X\n"
#define CYRUS_STEP OPEN_STEP_OF("Server: Cyrus-HTTP/3.6.1\r\n")
#define ITEM(NAME, TAG)                                                        \
	"begin 16\nBEGIN:X\r\nEND:X\r\nitem /h/cal/" NAME " \"" TAG "\" 16\n"

static const char *const abc[] = {"/h/cal/a", "/h/cal/b", "/h/cal/c", NULL};

static int get_all(struct rig *rig)
{
	return rig_get_of(rig, COLLECTION_CALENDAR, true, abc);
}

/* The session was opened with STEPS, whose query does not bring all: the
 * multiget does, and each object came once. */
static void assert_made_up(
	const struct fake_step *steps, size_t count, const char *log)
{
	struct rig rig = rig_open(steps, count);

	assert_int_equal(get_all(&rig), 0);
	assert_string_equal(rig.log.data, log);
	assert_int_equal(fake_http_saw(rig.http, "calendar-query"), 1);
	rig_close(&rig);
}

static void query_brings_all(void **state)
{
	const struct fake_step steps[] = {CYRUS_STEP,
		{.method = "REPORT",
			.path = "/h/cal/",
			.contains = "<C:comp-filter name=\"VCALENDAR\"/>",
			.status = 207,
			.body = MULTI(DATA("/h/cal/c", "3") DATA("/h/cal/new",
				"9") DATA("http://x/h/cal/%61", "1")
					DATA("/h/cal/b", "2"))}};

	(void)state;
	assert_made_up(STEPS(steps),
		"state changes\n" ITEM("c", "3") ITEM("a", "1")
			ITEM("b", "2") "end 0 -\n");
}

static void query_brings_all_contacts(void **state)
{
	const struct fake_step steps[] = {CYRUS_STEP,
		{.method = "REPORT",
			.contains = "<A:addressbook-query ",
			.status = 207,
			.body = MULTI(CARD("/h/cal/a", "1") CARD(
				"/h/cal/b", "2") CARD("/h/cal/c", "3"))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_true(source_features(rig.source) & SOURCE_ENTIRE);
	assert_int_equal(rig_get_of(&rig, COLLECTION_CONTACTS, true, abc), 0);
	assert_string_equal(rig.log.data,
		"state changes\n" ITEM("a", "1") ITEM("b", "2")
			ITEM("c", "3") "end 0 -\n");
	assert_int_equal(fake_http_saw(rig.http, "Depth: 1"), 1);
	rig_close(&rig);
}

#define REST                                                                   \
	{                                                                      \
		.method = "REPORT", .contains = "calendar-multiget",           \
		.times = -1, .status = 207,                                    \
		.body = MULTI(DATA("/h/cal/a", "1") DATA("/h/cal/b", "2")      \
				DATA("/h/cal/c", "3"))                         \
	}

/* What is left out, has no text or an error of its own, and what a limit of
 * the server cuts off. */
static void multiget_brings_what_is_left(void **state)
{
	const struct fake_step steps[] = {CYRUS_STEP,
		{.method = "REPORT",
			.contains = "calendar-query",
			.status = 207,
			.body = MULTI(DATA("/h/cal/b", "2") OK200(
				"/h/cal/a", ETAG("1")) RESPONSE("/h/cal/c",
				"<d:status>HTTP/1.1 404 x</d:status>")
					RESPONSE("/h/cal/",
						"<d:status>HTTP/1.1 507 x</d:status>"
						"<d:error><d:number-of-matches-within-"
						"limits/></d:error>"))},
		REST};

	(void)state;
	assert_made_up(STEPS(steps),
		"state changes\n" ITEM("b", "2") ITEM("a", "1")
			ITEM("c", "3") "end 0 -\n");
}

static void object_that_went_is_gone(void **state)
{
	const struct fake_step steps[] = {CYRUS_STEP,
		{.method = "REPORT",
			.contains = "calendar-query",
			.status = 207,
			.body = MULTI(
				DATA("/h/cal/a", "1") DATA("/h/cal/b", "2"))},
		{.method = "GET", .path = "/h/cal/c", .status = 404}};

	(void)state;
	assert_made_up(STEPS(steps),
		"state changes\n" ITEM("a", "1")
			ITEM("b", "2") "gone /h/cal/c\nend 0 -\n");
}

/* Refused: asked for by multiget, and never so again. */
static void query_that_is_refused(void **state)
{
	static const int statuses[] = {400, 403, 413, 500, 501, 507};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		const struct fake_step steps[] = {CYRUS_STEP,
			{.method = "REPORT",
				.contains = "calendar-query",
				.times = -1,
				.status = statuses[i]},
			REST};
		struct rig rig = rig_open(STEPS(steps));

		assert_int_equal(get_all(&rig), 0);
		assert_int_equal(get_all(&rig), 0);
		assert_string_equal(rig.log.data,
			"state changes\n" ITEM("a", "1") ITEM("b", "2")
				ITEM("c", "3") "end 0 -\n");
		assert_int_equal(fake_http_saw(rig.http, "calendar-query"), 1);
		assert_false(source_features(rig.source) & SOURCE_ENTIRE);
		rig_close(&rig);
	}
}

/* Cut anywhere: what was whole is kept, the rest comes by multiget. */
static void query_that_breaks_off(void **state)
{
	static const char whole[] = MULTI(DATA("/h/cal/a", "1")
			DATA("/h/cal/b", "2") DATA("/h/cal/c", "3"));
	size_t cut;

	(void)state;
	for (cut = 1; cut < sizeof(whole) - 1; cut += 13) {
		const struct fake_step steps[] = {CYRUS_STEP,
			{.method = "REPORT",
				.contains = "calendar-query",
				.status = 207,
				.body = whole,
				.cut_after = cut},
			{.method = "PROPFIND",
				.path = "/h/cal/",
				.status = 207,
				.body = MULTI("")},
			{.method = "GET",
				.path = "/h/cal/c",
				.status = 200,
				.headers = "ETag: \"3\"\r\n",
				.body = OBJECT},
			REST};

		assert_made_up(STEPS(steps),
			"state changes\n" ITEM("a", "1") ITEM("b", "2")
				ITEM("c", "3") "end 0 -\n");
	}
}

static void query_that_is_throttled(void **state)
{
	const struct fake_step steps[] = {CYRUS_STEP,
		{.method = "REPORT",
			.status = 503,
			.headers = "Retry-After: 7\r\n"}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(get_all(&rig), -1);
	assert_int_equal(rig.err.kind, ERR_THROTTLED);
	assert_int_equal(rig.err.retry_after_s, 7);
	assert_string_equal(rig.log.data, "state changes\n");
	rig_close(&rig);
}

static void collection_that_is_gone(void **state)
{
	const struct fake_step steps[] = {CYRUS_STEP};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(get_all(&rig), 0);
	assert_string_equal(rig.log.data, "state changes\nend 1 -\n");
	rig_close(&rig);
}

/* Only where it is cheap, and only for all there are. */
static void others_are_asked_by_multiget(void **state)
{
	const struct fake_step cyrus[] = {CYRUS_STEP, REST};
	const struct fake_step other[] = {OPEN_STEP, REST};
	struct rig rig = rig_open(STEPS(cyrus));

	(void)state;
	assert_int_equal(rig_get(&rig, abc), 0);
	assert_int_equal(fake_http_saw(rig.http, "calendar-query"), 0);
	rig_close(&rig);
	rig = rig_open(STEPS(other));
	assert_int_equal(get_all(&rig), 0);
	/* Nor is it asked who it is for so little. */
	rig_asked(&rig, "PROPFIND /\nREPORT /h/cal/\n");
	rig_close(&rig);
}

#define MANY 1001 /* more than one multiget asks for */

static int answer_many(
	void *context, const struct fake_request *request, struct buf *body)
{
	(void)context;
	(void)request;
	buf_append_text(body,
		"<d:multistatus xmlns:d=\"DAV:\" "
		"xmlns:c=\"urn:ietf:params:xml:ns:caldav\">");
	for (int i = 0; i < MANY; i++)
		buf_printf(body, DATA("/h/cal/x%d", "1"), i);
	buf_append_text(body, "</d:multistatus>");
	return 207;
}

static void get_many(struct rig *rig)
{
	const char *hrefs[MANY + 1];
	unsigned items = 0;

	for (int i = 0; i < MANY; i++)
		hrefs[i] = xasprintf("/h/cal/x%d", i);
	hrefs[MANY] = NULL;
	assert_int_equal(rig_get_of(rig, COLLECTION_CALENDAR, true, hrefs), 0);
	for (const char *at = rig->log.data; (at = strstr(at, "\nitem ")); at++)
		items++;
	assert_int_equal(items, MANY);
	for (int i = 0; i < MANY; i++)
		free((char *)hrefs[i]);
}

#define MANY_STEP                                                              \
	{                                                                      \
		.method = "REPORT", .times = -1, .answer = answer_many         \
	}
#define WHO_STEP(HEADERS)                                                      \
	{                                                                      \
		.method = "OPTIONS", .times = -1, .status = 200,               \
		.headers = HEADERS "DAV: 1\r\n"                                \
	}

/* Cyrus says so when it is asked what it can do, and not before. */
static void server_is_asked_who_it_is(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP_OF("Server: Apache\r\n"),
		WHO_STEP("Server: Cyrus-HTTP\r\n"), MANY_STEP};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_true(source_features(rig.source) & SOURCE_ENTIRE);
	get_many(&rig);
	get_many(&rig);
	rig_asked(&rig,
		"PROPFIND /\nOPTIONS /h/cal/\nREPORT /h/cal/\n"
		"REPORT /h/cal/\n");
	assert_int_equal(fake_http_saw(rig.http, "calendar-query"), 2);
	rig_close(&rig);
}

/* Or does not say it: asked once, and not believed to be quick. */
static void server_that_does_not_say(void **state)
{
	const struct fake_step known[] = {
		OPEN_STEP, WHO_STEP("Server: nginx\r\n"), MANY_STEP};
	const struct fake_step ill[] = {OPEN_STEP,
		{.method = "OPTIONS", .times = -1, .status = 500}, MANY_STEP};
	const struct fake_step dead[] = {OPEN_STEP,
		{.method = "OPTIONS", .times = -1, .hang_up = 1}, MANY_STEP};
	const struct {
		const struct fake_step *steps;
		size_t count;
	} servers[] = {{STEPS(known)}, {STEPS(ill)}, {STEPS(dead)}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig rig = rig_open(servers[i].steps, servers[i].count);

		unsigned asked;

		get_many(&rig);
		assert_false(source_features(rig.source) & SOURCE_ENTIRE);
		asked = fake_http_saw(rig.http, "OPTIONS ");
		assert_in_range(asked, 1, 2); /* again, if hung up on */
		get_many(&rig);
		assert_int_equal(fake_http_saw(rig.http, "OPTIONS "), asked);
		assert_int_equal(fake_http_saw(rig.http, "calendar-query"), 0);
		rig_close(&rig);
	}
}

/* Over a long line the further connections have asked already. */
static void further_connections_ask(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		WHO_STEP("Server: Cyrus-HTTP\r\n"),
		{.method = "REPORT",
			.contains = "sync-collection",
			.times = -1,
			.status = 207,
			.body = MULTI(TOKEN("t"))},
		MANY_STEP};
	struct rig rig = {.options = {.in_flight_max = 2}};
	struct collection collection;
	struct window windows[2];

	(void)state;
	assert_int_equal(rig_open_at(&rig, STEPS(steps), "/"), 0);
	collection = rig_collection(&rig, NULL);
	windows[0] = windows[1] = (struct window){
		.collection = &collection, .mode = FETCH_LIST};
	for (int i = 0; i < 300; i++)
		if (!(source_features(rig.source) & SOURCE_ENTIRE))
			assert_int_equal(rig_fetch(&rig, windows, 2), 0);
	assert_true(source_features(rig.source) & SOURCE_ENTIRE);
	collection_free(&collection);
	get_many(&rig);
	assert_int_equal(fake_http_saw(rig.http, "OPTIONS "), 1);
	assert_int_equal(fake_http_saw(rig.http, "calendar-query"), 1);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_brings_all),
		cmocka_unit_test(query_brings_all_contacts),
		cmocka_unit_test(multiget_brings_what_is_left),
		cmocka_unit_test(object_that_went_is_gone),
		cmocka_unit_test(query_that_is_refused),
		cmocka_unit_test(query_that_breaks_off),
		cmocka_unit_test(query_that_is_throttled),
		cmocka_unit_test(collection_that_is_gone),
		cmocka_unit_test(others_are_asked_by_multiget),
		cmocka_unit_test(server_is_asked_who_it_is),
		cmocka_unit_test(server_that_does_not_say),
		cmocka_unit_test(further_connections_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
