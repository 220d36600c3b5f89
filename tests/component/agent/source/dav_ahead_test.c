/*
 * Windows side by side: the sink hears what it would hear one by one, in the
 * order of the feed, and the first failure ends all.
 */
#include "dav_rig_use.h"

#define ITEM(NAME, TAG) OK200(NAME, ETAG(TAG))
#define LISTING(PATH, ITEMS, T)                                                \
	{                                                                      \
		.method = "REPORT", .path = PATH, .times = -1, .status = 207,  \
		.body = MULTI(ITEMS TOKEN(T))                                  \
	}

static const struct fake_step steps[] = {OPEN_STEP,
	LISTING("/h/a/", ITEM("/h/a/1", "1") ITEM("/h/a/2", "2"), "ta"),
	LISTING("/h/b/", ITEM("/h/b/1", "1"), "tb"),
	LISTING("/h/c/", ITEM("/h/c/1", "1"), "tc"),
	{.path = "/h/ill/", .times = -1, .status = 502}};

/* Lists the collections of NAMES (ended by NULL), two side by side. */
static int list_all(struct rig *rig, const char *const *names)
{
	struct collection collections[8];
	struct window windows[8];
	size_t count = 0;
	size_t i;
	int result;

	for (; names[count]; count++) {
		collections[count] = rig_collection(rig, NULL);
		free(collections[count].wire);
		collections[count].wire = xasprintf(
			"%s/h/%s/", fake_http_url(rig->http), names[count]);
		windows[count] = (struct window){
			.collection = &collections[count],
			.mode = FETCH_LIST,
		};
	}
	result = rig_fetch(rig, windows, count);
	for (i = 0; i < count; i++)
		collection_free(&collections[i]);
	return result;
}

static struct rig open_two_lanes(void)
{
	struct rig rig = {.options = {.in_flight_max = 2}};

	if (rig_open_at(&rig, STEPS(steps), "/") < 0)
		fail_msg("%s", rig.err.text);
	return rig;
}

static void windows_are_told_in_the_order_of_the_feed(void **state)
{
	static const char *const names[] = {"a", "b", "c", "a", NULL};
	struct rig rig = open_two_lanes();
	int round;

	(void)state;
	for (round = 0; round < 20; round++) {
		assert_int_equal(list_all(&rig, names), 0);
		assert_string_equal(rig.log.data,
			"state all\nitem /h/a/1 \"1\" 0\nitem /h/a/2 \"2\" 0\n"
			"end 0 sync:ta\n"
			"state all\nitem /h/b/1 \"1\" 0\nend 0 sync:tb\n"
			"state all\nitem /h/c/1 \"1\" 0\nend 0 sync:tc\n"
			"state all\nitem /h/a/1 \"1\" 0\nitem /h/a/2 \"2\" 0\n"
			"end 0 sync:ta\n");
	}
	/* The address, the second connection, the windows. */
	assert_int_equal(source_round_trips(rig.source), 2 + 20 * 4);
	rig_close(&rig);
}

static void failure_comes_when_its_turn_comes(void **state)
{
	static const char *const names[] = {"a", "ill", "b", NULL};
	struct rig rig = open_two_lanes();

	(void)state;
	assert_int_equal(list_all(&rig, names), -1);
	assert_int_equal(rig.err.kind, ERR_NETWORK);
	assert_string_equal(rig.log.data,
		"state all\nitem /h/a/1 \"1\" 0\nitem /h/a/2 \"2\" 0\n"
		"end 0 sync:ta\n");
	rig_close(&rig);
}

static int full_sink(void *context, const struct window *window,
	const struct item *item, struct err *err)
{
	(void)context;
	(void)window;
	(void)item;
	return err_set(err, ERR_DISK_FULL, "the store is full");
}

