/*
 * upkeep.h - what a store wants done when nothing else is: words into the
 * index, space given back, everything on the disk.
 *
 * A thread of its own at the lowest priority, in steps of some tens of
 * milliseconds, so that a sync that starts waits for one step at most. It
 * takes the store's lock while it works and does nothing while somebody else
 * has it. Made and stopped by one thread.
 */
#ifndef SLUICE_UPKEEP_H
#define SLUICE_UPKEEP_H

struct err;
struct upkeep;

int upkeep_start(
	struct upkeep **upkeep, const char *directory, struct err *err);

/* Waits for the end of the step under way; then the lock is free. -1 with
 * what went wrong, if anything did. NULL is fine. */
int upkeep_stop(struct upkeep *upkeep, struct err *err);

/* Blocks until all is done. */
int upkeep_wait(struct upkeep *upkeep, struct err *err);

#endif
