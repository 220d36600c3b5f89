/*
 * lane.c - the feed and the sink between a source and the writer.
 *
 * Runs on its network thread, inside source_fetch(); the writer's queue is
 * its only way out, and waits when the disk is slower than the wire
 * (engine.c has the whole picture).
 */
#include "lane.h"

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "pipe.h"
#include "protection.h"
#include "queue.h"
#include "source.h"
#include "store.h"
#include "store_message.h"
#include "wire.h"
#include "work.h"

#include <stdlib.h>
#include <string.h>

struct batch_list {
	struct batch **batches; /* under way, oldest first */
	size_t count, capacity;
};

struct lane {
	struct lane_setup setup;
	struct pipe *pipe;
	struct store *reader;
	struct plan_pace pace;
	struct work *work;
	size_t first; /* passes before it are done or others' */
	struct source *source;
	struct batch_list under_way;
	bool item_open;
};

int lane_new(struct lane **out, const struct lane_setup *setup, struct err *err)
{
	struct lane *lane = xcalloc(1, sizeof *lane);

	lane->setup = *setup;
	lane->reader = store_open(setup->directory, STORE_READ, err);
	if (!lane->reader) {
		free(lane);
		return -1;
	}
	lane->pipe = pipe_new(setup->queue);
	lane->pace = plan_pace_init(setup->window_bytes);
	*out = lane;
	return 0;
}

void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	for (size_t i = 0; i < lane->under_way.count; i++)
		batch_free(lane->under_way.batches[i]);
	free(lane->under_way.batches);
	pipe_free(lane->pipe);
	store_close(lane->reader);
	free(lane);
}

struct pipe *lane_pipe(struct lane *lane)
{
	return lane->pipe;
}

struct store *lane_reader(struct lane *lane)
{
	return lane->reader;
}

static struct pass_tools tools_of(struct lane *lane)
{
	return (struct pass_tools){
		.reader = lane->reader,
		.pipe = lane->pipe,
		.features = source_features(lane->source),
		.round_trip_us = source_line(lane->source).round_trip_us,
		.tried = lane->setup.tried,
		.bulk = lane->setup.bulk,
		.context = lane->setup.context,
	};
}

/* ------------------------------------------------------------------ batches */

static void started(
	struct lane *lane, struct window *window, struct batch *batch)
{
	struct batch_list *list = &lane->under_way;

	if (list->count == list->capacity) {
		list->capacity = list->capacity * 2 + 8;
		list->batches = xrealloc(
			list->batches, list->capacity, sizeof *list->batches);
	}
	list->batches[list->count++] = batch;
	batch->issued_us = clock_monotonic_us();
	window->user = batch;
}

static void ended(struct lane *lane, const struct batch *batch)
{
	struct batch_list *list = &lane->under_way;
	size_t i = 0;

	while (i < list->count && list->batches[i] != batch)
		i++;
	if (i == list->count)
		return;
	memmove(list->batches + i, list->batches + i + 1,
		(list->count - i - 1) * sizeof *list->batches);
	list->count--;
}

/* The session is over: whatever items are complete are still worth having,
 * so each window ends as far as it came. */
static void abandon(struct lane *lane)
{
	struct batch_list *list = &lane->under_way;

	if (list->count)
		plan_pace_failed(&lane->pace, list->batches[0]->count);
	if (lane->item_open && list->count)
		pipe_mark(lane->pipe, RECORD_DROP, list->batches[0], NULL);
	lane->item_open = false;
	for (size_t i = 0; i < list->count; i++)
		if (pipe_mark(
			    lane->pipe, RECORD_WINDOW, list->batches[i], NULL))
			batch_free(list->batches[i]);
	list->count = 0;
}

/* ------------------------------------------------------------------ feed */

/* With BEGIN, of a pass that has not begun. */
static int next_of_passes(
	struct lane *lane, bool begin, struct window *window, struct err *err)
{
	struct pass_tools tools = tools_of(lane);

	for (size_t i = lane->first; i < work_count(lane->work); i++) {
		struct pass *pass = work_claim(lane->work, i, lane);
		struct batch *batch;
		int got;

		if (!pass || pass->step == PASS_DONE) {
			lane->first += i == lane->first;
			continue;
		}
		if (begin && pass->step != PASS_NEW)
			continue;
		got = pass_next(pass, &tools, &lane->pace, window, &batch, err);
		if (got < 0)
			return -1;
		if (got) {
			started(lane, window, batch);
			return 1;
		}
	}
	return 0;
}

/* Side by side, what every pass has to wait for goes out first. */
static int next_pass_window(
	struct lane *lane, struct window *window, struct err *err)
{
	bool aside = source_features(lane->source) & SOURCE_ASIDE;
	int got = aside ? next_of_passes(lane, true, window, err) : 0;

	return got ? got : next_of_passes(lane, false, window, err);
}

/* Two windows keep a line busy; a slow one should not owe us more. */
static bool is_far_ahead(const struct lane *lane)
{
	const struct batch_list *list = &lane->under_way;
	uint64_t bytes = 0;

	for (size_t i = 0; i < list->count; i++)
		bytes += list->batches[i]->bytes;
	return list->count >= 2 &&
		bytes >=
		plan_pace_ahead(&lane->pace, wire_rate(lane->setup.wire));
}

static int next_body_window(
	struct lane *lane, struct window *window, struct err *err)
{
	const struct pass *pass;
	struct batch *batch;
	int got;

	/* Asked again when one of them has ended. */
	if (is_far_ahead(lane))
		return 0;
	got = work_next_bodies(
		lane->work, lane->reader, &lane->pace, &batch, &pass, err);
	if (got <= 0)
		return got;
	*window = (struct window){
		.collection = &pass->collection,
		.mode = FETCH_FULL,
		.ids = batch->ids,
		.count = batch->count,
		.bytes = batch->bytes,
		.last = batch->last && lane->setup.lists,
	};
	started(lane, window, batch);
	return 1;
}

