/*
 * Windows side by side: see dav_ahead.h. Lives on the source's thread; each
 * lane is a helper thread for as long as its window lasts, and one of the
 * source's two connections.
 *
 *   feed.next -> lane 0: thread, connection, notes --.
 *   feed.next -> lane 1: thread, connection, notes --+-> told in turn
 *
 * A window whose notes are all told frees its lane for the next one of the
 * feed. The first failure ends the call: the lanes behind it are stopped and
 * waited for, and what they wrote down is forgotten; it was committed nowhere.
 */
#include "dav_ahead.h"

#include <pthread.h>
#include <stdlib.h>

#include "alloc.h"
#include "dav_note.h"
#include "dav_source.h"
#include "err.h"

struct lane {
	struct dav_source source; /* its own connection and judgements */
	struct window window;
	struct dav_notes *notes;
	struct err err;
	int result;
	pthread_t thread;
	bool running;
};

static void *run(void *argument)
{
	struct lane *lane = argument;
	const struct feed feed = {NULL, &dav_notes_sink, lane->notes};

	lane->result = dav_window(
		&lane->source, &lane->window, &feed, &lane->err);
	dav_notes_end(lane->notes);
	return NULL;
}

static int start(struct lane *lane, struct err *err)
{
	lane->notes = dav_notes_new();
	lane->err = ERR_INIT;
	lane->result = 0;
	if (pthread_create(&lane->thread, NULL, run, lane) != 0) {
		dav_notes_free(lane->notes);
		lane->notes = NULL;
		return err_set(err, ERR_IO, "dav: no thread to be had");
	}
	lane->running = true;
	return 0;
}

/* Waits for the thread; what it has not told is forgotten. */
static void finish(struct lane *lane)
{
	if (!lane->running)
		return;
	dav_notes_stop(lane->notes);
	pthread_join(lane->thread, NULL);
	dav_notes_free(lane->notes);
	lane->notes = NULL;
	lane->running = false;
}

/* The oldest window, to its end. */
static int tell(struct lane *lane, const struct feed *feed, struct err *err)
{
	int result = dav_notes_tell(lane->notes, feed, &lane->window, err);

	finish(lane);
	if (result == 0 && lane->result < 0) {
		if (err)
			*err = lane->err;
		return -1;
	}
	return result;
}

/* The first lane has the source's own connection, which is idle meanwhile. */
static void lane_open(
	struct lane *lane, struct dav_source *source, unsigned number)
{
	if (number > 0 && !source->spare.http)
		dav_client_copy(&source->spare, &source->client);
	lane->source = *source;
	if (number > 0)
		lane->source.client = source->spare;
	lane->source.client.round_trips = 0;
}

/* What a lane learned, for the windows after it. */
static void learn(struct dav_source *source, struct lane *lane)
{
	source->client.round_trips += lane->source.client.round_trips;
	lane->source.client.round_trips = 0;
	source->sync_refused |= lane->source.sync_refused;
	source->proved |= lane->source.proved;
}

int dav_ahead_fetch(struct dav_source *source, const struct feed *feed,
	unsigned lanes, struct err *err)
{
	struct lane *lane = xcalloc(lanes, sizeof(*lane));
	unsigned oldest = 0;
	unsigned busy = 0;
	int more = 1;
	int result = 0;
	unsigned i;

	for (i = 0; i < lanes; i++)
		lane_open(&lane[i], source, i);
	while (result == 0) {
		while (busy < lanes && more > 0) {
			struct lane *next = &lane[(oldest + busy) % lanes];

			more = feed->next(feed->context, &next->window, err);
			if (more > 0 && start(next, err) < 0)
				more = -1;
			if (more > 0)
				busy++;
		}
		if (more < 0 || busy == 0) {
			result = more;
			break;
		}
		result = tell(&lane[oldest], feed, err);
		learn(source, &lane[oldest]);
		oldest = (oldest + 1) % lanes;
		busy--;
		more = 1; /* a window that ended may have made new ones */
	}
	for (i = 0; i < lanes; i++) {
		finish(&lane[i]);
		learn(source, &lane[i]);
	}
	free(lane);
	return result < 0 ? -1 : 0;
}
