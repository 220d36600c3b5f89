/*
 * The objects of a collection by name: windows of FETCH_FULL. Runs on the
 * source's thread.
 *
 * They are asked for by multiget, as many at once as dav_chunk.h allows. What
 * a multiget breaks on is asked for again in requests half as large, down to a
 * GET for one object; what it leaves out, answers with an error, or brings in
 * bytes that are no XML, by a GET at once. What fails even then is that object's
 * fault and goes to the sink as such, and all others go on; only a GET makes an
 * object gone, as there are servers that do not know in a multiget the names
 * that they gave. An object reaches the sink when its text is whole, so a broken
 * transfer leaves nothing half-told.
 */
#include "dav_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "dav_body.h"
#include "dav_href.h"
#include "dav_quirks.h"
#include "dav_seen.h"
#include "dav_text.h"
#include "err.h"

/* A server that refuses so many in a row, and none before, has no multiget. */
#define REFUSED_MAX  12
#define REASON_BYTES 300
/* Of an object that cannot be taken, its beginning. */
#define RAW_BYTES_MAX (128 << 10)

enum progress {
	WANTED,	  /* by multiget */
	ALONE,	  /* by a GET of its own */
	FINISHED, /* told to the sink */
};

struct get {
	struct dav_source *source;
	const struct window *window;
	const struct feed *feed;
	char *progress;	  /* enum progress of each id */
	uint32_t *slots;  /* hash of href -> index + 1 */
	uint64_t *hashes; /* of each id */
	size_t slot_count;
	size_t finished;
	size_t faults; /* of them, those that failed */
	struct dav_text text;
	bool at_known;	/* AT is of the response that is being read */
	size_t at;	/* index; window->count: not one of ours */
	uint64_t bytes; /* of this request */
	bool sink_failed;
};

static void index_ids(struct get *g)
{
	size_t count = g->window->count;
	size_t i;

	g->slot_count = 16;
	while (g->slot_count < count * 2)
		g->slot_count *= 2;
	g->slots = xcalloc(g->slot_count, sizeof(*g->slots));
	g->hashes = xcalloc(count, sizeof(*g->hashes));
	g->progress = xcalloc(count, 1);
	for (i = 0; i < count; i++) {
		size_t at;

		g->hashes[i] = dav_seen_hash(g->window->ids[i].href);
		at = g->hashes[i] & (g->slot_count - 1);
		while (g->slots[at])
			at = (at + 1) & (g->slot_count - 1);
		g->slots[at] = (uint32_t)i + 1;
	}
}

/* Index of HREF, window->count when it was not asked for. */
static size_t find(const struct get *g, const char *href)
{
	uint64_t hash = dav_seen_hash(href);
	size_t at = hash & (g->slot_count - 1);

	for (; g->slots[at]; at = (at + 1) & (g->slot_count - 1)) {
		size_t i = g->slots[at] - 1;

		if (g->hashes[i] == hash && g->progress[i] != FINISHED)
			return i;
	}
	return g->window->count;
}

static int told(struct get *g, size_t i, int result)
{
	g->progress[i] = FINISHED;
	g->finished++;
	if (result < 0)
		g->sink_failed = true;
	return result;
}

static int tell_gone(struct get *g, size_t i, struct err *err)
{
	return told(g, i,
		g->feed->sink->gone(
			g->feed->context, g->window, g->window->ids[i], err));
}

static int tell_failed(struct get *g, size_t i, enum item_fault fault,
	const char *reason, struct err *err)
{
	size_t raw = g->text.text.length;

	g->faults++;
	if (raw > RAW_BYTES_MAX)
		raw = RAW_BYTES_MAX;
	return told(g, i,
		g->feed->sink->failed(g->feed->context, g->window,
			g->window->ids[i], fault, reason,
			buf_text(&g->text.text), raw, err));
}

int dav_tell_object(const struct feed *feed, const struct window *window,
	struct item_id id, const struct dav_text *text, const char *etag,
	struct err *err)
{
	const struct sink *sink = feed->sink;
	const size_t bytes = text->text.length;
	const struct item item = {
		.id = id,
		.size = bytes,
		.data_bytes = bytes,
		.flags = "",
		.etag = etag,
	};

	if (sink->begin(feed->context, window, bytes, err) < 0 ||
		sink->data(feed->context, window, text->text.data, bytes, err) <
			0)
		return -1;
	return sink->end(feed->context, window, &item, err);
}

