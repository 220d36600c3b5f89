/*
 * The objects of a collection: every one arrives once and whole, whatever
 * the server makes of the request, and a bad one costs itself only.
 */
#include "dav_rig_use.h"

#define DATA(HREF, TAG, TEXT)                                                  \
	OK200(HREF, ETAG(TAG) "<c:calendar-data>" TEXT "</c:calendar-data>")
#define OBJECT "BEGIN:VCALENDAR\nEND:VCALENDAR\n"

static void line_ends_are_restored(void **state)
{
	static const char *const hrefs[] = {
		"/h/cal/a", "/h/cal/b", "/h/cal/c", NULL};
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT",
			.status = 207,
			.contains = "calendar-multiget",
			.body = MULTI(DATA("/h/cal/a", "1", "\n  BEGIN:X\nB\n")
					DATA("/h/cal/b", "2", "BEGIN:X&#13;\nB")
						DATA("/h/cal/c", "3",
							"<![CDATA[BEGIN:X\r\n"
							"<&>\r\n]]>"))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_get(&rig, hrefs), 0);
	assert_string_equal(rig.log.data,
		"state changes\n"
		"begin 12\nBEGIN:X\r\nB\r\nitem /h/cal/a \"1\" 12\n"
		"begin 12\nBEGIN:X\r\nB\r\nitem /h/cal/b \"2\" 12\n"
		"begin 14\nBEGIN:X\r\n<&>\r\nitem /h/cal/c \"3\" 14\n"
		"end 0 -\n");
	rig_close(&rig);
}

static void hrefs_are_compared_in_normal_form(void **state)
{
	static const char *const hrefs[] = {"/h/cal/a%40b.ics", "/h/cal/c d",
		"http://h.example/h/cal/e%2520f", NULL};
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT",
			.status = 207,
			.contains = "<D:href>/h/cal/a%40b.ics</D:href>",
			.body = MULTI(DATA("http://x/h/cal/a@b.ics", "1",
				OBJECT) DATA("/h/cal/c%20d", "2",
				OBJECT) DATA("/h/cal/e f/", "3", OBJECT)
					DATA("/h/cal/stranger", "4", OBJECT))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_get(&rig, hrefs), 0);
	assert_non_null(strstr(rig.log.data, "item /h/cal/a%40b.ics \"1\""));
	assert_non_null(strstr(rig.log.data, "item /h/cal/c d \"2\""));
	assert_non_null(strstr(
		rig.log.data, "item http://h.example/h/cal/e%2520f \"3\""));
	assert_null(strstr(rig.log.data, "stranger"));
	rig_close(&rig);
}

static void what_multiget_leaves_out_is_got_alone(void **state)
{
	static const char *const hrefs[] = {"/h/cal/there", "/h/cal/gone",
		"/h/cal/known", "/h/cal/odd", "/h/cal/lost", "/h/cal/page",
		"/h/cal/denied", NULL};
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT",
			.status = 207,
			.body = MULTI(DATA("/h/cal/there", "1", OBJECT) DATA(
				"/h/cal/there", "1",
				OBJECT) RESPONSE("/h/cal/gone",
				"<d:status>HTTP/1.1 "
				"404 x</d:status>") RESPONSE("/h/cal/known",
				"<d:status>HTTP/1.1 "
				"404 x</d:status>") RESPONSE("/h/cal/odd",
				"<d:status>"
				"HTTP/1.1 500 "
				"x"
				"</"
				"d:status>"))},
		/* By this name the server knows it in a GET only. */
		{.path = "/h/cal/known", .status = 200, .body = OBJECT},
		{.path = "/h/cal/odd",
			.status = 200,
			.headers = "ETag: \"7\"\r\n",
			.body = OBJECT},
		{.path = "/h/cal/page",
			.status = 200,
			.body = "<html>Log in</html>"},
		{.path = "/h/cal/denied", .status = 403}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_get(&rig, hrefs), 0);
	assert_string_equal(rig.log.data,
		"state changes\n"
		"begin 32\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
		"item /h/cal/there \"1\" 32\n"
		"gone /h/cal/gone\n"
		"begin 32\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
		"item /h/cal/known - 32\n"
		"begin 32\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
		"item /h/cal/odd \"7\" 32\n"
		"gone /h/cal/lost\n"
		"failed /h/cal/page 0 raw 21\n"
		"failed /h/cal/denied 2 raw 0\n"
		"end 0 -\n");
	assert_int_equal(FAULT_UNPARSABLE, 0);
	assert_int_equal(FAULT_REFUSED, 2);
	rig_close(&rig);
}

