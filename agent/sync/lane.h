/*
 * lane.h - one session with a server at work: asks for windows, hands what
 * comes back to the writer.
 *
 * A lane is the feed and the sink of one source; several may share one work.
 * It belongs to the thread that calls lane_*().
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
struct tried;
struct wire;
struct work;

struct lane_setup {
	struct queue *queue;   /* to the writer */
	const char *directory; /* of the store, for a reading handle */
	struct wire *wire;
	uint64_t window_bytes; /* the largest window */
	struct tried *tried;
	bool lists; /* its session is the one that lists the folders */
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

/* Do WORK, or a share of it, with as many windows at once as the source asks
 * for. 0 when nothing is left to hand out, or held; -1 with ERR: what was
 * complete by then is on its way to the store. */
int lane_run(struct lane *lane, struct source *source, struct work *work,
	struct err *err);

#endif
