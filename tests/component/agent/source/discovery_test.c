/*
 * From an address to the collections: what servers put in the way, and where
 * a password must not go.
 */
#include "dav_rig_use.h"

#define PRINCIPAL(P)                                                           \
	"<d:current-user-principal><d:href>" P                                 \
	"</d:href></d:current-user-principal>"
#define CAL_HOME(H)                                                            \
	"<c:calendar-home-set><d:href>" H "</d:href></c:calendar-home-set>"
#define CARD_HOME(H)                                                           \
	"<a:addressbook-home-set><d:href>" H                                   \
	"</d:href></a:addressbook-home-set>"
#define TYPE(T)	     "<d:resourcetype><d:collection/>" T "</d:resourcetype>"
#define CALENDAR     TYPE("<c:calendar/>")
#define CONTACTS     TYPE("<a:addressbook/>")
#define NAME(N)	     "<d:displayname>" N "</d:displayname>"
#define CTAG(T)	     "<s:getctag>" T "</s:getctag>"
#define COMPONENT(C) "<c:comp name=\"" C "\"/>"
#define COMPONENTS(C)                                                          \
	"<c:supported-calendar-component-set>" C                               \
	"</c:supported-calendar-component-set>"
#define OWNER(O) "<d:owner><d:href>" O "</d:href></d:owner>"
#define SYNC                                                                   \
	"<d:supported-report-set><d:supported-report><d:report>"               \
	"<d:sync-collection/></d:report></d:supported-report>"                 \
	"</d:supported-report-set>"

static const char root_body[] = MULTI(OK200("/", PRINCIPAL("/p/u1/")));
static const char principal_body[] = MULTI(
	OK200("/p/u1/", CAL_HOME("/h/cal/") CARD_HOME("/h/card/")));
/* clang-format off */
static const char calendars_body[] = MULTI(
	OK200("/h/cal/", TYPE(""))
	OK200("/h/cal/work/", CALENDAR NAME("Work/Life") SYNC TOKEN("s1"))
	OK200("/h/cal/todo/",
		CALENDAR COMPONENTS(COMPONENT("VTODO")) CTAG("c1"))
	OK200("/h/cal/idea/", CALENDAR COMPONENTS(COMPONENT("VJOURNAL")))
	OK200("/h/cal/mix/", CALENDAR
		COMPONENTS(COMPONENT("VTODO") COMPONENT("VEVENT"))
		OWNER("/p/u1"))
	OK200("/h/cal/boss/", CALENDAR OWNER("/p/boss/"))
	OK200("/h/cal/team/", TYPE("<c:calendar/><s:shared/>"))
	OK200("/h/cal/inbox/", TYPE("<c:schedule-inbox/>"))
	OK200("/h/cal/web/", TYPE("<c:calendar/><s:subscribed/>")));
static const char contacts_body[] = MULTI(
	OK200("/h/card/a/", CONTACTS NAME("100%25") SYNC TOKEN("x"))
	OK200("/h/card/mix/", CONTACTS NAME("mix")));
/* clang-format on */

static int each(
	void *context, const struct collection *collection, struct err *err)
{
	(void)err;
	return buf_printf(context, "%s|%s|%d|%s|%s\n", collection->path,
		collection_kind_name(collection->kind), (int)collection->space,
		strstr(collection->wire, "/h/"),
		collection->token ? collection->token : "-");
}

/* The collections of RIG, one a line; or "" when they cannot be told. */
static const char *list(struct rig *rig)
{
	buf_clear(&rig->log);
	rig->err = ERR_INIT;
	if (source_list(rig->source, each, &rig->log, &rig->err) < 0)
		return "";
	return buf_text(&rig->log);
}