#define MANY 100

/* Answers a multiget with every object it names; 500, or nothing, when the
 * poisonous one is among them. */
static int answer_many(
	void *context, const struct fake_request *request, struct buf *body)
{
	const int *poison_status = context;
	const char *at = buf_text(&request->body);

	if (strstr(at, "/h/cal/x42<"))
		return *poison_status;
	buf_append_text(body,
		"<d:multistatus xmlns:d=\"DAV:\" "
		"xmlns:c=\"urn:ietf:params:xml:ns:caldav\">");
	while ((at = strstr(at, "<D:href>"))) {
		at += strlen("<D:href>");
		buf_printf(body,
			"<d:response><d:href>%.*s</d:href>" PROPSTAT("200 OK",
				"<c:calendar-data>" OBJECT
				"</c:calendar-data>") "</d:response>",
			(int)strcspn(at, "<"), at);
	}
	buf_append_text(body, "</d:multistatus>");
	return 207;
}

static unsigned count_lines(const char *text, const char *start)
{
	unsigned count = 0;

	for (; (text = strstr(text, start)); text++)
		count++;
	return count;
}

static void get_many(struct rig *rig)
{
	const char *hrefs[MANY + 1];
	size_t i;

	for (i = 0; i < MANY; i++)
		hrefs[i] = xasprintf("/h/cal/x%zu", i);
	hrefs[MANY] = NULL;
	assert_int_equal(rig_get(rig, hrefs), 0);
	for (i = 0; i < MANY; i++) {
		char *line = xasprintf(" %s ", hrefs[i]);

		assert_int_equal(count_lines(rig->log.data, line), 1);
		free(line);
		free((char *)hrefs[i]);
	}
}

static void poison_is_isolated_by_halving(void **state)
{
	int poison_status = 500;
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT",
			.times = -1,
			.answer = answer_many,
			.context = &poison_status},
		{.method = "GET", .path = "/h/cal/x42", .status = 500},
		{.method = "GET", .times = -1, .status = 200, .body = OBJECT}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	get_many(&rig);
	assert_int_equal(count_lines(rig.log.data, "\nitem "), MANY - 1);
	assert_non_null(strstr(rig.log.data, "\nfailed /h/cal/x42 2 "));
	assert_true(source_round_trips(rig.source) < 20);
	rig_close(&rig);
}

/* The server dies of one object, and is back at the next connection. */
static void poison_that_hangs_up(void **state)
{
	int poison_status = 500;
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT",
			.contains = "/h/cal/x42<",
			.times = -1,
			.hang_up = 1},
		{.method = "REPORT",
			.times = -1,
			.answer = answer_many,
			.context = &poison_status},
		{.method = "PROPFIND",
			.path = "/h/cal/",
			.times = -1,
			.status = 207,
			.body = MULTI(OK200("/h/cal/", ""))},
		{.method = "GET",
			.path = "/h/cal/x42",
			.times = -1,
			.hang_up = 1},
		{.method = "GET", .times = -1, .status = 200, .body = OBJECT}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	get_many(&rig);
	assert_int_equal(count_lines(rig.log.data, "\nitem "), MANY - 1);
	assert_non_null(strstr(rig.log.data, "\nfailed /h/cal/x42 3 "));
	assert_int_equal(FAULT_DISCONNECT, 3);
	rig_close(&rig);
}

static void server_that_stays_away_ends_the_session(void **state)
{
	static const char *const hrefs[] = {"/h/cal/a", "/h/cal/b", NULL};
	const struct fake_step steps[] = {
		OPEN_STEP, {.times = -1, .hang_up = 1}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_get(&rig, hrefs), -1);
	assert_int_equal(rig.err.kind, ERR_NETWORK);
	assert_null(strstr(rig.log.data, "failed"));
	assert_null(strstr(rig.log.data, "end"));
	rig_close(&rig);
}

