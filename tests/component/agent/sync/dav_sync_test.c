/*
 * dav_sync_test.c - the engine and the DAV source together, against a
 * scripted server: what becomes of objects that cannot be had, of servers
 * that are not themselves, and of collections that go.
 */
#include "dav_fixture.h"

#include <time.h>

/* Asked for changes since the token it gave: none. */
#define NO_CHANGES                                                             \
	{                                                                      \
		.method = "REPORT", .contains = ">t1<", .times = -1,           \
		.status = 207, .body = MULTI(TOKEN("t1"))                      \
	}
#define HOME_STEP                                                              \
	{                                                                      \
		.path = "/", .times = -1, .status = 207, .body = home_body     \
	}
#define HOME_WITH(BODY)                                                        \
	{                                                                      \
		.path = "/h/", .times = -1, .status = 207, .headers = PROVEN,  \
		.body = BODY                                                   \
	}
#define LIST_STEP HOME_WITH(LIST_BODY("t1"))
/* All ITEMS there are, asked for without a token. */
#define LISTED(ITEMS)                                                          \
	{                                                                      \
		.method = "REPORT", .contains = "sync-collection",             \
		.times = -1, .status = 207, .body = MULTI(ITEMS TOKEN("t1"))   \
	}
#define BOTH_WHOLE                                                             \
	{                                                                      \
		.method = "REPORT", .times = -1, .status = 207,                \
		.body = MULTI(OBJECT("a") OBJECT("b"))                         \
	}
#define ONE_WHOLE(NAME)                                                        \
	{                                                                      \
		.method = "GET", .path = "/h/cal/" NAME, .times = -1,          \
		.status = 200, .body = EVENT(NAME)                             \
	}
#define ALL_LISTED LISTED(ITEM("a") ITEM("b") ITEM("bad"))

