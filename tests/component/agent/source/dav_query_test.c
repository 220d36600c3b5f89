/*
 * A whole collection by one query, where the quirks say that this is cheap:
 * whatever the server makes of it, what comes is whole and comes once, and the
 * rest is left to others.
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

static int get_all(struct rig *rig)
{
	return rig_get_entire(rig, COLLECTION_CALENDAR, 3);
}

static unsigned count_items(const struct rig *rig)
{
	unsigned items = 0;

	for (const char *at = rig->log.data; (at = strstr(at, "\nitem ")); at++)
		items++;
	return items;
}

/* The session was opened with STEPS, of whose query LOG is made, by nothing
 * but that. */
static void assert_brought(
	const struct fake_step *steps, size_t count, const char *log)
{
	struct rig rig = rig_open(steps, count);

	assert_int_equal(get_all(&rig), 0);
	assert_string_equal(rig.log.data, log);
	assert_int_equal(fake_http_saw(rig.http, "calendar-query"), 1);
	assert_int_equal(fake_http_saw(rig.http, "REPORT "), 1);
	rig_close(&rig);
}

static void query_brings_all(void **state)
{
	const struct fake_step steps[] = {CYRUS_STEP,
		{.method = "REPORT",
			.path = "/h/cal/",
			.contains = "<C:comp-filter name=\"VCALENDAR\"/>",
			.status = 207,
			.body = MULTI(DATA("/h/cal/c", "3") DATA(
				"/h/cal/a", "1") DATA("http://x/h/cal/%61", "1")
					DATA("/h/cal/b", "2"))}};

	(void)state;
	assert_brought(STEPS(steps),
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
	assert_int_equal(rig_get_entire(&rig, COLLECTION_CONTACTS, 0), 0);
	assert_string_equal(rig.log.data,
		"state changes\n" ITEM("a", "1") ITEM("b", "2")
			ITEM("c", "3") "end 0 -\n");
	assert_int_equal(fake_http_saw(rig.http, "Depth: 1"), 1);
	rig_close(&rig);
}

/* What has no text, an error of its own or is no object, and what a limit of
 * the server cuts off. */
static void what_is_not_whole_is_left(void **state)
{
	const struct fake_step steps[] = {CYRUS_STEP,
		{.method = "REPORT",
			.contains = "calendar-query",
			.status = 207,
			.body = MULTI(DATA("/h/cal/b", "2") OK200(
				"/h/cal/a", ETAG("1")) RESPONSE("/h/cal/c",
				"<d:status>HTTP/1.1 404 x</d:status>") OK200("/h/cal/d",
				ETAG("4") "<c:calendar-data>"
					  "Sorry!"
					  "</c:calendar-data>") RESPONSE("/h/cal/",
				"<d:status>HTTP/1.1 507 x</d:status>"
				"<d:error><d:number-of-matches-"
				"within-limits/></d:error>"))}};

	(void)state;
	assert_brought(
		STEPS(steps), "state changes\n" ITEM("b", "2") "end 0 -\n");
}

static void object_that_is_too_large_is_left(void **state)
{
	const struct fake_step steps[] = {CYRUS_STEP,
		{.method = "REPORT",
			.status = 207,
			.body = MULTI(OK200("/h/cal/a",
				"<c:calendar-data>" OBJECT
				"and more of it</c:calendar-data>")
					DATA("/h/cal/b", "2"))}};
	struct rig rig = {.options = {.item_bytes_max = 16}};

	(void)state;
	assert_int_equal(rig_open_at(&rig, STEPS(steps), "/"), 0);
	assert_int_equal(get_all(&rig), 0);
	assert_string_equal(
		rig.log.data, "state changes\n" ITEM("b", "2") "end 0 -\n");
	rig_close(&rig);
}

/* Refused: and never so asked again. */
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
				.status = statuses[i]}};
		struct rig rig = rig_open(STEPS(steps));

		assert_int_equal(get_all(&rig), 0);
		assert_int_equal(get_all(&rig), 0);
		assert_string_equal(rig.log.data, "state changes\nend 0 -\n");
		assert_int_equal(fake_http_saw(rig.http, "calendar-query"), 1);
		assert_false(source_features(rig.source) & SOURCE_ENTIRE);
		rig_close(&rig);
	}
}

/* Cut anywhere: what was whole is kept. */
static void query_that_breaks_off(void **state)
{
	static const char whole[] = MULTI(DATA("/h/cal/a", "1")
			DATA("/h/cal/b", "2") DATA("/h/cal/c", "3"));
	static const char log[] = "state changes\n" ITEM("a", "1")
		ITEM("b", "2") ITEM("c", "3");
	unsigned brought = 0;
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
				.body = MULTI(OK200("/h/cal/", ""))}};
		struct rig rig = rig_open(STEPS(steps));
		size_t told;

		assert_int_equal(get_all(&rig), 0);
		told = rig.log.length - strlen("end 0 -\n");
		assert_string_equal(rig.log.data + told, "end 0 -\n");
		assert_memory_equal(rig.log.data, log, told);
		assert_true(log[told] == '\0' ||
			memcmp(log + told, "begin", 5) == 0);
		brought |= 1u << count_items(&rig);
		assert_false(source_features(rig.source) & SOURCE_ENTIRE);
		rig_close(&rig);
	}
	/* Some cuts left nothing, some one, two and all three. */
	assert_int_equal(brought, 0xf);
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

/* Only where it is cheap. */
static void others_are_not_asked(void **state)
{
	const struct fake_step other[] = {OPEN_STEP};
	struct rig rig = rig_open(STEPS(other));

	(void)state;
	assert_int_equal(get_all(&rig), 0);
	/* Nor is it asked who it is for so little. */
	rig_asked(&rig, "PROPFIND /\n");
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

/* How many came. */
static unsigned get_many(struct rig *rig)
{
	assert_int_equal(rig_get_entire(rig, COLLECTION_CALENDAR, MANY), 0);
	return count_items(rig);
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
	assert_int_equal(get_many(&rig), MANY);
	assert_int_equal(get_many(&rig), MANY);
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

		assert_int_equal(get_many(&rig), 0);
		assert_false(source_features(rig.source) & SOURCE_ENTIRE);
		asked = fake_http_saw(rig.http, "OPTIONS ");
		assert_in_range(asked, 1, 2); /* again, if hung up on */
		assert_int_equal(get_many(&rig), 0);
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
	assert_true(source_features(rig.source) & SOURCE_ASIDE);
	collection_free(&collection);
	assert_int_equal(get_many(&rig), MANY);
	assert_int_equal(fake_http_saw(rig.http, "OPTIONS "), 1);
	assert_int_equal(fake_http_saw(rig.http, "calendar-query"), 1);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_brings_all),
		cmocka_unit_test(query_brings_all_contacts),
		cmocka_unit_test(what_is_not_whole_is_left),
		cmocka_unit_test(object_that_is_too_large_is_left),
		cmocka_unit_test(query_that_is_refused),
		cmocka_unit_test(query_that_breaks_off),
		cmocka_unit_test(query_that_is_throttled),
		cmocka_unit_test(collection_that_is_gone),
		cmocka_unit_test(others_are_not_asked),
		cmocka_unit_test(server_is_asked_who_it_is),
		cmocka_unit_test(server_that_does_not_say),
		cmocka_unit_test(further_connections_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