static void server_without_multiget_is_got_one_by_one(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT", .times = -1, .status = 405},
		{.method = "GET", .times = -1, .status = 200, .body = OBJECT}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	get_many(&rig);
	assert_int_equal(count_lines(rig.log.data, "\nitem "), MANY);
	/* It does not go on trying. */
	assert_true(source_round_trips(rig.source) < MANY + 20);
	rig_close(&rig);
}

/* An object beyond the limit, and after it one of the usual size. */
static int answer_huge(
	void *context, const struct fake_request *request, struct buf *body)
{
	int i;

	(void)context;
	(void)request;
	buf_append_text(body,
		"<d:multistatus xmlns:d=\"DAV:\" "
		"xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:response>"
		"<d:href>/h/cal/huge</d:href><d:propstat><d:prop>"
		"<c:calendar-data>BEGIN:VCALENDAR\n");
	for (i = 0; i < 20000; i++)
		buf_append_text(body, "ATTACH:AAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
	buf_append_text(body,
		"</c:calendar-data></d:prop><d:status>HTTP/1.1 200 OK"
		"</d:status></d:propstat></d:response>" DATA(
			"/h/cal/small", "2", OBJECT) "</d:multistatus>");
	return 207;
}

static void huge_object_is_refused_and_others_go_on(void **state)
{
	static const char *const hrefs[] = {
		"/h/cal/huge", "/h/cal/small", NULL};
	const struct fake_step steps[] = {
		OPEN_STEP, {.method = "REPORT", .answer = answer_huge}};
	struct rig rig = {.options = {.item_bytes_max = 100000}};

	(void)state;
	assert_int_equal(rig_open_at(&rig, STEPS(steps), "/"), 0);
	assert_int_equal(rig_get(&rig, hrefs), 0);
	assert_string_equal(rig.log.data,
		"state changes\nfailed /h/cal/huge 1 raw 100000\n"
		"begin 32\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
		"item /h/cal/small \"2\" 32\nend 0 -\n");
	assert_int_equal(FAULT_TOO_LARGE, 1);
	rig_close(&rig);
}

static void control_characters_cost_themselves_only(void **state)
{
	static const char *const hrefs[] = {"/h/cal/a", "/h/cal/b", NULL};
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT",
			.status = 207,
			.body = MULTI(DATA(
				"/h/cal/a", "1", "BEGIN:X\x0b&#1;&#x1F;Y\n")
					DATA("/h/cal/b", "2", "BEGIN:Z"))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_get(&rig, hrefs), 0);
	assert_string_equal(rig.log.data,
		"state changes\nbegin 10\nBEGIN:XY\r\n"
		"item /h/cal/a \"1\" 10\n"
		"begin 9\nBEGIN:Z\r\nitem /h/cal/b \"2\" 9\nend 0 -\n");
	rig_close(&rig);
}

/* A line folded inside a character, as the formats allow, is no XML: the bytes
 * are had without it. Others keep what looks like the mending of it. */
static void broken_characters_are_got_as_they_are(void **state)
{
	static const char *const hrefs[] = {
		"/h/cal/own", "/h/cal/fold", "/h/cal/b", NULL};
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT",
			.status = 207,
			.body = MULTI(DATA("/h/cal/own", "0",
				"BEGIN:X\xef\xbf\xbd") DATA("/h/cal/fold", "1",
				"BEGIN:M\xc3\r\n \xbcller\r\n")
					DATA("/h/cal/b", "2", "BEGIN:Z"))},
		{.path = "/h/cal/own",
			.status = 200,
			.body = "BEGIN:X\xef\xbf\xbd"},
		{.path = "/h/cal/fold",
			.status = 200,
			.headers = "ETag: \"1\"\r\n",
			.body = "BEGIN:M\xc3\r\n \xbcller\r\n"}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_get(&rig, hrefs), 0);
	assert_non_null(strstr(rig.log.data,
		"begin 18\nBEGIN:M\xc3\r\n \xbcller\r\n"
		"item /h/cal/fold \"1\" 18\n"));
	assert_non_null(strstr(rig.log.data, "item /h/cal/b \"2\" 9\n"));
	rig_close(&rig);
}

