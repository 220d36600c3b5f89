/*
 * All objects of a collection by one calendar-query or addressbook-query:
 * windows that are entire. Runs on the source's thread.
 *
 * Only where the quirks say that this is cheap. What the query leaves out,
 * breaks off before or is refused for is not told here: the engine knows from
 * the listing what is missing, and asks for it by name (dav_get.c).
 */
#include "dav_source.h"

#include <string.h>

#include "dav_body.h"
#include "dav_quirks.h"
#include "dav_seen.h"
#include "dav_text.h"
#include "err.h"

struct query {
	const struct window *window;
	const struct feed *feed;
	struct dav_seen seen;
	struct dav_text text;
	bool sink_failed;
};

static int on_data(void *context, const struct dav_response *response,
	const char *text, size_t length, struct err *err)
{
	struct query *q = context;

	(void)err;
	if (response->href)
		dav_text_append(&q->text, text, length);
	return 0;
}

static int on_response(
	void *context, const struct dav_response *response, struct err *err)
{
	struct query *q = context;
	const struct item_id id = {.href = response->href};
	int result = 0;

	dav_text_finish(&q->text);
	if (response->data_status / 100 == 2 && !q->text.too_large &&
		dav_text_is_object(&q->text) &&
		!(response->mended && dav_text_may_be_mended(&q->text)) &&
		dav_seen_add(&q->seen, id.href, false))
		result = dav_tell_object(q->feed, q->window, id, &q->text,
			response->props.etag, err);
	q->sink_failed = result < 0;
	dav_text_clear(&q->text);
	return result;
}

/* Where one multiget would do, it is not worth to ask who the server is. */
static int may_query(
	struct dav_source *source, const struct window *window, struct err *err)
{
	if (source->query_refused)
		return 0;
	if (window->count > dav_chunk_next(&source->chunk) &&
		dav_identify(source, window->collection->wire, err) < 0)
		return -1;
	return source->quirks->query_is_cheap;
}

static enum window_result result_of(int status)
{
	return status == 404 || status == 410 ? WINDOW_NO_COLLECTION
					      : WINDOW_DONE;
}

static int query(struct dav_source *source, struct query *q,
	enum window_result *outcome, struct err *err)
{
	struct buf body = dav_body_query(q->window->collection->kind);
	const struct dav_request request = {
		.method = "REPORT",
		.url = q->window->collection->wire,
		.depth = "1",
		.body = body.data,
		.body_bytes = body.length,
		.handler = {on_response, on_data, q},
	};
	struct err failure = ERR_INIT;
	struct dav_answer answer;
	int result = dav_perform(source->client, &request, &answer, &failure);

	if (result == 0)
		*outcome = result_of(answer.status);
	if (result == 0 && *outcome == WINDOW_DONE)
		result = dav_answer_check(&request, &answer, &failure);
	dav_answer_clear(&answer);
	buf_free(&body);
	if (result == 0)
		return 0;
	if (q->sink_failed || !dav_is_soft(&failure)) {
		if (err)
			*err = failure;
		return -1;
	}
	source->query_refused = true;
	return dav_check_alive(source, request.url, &failure, err);
}

int dav_query_window(struct dav_source *source, const struct window *window,
	const struct feed *feed, struct err *err)
{
	struct query q = {.window = window, .feed = feed};
	const struct collection_state state = {.complete = false};
	enum window_result outcome = WINDOW_DONE;
	int result;

	dav_text_init(&q.text, source->item_bytes_max);
	result = feed->sink->state(feed->context, window, &state, err);
	if (result == 0)
		result = may_query(source, window, err);
	if (result > 0)
		result = query(source, &q, &outcome, err);
	if (result == 0)
		result = feed->sink->window_end(
			feed->context, window, outcome, NULL, err);
	dav_text_free(&q.text);
	dav_seen_free(&q.seen);
	if (result < 0)
		err_context(err, "%s", window->collection->path);
	return result;
}