static void object_that_cannot_be_had(void **state)
{
	struct fixture *f = *state;
	const struct fake_step ill[] = {HOME_STEP, LIST_STEP, NO_CHANGES,
		ALL_LISTED,
		{.method = "REPORT",
			.contains = "/bad<",
			.times = -1,
			.status = 500},
		{.method = "GET",
			.path = "/h/cal/bad",
			.times = -1,
			.status = 500},
		ONE_WHOLE("a"), ONE_WHOLE("b"), BOTH_WHOLE};
	const struct fake_step well[] = {
		HOME_STEP, LIST_STEP, NO_CHANGES, ALL_LISTED, ONE_WHOLE("bad")};

	assert_int_equal(RUN(f, ill), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(f->progress.totals.quarantined, 1);
	/* The next run asks for it again, though nothing changed. */
	assert_int_equal(RUN(f, well), 0);
	assert_int_equal(f->progress.totals.events, 3);
	assert_int_equal(f->progress.totals.quarantined, 0);
}

static const struct fake_step healthy[] = {HOME_STEP, LIST_STEP, NO_CHANGES,
	LISTED(ITEM("a") ITEM("b")), BOTH_WHOLE};

/* Whatever answers in the server's place, what is stored stays. */
static void strangers_take_nothing(void **state)
{
	struct fixture *f = *state;
	static const char html[] = "<html><body>Log in</body></html>";
	const struct fake_step strangers[][3] = {
		{{.times = -1, .status = 200, .body = html}},
		{{.times = -1, .status = 404}},
		{HOME_STEP, {.times = -1, .status = 200, .body = html}},
		{HOME_STEP, {.times = -1, .status = 207, .body = MULTI("")}},
		{HOME_STEP, {.times = -1, .status = 404}}};
	size_t i;

	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(f->progress.totals.events, 2);
	for (i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		assert_int_equal(RUN(f, strangers[i]), -1);
		assert_int_equal(f->progress.totals.events, 2);
	}
	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(f->progress.run_app_bytes, 0);
}

static void collection_that_goes(void **state)
{
	struct fixture *f = *state;
	const struct fake_step without[] = {HOME_STEP,
		{.path = "/h/",
			.times = -1,
			.status = 207,
			.body = MULTI(OK200("/h/other/",
				"<d:resourcetype><d:collection/><c:calendar/>"
				"</d:resourcetype>"))},
		{.path = "/h/other/",
			.times = -1,
			.status = 207,
			.headers = PROVEN,
			.body = MULTI(TOKEN("o1"))}};

	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(RUN(f, without), 0);
	assert_int_equal(f->progress.totals.events, 0);
}

/* A copy is proven by the token: nothing is listed a second time. */
static void proof_costs_one_request(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(fake_http_saw(f->http, "<D:sync-collection"), 1);
	assert_int_equal(fake_http_saw(f->http, "calendar-multiget"), 1);
	/* The next run asks the address, the well-known place of address
	 * books and the home, and nothing of the collection. */
	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(fake_http_saw(f->http, "<D:sync-collection"), 1);
	assert_int_equal(f->progress.round_trips, 3);
}

/* Another token: what changed is asked for, and no more than that. */
static void change_during_the_copy(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {HOME_STEP,
		{.path = "/h/",
			.status = 207,
			.headers = PROVEN,
			.body = LIST_BODY("t1")},
		HOME_WITH(LIST_BODY("t2")),
		{.contains = ">t1<",
			.times = 1,
			.status = 207,
			.body = MULTI(ITEM("c") "<d:response><d:href>/h/cal/a"
						"</d:href><d:status>HTTP/1.1 "
						"404 Gone</d:status>"
						"</d:response>" TOKEN("t2"))},
		{.contains = ">t2<",
			.times = -1,
			.status = 207,
			.body = MULTI(TOKEN("t2"))},
		{.contains = "sync-collection",
			.status = 207,
			.body = MULTI(ITEM("a") ITEM("b") TOKEN("t1"))},
		{.contains = "/h/cal/c<",
			.times = -1,
			.status = 207,
			.body = MULTI(OBJECT("c"))},
		ONE_WHOLE("c"), BOTH_WHOLE};

	assert_int_equal(RUN(f, steps), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(fake_http_saw(f->http, "<D:sync-token></"), 1);
	assert_int_equal(fake_http_saw(f->http, ">t1<"), 1);
}

#define CTAG                                                                   \
	"<s:getctag xmlns:s=\"http://calendarserver.org/ns/\">c1</s:getctag>"
#define CLOCK_HOME_STEP                                                        \
	{                                                                      \
		.path = "/", .times = -1, .status = 207,                       \
		.headers = "Server: SOGo\r\n", .body = home_body               \
	}
static const char clock_body[] = MULTI(OK200("/h/cal/",
	"<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>" CTAG));
#define CLOCK_LISTED(ITEMS)                                                    \
	{                                                                      \
		.method = "PROPFIND", .path = "/h/cal/", .times = -1,          \
		.status = 207, .body = MULTI(ITEMS OK200("/h/cal/", CTAG))     \
	}

/* A token that does not tell every change proves nothing. */
static void clock_tokens_prove_nothing(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {CLOCK_HOME_STEP,
		HOME_WITH(clock_body), CLOCK_LISTED(ITEM("a") ITEM("b")),
		BOTH_WHOLE};

	assert_int_equal(RUN(f, steps), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(fake_http_saw(f->http, "Depth: 1"), 2 + 2);
}

static const char two_homes_body[] = MULTI(OK200("/h/cal/",
	"<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>")
		OK200("/h/bad/",
			"<d:resourcetype><d:collection/><c:calendar/>"
			"</d:resourcetype>"));

/* What one collection has is copied, though another cannot be listed; the run
 * says which, and is not done. */
static void ill_collection_beside_a_well_one(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {HOME_STEP, HOME_WITH(two_homes_body),
		{.path = "/h/bad/", .times = -1, .status = 500},
		LISTED(ITEM("a") ITEM("b")), BOTH_WHOLE};

	assert_int_equal(RUN(f, steps), -1);
	assert_non_null(strstr(f->err.text, "/h/bad/"));
	assert_int_equal(f->progress.totals.events, 2);
	f->aside = true;
	assert_int_equal(RUN(f, steps), -1);
	assert_non_null(strstr(f->err.text, "/h/bad/"));
}

/* One that is listed and forbidden is left alone after a second look. */
static void collection_that_is_not_ours_to_read(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {HOME_STEP, HOME_WITH(two_homes_body),
		{.path = "/h/bad/", .times = -1, .status = 403},
		LISTED(ITEM("a") ITEM("b")), BOTH_WHOLE};

	assert_int_equal(RUN(f, steps), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(fake_http_saw(f->http, "PROPFIND /h/bad/"), 2);
}

/* A home of which the server, ill, tells no more: nothing of it is gone. */
static void collection_that_is_not_told_of(void **state)
{
	struct fixture *f = *state;
	const struct fake_step ill[] = {HOME_STEP,
		HOME_WITH(MULTI("<d:response><d:href>/h/cal/</d:href>"
				"<d:status>HTTP/1.1 500 x</d:status>"
				"</d:response>" OK200("/h/other/",
					"<d:resourcetype><d:collection/>"
					"<c:calendar/></d:resourcetype>"))),
		{.path = "/h/other/",
			.times = -1,
			.status = 207,
			.headers = PROVEN,
			.body = MULTI(TOKEN("o1"))}};

	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(RUN(f, ill), 0);
	assert_int_equal(f->progress.totals.events, 2);
}

/* An object that the server lists, again and again, and has not. */
static void object_that_is_a_ghost(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {CLOCK_HOME_STEP,
		HOME_WITH(clock_body),
		CLOCK_LISTED(ITEM("a") ITEM("b") ITEM("ghost")), BOTH_WHOLE};

	assert_int_equal(RUN(f, steps), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(fake_http_saw(f->http, "GET /h/cal/ghost"), 1);
}

/* A proxy that compresses marks the etag of what it hands out. */
static void etag_that_a_proxy_changed(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {CLOCK_HOME_STEP,
		HOME_WITH(clock_body),
		CLOCK_LISTED(OK200("/h/cal/a", "<d:getetag>\"1\"</d:getetag>")
				OK200("/h/cal/b", "<d:getetag>2</d:getetag>")),
		{.method = "GET",
			.path = "/h/cal/a",
			.times = -1,
			.status = 200,
			.headers = "ETag: W/\"1-gzip\"\r\n",
			.body = EVENT("a")},
		{.method = "REPORT",
			.times = -1,
			.status = 207,
			.body = MULTI(OK200("/h/cal/b",
				"<d:getetag>\"2\"</d:getetag>"
				"<c:calendar-data>" EVENT(
					"b") "</c:calendar-data>"))}};

	assert_int_equal(RUN(f, steps), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(fake_http_saw(f->http, "calendar-multiget"), 1);
}

/* Objects that are other ones each time they are looked at: the run fetches
 * them some times over, and ends. */
static void etags_that_never_settle(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {CLOCK_HOME_STEP,
		HOME_WITH(clock_body),
		CLOCK_LISTED(OK200("/h/cal/a", "<d:getetag>x</d:getetag>")
				ITEM("b")),
		{.method = "GET",
			.path = "/h/cal/a",
			.times = 40,
			.status = 200,
			.headers = "ETag: \"y\"\r\n",
			.body = EVENT("a")},
		BOTH_WHOLE};

	assert_int_equal(RUN(f, steps), -1);
	assert_non_null(strstr(f->err.text, "changes faster"));
	assert_int_equal(f->progress.retries, 2);
}

/* The first COUNT objects, listed or whole. */
static int answer_many(
	void *context, const struct fake_request *request, struct buf *body)
{
	bool whole = strstr(buf_text(&request->body), "multiget") != NULL;
	int count = *(const int *)context;

	buf_append_text(body,
		"<d:multistatus xmlns:d=\"DAV:\" "
		"xmlns:c=\"urn:ietf:params:xml:ns:caldav\">");
	for (int i = 0; i < count; i++)
		buf_printf(body,
			"<d:response><d:href>/h/cal/%d</d:href><d:propstat>"
			"<d:prop><d:getetag>1</d:getetag>%s%s%s</d:prop>"
			"<d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
			"</d:response>",
			i, whole ? "<c:calendar-data>" : "",
			whole ? EVENT("x") : "",
			whole ? "</c:calendar-data>" : "");
	buf_append_text(body, TOKEN("t1") "</d:multistatus>");
	return 207;
}

/* Copies COUNT objects; the round trips of a later run that finds one more. */
static uint64_t trips_of_a_delta(struct fixture *f, int count)
{
	const struct fake_step first[] = {HOME_STEP, LIST_STEP,
		{.method = "REPORT",
			.times = -1,
			.answer = answer_many,
			.context = &count}};
	const struct fake_step second[] = {HOME_STEP,
		HOME_WITH(LIST_BODY("t2")),
		{.contains = ">t1<",
			.times = -1,
			.status = 207,
			.body = MULTI(ITEM("new") TOKEN("t2"))},
		ONE_WHOLE("new")};

	assert_int_equal(RUN(f, first), 0);
	assert_int_equal(f->progress.totals.events, count);
	assert_int_equal(RUN(f, second), 0);
	assert_int_equal(f->progress.totals.events, count + 1);
	return f->progress.round_trips;
}

static void delta_does_not_grow_with_the_collection(void **state)
{
	struct fixture *f = *state;
	uint64_t few = trips_of_a_delta(f, 3);

	temp_dir_remove(f->store);
	/* The address, the well-known place of address books, the home, the
	 * changes, the object, the home again. */
	assert_int_equal(few, 6);
	assert_int_equal(trips_of_a_delta(f, 1200), few);
}

/* Asked to come back later, it does, and fetches nothing twice. */
static void throttled_and_back(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {HOME_STEP, LIST_STEP, NO_CHANGES,
		LISTED(ITEM("a") ITEM("b")),
		/* A multiget that brings one of two, then too many requests. */
		{.contains = "multiget",
			.status = 207,
			.body = MULTI(OBJECT("a"))},
		{.method = "GET",
			.path = "/h/cal/b",
			.status = 503,
			.headers = "Retry-After: 1\r\n"},
		ONE_WHOLE("b")};

	assert_int_equal(RUN(f, steps), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(f->progress.retries, 1);
	assert_int_equal(fake_http_saw(f->http, "calendar-multiget"), 1);
}

static int answer_from_afar(
	void *context, const struct fake_request *request, struct buf *body)
{
	const struct timespec nap = {0, 15 * 1000000};

	(void)context;
	(void)request;
	nanosleep(&nap, NULL);
	buf_append_text(body, home_body);
	return 207;
}

/* Over a long line several connections are opened; to a server that does not
 * like it one, for the rest of the run. */
static void throttled_asks_by_one_connection(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {
		{.path = "/", .times = -1, .answer = answer_from_afar},
		{.method = "OPTIONS", .times = -1, .status = 200}, LIST_STEP,
		NO_CHANGES, {.contains = "sync-collection", .status = 429},
		LISTED(ITEM("a") ITEM("b")), BOTH_WHOLE};

	f->afar = true;
	assert_int_equal(RUN(f, steps), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(f->progress.retries, 1);
	assert_int_equal(fake_http_saw(f->http, "OPTIONS "), 3);
}

/* Throttled for longer than anybody waits: the run ends and says so. */
static void throttled_for_good(void **state)
{
	struct fixture *f = *state;
	const struct fake_step steps[] = {HOME_STEP, LIST_STEP,
		{.method = "REPORT", .times = -1, .status = 429}};

	assert_int_equal(RUN(f, steps), -1);
	assert_int_equal(f->err.kind, ERR_THROTTLED);
	assert_non_null(strstr(f->err.text, "429"));
	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(f->progress.totals.events, 2);
}

/* The same account under another name: listed anew, nothing fetched. */
static void server_with_another_address(void **state)
{
	struct fixture *f = *state;
	struct fake_http *elsewhere = fake_http_start(NULL, 0);
	struct fake_http *before = f->http;

	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(f->progress.totals.events, 2);
	f->http = elsewhere;
	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(f->progress.run_app_bytes, 0);
	assert_int_equal(fake_http_saw(elsewhere, "calendar-multiget"), 0);
	assert_int_equal(fake_http_saw(elsewhere, ">t1<"), 0);
	fake_http_stop(before);
}

/* The same collection in another place of the server. */
static void collection_in_another_place(void **state)
{
	struct fixture *f = *state;
	const struct fake_step moved[] = {HOME_STEP,
		{.path = "/h/",
			.times = -1,
			.status = 207,
			.headers = PROVEN,
			.body = MULTI(OK200("/n/w/cal/",
				"<d:resourcetype><d:collection/><c:calendar/>"
				"</d:resourcetype>"))},
		{.path = "/n/w/cal/",
			.times = -1,
			.status = 207,
			.body = MULTI(OK200("/n/w/cal/a",
				"<d:getetag>1</d:getetag>") OK200("/n/w/cal/b",
				"<d:getetag>1</d:getetag>") TOKEN("x1"))}};

	assert_int_equal(RUN(f, healthy), 0);
	assert_int_equal(RUN(f, moved), 0);
	assert_int_equal(f->progress.totals.events, 2);
	assert_int_equal(f->progress.run_app_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			object_that_cannot_be_had, setup, teardown),
		cmocka_unit_test_setup_teardown(
			strangers_take_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			collection_that_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			proof_costs_one_request, setup, teardown),
		cmocka_unit_test_setup_teardown(
			change_during_the_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(
			clock_tokens_prove_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			ill_collection_beside_a_well_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			collection_that_is_not_ours_to_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			collection_that_is_not_told_of, setup, teardown),
		cmocka_unit_test_setup_teardown(
			object_that_is_a_ghost, setup, teardown),
		cmocka_unit_test_setup_teardown(
			etag_that_a_proxy_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			etags_that_never_settle, setup, teardown),
		cmocka_unit_test_setup_teardown(
			server_with_another_address, setup, teardown),
		cmocka_unit_test_setup_teardown(
			delta_does_not_grow_with_the_collection, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			throttled_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			throttled_asks_by_one_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(
			throttled_for_good, setup, teardown),
		cmocka_unit_test_setup_teardown(
			collection_in_another_place, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
