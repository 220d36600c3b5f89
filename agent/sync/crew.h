/*
 * crew.h - the lanes that work on one side of an account: one, or over a long
 * line several, each with a session of its own (hire.h has when and why).
 *
 * The first lane runs on the caller's thread over the caller's session. The
 * others, the hands, are threads that live for one piece of work; their
 * sessions are kept for the next. A hand that the server will not let in, or
 * whose session is lost for good, lowers the number for the rest of the run;
 * what it had begun is left to the next round, what it had completed is
 * stored. Belongs to the thread that calls crew_*().
 */
#ifndef SLUICE_CREW_H
#define SLUICE_CREW_H

#include <stdint.h>

#include "lane.h"
#include "source.h"

struct crew;

#define CREW_MAX 16

struct crew_setup {
	struct lane_setup lane; /* but for `tried` */
	unsigned max;		/* connections; 1 to CREW_MAX */
	const char *subject;	/* of log lines; must outlive the crew */
	/* A further session over the line of the first; on any thread. */
	int (*open)(void *context, const struct source_line *line,
		struct source **source, struct err *err);
	void *context;
};

int crew_new(
	struct crew **crew, const struct crew_setup *setup, struct err *err);
void crew_free(struct crew *crew);

/* The lane of the caller's thread. */
struct lane *crew_lane(struct crew *crew);

/* Do WORK over FIRST and what else is worth it. 1 when all of it is done, 0
 * when held before that, -1 with ERR: what was complete by then is on its
 * way to the store. No hand is at work afterwards. WORK is freed. */
int crew_run(struct crew *crew, struct source *first, struct work *work,
	struct err *err);

/* How many hands were lost since this was last asked: what has been seen
 * since is no proof. */
unsigned crew_take_lost(struct crew *crew);

/* The most connections at work at once, the first included. */
unsigned crew_most(const struct crew *crew);

/* Round trips by which the hands' chains were longer than the first lane's,
 * since this was last asked. */
uint64_t crew_take_round_trips(struct crew *crew);

/* Close the hands' sessions. */
void crew_hang_up(struct crew *crew);

#endif
