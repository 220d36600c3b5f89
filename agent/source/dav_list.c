/*
 * What is in a collection: windows of FETCH_LIST. Runs on the source's
 * thread; items reach the sink as the answer is read.
 *
 * The ladder, from the cheapest answer to the surest:
 *   1. sync-collection with the stored token: what changed, what is gone
 *   2. sync-collection with an empty token: everything, in pages
 *   3. PROPFIND Depth 1: everything
 * A step that the server refuses leads to the next one. Once an item was
 * delivered, what the sink was promised (all, or changes) is kept: from 2 to
 * 3 the items already named are left out, and 1 that breaks in its middle
 * ends the window with WINDOW_BAD_TOKEN.
 */
#include "dav_source.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "dav_body.h"
#include "dav_href.h"
#include "dav_quirks.h"
#include "dav_seen.h"
#include "err.h"

#define PAGES_MAX  100000
#define PAGE_ITEMS 500 /* asked for when the server says it is too much */

struct listing {
	struct dav_source *source;
	const struct window *window;
	const struct feed *feed;
	char *self; /* the collection, normalised */
	struct dav_seen seen;
	bool complete; /* what the sink was or will be promised */
	bool state_told;
	bool truncated; /* there is another page */
	bool sink_failed;
	bool sync_refused; /* before anything was listed */
	bool ill;	   /* the server answers, but with a status of 5xx */
	uint64_t items;
	int status;	 /* of the last sync-collection; 0: no answer */
	int self_status; /* why the answer is not all; 0: it is */
	char *ctag;
};

/* What one step of the ladder came to. */
enum step {
	STEP_DONE,
	STEP_REFUSED, /* by the server, for this way of asking */
	STEP_MISSING, /* there is no such collection */
	STEP_FAILED,  /* ERR says why */
};

static int tell_state(struct listing *l, struct err *err)
{
	struct collection_state state = {.complete = l->complete};

	if (l->state_told)
		return 0;
	l->state_told = true;
	if (l->feed->sink->state(l->feed->context, l->window, &state, err) <
		0) {
		l->sink_failed = true;
		return -1;
	}
	return 0;
}

static int deliver(struct listing *l, const struct dav_response *response,
	bool gone, struct err *err)
{
	const struct sink *sink = l->feed->sink;
	struct item item = {
		.id = {.href = response->href},
		.flags = "",
		.etag = response->props.etag,
	};
	int result;

	if (gone && l->complete)
		return 0;
	if (!dav_seen_add(&l->seen, response->href, gone))
		return 0;
	if (tell_state(l, err) < 0)
		return -1;
	l->items++;
	result = gone ? sink->gone(l->feed->context, l->window, item.id, err)
		      : sink->end(l->feed->context, l->window, &item, err);
	if (result < 0)
		l->sink_failed = true;
	return result;
}

static bool is_self(const struct listing *l, const char *href)
{
	char *normal = dav_href_normal(href);
	bool self = strcmp(normal, l->self) == 0;

	free(normal);
	return self;
}

/* An error of the collection itself, inside an answer that seems to be one. */
static void note_self(struct listing *l, int status)
{
	if (status >= 400)
		l->self_status = status;
}

static int on_sync_response(
	void *context, const struct dav_response *response, struct err *err)
{
	struct listing *l = context;
	size_t length = strlen(response->href);

	/* By whatever name it calls the collection. */
	if (response->status == 507) {
		l->truncated = true;
		return 0;
	}
	if (is_self(l, response->href)) {
		note_self(l, response->status);
		return 0;
	}
	/* A collection in the collection. */
	if (length == 0 || response->href[length - 1] == '/')
		return 0;
	return deliver(l, response, response->status == 404, err);
}

static int on_propfind_response(
	void *context, const struct dav_response *response, struct err *err)
{
	struct listing *l = context;

	if (response->status == 507) {
		l->self_status = 507;
		return 0;
	}
	if (is_self(l, response->href)) {
		note_self(l, response->status);
		if (response->props.ctag && !l->ctag)
			l->ctag = xstrdup(response->props.ctag);
		return 0;
	}
	if ((response->props.types & DAV_TYPE_COLLECTION) ||
		response->status == 404)
		return 0;
	return deliver(l, response, false, err);
}

