/*
 * What is in a collection: pages, tokens, ways around servers that refuse,
 * and above all that no answer but a DAV server's own makes items vanish.
 */
#include "dav_rig_use.h"

#define ITEM(NAME, TAG) OK200("/h/cal/" NAME, ETAG(TAG))
#define SELF		"<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
#define GONE(NAME)                                                             \
	RESPONSE("/h/cal/" NAME, "<d:status>HTTP/1.1 404 Not Found</d:status>")
#define CUT                                                                    \
	RESPONSE("/h/cal/",                                                    \
		"<d:status>HTTP/1.1 507 Insufficient Storage</d:status>")
#define HTML	      "<!DOCTYPE html><html><body>Please log in</body></html>"
#define REPORT_STEP   .method = "REPORT", .path = "/h/cal/", .status = 207
#define PROPFIND_STEP .method = "PROPFIND", .path = "/h/cal/", .status = 207

/* What the sink hears of a listing of /h/cal/ since TOKEN. */
static void expect_listing(const struct fake_step *steps, size_t count,
	const char *token, const char *expected)
{
	struct rig rig = rig_open(steps, count);

	assert_int_equal(rig_list(&rig, token), 0);
	assert_string_equal(rig.log.data, expected);
	rig_close(&rig);
}

static void everything_by_sync_collection(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP, .contains = "<D:sync-token></D:sync-token>",
			.body = MULTI(ITEM("a.ics", "1") ITEM("b%20c.ics", "2")
					TOKEN("t1"))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, NULL), 0);
	assert_string_equal(rig.log.data,
		"state all\nitem /h/cal/a.ics \"1\" 0\n"
		"item /h/cal/b%20c.ics \"2\" 0\nend 0 sync:t1\n");
	assert_int_equal(fake_http_saw(rig.http, "Depth: 0"), 2);
	rig_close(&rig);
}

static void pages_inside_207(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP, .contains = "<D:sync-token></D:sync-token>",
			.body = MULTI(ITEM("a", "1") CUT TOKEN("p1"))},
		{REPORT_STEP, .contains = "<D:sync-token>p1</D:sync-token>",
			.body = MULTI(
				ITEM("b", "2") ITEM("a", "1") CUT TOKEN("p2"))},
		{REPORT_STEP, .contains = "<D:sync-token>p2</D:sync-token>",
			.body = MULTI(ITEM("c", "3") TOKEN("t"))}};

	(void)state;
	expect_listing(STEPS(steps), NULL,
		"state all\nitem /h/cal/a \"1\" 0\nitem /h/cal/b \"2\" 0\n"
		"item /h/cal/c \"3\" 0\nend 0 sync:t\n");
}

/* Whatever the server calls the collection that it cuts. */
static void pages_of_another_name(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP,
			.body = MULTI(ITEM("a", "1") RESPONSE("/alias/cal/",
				"<d:status>HTTP/1.1 507 x"
				"</d:status>") TOKEN("p1"))},
		{REPORT_STEP, .contains = ">p1<",
			.body = MULTI(ITEM("b", "2") TOKEN("t"))}};

	(void)state;
	expect_listing(STEPS(steps), NULL,
		"state all\nitem /h/cal/a \"1\" 0\nitem /h/cal/b \"2\" 0\n"
		"end 0 sync:t\n");
}

static void pages_after_http_507(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP, .contains = "nresults",
			.body = MULTI(ITEM("a", "1") CUT TOKEN("p1"))},
		{REPORT_STEP, .contains = ">p1<",
			.body = MULTI(ITEM("b", "2") TOKEN("t"))},
		{.method = "REPORT", .status = 507}};

	(void)state;
	expect_listing(STEPS(steps), NULL,
		"state all\nitem /h/cal/a \"1\" 0\nitem /h/cal/b \"2\" 0\n"
		"end 0 sync:t\n");
}