/* The text is whole: an item, or something that looks like none. */
static int tell_item(struct get *g, size_t i, const char *etag, struct err *err)
{
	char reason[REASON_BYTES];

	dav_text_finish(&g->text);
	if (g->text.too_large) {
		(void)snprintf(reason, sizeof(reason),
			"larger than %llu bytes, the limit for one object",
			(unsigned long long)g->source->item_bytes_max);
		return tell_failed(g, i, FAULT_TOO_LARGE, reason, err);
	}
	if (!dav_text_is_object(&g->text))
		return tell_failed(g, i, FAULT_UNPARSABLE,
			"the server sent something that is no calendar object "
			"and no contact",
			err);
	return told(g, i,
		dav_tell_object(g->feed, g->window, g->window->ids[i], &g->text,
			etag, err));
}

static int on_data(void *context, const struct dav_response *response,
	const char *text, size_t length, struct err *err)
{
	struct get *g = context;

	(void)err;
	if (!response->href)
		return 0;
	if (!g->at_known) {
		g->at = find(g, response->href);
		g->at_known = true;
	}
	g->bytes += length;
	if (g->at < g->window->count)
		dav_text_append(&g->text, text, length);
	return 0;
}

static int on_response(
	void *context, const struct dav_response *response, struct err *err)
{
	struct get *g = context;
	size_t i = g->at_known ? g->at : find(g, response->href);
	int result = 0;

	if (i == g->window->count)
		; /* not asked for, or told already */
	else if (g->text.text.length && response->data_status / 100 == 2 &&
		!(response->mended && dav_text_may_be_mended(&g->text)))
		result = tell_item(g, i, response->props.etag, err);
	else
		g->progress[i] = ALONE;
	g->at_known = false;
	dav_text_clear(&g->text);
	return result;
}

/* Failures of the session, or of the sink, end the call. */
static bool is_final(const struct get *g, const struct err *failure)
{
	return g->sink_failed || !dav_is_soft(failure);
}

/* A REPORT of objects; frees BODY. 1: the collection is gone. */
static int report(struct get *g, struct buf *body, struct err *failure)
{
	const struct dav_request request = {
		.method = "REPORT",
		.url = g->window->collection->wire,
		.depth = "0",
		.body = body->data,
		.body_bytes = body->length,
		.handler = {on_response, on_data, g},
	};
	struct dav_answer answer;
	int result;

	g->bytes = 0;
	g->at_known = false;
	result = dav_perform(g->source->client, &request, &answer, failure);
	if (result == 0 && (answer.status == 404 || answer.status == 410))
		result = 1;
	else if (result == 0)
		result = dav_answer_check(&request, &answer, failure);
	dav_text_clear(&g->text);
	dav_answer_clear(&answer);
	buf_free(body);
	return result;
}

static size_t count_wanted(
	const struct get *g, const size_t *picked, size_t count)
{
	size_t wanted = 0;
	size_t i;

	for (i = 0; i < count; i++)
		if (g->progress[picked[i]] == WANTED)
			wanted++;
	return wanted;
}

/* The COUNT ids of PICKED. 1: the collection is gone. */
static int multiget(
	struct get *g, const size_t *picked, size_t count, struct err *err)
{
	struct dav_source *source = g->source;
	const char **hrefs = xcalloc(count, sizeof(*hrefs));
	int64_t began_us = clock_monotonic_us();
	struct err failure = ERR_INIT;
	struct buf body;
	size_t i;
	int result;

	for (i = 0; i < count; i++)
		hrefs[i] = g->window->ids[picked[i]].href;
	body = dav_body_multiget(g->window->collection->kind, hrefs, count);
	free(hrefs);
	result = report(g, &body, &failure);
	if (result == 0) {
		source->multigets_refused = 0;
		dav_chunk_succeeded(&source->chunk, count, g->bytes,
			clock_monotonic_us() - began_us);
		for (i = 0; i < count; i++)
			if (g->progress[picked[i]] == WANTED)
				g->progress[picked[i]] = ALONE;
	} else if (result < 0 && is_final(g, &failure)) {
		if (err)
			*err = failure;
	} else if (result < 0) {
		source->multigets_refused++;
		dav_chunk_failed(
			&source->chunk, count, count_wanted(g, picked, count));
		result = dav_check_alive(
			source, g->window->collection->wire, &failure, err);
	}
	return result;
}

static int take_body(
	void *context, const char *data, size_t bytes, struct err *err)
{
	struct get *g = context;

	(void)err;
	dav_text_append(&g->text, data, bytes);
	return 0;
}

