/*
 * dav_query_test.c - the first copy of a collection by one query, after the
 * listing or beside it: killed at every commit in turn, changed in its middle,
 * and without all that the listing names, it ends right, and nothing that was
 * committed is fetched again.
 */
#include "dav_fixture.h"

#include "kill_at.h"
#include "store.h"
#include "store_folder.h"
#include "store_item.h"

#define MANY	  2500
#define STEPS_MAX 50

/* The collection as the server has it, and how often it has given what. The
 * server's thread works on it while a run is under way. */
struct days {
	bool gone[MANY + 1];
	int etags[MANY + 1]; /* 0: not there yet */
	/* Whoever looks at them has only seen a client's process end. */
	_Atomic unsigned served[MANY + 1];
	_Atomic unsigned queries;
	unsigned multigets, listings, deltas;
	/* Before its first query, and before its first listing. */
	void (*before)(struct days *days);
	void (*before_listing)(struct days *days);
	bool changed;
	int omits;	/* every so-manieth, from the query; 0: none */
	bool throttles; /* whoever queries */
};

static int number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

static void describe(struct days *days, struct buf *body, int i, bool whole)
{
	if (days->gone[i] || !days->etags[i])
		return;
	days->served[i] += whole;
	buf_printf(body,
		"<d:response><d:href>/h/cal/%d</d:href><d:propstat><d:prop>"
		"<d:getetag>%d</d:getetag>%s%s%s</d:prop>"
		"<d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
		"</d:response>",
		i, days->etags[i], whole ? "<c:calendar-data>" : "",
		whole ? EVENT("x") : "", whole ? "</c:calendar-data>" : "");
}

static void describe_all(struct days *days, struct buf *body, bool whole)
{
	for (int i = 0; i <= MANY; i++)
		if (!whole || !days->omits || i % days->omits)
			describe(days, body, i, whole);
}

/* The three that `change` touches. */
static void describe_changes(struct days *days, struct buf *body)
{
	if (!days->changed)
		return;
	buf_append_text(body,
		"<d:response><d:href>/h/cal/0</d:href><d:status>HTTP/1.1 404 x"
		"</d:status></d:response>");
	describe(days, body, 1, false);
	describe(days, body, MANY, false);
}

static void describe_named(
	struct days *days, const char *request, struct buf *body)
{
	while ((request = strstr(request, "<D:href>"))) {
		request += strlen("<D:href>");
		describe(days, body, number(request + strlen("/h/cal/")), true);
	}
}

static int answer_report(
	void *context, const struct fake_request *request, struct buf *body)
{
	struct days *days = context;
	const char *text = buf_text(&request->body);

	buf_append_text(body,
		"<d:multistatus xmlns:d=\"DAV:\" "
		"xmlns:c=\"urn:ietf:params:xml:ns:caldav\">");
	if (strstr(text, "calendar-query")) {
		if (!days->queries++ && days->before)
			days->before(days);
		if (days->throttles)
			return 503;
		describe_all(days, body, true);
	} else if (strstr(text, "calendar-multiget")) {
		days->multigets++;
		describe_named(days, text, body);
	} else if (strstr(text, ">t1<")) {
		days->deltas++;
		describe_changes(days, body);
	} else if (!strstr(text, ">t2<")) {
		if (!days->listings++ && days->before_listing)
			days->before_listing(days);
		describe_all(days, body, false);
	}
	buf_printf(body, TOKEN("%s") "</d:multistatus>",
		days->changed ? "t2" : "t1");
	return 207;
}

static int answer_list(
	void *context, const struct fake_request *request, struct buf *body)
{
	const struct days *days = context;

	(void)request;
	buf_printf(body, LIST_BODY("%s"), days->changed ? "t2" : "t1");
	return 207;
}

static int answer_object(
	void *context, const struct fake_request *request, struct buf *body)
{
	struct days *days = context;
	int i = number(request->path + strlen("/h/cal/"));

	if (days->gone[i] || !days->etags[i])
		return 404;
	days->served[i]++;
	buf_append_text(body, EVENT("x"));
	return 200;
}

