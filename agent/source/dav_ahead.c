/*
 * Windows side by side: see dav_ahead.h. Lives on the source's thread; each
 * slot is a helper thread for as long as its window lasts.
 *
 *   feed.next -> slot 0: thread, notes --.
 *   feed.next -> slot 1: thread, notes --+-> told in turn
 *   ...                    |
 *                          +-- a connection of the pool, while it fetches
 *
 * There are more slots than connections, so that a connection whose window
 * has come, but whose turn to be told has not, works on the next one. A
 * window whose notes are all told frees its slot for the next one of the
 * feed. The first failure ends the call: the slots behind it are stopped and
 * waited for, and what they wrote down is forgotten; it was committed nowhere.
 */
#include "dav_ahead.h"

#include <pthread.h>
#include <stdlib.h>

#include "alloc.h"
#include "dav_note.h"
#include "dav_source.h"
#include "err.h"

#define SLOTS (2 * DAV_POOL_MAX)

struct slot {
	struct dav_source source; /* judgements of its own */
	struct window window;
	struct dav_notes *notes;
	unsigned number; /* in the queue for a connection */
	struct err err;
	int result;
	pthread_t thread;
	bool running;
};

static void *run(void *argument)
{
	struct slot *slot = argument;
	struct dav_source *source = &slot->source;
	const struct feed feed = {NULL, &dav_notes_sink, slot->notes};

	source->client = dav_pool_take(source->pool, slot->number);
	if (!dav_notes_stopped(slot->notes))
		slot->result = dav_window(
			source, &slot->window, &feed, &slot->err);
	dav_pool_give(source->pool, source->client);
	dav_notes_end(slot->notes);
	return NULL;
}

static int start(
	struct slot *slot, const struct dav_source *source, struct err *err)
{
	slot->source = *source;
	slot->notes = dav_notes_new();
	slot->number = dav_pool_queue(source->pool);
	slot->err = ERR_INIT;
	slot->result = 0;
	slot->running = true;
	if (pthread_create(&slot->thread, NULL, run, slot) == 0)
		return 0;
	/* Its number in the queue is to be called all the same. */
	slot->running = false;
	dav_pool_give(source->pool, dav_pool_take(source->pool, slot->number));
	dav_notes_free(slot->notes);
	return err_set(err, ERR_IO, "dav: no thread to be had");
}

/* Waits for the thread; what it has not told is forgotten. */
static void finish(struct slot *slot)
{
	if (!slot->running)
		return;
	dav_notes_stop(slot->notes);
	pthread_join(slot->thread, NULL);
	dav_notes_free(slot->notes);
	slot->notes = NULL;
	slot->running = false;
}

/* What a window taught, for those that begin after it. */
static void learn(struct dav_source *source, const struct slot *slot)
{
	source->sync_refused |= slot->source.sync_refused;
	source->query_refused |= slot->source.query_refused;
	source->proved |= slot->source.proved;
	if (source->trouble.kind == ERR_NONE)
		source->trouble = slot->source.trouble;
	source->identified |= slot->source.identified;
	source->quirks = slot->source.quirks;
	source->multigets_refused = slot->source.multigets_refused;
	source->chunk = slot->source.chunk;
}

/* The oldest window, to its end. */
static int tell(struct slot *slot, struct dav_source *source,
	const struct feed *feed, struct err *err)
{
	int result = dav_notes_tell(slot->notes, feed, &slot->window, err);

	finish(slot);
	if (result == 0 && slot->result < 0) {
		if (err)
			*err = slot->err;
		return -1;
	}
	learn(source, slot);
	return result;
}

static int work(struct slot *slots, struct dav_source *source,
	const struct feed *feed, struct err *err)
{
	unsigned oldest = 0;
	unsigned busy = 0;
	int more = 1;

	for (;;) {
		while (busy < SLOTS && more > 0) {
			struct slot *next = &slots[(oldest + busy) % SLOTS];

			more = feed->next(feed->context, &next->window, err);
			if (more > 0 && start(next, source, err) < 0)
				more = -1;
			if (more > 0)
				busy++;
		}
		if (more < 0 || busy == 0)
			return more;
		if (tell(&slots[oldest], source, feed, err) < 0)
			return -1;
		oldest = (oldest + 1) % SLOTS;
		busy--;
		more = 1; /* a window that ended may have made new ones */
	}
}

int dav_ahead_fetch(
	struct dav_source *source, const struct feed *feed, struct err *err)
{
	struct slot *slots = xcalloc(SLOTS, sizeof(*slots));
	int result;
	unsigned i;

	dav_pool_lend(source->pool);
	result = work(slots, source, feed, err);
	for (i = 0; i < SLOTS; i++)
		if (slots[i].running)
			dav_notes_stop(slots[i].notes);
	for (i = 0; i < SLOTS; i++)
		finish(&slots[i]);
	dav_pool_take_back(source->pool);
	free(slots);
	return result < 0 ? -1 : 0;
}
