/*
 * The queue between a helper thread of dav_ahead.c, which writes notes
 * through dav_notes_sink, and the source's thread, which tells them. One
 * lock. Neither thread is woken for every note: the teller waits until it has
 * something to do for a while, the writer until there is room for more than
 * a note.
 */
#include "dav_note.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"

/* How far a writer may be ahead. */
#define NOTES_BYTES_MAX (4 << 20)
/* A writer that had to wait goes on from here. */
#define NOTES_BYTES_LOW (2 << 20)
/* What it is worth to wake the teller for, unless so much time has passed. */
#define TELL_BYTES (64 << 10)
#define TELL_US	   (5 * US_PER_MS)

enum note_kind {
	NOTE_STATE,
	NOTE_ITEM, /* with its data, where it has any */
	NOTE_FAILED,
	NOTE_GONE,
	NOTE_WINDOW_END,
};

struct note {
	STAILQ_ENTRY(note) link;
	enum note_kind kind;
	struct collection_state state;
	struct item item;
	enum item_fault fault;
	enum window_result result;
	char *href, *etag;
	char *text; /* data, raw, reason or token */
	size_t text_bytes;
	char *reason;
};

struct dav_notes {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	STAILQ_HEAD(note_queue, note) queue;
	size_t bytes;
	bool ended, stopped;
	struct note *open; /* the writer's: an item whose end is to come */
};

struct dav_notes *dav_notes_new(void)
{
	struct dav_notes *notes = xcalloc(1, sizeof(*notes));
	pthread_condattr_t monotonic;

	pthread_mutex_init(&notes->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&notes->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	STAILQ_INIT(&notes->queue);
	return notes;
}

static void note_free(struct note *note)
{
	free(note->href);
	free(note->etag);
	free(note->text);
	free(note->reason);
	free(note);
}

void dav_notes_free(struct dav_notes *notes)
{
	struct note *note;

	if (!notes)
		return;
	while ((note = STAILQ_FIRST(&notes->queue))) {
		STAILQ_REMOVE_HEAD(&notes->queue, link);
		note_free(note);
	}
	if (notes->open)
		note_free(notes->open);
	pthread_mutex_destroy(&notes->lock);
	pthread_cond_destroy(&notes->changed);
	free(notes);
}

static size_t weight(const struct note *note)
{
	return sizeof(*note) + note->text_bytes;
}

/* Waits for room, under the lock. */
static void await_room(struct dav_notes *notes)
{
	if (notes->bytes <= NOTES_BYTES_MAX)
		return;
	while (notes->bytes > NOTES_BYTES_LOW && !notes->stopped)
		pthread_cond_wait(&notes->changed, &notes->lock);
}

static int put(struct dav_notes *notes, struct note *note, struct err *err)
{
	size_t before;
	bool stopped;

	pthread_mutex_lock(&notes->lock);
	await_room(notes);
	stopped = notes->stopped;
	if (!stopped) {
		before = notes->bytes;
		STAILQ_INSERT_TAIL(&notes->queue, note, link);
		notes->bytes += weight(note);
		if (!before ||
			(before < TELL_BYTES && notes->bytes >= TELL_BYTES))
			pthread_cond_broadcast(&notes->changed);
	}
	pthread_mutex_unlock(&notes->lock);
	if (!stopped)
		return 0;
	note_free(note);
	return err_set(err, ERR_CANCELLED, "nobody listens any more");
}

static struct note *note_new(enum note_kind kind)
{
	struct note *note = xcalloc(1, sizeof(*note));

	note->kind = kind;
	return note;
}

static void set_item(struct note *note, const struct item *item)
{
	note->item = *item;
	note->href = xstrdup(item->id.href);
	note->etag = xstrdup(item->etag);
	note->item.id.href = note->href;
	note->item.etag = note->etag;
}

static int on_state(void *context, const struct window *window,
	const struct collection_state *state, struct err *err)
{
	struct note *note = note_new(NOTE_STATE);

	(void)window;
	note->state = *state;
	return put(context, note, err);
}

/* A DAV source tells an object when its text is whole. */
static int on_begin(void *context, const struct window *window, uint64_t bytes,
	struct err *err)
{
	struct dav_notes *notes = context;