/* It is not the objects' fault. */
static void ill_server_sets_nothing_apart(void **state)
{
	static const char *const hrefs[] = {"/h/cal/a", "/h/cal/b", NULL};
	const struct fake_step reports[] = {
		{.method = "REPORT", .status = 500, .times = -1},
		{.method = "REPORT", .status = 207, .body = MULTI("")}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		const struct fake_step steps[] = {
			OPEN_STEP, reports[i], {.times = -1, .status = 500}};
		struct rig rig = rig_open(STEPS(steps));

		assert_int_equal(rig_get(&rig, hrefs), -1);
		assert_int_equal(rig.err.kind, ERR_NETWORK);
		assert_string_equal(rig.log.data, "state changes\n");
		assert_true(source_round_trips(rig.source) < 6);
		rig_close(&rig);
	}
}

/* Nor for one object does the password go to a stranger. */
static void object_elsewhere_is_not_asked_for(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT", .status = 207, .body = MULTI("")},
		{.path = "/h/cal/a", .status = 200, .body = OBJECT}};
	struct rig rig = rig_open(STEPS(steps));
	struct fake_http *stranger = fake_http_start(NULL, 0);
	char *href = xasprintf("http://localhost:%s/x",
		strrchr(fake_http_url(stranger), ':') + 1);
	const char *const hrefs[] = {href, "/h/cal/a", NULL};

	(void)state;
	assert_int_equal(rig_get(&rig, hrefs), 0);
	assert_non_null(strstr(rig.log.data, "/x 2 raw 0\n"));
	assert_non_null(strstr(rig.log.data, "\nitem /h/cal/a "));
	assert_int_equal(fake_http_saw(stranger, ""), 0);
	free(href);
	fake_http_stop(stranger);
	rig_close(&rig);
}

static void throttled_between_requests(void **state)
{
	static const char *const hrefs[] = {"/h/cal/a", "/h/cal/b", NULL};
	const struct fake_step steps[] = {OPEN_STEP,
		{.method = "REPORT",
			.status = 207,
			.body = MULTI(DATA("/h/cal/a", "1", OBJECT))},
		{.method = "GET",
			.status = 429,
			.headers = "Retry-After: 3\r\n"}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_get(&rig, hrefs), -1);
	assert_int_equal(rig.err.kind, ERR_THROTTLED);
	assert_int_equal(rig.err.retry_after_s, 3);
	assert_int_equal(count_lines(rig.log.data, "\nitem "), 1);
	assert_null(strstr(rig.log.data, "failed"));
	rig_close(&rig);
}

static void collection_that_is_gone_loses_no_item(void **state)
{
	static const char *const hrefs[] = {"/h/cal/a", "/h/cal/b", NULL};
	const struct fake_step steps[] = {OPEN_STEP};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(rig_get(&rig, hrefs), 0);
	assert_string_equal(rig.log.data, "state changes\nend 1 -\n");
	rig_close(&rig);
}

static void cancelled_at_once(void **state)
{
	static const char *const hrefs[] = {"/h/cal/a", "/h/cal/b", NULL};
	const struct fake_step steps[] = {OPEN_STEP};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	wire_cancel(rig.wire);
	assert_int_equal(rig_get(&rig, hrefs), -1);
	assert_int_equal(rig.err.kind, ERR_CANCELLED);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_ends_are_restored),
		cmocka_unit_test(hrefs_are_compared_in_normal_form),
		cmocka_unit_test(what_multiget_leaves_out_is_got_alone),
		cmocka_unit_test(poison_is_isolated_by_halving),
		cmocka_unit_test(poison_that_hangs_up),
		cmocka_unit_test(server_that_stays_away_ends_the_session),
		cmocka_unit_test(server_without_multiget_is_got_one_by_one),
		cmocka_unit_test(huge_object_is_refused_and_others_go_on),
		cmocka_unit_test(control_characters_cost_themselves_only),
		cmocka_unit_test(broken_characters_are_got_as_they_are),
		cmocka_unit_test(ill_server_sets_nothing_apart),
		cmocka_unit_test(object_elsewhere_is_not_asked_for),
		cmocka_unit_test(throttled_between_requests),
		cmocka_unit_test(collection_that_is_gone_loses_no_item),
		cmocka_unit_test(cancelled_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