#define DAYS_STEPS(DAYS)                                                       \
	{                                                                      \
		{.path = "/",                                                  \
			.times = -1,                                           \
			.status = 207,                                         \
			.headers = "Server: Cyrus-HTTP/3.6.1\r\n",             \
			.body = home_body},                                    \
			{.path = "/h/",                                        \
				.times = -1,                                   \
				.headers = PROVEN,                             \
				.answer = answer_list,                         \
				.context = (DAYS)},                            \
			{.method = "REPORT",                                   \
				.times = -1,                                   \
				.answer = answer_report,                       \
				.context = (DAYS)},                            \
			{.method = "OPTIONS",                                  \
				.times = -1,                                   \
				.status = 200,                                 \
				.headers = PROVEN},                            \
			{.method = "GET",                                      \
				.times = -1,                                   \
				.headers = "ETag: 2\r\n",                      \
				.answer = answer_object,                       \
				.context = (DAYS)},                            \
	}

static void fill(struct days *days)
{
	*days = (struct days){.queries = 0};
	for (int i = 0; i < MANY; i++)
		days->etags[i] = 1;
}

static void one_query_brings_all(void **state)
{
	struct fixture *f = *state;
	struct days days;
	const struct fake_step steps[] = DAYS_STEPS(&days);

	fill(&days);
	assert_int_equal(RUN(f, steps), 0);
	assert_int_equal(f->progress.totals.events, MANY);
	assert_int_equal(days.queries, 1);
	assert_int_equal(days.multigets, 0);
	/* A later run asks for what is new. */
	days.etags[1] = days.etags[MANY] = 2;
	days.gone[0] = days.changed = true;
	assert_int_equal(RUN(f, steps), 0);
	assert_int_equal(f->progress.totals.events, MANY);
	assert_int_equal(days.queries, 1);
	assert_int_equal(days.served[MANY], 1);
	assert_int_equal(days.served[1], 2);
	assert_int_equal(days.served[2], 1);
}

/* One goes, one comes, one is another. */
static void change(struct days *days)
{
	days->gone[0] = true;
	days->etags[1] = days->etags[MANY] = 2;
	days->changed = true;
}

static int note_etag(const struct store_item *item, void *arg)
{
	char(*etags)[8] = arg;
	int i = number(item->href + strlen("/h/cal/"));

	assert_in_range(i, 0, MANY);
	snprintf(etags[i], sizeof(etags[i]), "%s", item->etag);
	return 0;
}

/* The etag by which the store has each object; "" for none. */
static void read_etags(const struct fixture *f, char (*etags)[8])
{
	struct store *store = store_open(f->store, STORE_READ, NULL);
	struct store_folder row;

	memset(etags, 0, (MANY + 1) * sizeof(*etags));
	if (store && store_folder_by_path(store, "cal", &row, NULL) == 1) {
		store_item_each(store, row.id, note_etag, etags, NULL);
		store_folder_free(&row);
	}
	store_close(store);
}

static void assert_equal_to_server(
	const struct fixture *f, const struct days *days)
{
	static char etags[MANY + 1][8];

	read_etags(f, etags);
	for (int i = 0; i <= MANY; i++)
		assert_int_equal(
			number(etags[i]), days->gone[i] ? 0 : days->etags[i]);
}

/* Between the listing and the query: what comes is stored as it came, and the
 * changes since the listing's token bring the rest. */
static void changed_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct days days;
	const struct fake_step steps[] = DAYS_STEPS(&days);

	fill(&days);
	days.before = change;
	assert_int_equal(RUN(f, steps), 0);
	assert_equal_to_server(f, &days);
	assert_int_equal(days.queries, 1);
	/* With the new etag already. */
	assert_int_equal(days.served[1], 1);
	assert_int_equal(days.served[2], 1);
}

/* Beside the listing: no more is asked for than after it. */
static void query_beside_the_listing(void **state)
{
	struct fixture *f = *state;
	struct days days;
	const struct fake_step steps[] = DAYS_STEPS(&days);

	fill(&days);
	f->aside = true;
	assert_int_equal(RUN(f, steps), 0);
	assert_equal_to_server(f, &days);
	assert_int_equal(days.queries, 1);
	assert_int_equal(days.listings, 1);
	assert_int_equal(days.multigets, 0);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(days.served[i], 1);
}

/* The listing has seen the change and the query has not, or the other way
 * round, or both have, but not the list of collections before them. */
