/*
 * dav_rig_use.h - what a test does with the rig of dav_rig.h: open a
 * session, fetch windows, compare the log, close.
 */
#ifndef SLUICE_DAV_RIG_USE_H
#define SLUICE_DAV_RIG_USE_H

#include "dav_rig.h"

#define STEPS(S) S, sizeof(S) / sizeof((S)[0])

static const struct sink rig_sink = {rig_state, rig_begin, rig_data, rig_end,
	rig_failed, rig_gone, rig_window_end};

/* The address is the server's plus PATH. */
static inline int rig_open_at(struct rig *rig, const struct fake_step *steps,
	size_t count, const char *path)
{
	struct account account = {.user = (char *)"u1"};
	int result;

	rig->http = fake_http_start(steps, count);
	rig->wire = wire_new();
	rig->err = ERR_INIT;
	rig->log = BUF_INIT(0);
	account.dav_url = xasprintf("%s%s", fake_http_url(rig->http), path);
	result = dav_source_open(&rig->source, &account, "secret",
		&rig->options, rig->wire, &rig->err);
	free(account.dav_url);
	return result;
}

/* By one connection, however long a busy machine makes the line. */
static inline struct rig rig_open(const struct fake_step *steps, size_t count)
{
	struct rig rig = {.options = {.in_flight_max = 1}};

	if (rig_open_at(&rig, steps, count, "/") < 0)
		fail_msg("%s", rig.err.text);
	return rig;
}

static inline void rig_close(struct rig *rig)
{
	source_close(rig->source);
	fake_http_stop(rig->http);
	wire_free(rig->wire);
	buf_free(&rig->log);
	free(rig->windows);
}

/* "/h/cal/" of this server, for free() with collection_free(). */
static inline struct collection rig_collection(
	const struct rig *rig, const char *token)
{
	return (struct collection){
		.kind = COLLECTION_CALENDAR,
		.dav = true,
		.selectable = true,
		.path = xstrdup("cal"),
		.wire = xasprintf("%s/h/cal/", fake_http_url(rig->http)),
		.token = xstrdup(token),
	};
}

static inline int rig_fetch(
	struct rig *rig, const struct window *windows, size_t count)
{
	struct feed feed = {rig_next, &rig_sink, rig};

	rig->windows = xrealloc(rig->windows, count, sizeof(*windows));
	memcpy(rig->windows, windows, count * sizeof(*windows));
	rig->window_count = count;
	rig->window_at = 0;
	buf_clear(&rig->log);
	rig->err = ERR_INIT;
	return source_fetch(rig->source, &feed, &rig->err);
}

/* List /h/cal/ since TOKEN. */
static inline int rig_list(struct rig *rig, const char *token)
{
	struct collection collection = rig_collection(rig, token);
	struct window window = {.collection = &collection, .mode = FETCH_LIST};
	int result = rig_fetch(rig, &window, 1);

	collection_free(&collection);
	return result;
}

/* Get all of /h/cal/, reckoned to be COUNT objects. */
static inline int rig_get_entire(
	struct rig *rig, enum collection_kind kind, size_t count)
{
	struct collection collection = rig_collection(rig, NULL);
	struct window window = {.collection = &collection,
		.mode = FETCH_FULL,
		.count = count,
		.entire = true};
	int result;

	collection.kind = kind;
	result = rig_fetch(rig, &window, 1);
	collection_free(&collection);
	return result;
}

/* Get the objects HREFS (ended by NULL) of /h/cal/. */
static inline int rig_get(struct rig *rig, const char *const *hrefs)
{
	struct collection collection = rig_collection(rig, NULL);
	struct window window = {.collection = &collection, .mode = FETCH_FULL};
	struct item_id *ids = NULL;
	size_t count = 0;
	int result;

	for (; hrefs[count]; count++) {
		ids = xrealloc(ids, count + 1, sizeof(*ids));
		ids[count] = (struct item_id){.href = hrefs[count]};
	}
	window.ids = ids;
	window.count = count;
	result = rig_fetch(rig, &window, 1);
	free(ids);
	collection_free(&collection);
	return result;
}

/* The server's request log must be TEXT. */
static inline void rig_asked(struct rig *rig, const char *text)
{
	char *log = fake_http_log(rig->http);

	assert_string_equal(log, text);
	free(log);
}

#endif