static void pages_that_turn_in_circles_are_left(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP, .times = -1,
			.body = MULTI(ITEM("a", "1") CUT TOKEN("same"))},
		{PROPFIND_STEP,
			.body = MULTI(OK200("/h/cal/", SELF) ITEM("a", "1")
					ITEM("b", "2"))}};

	(void)state;
	expect_listing(STEPS(steps), NULL,
		"state all\nitem /h/cal/a \"1\" 0\nitem /h/cal/b \"2\" 0\n"
		"end 0 -\n");
}

static void changes_since_a_token(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP, .contains = ">t1&amp;x<",
			.body = MULTI(ITEM("new", "9") GONE("old") RESPONSE(
				"/h/cal/hidden",
				PROPSTAT("404 Not Found", "<d:getetag/>"))
					TOKEN("t2"))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, "sync:t1&x"), 0);
	/* A property that is not found is no item that is gone. */
	assert_string_equal(rig.log.data,
		"state changes\nitem /h/cal/new \"9\" 0\ngone /h/cal/old\n"
		"item /h/cal/hidden - 0\nend 0 sync:t2\n");
	rig_close(&rig);
}

static void forgotten_token_lists_everything(void **state)
{
	static const int statuses[] = {403, 404, 409, 410};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		const struct fake_step steps[] = {OPEN_STEP,
			{.method = "REPORT",
				.contains = ">old<",
				.status = statuses[i],
				.body = "<d:error xmlns:d=\"DAV:\">"
					"<d:valid-sync-token/></d:error>"},
			{REPORT_STEP,
				.contains = "<D:sync-token></D:sync-token>",
				.body = MULTI(ITEM("a", "1") TOKEN("t"))}};
		struct rig rig = rig_open(STEPS(steps));

		assert_int_equal(rig_list(&rig, "sync:old"), 0);
		assert_string_equal(rig.log.data,
			"state all\nitem /h/cal/a \"1\" 0\nend 0 sync:t\n");
		rig_close(&rig);
	}
}

static void token_forgotten_between_pages(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP, .contains = ">old<",
			.body = MULTI(ITEM("a", "1") CUT TOKEN("p1"))},
		{.method = "REPORT", .contains = ">p1<", .status = 410}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, "sync:old"), 0);
	assert_string_equal(rig.log.data,
		"state changes\nitem /h/cal/a \"1\" 0\nend 3 -\n");
	assert_int_equal(WINDOW_BAD_TOKEN, 3);
	rig_close(&rig);
}

/* Of one collection; the next is asked for changes as ever. */
static void report_that_breaks_is_done_without(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT", .status = 500},
		{PROPFIND_STEP,
			.body = MULTI(OK200("/h/cal/", SELF) ITEM("a", "1"))},
		{REPORT_STEP, .body = MULTI(ITEM("a", "1") TOKEN("t"))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, NULL), 0);
	assert_string_equal(
		rig.log.data, "state all\nitem /h/cal/a \"1\" 0\nend 0 -\n");
	assert_int_equal(rig_list(&rig, NULL), 0);
	assert_non_null(strstr(rig.log.data, "end 0 sync:t\n"));
	rig_close(&rig);
}

static void server_without_sync_collection_is_asked_once(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT", .status = 501},
		{PROPFIND_STEP, .times = -1,
			.body = MULTI(OK200(
				"/h/cal", SELF "<s:getctag>c7</s:getctag>")
					OK200("/h/cal/sub/",
						"<d:resourcetype><d:collection/>"
						"</d:resourcetype>")
						OK200("/h/cal/a", ETAG("1")))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, NULL), 0);
	assert_string_equal(rig.log.data,
		"state all\nitem /h/cal/a \"1\" 0\nend 0 ctag:c7\n");
	assert_int_equal(rig_list(&rig, NULL), 0);
	rig_asked(&rig,
		"PROPFIND /\nREPORT /h/cal/\nPROPFIND /h/cal/\n"
		"PROPFIND /h/cal/\n");
	assert_int_equal(fake_http_saw(rig.http, "Depth: 1"), 2);
	rig_close(&rig);
}