static int next(void *context, struct window *window, struct err *err)
{
	struct lane *lane = context;

	if (lane->setup.held(lane->setup.context))
		return 0;
	return work_is_bodies(lane->work) ? next_body_window(lane, window, err)
					  : next_pass_window(lane, window, err);
}

/* ------------------------------------------------------------------ sink */

static int sink_state(void *context, const struct window *window,
	const struct collection_state *state, struct err *err)
{
	struct batch *batch = window->user;
	struct pass_tools tools = tools_of(context);

	return batch->pass ? pass_state(batch->pass, &tools, batch, state, err)
			   : 0;
}

static int drop_open(struct lane *lane, struct batch *batch, struct err *err)
{
	if (!lane->item_open)
		return 0;
	lane->item_open = false;
	return pipe_mark(lane->pipe, RECORD_DROP, batch, err);
}

static int sink_begin(void *context, const struct window *window,
	uint64_t bytes, struct err *err)
{
	struct lane *lane = context;
	struct batch *batch = window->user;

	(void)bytes;
	if (drop_open(lane, batch, err))
		return -1;
	lane->item_open = true;
	return pipe_mark(lane->pipe, RECORD_BEGIN, batch, err);
}

static int sink_data(void *context, const struct window *window,
	const char *data, size_t bytes, struct err *err)
{
	struct lane *lane = context;

	return pipe_data(lane->pipe, window->user, data, bytes, err);
}

/* NIL, or an empty string where a message was announced. */
static bool is_withheld(const struct lane *lane, const struct window *window,
	const struct item *item)
{
	return !lane->item_open ||
		(window->mode == FETCH_FULL && item->size && !item->data_bytes);
}

static int sink_end(void *context, const struct window *window,
	const struct item *item, struct err *err)
{
	struct lane *lane = context;
	struct batch *batch = window->user;
	struct record_item record = {
		.uid = item->id.uid,
		.size = item->size,
		.received_s = item->received_s,
		.modseq = item->modseq,
		.flags = item->flags,
		.href = item->id.href,
		.etag = item->etag,
	};

	if (window->mode == FETCH_LIST) {
		struct pass_tools tools = tools_of(lane);

		return pass_listed(batch->pass, &tools, batch, item, err);
	}
	if (is_withheld(lane, window, item)) {
		lane->item_open = false;
		record.reason = "the server gives no content for it";
		return pipe_item(
			lane->pipe, RECORD_FAILED, batch, &record, err);
	}
	lane->item_open = false;
	if (batch->entire)
		pass_came(batch->pass, batch, item->id);
	if (item->structure)
		record.protection = protection_from_bodystructure(
			item->structure, item->structure_bytes);
	else if (window->mode == FETCH_HEADERS)
		record.protection = PROTECTION_UNKNOWN;
	return pipe_item(lane->pipe, RECORD_ITEM, batch, &record, err);
}

static int sink_failed(void *context, const struct window *window,
	struct item_id id, enum item_fault fault, const char *reason,
	const char *raw, size_t raw_bytes, struct err *err)
{
	struct lane *lane = context;
	struct batch *batch = window->user;
	struct pass_tools tools = tools_of(lane);
	struct record_item record = {
		.uid = id.uid,
		.href = id.href,
		.reason = reason,
		.raw = raw,
		.raw_bytes = raw ? raw_bytes : 0,
	};

	(void)fault;
	lane->item_open = false;
	if (batch->pass && !pass_failed(batch->pass, &tools, batch, id))
		return 0;
	return pipe_item(lane->pipe, RECORD_FAILED, batch, &record, err);
}

static int sink_gone(void *context, const struct window *window,
	struct item_id id, struct err *err)
{
	struct lane *lane = context;
	struct batch *batch = window->user;
	struct pass_tools tools = tools_of(lane);
	struct record_item record = {.uid = id.uid, .href = id.href};

	if (batch->pass)
		return pass_gone(batch->pass, &tools, batch, id, err);
	return pipe_item(lane->pipe, RECORD_GONE, batch, &record, err);
}

static int sink_window_end(void *context, const struct window *window,
	enum window_result result, const char *token, struct err *err)
{
	struct lane *lane = context;
	struct batch *batch = window->user;
	struct pass *pass = batch->pass;
	struct pass_tools tools = tools_of(lane);

	if (drop_open(lane, batch, err))
		return -1;
	plan_pace_arrived(&lane->pace, batch->bytes, batch->issued_us,
		clock_monotonic_us());
	ended(lane, batch);
	if ((pass && pass_ended(pass, &tools, batch, result, token, err)) ||
		pipe_mark(lane->pipe, RECORD_WINDOW, batch, err)) {
		batch_free(batch);
		return -1;
	}
	return pass ? pass_settle(pass, &tools, err) : 0;
}

static const struct sink sink = {
	.state = sink_state,
	.begin = sink_begin,
	.data = sink_data,
	.end = sink_end,
	.failed = sink_failed,
	.gone = sink_gone,
	.window_end = sink_window_end,
};

/* ------------------------------------------------------------------ work */

int lane_run(struct lane *lane, struct source *source, struct work *work,
	struct err *err)
{
	struct feed feed = {next, &sink, lane};
	int status;

	lane->source = source;
	lane->work = work;
	lane->first = 0;
	status = source_fetch(source, &feed, err);
	if (status)
		abandon(lane);
	if (pipe_flush(lane->pipe, status ? NULL : err))
		return -1;
	return status;
}
