/*
 * lane.h - one session with a server at work: asks for windows, hands what
 * comes back to the writer.
 *
 * A lane is the feed and the sink of one source. It works on one thing at a
 * time: a range of passes, or the bodies that the folders' modes ask for.
 * It belongs to the thread that calls lane_*(), except for lane_pause().
 */
#ifndef SLUICE_LANE_H
#define SLUICE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pass.h"
#include "plan.h"

struct err;
struct lane;
struct pipe;
struct queue;
struct source;
struct store;
struct wire;

struct lane_setup {
	struct queue *queue;   /* to the writer */
	const char *directory; /* of the store, for a reading handle */
	struct wire *wire;
	uint64_t window_bytes; /* the largest window */
	/* True when no further window may be asked for now: a pause. */
	bool (*held)(void *context);
	/* Whole messages begin to come in before all folders are listed; may
	 * be NULL. */
	void (*bulk)(void *context);
	void *context;
};

int lane_new(
	struct lane **lane, const struct lane_setup *setup, struct err *err);
void lane_free(struct lane *lane);

struct pipe *lane_pipe(struct lane *lane);
struct store *lane_reader(struct lane *lane);

/* Work through PASSES, in order, as many at once as the source asks for.
 * 1 when all are done, 0 when held before that, -1 with ERR: what was
 * complete by then is on its way to the store. */
int lane_passes(struct lane *lane, struct source *source,
	struct pass *const *passes, size_t count, struct err *err);

/* Fetch the missing bodies of the passes' folders, in their order. */
int lane_bodies(struct lane *lane, struct source *source,
	struct pass *const *passes, size_t count, struct err *err);

/* Messages and objects that came since lane_new(). */
uint64_t lane_items(const struct lane *lane);

#endif