static enum step judge_failure(
	const struct listing *l, const struct err *failure, struct err *err)
{
	/* A broken or endless answer: another way of asking may do. */
	if (!l->sink_failed &&
		(failure->kind == ERR_PROTOCOL || failure->kind == ERR_LIMIT))
		return STEP_REFUSED;
	if (err)
		*err = *failure;
	return STEP_FAILED;
}

static enum step judge_status(const struct dav_request *request,
	const struct dav_answer *answer, struct err *err)
{
	if (answer->status == 207)
		return STEP_DONE;
	/* 500 is what many say to a report that they do not know. */
	if (answer->status / 100 == 4 || answer->status == 500 ||
		answer->status == 501 || answer->status == 507)
		return STEP_REFUSED;
	dav_answer_check(request, answer, err);
	return STEP_FAILED;
}

/* One page. *TOKEN moves on to the page's own. */
static enum step sync_page(
	struct listing *l, char **token, unsigned limit, struct err *err)
{
	struct buf body = dav_body_sync(*token, limit);
	struct dav_request request = {
		.method = "REPORT",
		.url = l->window->collection->wire,
		.depth = "0",
		.body = body.data,
		.body_bytes = body.length,
		.handler = {on_sync_response, NULL, l},
	};
	struct dav_answer answer;
	struct err failure = ERR_INIT;
	enum step step;

	l->truncated = false;
	l->status = l->self_status = 0;
	if (dav_perform(l->source->client, &request, &answer, &failure) < 0) {
		step = judge_failure(l, &failure, err);
	} else {
		l->status = answer.status;
		step = judge_status(&request, &answer, err);
		if (step == STEP_DONE && (l->self_status || !answer.sync_token))
			step = STEP_REFUSED;
		if (step == STEP_DONE && l->complete && l->items == 0 &&
			dav_prove(l->source, request.url, &answer, err) < 0)
			step = STEP_FAILED;
		if (step == STEP_DONE && l->truncated &&
			strcmp(answer.sync_token, *token) == 0)
			step = STEP_REFUSED; /* would turn in circles */
		if (step == STEP_DONE) {
			free(*token);
			*token = xstrdup(answer.sync_token);
		}
	}
	dav_answer_clear(&answer);
	buf_free(&body);
	return step;
}

/* All pages from *TOKEN on. */
static enum step sync_pages(struct listing *l, char **token, struct err *err)
{
	unsigned limit = 0;
	unsigned page;

	for (page = 0; page < PAGES_MAX; page++) {
		enum step step = sync_page(l, token, limit, err);

		if (step == STEP_REFUSED && l->status == 507 && limit == 0)
			limit = PAGE_ITEMS;
		else if (step != STEP_DONE || !l->truncated)
			return step;
	}
	return STEP_REFUSED;
}

/* 502 and 504 are a proxy's, whose server is away. */
static void judge_illness(struct listing *l, const struct dav_request *request,
	const struct dav_answer *answer, struct err *err)
{
	l->ill = answer->status != 502 && answer->status != 504;
	dav_answer_check(request, answer, err);
}

static enum step propfind(
	struct listing *l, const char *depth, const char *body, struct err *err)
{
	struct dav_request request = {
		.method = "PROPFIND",
		.url = l->window->collection->wire,
		.depth = depth,
		.body = body,
		.body_bytes = strlen(body),
		.handler = {on_propfind_response, NULL, l},
	};
	struct dav_answer answer;
	enum step step = STEP_FAILED;

	l->self_status = 0;
	if (dav_perform(l->source->client, &request, &answer, err) == 0) {
		if (l->self_status)
			answer.status = l->self_status;
		if (answer.status == 207)
			step = STEP_DONE;
		else if (answer.status == 404 || answer.status == 410 ||
			answer.status == 403)
			step = STEP_MISSING;
		else
			judge_illness(l, &request, &answer, err);
		if (step == STEP_DONE && *depth == '1' && l->items == 0 &&
			dav_prove(l->source, request.url, &answer, err) < 0)
			step = STEP_FAILED;
	}
	dav_answer_clear(&answer);
	return step;
}

static int end_window(struct listing *l, enum window_result result,
	const char *prefix, const char *token, struct err *err)
{
	char *text = token && *token ? xasprintf("%s%s", prefix, token) : NULL;
	int outcome = 0;

	if (result == WINDOW_DONE)
		outcome = tell_state(l, err);
	if (outcome == 0)
		outcome = l->feed->sink->window_end(
			l->feed->context, l->window, result, text, err);
	free(text);
	return outcome < 0 ? -1 : 0;
}

