/*
 * work.h - what one step of a round has to do, handed out to the lanes.
 *
 * Several lanes, each with a session of its own, share the work: a folder's
 * pass belongs to the one that began it, because a folder is opened once and
 * its listing is one conversation; the bodies that the folders still lack go
 * to whoever asks, window by window. Any thread.
 */
#ifndef SLUICE_WORK_H
#define SLUICE_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;
struct err;
struct pass;
struct plan_pace;
struct store;
struct work;

/* How much it is, roughly: for the number of lanes. */
struct work_size {
	uint64_t commands;
	uint64_t bytes;
};

/* Going through PASSES, in order; or fetching the bodies that their folders
 * lack. The passes stay the caller's and must outlive the work. */
struct work *work_passes(struct pass *const *passes, size_t count);
struct work *work_bodies(
	struct pass *const *passes, size_t count, const struct work_size *size);
void work_free(struct work *work);

bool work_is_bodies(const struct work *work);
size_t work_count(const struct work *work);
struct work_size work_size(const struct work *work);

/* Pass number AT when it is LANE's, or nobody's, which makes it LANE's; NULL
 * when it is another's. */
struct pass *work_claim(struct work *work, size_t at, const void *lane);

/* LANE is gone: what it has begun and not finished is left to the next
 * round. Called when no lane runs. */
void work_give_up(struct work *work, const void *lane);

/* The next window of bodies, and whose they are: 1, 0 when there are none
 * left, -1. READER is the lane's. */
int work_next_bodies(struct work *work, struct store *reader,
	const struct plan_pace *pace, struct batch **batch,
	const struct pass **pass, struct err *err);

/* Called when no lane runs. */
bool work_done(struct work *work, struct store *reader);

#endif