	(void)window;
	(void)err;
	if (notes->open)
		note_free(notes->open);
	notes->open = note_new(NOTE_ITEM);
	notes->open->text = xrealloc(NULL, bytes + 1, 1);
	return 0;
}

static int on_data(void *context, const struct window *window, const char *data,
	size_t bytes, struct err *err)
{
	struct dav_notes *notes = context;
	struct note *note = notes->open;

	(void)window;
	(void)err;
	note->text = xrealloc(note->text, note->text_bytes + bytes, 1);
	memcpy(note->text + note->text_bytes, data, bytes);
	note->text_bytes += bytes;
	return 0;
}

static int on_end(void *context, const struct window *window,
	const struct item *item, struct err *err)
{
	struct dav_notes *notes = context;
	struct note *note = notes->open ? notes->open : note_new(NOTE_ITEM);

	(void)window;
	notes->open = NULL;
	set_item(note, item);
	return put(notes, note, err);
}

static int on_failed(void *context, const struct window *window,
	struct item_id id, enum item_fault fault, const char *reason,
	const char *raw, size_t raw_bytes, struct err *err)
{
	struct note *note = note_new(NOTE_FAILED);
	struct item item = {.id = id};

	(void)window;
	set_item(note, &item);
	note->fault = fault;
	note->reason = xstrdup(reason);
	note->text = xstrndup(raw, raw_bytes);
	note->text_bytes = raw_bytes;
	return put(context, note, err);
}

static int on_gone(void *context, const struct window *window,
	struct item_id id, struct err *err)
{
	struct note *note = note_new(NOTE_GONE);
	struct item item = {.id = id};

	(void)window;
	set_item(note, &item);
	return put(context, note, err);
}

static int on_window_end(void *context, const struct window *window,
	enum window_result result, const char *token, struct err *err)
{
	struct note *note = note_new(NOTE_WINDOW_END);

	(void)window;
	note->result = result;
	note->text = xstrdup(token);
	return put(context, note, err);
}

const struct sink dav_notes_sink = {
	on_state, on_begin, on_data, on_end, on_failed, on_gone, on_window_end};

static void raise_flag(struct dav_notes *notes, bool *flag)
{
	pthread_mutex_lock(&notes->lock);
	*flag = true;
	pthread_cond_broadcast(&notes->changed);
	pthread_mutex_unlock(&notes->lock);
}

void dav_notes_end(struct dav_notes *notes)
{
	raise_flag(notes, &notes->ended);
}

void dav_notes_stop(struct dav_notes *notes)
{
	raise_flag(notes, &notes->stopped);
}

bool dav_notes_stopped(struct dav_notes *notes)
{
	bool stopped;

	pthread_mutex_lock(&notes->lock);
	stopped = notes->stopped;
	pthread_mutex_unlock(&notes->lock);
	return stopped;
}

/* Waits until there is something to tell, under the lock; for more of it
 * only a moment. */
static void await_notes(struct dav_notes *notes)
{
	struct timespec until;
	int64_t until_us;

	while (STAILQ_EMPTY(&notes->queue) && !notes->ended)
		pthread_cond_wait(&notes->changed, &notes->lock);
	until_us = clock_monotonic_us() + TELL_US;
	until.tv_sec = until_us / US_PER_S;
	until.tv_nsec = until_us % US_PER_S * 1000;
	while (notes->bytes < TELL_BYTES && !notes->ended &&
		pthread_cond_timedwait(&notes->changed, &notes->lock, &until) ==
			0)
		;
}

/* The next note, waited for; NULL when there are no more. */
static struct note *take(struct dav_notes *notes)
{
	struct note *note;
	size_t before;

	pthread_mutex_lock(&notes->lock);
	if (STAILQ_EMPTY(&notes->queue))
		await_notes(notes);
	note = STAILQ_FIRST(&notes->queue);
	if (note) {
		STAILQ_REMOVE_HEAD(&notes->queue, link);
		before = notes->bytes;
		notes->bytes -= weight(note);
		if (before > NOTES_BYTES_LOW && notes->bytes <= NOTES_BYTES_LOW)
			pthread_cond_broadcast(&notes->changed);
	}
	pthread_mutex_unlock(&notes->lock);
	return note;
}

static int tell_item(const struct note *note, const struct feed *feed,
	const struct window *window, struct err *err)
{
	const struct sink *sink = feed->sink;
	void *context = feed->context;

	if (note->text &&
		(sink->begin(context, window, note->text_bytes, err) < 0 ||
			sink->data(context, window, note->text,
				note->text_bytes, err) < 0))
		return -1;
	return sink->end(context, window, &note->item, err);
}

static int tell(const struct note *note, const struct feed *feed,
	const struct window *window, struct err *err)
{
	const struct sink *sink = feed->sink;
	void *context = feed->context;

	switch (note->kind) {
	case NOTE_STATE:
		return sink->state(context, window, &note->state, err);
	case NOTE_ITEM:
		return tell_item(note, feed, window, err);
	case NOTE_FAILED:
		return sink->failed(context, window, note->item.id, note->fault,
			note->reason, note->text, note->text_bytes, err);
	case NOTE_GONE:
		return sink->gone(context, window, note->item.id, err);
	case NOTE_WINDOW_END:
		return sink->window_end(
			context, window, note->result, note->text, err);
	}
	return 0;
}

int dav_notes_tell(struct dav_notes *notes, const struct feed *feed,
	const struct window *window, struct err *err)
{
	struct note *note;
	int result = 0;

	while (result >= 0 && (note = take(notes))) {
		result = tell(note, feed, window, err);
		note_free(note);
	}
	return result < 0 ? -1 : 0;
}