static void sink_that_fails_ends_all_lanes(void **state)
{
	const struct sink sink = {rig_state, rig_begin, rig_data, full_sink,
		rig_failed, rig_gone, rig_window_end};
	struct rig rig = open_two_lanes();
	struct feed feed = {rig_next, &sink, &rig};
	struct collection collection = rig_collection(&rig, NULL);
	struct window windows[2] = {
		{.collection = &collection, .mode = FETCH_LIST},
		{.collection = &collection, .mode = FETCH_LIST}};

	(void)state;
	free(collection.wire);
	collection.wire = xasprintf("%s/h/a/", fake_http_url(rig.http));
	rig.windows = xcalloc(2, sizeof(*rig.windows));
	memcpy(rig.windows, windows, sizeof(windows));
	rig.window_count = 2;
	assert_int_equal(source_fetch(rig.source, &feed, &rig.err), -1);
	assert_int_equal(rig.err.kind, ERR_DISK_FULL);
	assert_string_equal(rig.log.data, "state all\n");
	collection_free(&collection);
	rig_close(&rig);
}

/* An object larger than a lane may write down ahead: it waits, and goes on. */
static int answer_large(
	void *context, const struct fake_request *request, struct buf *body)
{
	int i;

	(void)context;
	(void)request;
	buf_append_text(body, "BEGIN:VCALENDAR\r\n");
	for (i = 0; i < 90000; i++)
		buf_append_text(
			body, "ATTACH:AAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n");
	return 200;
}

static void lane_far_ahead_waits(void **state)
{
	const struct fake_step large[] = {OPEN_STEP,
		{.method = "GET", .times = -1, .answer = answer_large}};
	struct rig rig = {.options = {.in_flight_max = 2}};
	const struct item_id ids[] = {
		{.href = "/h/cal/1"}, {.href = "/h/cal/2"}, {.href = "/h/3"}};
	struct collection collection;
	struct window windows[12];
	size_t i;

	(void)state;
	assert_int_equal(rig_open_at(&rig, STEPS(large), "/"), 0);
	collection = rig_collection(&rig, NULL);
	for (i = 0; i < 12; i++)
		windows[i] = (struct window){.collection = &collection,
			.mode = FETCH_FULL,
			.ids = &ids[i % 3],
			.count = 1};
	assert_int_equal(rig_fetch(&rig, windows, 12), 0);
	assert_true(rig.log.length > (size_t)12 * 90000 * 38);
	collection_free(&collection);
	rig_close(&rig);
}

/* A server that wants one connection from us gets one. */
static void connection_that_is_refused_is_done_without(void **state)
{
	static const char *const names[] = {"a", "b", "c", "a", NULL};
	struct fake_step refusing[sizeof(steps) / sizeof(steps[0]) + 1] = {
		{.method = "OPTIONS", .times = -1, .hang_up = 1}};
	struct rig rig = {.options = {.in_flight_max = 4}};

	(void)state;
	memcpy(refusing + 1, steps, sizeof(steps));
	assert_int_equal(rig_open_at(&rig, STEPS(refusing), "/"), 0);
	assert_int_equal(list_all(&rig, names), 0);
	assert_non_null(strstr(rig.log.data, "end 0 sync:tc\n"));
	rig_close(&rig);
}

/* Throttled on its way in: the same. */
static void connection_that_is_throttled_is_done_without(void **state)
{
	static const char *const names[] = {"a", "b", NULL};
	struct fake_step refusing[sizeof(steps) / sizeof(steps[0]) + 1] = {
		{.method = "OPTIONS", .times = -1, .status = 429}};
	struct rig rig = {.options = {.in_flight_max = 2}};

	(void)state;
	memcpy(refusing + 1, steps, sizeof(steps));
	assert_int_equal(rig_open_at(&rig, STEPS(refusing), "/"), 0);
	assert_int_equal(list_all(&rig, names), 0);
	assert_non_null(strstr(rig.log.data, "end 0 sync:tb\n"));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_are_told_in_the_order_of_the_feed),
		cmocka_unit_test(failure_comes_when_its_turn_comes),
		cmocka_unit_test(sink_that_fails_ends_all_lanes),
		cmocka_unit_test(lane_far_ahead_waits),
		cmocka_unit_test(connection_that_is_refused_is_done_without),
		cmocka_unit_test(connection_that_is_throttled_is_done_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