static int list_by_propfind(struct listing *l, struct err *err)
{
	switch (propfind(l, "1", dav_body_items, err)) {
	case STEP_DONE:
		l->source->sync_refused |= l->sync_refused;
		return end_window(l, WINDOW_DONE, DAV_TOKEN_CTAG, l->ctag, err);
	case STEP_MISSING:
		return end_window(l, WINDOW_NO_COLLECTION, "", NULL, err);
	default:
		return -1;
	}
}

static int list_all(struct listing *l, struct err *err)
{
	struct dav_source *source = l->source;
	char *token = NULL;
	enum step step = STEP_REFUSED;
	int result = -1;

	l->complete = true;
	if (!source->sync_refused && !source->quirks->sync_is_unreliable) {
		token = xstrdup("");
		step = sync_pages(l, &token, err);
		l->sync_refused = step == STEP_REFUSED && !l->state_told &&
			l->status != 404 && l->status != 410 &&
			l->status != 500;
	}
	if (step == STEP_DONE)
		result = end_window(l, WINDOW_DONE, DAV_TOKEN_SYNC, token, err);
	else if (step != STEP_FAILED)
		result = list_by_propfind(l, err);
	free(token);
	return result;
}

static int list_changes(struct listing *l, const char *since, struct err *err)
{
	char *token = xstrdup(since);
	int result = -1;

	l->complete = false;
	switch (sync_pages(l, &token, err)) {
	case STEP_DONE:
		result = end_window(l, WINDOW_DONE, DAV_TOKEN_SYNC, token, err);
		break;
	case STEP_FAILED:
		break;
	default:
		/* 403, 409, 410, valid-sync-token: forgotten. */
		result = l->state_told
			? end_window(l, WINDOW_BAD_TOKEN, "", NULL, err)
			: list_all(l, err);
	}
	free(token);
	return result;
}

static int list_if_changed(struct listing *l, const char *ctag, struct err *err)
{
	switch (propfind(l, "0", dav_body_state, err)) {
	case STEP_DONE:
		break;
	case STEP_MISSING:
		return end_window(l, WINDOW_NO_COLLECTION, "", NULL, err);
	default:
		return -1;
	}
	if (l->ctag && strcmp(l->ctag, ctag) == 0)
		return end_window(l, WINDOW_DONE, DAV_TOKEN_CTAG, l->ctag, err);
	free(l->ctag);
	l->ctag = NULL;
	l->complete = true;
	return list_by_propfind(l, err);
}

static bool has_prefix(const char *text, const char *prefix)
{
	return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* FAILURE is what the server says, or fails to say, of this collection. */
static bool is_of_collection(const struct listing *l, const struct err *failure)
{
	return !l->sink_failed &&
		(l->ill || failure->kind == ERR_PROTOCOL ||
			failure->kind == ERR_REFUSED ||
			failure->kind == ERR_LIMIT);
}

/* The other collections go on. What is stored of this one stays, and the call
 * fails when they are done. */
static int set_aside(
	struct listing *l, const struct err *failure, struct err *err)
{
	struct err *trouble = &l->source->trouble;

	if (trouble->kind == ERR_NONE) {
		*trouble = *failure;
		err_context(trouble, "%s", l->window->collection->path);
	}
	return end_window(l, WINDOW_FAILED, "", NULL, err);
}

int dav_list_window(struct dav_source *source, const struct window *window,
	const struct feed *feed, struct err *err)
{
	struct listing l = {.source = source, .window = window, .feed = feed};
	const char *token = window->collection->token;
	struct err failure = ERR_INIT;
	int result;

	l.self = dav_href_normal(window->collection->wire);
	if (has_prefix(token, DAV_TOKEN_SYNC) &&
		!source->quirks->sync_is_unreliable)
		result = list_changes(
			&l, token + strlen(DAV_TOKEN_SYNC), &failure);
	else if (has_prefix(token, DAV_TOKEN_CTAG))
		result = list_if_changed(
			&l, token + strlen(DAV_TOKEN_CTAG), &failure);
	else
		result = list_all(&l, &failure);
	if (result < 0 && is_of_collection(&l, &failure))
		result = set_aside(&l, &failure, &failure);
	free(l.self);
	free(l.ctag);
	dav_seen_free(&l.seen);
	if (result < 0 && err) {
		*err = failure;
		err_context(err, "%s", window->collection->path);
	}
	return result;
}