static int tell_refused(struct get *g, size_t i, enum item_fault fault,
	const struct err *failure, struct err *err)
{
	char reason[REASON_BYTES];

	snprintf(reason, sizeof(reason), "%s", failure->text);
	return tell_failed(g, i, fault, reason, err);
}

/* The GET of an object failed, with a STATUS or without: that is the object's
 * fault when the server is well. */
static int blame(struct get *g, size_t i, int status, const struct err *failure,
	struct err *err)
{
	enum item_fault fault = status	     ? FAULT_REFUSED
		: failure->kind == ERR_LIMIT ? FAULT_TOO_LARGE
					     : FAULT_DISCONNECT;

	if (is_final(g, failure)) {
		if (err)
			*err = *failure;
		return -1;
	}
	if (dav_check_alive(
		    g->source, g->window->collection->wire, failure, err) < 0)
		return -1;
	return tell_refused(g, i, fault, failure, err);
}

/* One object by itself: the last word on it. */
static int get_alone(struct get *g, size_t i, struct err *err)
{
	struct dav_request request = {
		.method = "GET",
		.max_bytes = g->source->item_bytes_max * 2,
		.sink = take_body,
		.context = g,
	};
	struct err failure = ERR_INIT;
	struct dav_answer answer = {.status = 0};
	char *url = dav_href_target(g->window->collection->wire,
		g->window->ids[i].href, "object", &failure);
	int result;

	if (!url)
		return tell_refused(g, i, FAULT_REFUSED, &failure, err);
	request.url = url;
	result = dav_perform(g->source->client, &request, &answer, &failure);
	if (result == 0 && (answer.status == 404 || answer.status == 410))
		result = tell_gone(g, i, err);
	else if (result == 0 &&
		dav_answer_check(&request, &answer, &failure) == 0)
		result = tell_item(g, i, answer.etag, err);
	else
		result = blame(g, i, answer.status, &failure, err);
	dav_text_clear(&g->text);
	dav_answer_clear(&answer);
	free(url);
	return result;
}

/* Up to LIMIT ids that a multiget has not answered yet. */
static size_t pick(const struct get *g, size_t *picked, size_t limit)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < g->window->count && count < limit; i++)
		if (g->progress[i] == WANTED)
			picked[count++] = i;
	return count;
}

static int get_loners(struct get *g, struct err *err)
{
	size_t i;

	for (i = 0; i < g->window->count; i++)
		if (g->progress[i] == ALONE && get_alone(g, i, err) < 0)
			return -1;
	return 0;
}

/* The one id of PICKED, and what its outcome says of the suspects. */
static int get_one(struct get *g, size_t picked, struct err *err)
{
	size_t faults = g->faults;

	if (get_alone(g, picked, err) < 0)
		return -1;
	if (g->faults > faults)
		dav_chunk_culprit(&g->source->chunk);
	else
		dav_chunk_succeeded(&g->source->chunk, 1, 0, 0);
	return 0;
}

/* 1: the collection is gone. */
static int get_all(struct get *g, struct err *err)
{
	struct dav_source *source = g->source;
	size_t *picked = xcalloc(g->window->count, sizeof(*picked));
	int result = 0;

	dav_chunk_restart(&source->chunk);
	while (result == 0 && g->finished < g->window->count) {
		bool has_multiget = source->multigets_refused < REFUSED_MAX;
		size_t limit = has_multiget ? dav_chunk_next(&source->chunk)
					    : 1;
		size_t count = pick(g, picked,
			limit < g->window->count ? limit : g->window->count);

		if (count > 1)
			result = multiget(g, picked, count, err);
		else if (count == 1)
			result = get_one(g, picked[0], err);
		if (result == 0)
			result = get_loners(g, err);
	}
	free(picked);
	return result;
}

int dav_get_window(struct dav_source *source, const struct window *window,
	const struct feed *feed, struct err *err)
{
	struct get g = {.source = source, .window = window, .feed = feed};
	const struct collection_state state = {.complete = false};
	int result;

	dav_text_init(&g.text, source->item_bytes_max);
	index_ids(&g);
	result = feed->sink->state(feed->context, window, &state, err);
	if (result == 0)
		result = get_all(&g, err);
	if (result >= 0)
		result = feed->sink->window_end(feed->context, window,
			result ? WINDOW_NO_COLLECTION : WINDOW_DONE, NULL, err);
	dav_text_free(&g.text);
	free(g.progress);
	free(g.slots);
	free(g.hashes);
	if (result < 0)
		err_context(err, "%s", window->collection->path);
	return result < 0 ? -1 : 0;
}