static void unchanged_ctag_costs_one_request(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{PROPFIND_STEP, .times = 2,
			.body = MULTI(OK200(
				"/h/cal/", SELF "<s:getctag>c7</s:getctag>"))},
		{PROPFIND_STEP,
			.body = MULTI(OK200(
				"/h/cal/", SELF "<s:getctag>c8</s:getctag>")
					ITEM("a", "1"))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, "ctag:c7"), 0);
	assert_string_equal(rig.log.data, "state changes\nend 0 ctag:c7\n");
	assert_int_equal(rig_list(&rig, "ctag:c6"), 0);
	assert_string_equal(rig.log.data,
		"state all\nitem /h/cal/a \"1\" 0\nend 0 ctag:c8\n");
	rig_close(&rig);
}

/* Each of these must neither end the window nor promise a complete list. */
static void strangers_empty_nothing(void **state)
{
	static const struct fake_step answers[] = {
		{.status = 200, .body = HTML, .times = -1},
		{.status = 200, .body = "", .times = -1},
		{.status = 207, .body = HTML, .times = -1},
		{.status = 207, .body = "", .times = -1},
		{.status = 207, .body = MULTI(""), .times = -1},
		{.status = 207,
			.body = "<d:error xmlns:d=\"DAV:\"/>",
			.times = -1},
		{.status = 204, .times = -1},
		{.status = 500, .times = -1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct fake_step steps[] = {OPEN_STEP, answers[i]};
		struct rig rig = rig_open(STEPS(steps));

		assert_int_equal(rig_list(&rig, NULL), -1);
		assert_int_not_equal(rig.err.kind, ERR_NONE);
		assert_null(strstr(buf_text(&rig.log), "end 0"));
		rig_close(&rig);
	}
}

#define STATUS(S) "<d:status>HTTP/1.1 " S " x</d:status>"

/* Nor an answer of the server's own that says, inside, that it is not all. */
static void what_is_not_all_empties_nothing(void **state)
{
	static const char *const answers[] = {MULTI(""),
		MULTI(RESPONSE("/h/cal/", STATUS("500"))),
		MULTI(RESPONSE("/h/cal/", STATUS("403"))),
		MULTI(OK200("/h/cal/", SELF)
				RESPONSE("/alias/cal/", STATUS("507"))),
		MULTI(OK200("/h/cal/", SELF) RESPONSE("/h/cal/", STATUS("507"))
				TOKEN("t"))};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct fake_step steps[] = {OPEN_STEP,
			{.path = "/h/cal/",
				.times = -1,
				.status = 207,
				.headers = "DAV: 1, calendar-access\r\n",
				.body = answers[i]}};
		struct rig rig = rig_open(STEPS(steps));

		rig_list(&rig, NULL);
		assert_null(strstr(buf_text(&rig.log), "end 0"));
		rig_close(&rig);
	}
}

static void ill_collection_holds_up_no_other(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{.path = "/h/cal/", .times = -1, .status = 500},
		{.method = "REPORT",
			.path = "/h/well/",
			.status = 207,
			.body = MULTI(
				OK200("/h/well/a", ETAG("1")) TOKEN("t"))}};
	struct rig rig = rig_open(STEPS(steps));
	struct collection ill = rig_collection(&rig, NULL);
	struct collection well = rig_collection(&rig, NULL);
	const struct window windows[] = {
		{.collection = &ill, .mode = FETCH_LIST},
		{.collection = &well, .mode = FETCH_LIST}};

	(void)state;
	free(well.wire);
	well.wire = xasprintf("%s/h/well/", fake_http_url(rig.http));
	assert_int_equal(rig_fetch(&rig, windows, 2), -1);
	assert_int_equal(rig.err.kind, ERR_NETWORK);
	assert_non_null(strstr(rig.err.text, "/h/cal/: status 500"));
	assert_string_equal(rig.log.data,
		"end 5 -\nstate all\nitem /h/well/a \"1\" 0\nend 0 sync:t\n");
	assert_int_equal(WINDOW_FAILED, 5);
	collection_free(&ill);
	collection_free(&well);
	rig_close(&rig);
}