static void changed_beside_the_listing(void **state)
{
	struct fixture *f = *state;
	struct days days;
	const struct fake_step steps[] = DAYS_STEPS(&days);

	for (int i = 0; i < 2; i++) {
		fill(&days);
		*(i ? &days.before : &days.before_listing) = change;
		f = *state;
		f->aside = true;
		assert_int_equal(RUN(f, steps), 0);
		assert_equal_to_server(f, &days);
		assert_int_equal(days.queries, 1);
		/* A state older than either is held against the server. */
		assert_true(days.deltas + days.listings >= 2);
		assert_in_range(days.served[1], 1, 2);
		assert_int_equal(days.served[2], 1);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* What the query leaves out is asked for by name. */
static void query_leaves_out(void **state)
{
	struct fixture *f = *state;
	struct days days;
	const struct fake_step steps[] = DAYS_STEPS(&days);

	for (int aside = 0; aside < 2; aside++) {
		fill(&days);
		days.omits = 100;
		f = *state;
		f->aside = aside;
		assert_int_equal(RUN(f, steps), 0);
		assert_equal_to_server(f, &days);
		assert_int_equal(days.queries, 1);
		assert_int_equal(days.multigets, 1);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(days.served[i], 1);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* A session was lost over it: the next one asks by multiget. */
static void throttled_in_the_query(void **state)
{
	struct fixture *f = *state;
	struct days days;
	const struct fake_step steps[] = DAYS_STEPS(&days);

	fill(&days);
	days.throttles = true;
	assert_int_equal(RUN(f, steps), 0);
	assert_equal_to_server(f, &days);
	assert_int_equal(f->progress.retries, 1);
	assert_int_equal(days.queries, 1);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(days.served[i], 1);
}

/* The same beside the listing. */
static void throttled_beside_the_listing(void **state)
{
	struct fixture *f = *state;

	f->aside = true;
	throttled_in_the_query(state);
}

/* What is committed counts as served once, the rest as never. */
static unsigned count_committed(const struct fixture *f, struct days *days)
{
	static char etags[MANY + 1][8];
	unsigned count = 0;

	read_etags(f, etags);
	for (int i = 0; i <= MANY; i++)
		count += days->served[i] = etags[i][0] != '\0';
	return count;
}

static void killed_at_every_commit(void **state)
{
	struct days days;
	const struct fake_step steps[] = DAYS_STEPS(&days);
	unsigned partly = 0;
	unsigned step = 1;
	bool killed = true;

	for (; killed && step < STEPS_MAX; step++) {
		struct fixture *f = *state;
		unsigned had;

		fill(&days);
		/* So that nothing is asked for while it dies. */
		f->one_thread = true;
		fake_http_script(
			f->http, steps, sizeof(steps) / sizeof(steps[0]));
		killed = run_until(f, "commit", step);
		had = count_committed(f, &days);
		partly += had > 0 && had < MANY;
		days.queries = 0;
		assert_false(run_until(f, "never", 0));
		assert_equal_to_server(f, &days);
		assert_int_equal(days.queries, had ? 0 : 1);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(days.served[i], 1);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
	assert_false(killed);
	/* The answer is not one transaction. */
	assert_int_equal(partly, MANY / 1000);
}

/* The server may still be asked while the process dies. */
static void killed_beside_the_listing(void **state)
{
	struct days days;
	const struct fake_step steps[] = DAYS_STEPS(&days);
	unsigned step = 1;
	bool killed = true;

	for (; killed && step < STEPS_MAX; step++) {
		struct fixture *f = *state;

		fill(&days);
		f->aside = true;
		fake_http_script(
			f->http, steps, sizeof(steps) / sizeof(steps[0]));
		killed = run_until(f, "commit", step);
		count_committed(f, &days);
		assert_false(run_until(f, "never", 0));
		assert_equal_to_server(f, &days);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
	assert_false(killed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: this process has not read the environment yet. */
		cmocka_unit_test_setup_teardown(
			killed_at_every_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			killed_beside_the_listing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_query_brings_all, setup, teardown),
		cmocka_unit_test_setup_teardown(
			query_beside_the_listing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			changed_beside_the_listing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			query_leaves_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
			throttled_beside_the_listing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			changed_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(
			throttled_in_the_query, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
