/*
 * imap_record.h - a feed and a sink that write down what came, as text, a
 * line an event. Each test includes it once.
 */
#ifndef IMAP_RECORD_H
#define IMAP_RECORD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "source.h"

/* What came, as text: "+7 S5 \Seen $x" a line. */
struct record {
	struct buf events;
	struct buf body; /* of the open item */
	struct window windows[16];
	size_t window_count, next;
	struct collection collections[16];
	size_t collection_count;
	int stop_after; /* items; 0: never */
	int ended;
};

static inline int on_state(void *context, const struct window *window,
	const struct collection_state *state, struct err *err)
{
	struct record *record = context;

	(void)err;
	buf_printf(&record->events, "state %s v%u n%u items %u%s\n",
		window->collection->path, (unsigned)state->uid_validity,
		(unsigned)state->uid_next, (unsigned)state->items,
		state->complete ? " complete" : "");
	return 0;
}

static inline int on_begin(void *context, const struct window *window,
	uint64_t bytes, struct err *err)
{
	struct record *record = context;

	(void)window;
	(void)bytes;
	(void)err;
	buf_clear(&record->body);
	return 0;
}

static inline int on_data(void *context, const struct window *window,
	const char *data, size_t bytes, struct err *err)
{
	struct record *record = context;

	(void)window;
	(void)err;
	return buf_append(&record->body, data, bytes);
}

static inline int on_end(void *context, const struct window *window,
	const struct item *item, struct err *err)
{
	struct record *record = context;

	assert_int_equal(item->data_bytes,
		window->mode == FETCH_LIST ? 0 : record->body.length);
	buf_printf(&record->events, "item %u size %u flags %s data [",
		(unsigned)item->id.uid, (unsigned)item->size, item->flags);
	if (window->mode != FETCH_LIST && record->body.length)
		buf_append(&record->events, record->body.data,
			record->body.length);
	buf_printf(&record->events, "]%s\n", item->structure ? " S" : "");
	buf_clear(&record->body);
	if (record->stop_after && ++record->ended == record->stop_after)
		return err_set(err, ERR_DISK_FULL, "the disk is full");
	return 0;
}

static inline int on_failed(void *context, const struct window *window,
	struct item_id id, enum item_fault fault, const char *reason,
	const char *raw, size_t raw_bytes, struct err *err)
{
	static const char *const words[] = {
		"unparsable", "too large", "refused", "disconnect"};
	struct record *record = context;

	(void)window;
	(void)raw;
	(void)err;
	assert_true(*reason);
	buf_printf(&record->events, "failed %u %s%s\n", (unsigned)id.uid,
		words[fault], raw_bytes ? " raw" : "");
	return 0;
}

static inline int on_gone(void *context, const struct window *window,
	struct item_id id, struct err *err)
{
	struct record *record = context;

	(void)window;
	(void)err;
	return buf_printf(&record->events, "gone %u\n", (unsigned)id.uid);
}

static inline int on_window_end(void *context, const struct window *window,
	enum window_result result, const char *token, struct err *err)
{
	struct record *record = context;

	(void)err;
	assert_null(token);
	return buf_printf(&record->events, "end %s %d\n",
		window->collection->path, (int)result);
}

static inline int on_next(void *context, struct window *window, struct err *err)
{
	struct record *record = context;

	(void)err;
	if (record->next == record->window_count)
		return 0;
	*window = record->windows[record->next++];
	return 1;
}

static const struct sink sink = {
	on_state, on_begin, on_data, on_end, on_failed, on_gone, on_window_end};

static inline int on_collection(
	void *context, const struct collection *collection, struct err *err)
{
	struct record *record = context;

	(void)err;
	record->collections[record->collection_count++] = collection_copy(
		collection);
	return 0;
}

#endif