static void principal_then_homes_then_collections(void **state)
{
	const struct fake_step steps[] = {
		{.path = "/",
			.status = 207,
			.headers = "Server: Fake/1\r\n",
			.body = root_body},
		{.path = "/p/u1/", .status = 207, .body = principal_body},
		{.path = "/h/cal/", .status = 207, .body = calendars_body},
		{.path = "/h/card/", .status = 207, .body = contacts_body}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_string_equal(source_server(rig.source), "Fake/1");
	assert_string_equal(list(&rig),
		"boss|calendar|1|/h/cal/boss/|-\n"
		"idea|notes|0|/h/cal/idea/|-\n"
		"mix|calendar|0|/h/cal/mix/|-\n"
		"team|calendar|2|/h/cal/team/|-\n"
		"todo|tasks|0|/h/cal/todo/|ctag:c1\n"
		"Work%2FLife|calendar|0|/h/cal/work/|sync:s1\n"
		"100%2525|contacts|0|/h/card/a/|sync:x\n"
		"mix (mix)|contacts|0|/h/card/mix/|-\n");
	assert_int_equal(source_round_trips(rig.source), 4);
	rig_close(&rig);
}

static void one_home_for_both_is_listed_once(void **state)
{
	const struct fake_step steps[] = {OPEN_STEP,
		{.path = "/h/",
			.status = 207,
			.body = MULTI(OK200("/h/a/", CONTACTS)
					OK200("/h/c/", CALENDAR))}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_string_equal(
		list(&rig), "a|contacts|0|/h/a/|-\nc|calendar|0|/h/c/|-\n");
	rig_asked(&rig, "PROPFIND /\nPROPFIND /h/\n");
	rig_close(&rig);
}

static void well_known_redirects_are_followed(void **state)
{
	static const int statuses[] = {301, 302, 303, 307, 308};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		const struct fake_step steps[] = {{.path = "/", .status = 404},
			{.path = "/.well-known/caldav",
				.status = statuses[i],
				.headers = "Location: /context\r\n"},
			{.method = "PROPFIND",
				.path = "/context",
				.contains = "current-user-principal",
				.status = 207,
				.body = root_body},
			{.path = "/p/u1/",
				.status = 207,
				.body = principal_body}};
		struct rig rig = rig_open(STEPS(steps));

		rig_asked(&rig,
			"PROPFIND /\nPROPFIND /.well-known/caldav\n"
			"PROPFIND /context\nPROPFIND /p/u1/\n");
		rig_close(&rig);
	}
}

static void contacts_elsewhere_are_found_by_their_own_name(void **state)
{
	const struct fake_step steps[] = {
		{.path = "/", .status = 207, .body = root_body},
		{.path = "/p/u1/",
			.status = 207,
			.body = MULTI(OK200("/p/u1/", CAL_HOME("/h/cal/")))},
		{.path = "/.well-known/carddav",
			.status = 207,
			.body = MULTI(OK200("/c/", CARD_HOME("/h/card/")))},
		{.path = "/h/cal/", .status = 207, .body = calendars_body},
		{.path = "/h/card/", .status = 207, .body = contacts_body}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_non_null(strstr(list(&rig), "|contacts|"));
	rig_close(&rig);
}

static void address_of_one_calendar_is_enough(void **state)
{
	const struct fake_step steps[] = {{.path = "/h/cal/",
		.times = 2,
		.status = 207,
		.body = MULTI(OK200("/h/cal/", CALENDAR))}};
	struct rig rig = {.source = NULL};

	(void)state;
	assert_int_equal(rig_open_at(&rig, STEPS(steps), "/h/cal/"), 0);
	assert_string_equal(list(&rig), "cal|calendar|0|/h/cal/|-\n");
	rig_close(&rig);
}

/* Wherever the server points, the login does not go there in plain text. */
static void password_stays_with_its_host(void **state)
{
	static const char stranger_home[] = MULTI(
		OK200("/", CAL_HOME("http://stranger.invalid/h/")));
	static const char stranger_principal[] = MULTI(
		OK200("/", PRINCIPAL("http://stranger.invalid/p/")));
	const struct fake_step pointers[] = {
		{.path = "/",
			.status = 302,
			.headers = "Location: http://stranger.invalid/\r\n"},
		{.path = "/",
			.status = 302,
			.headers = "Location: https://stranger.invalid/\r\n"},
		{.path = "/", .status = 207, .body = stranger_home},
		{.path = "/", .status = 207, .body = stranger_principal}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		struct rig rig = {.source = NULL};

		assert_int_equal(rig_open_at(&rig, &pointers[i], 1, "/"), -1);
		assert_int_equal(rig.err.kind, ERR_TLS);
		assert_non_null(strstr(rig.err.text, "stranger.invalid"));
		rig_asked(&rig, "PROPFIND /\n");
		fake_http_stop(rig.http);
		wire_free(rig.wire);
	}
}

static void failures_say_what_to_do(void **state)
{
	static const char html[] = "<html><body>Log in</body></html>";
	const struct {
		struct fake_step step;
		enum err_kind kind;
		const char *text;
	} cases[] = {
		{{.status = 401, .times = -1}, ERR_AUTH, "u1"},
		{{.status = 500, .times = -1}, ERR_NETWORK, "500"},
		{{.status = 404, .times = -1}, ERR_REFUSED, "set dav.url"},
		{{.status = 200, .body = html, .times = -1}, ERR_REFUSED,
			"set dav.url"},
		{{.status = 302, .headers = "Location: /\r\n", .times = -1},
			ERR_REFUSED, "set dav.url"},
		{{.hang_up = 1, .times = -1}, ERR_NETWORK, "127.0.0.1"},
		{{.status = 429, .headers = "Retry-After: 9\r\n"},
			ERR_THROTTLED, "429"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig rig = {.source = NULL};

		assert_int_equal(rig_open_at(&rig, &cases[i].step, 1, "/"), -1);
		assert_int_equal(rig.err.kind, cases[i].kind);
		assert_non_null(strstr(rig.err.text, cases[i].text));
		assert_null(strstr(rig.err.text, "secret"));
		fake_http_stop(rig.http);
		wire_free(rig.wire);
	}
}

static void home_that_fails_hides_no_collection(void **state)
{
	const struct fake_step steps[] = {
		{.path = "/", .status = 207, .body = root_body},
		{.path = "/p/u1/", .status = 207, .body = principal_body},
		{.path = "/h/cal/", .status = 207, .body = calendars_body},
		{.path = "/h/card/", .status = 500}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_string_equal(list(&rig), "");
	assert_int_equal(rig.err.kind, ERR_NETWORK);
	assert_int_equal(rig.log.length, 0);
	rig_close(&rig);
}

/* Whether all was told: 1 when there may be more. The step without a status
 * ends STEPS. */
static int list_status(const struct fake_step *steps)
{
	struct rig rig;
	size_t count = 0;
	int status;

	while (steps[count].status)
		count++;
	rig = rig_open(steps, count);
	status = source_list(rig.source, each, &rig.log, &rig.err);
	rig_close(&rig);
	return status;
}

/* What an ill server does not tell is not gone. */
static void what_may_be_hidden_is_said(void **state)
{
	static const char ill_member[] = MULTI(
		OK200("/h/a/", CALENDAR) RESPONSE(
			"/h/b/", PROPSTAT("500 Error", "<d:resourcetype/>")));
	static const char cut_home[] = MULTI(
		OK200("/h/", TYPE("")) OK200("/h/a/", CALENDAR) RESPONSE("/h/",
			"<d:status>HTTP/1.1 507 x"
			"</d:status>"));
	static const char well[] = MULTI(
		OK200("/h/a/", CALENDAR) RESPONSE("/h/x/",
			"<d:status>HTTP/1.1 403 x"
			"</d:status>"));
	static const char no_cards[] = MULTI(OK200("/", CAL_HOME("/h/")));
	static const char ill_cards[] = MULTI(RESPONSE("/",
		PROPSTAT("200 OK", CAL_HOME("/h/"))
			PROPSTAT("500 x", "<a:addressbook-home-set/>")));
	const struct {
		struct fake_step steps[4];
		int status;
	} cases[] = {
		{{OPEN_STEP, {.path = "/h/", .status = 207, .body = well}}, 0},
		{{OPEN_STEP,
			 {.path = "/h/", .status = 207, .body = ill_member}},
			1},
		{{OPEN_STEP, {.path = "/h/", .status = 207, .body = cut_home}},
			1},
		{{{.path = "/", .status = 207, .body = no_cards},
			 {.path = "/h/", .status = 207, .body = well}},
			0},
		{{{.path = "/", .status = 207, .body = no_cards},
			 {.path = "/.well-known/carddav", .status = 500},
			 {.path = "/h/", .status = 207, .body = well}},
			1},
		{{{.path = "/", .status = 207, .body = ill_cards},
			 {.path = "/h/", .status = 207, .body = well}},
			1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(list_status(cases[i].steps), cases[i].status);
}

/* A server that takes no password as it is. */
static void digest_where_nothing_else_is_offered(void **state)
{
	const struct fake_step steps[] = {
		/* To the password, then to the question without it. */
		{.times = 2,
			.status = 401,
			.headers = "WWW-Authenticate: Digest realm=\"r\", "
				   "nonce=\"n\", qop=\"auth\"\r\n"},
		OPEN_STEP};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_int_equal(
		fake_http_saw(rig.http, "Authorization: Digest username="), 1);
	assert_int_equal(fake_http_saw(rig.http, "Authorization: Basic"), 1);
	rig_close(&rig);
}

static void empty_home_of_a_stranger_is_not_believed(void **state)
{
	const struct fake_step steps[] = {
		{.path = "/", .status = 207, .body = root_body},
		{.path = "/p/u1/", .status = 207, .body = principal_body},
		{.method = "PROPFIND",
			.times = 2,
			.status = 207,
			.body = MULTI("")}};
	struct rig rig = rig_open(STEPS(steps));

	(void)state;
	assert_string_equal(list(&rig), "");
	assert_int_equal(rig.err.kind, ERR_PROTOCOL);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(principal_then_homes_then_collections),
		cmocka_unit_test(one_home_for_both_is_listed_once),
		cmocka_unit_test(well_known_redirects_are_followed),
		cmocka_unit_test(
			contacts_elsewhere_are_found_by_their_own_name),
		cmocka_unit_test(address_of_one_calendar_is_enough),
		cmocka_unit_test(password_stays_with_its_host),
		cmocka_unit_test(failures_say_what_to_do),
		cmocka_unit_test(home_that_fails_hides_no_collection),
		cmocka_unit_test(what_may_be_hidden_is_said),
		cmocka_unit_test(digest_where_nothing_else_is_offered),
		cmocka_unit_test(empty_home_of_a_stranger_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