static void empty_set_of_a_proven_server_is_believed(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP, .times = 2, .body = MULTI(TOKEN("t"))},
		{.method = "OPTIONS",
			.status = 200,
			.headers = "DAV: 1, calendar-access\r\n"}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, NULL), 0);
	assert_string_equal(rig.log.data, "state all\nend 0 sync:t\n");
	/* Proven once a session. */
	assert_int_equal(rig_list(&rig, NULL), 0);
	rig_asked(&rig,
		"PROPFIND /\nREPORT /h/cal/\nOPTIONS /h/cal/\nREPORT /h/cal/\n");
	rig_close(&rig);
}

static void cut_answer_is_asked_for_in_another_way(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP,
			.body = "<d:multistatus xmlns:d=\"DAV:\">" ITEM(
				"a", "1") "<d:response><d:href>/h/c"},
		{PROPFIND_STEP,
			.body = MULTI(OK200("/h/cal/", SELF) ITEM("a", "1")
					ITEM("b", "2"))}};

	(void)state;
	expect_listing(STEPS(steps), NULL,
		"state all\nitem /h/cal/a \"1\" 0\nitem /h/cal/b \"2\" 0\n"
		"end 0 -\n");
}

static void lost_connection_is_worth_another_session(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{REPORT_STEP, .body = MULTI(ITEM("a", "1") TOKEN("t")),
			.cut_after = 120}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, NULL), -1);
	assert_int_equal(rig.err.kind, ERR_NETWORK);
	assert_int_equal(err_retry(&rig.err), ERR_RETRY_SOON);
	assert_null(strstr(buf_text(&rig.log), "end"));
	rig_close(&rig);
}

static void throttled_says_when_to_come_back(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT",
			.status = 503,
			.headers = "Retry-After: 7\r\n"}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, NULL), -1);
	assert_int_equal(rig.err.kind, ERR_THROTTLED);
	assert_int_equal(rig.err.retry_after_s, 7);
	rig_asked(&rig, "PROPFIND /\nREPORT /h/cal/\n");
	rig_close(&rig);
}

static void missing_collection_is_said_to_be_missing(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_list(&rig, NULL), 0);
	assert_string_equal(rig.log.data, "end 1 -\n");
	assert_int_equal(WINDOW_NO_COLLECTION, 1);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_by_sync_collection),
		cmocka_unit_test(pages_inside_207),
		cmocka_unit_test(pages_of_another_name),
		cmocka_unit_test(pages_after_http_507),
		cmocka_unit_test(pages_that_turn_in_circles_are_left),
		cmocka_unit_test(changes_since_a_token),
		cmocka_unit_test(forgotten_token_lists_everything),
		cmocka_unit_test(token_forgotten_between_pages),
		cmocka_unit_test(report_that_breaks_is_done_without),
		cmocka_unit_test(server_without_sync_collection_is_asked_once),
		cmocka_unit_test(unchanged_ctag_costs_one_request),
		cmocka_unit_test(strangers_empty_nothing),
		cmocka_unit_test(what_is_not_all_empties_nothing),
		cmocka_unit_test(ill_collection_holds_up_no_other),
		cmocka_unit_test(empty_set_of_a_proven_server_is_believed),
		cmocka_unit_test(cut_answer_is_asked_for_in_another_way),
		cmocka_unit_test(lost_connection_is_worth_another_session),
		cmocka_unit_test(throttled_says_when_to_come_back),
		cmocka_unit_test(missing_collection_is_said_to_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
