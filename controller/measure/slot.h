/*
 * slot.h - the row of open buckets behind the slicer. Private to measure/.
 *
 * A slot is a bucket while it still collects: whole bytes and microseconds,
 * sums of loads, single latencies. Slots are kept for a while after they
 * were handed out, so that what comes late revises them; what comes later
 * still goes to the oldest one, marked as having incomplete data.
 */
#ifndef SLUICE_SLOT_H
#define SLUICE_SLOT_H

#include "bucket.h"

struct slots;

struct slots *slots_new(int64_t slot_us, int64_t keep_us);
void slots_free(struct slots *slots);

/* Time has come to NOW_US: quiet slots exist too; old ones are dropped. */
void slots_reach(struct slots *slots, int64_t now_us);

/* BYTES spread evenly over [FROM, TO); the slots' n and active grow by the
 * overlap, their flags by FLAGS. All bytes at FROM when the span is empty. */
void slots_spread(struct slots *slots, int64_t from_us, int64_t to_us,
	uint64_t bytes, bool bulk, bool active, unsigned flags);

void slots_mark(
	struct slots *slots, unsigned flags, int64_t from_us, int64_t to_us);

/* A sync began or ended its bulk phase at AT_US; on a cut between slots n
 * changed in neither. Flags a bucket once there are more than a tenth of n. */
void slots_mark_change(struct slots *slots, int64_t at_us);

/* One that began at FROM settles up to TO; flags by the same share. */
void slots_mark_settling(struct slots *slots, int64_t from_us, int64_t to_us);

void slots_load(struct slots *slots, int64_t at_us, int64_t span_us,
	const float load[LOAD_COUNT]);
void slots_probe(struct slots *slots, int64_t at_us, int64_t latency_us);
void slots_wave(struct slots *slots, unsigned wave, int64_t at_us);

/* The oldest slot that ended by DONE_US and is new or revised, as a bucket;
 * false when there is none. */
bool slots_next(struct slots *slots, int64_t done_us, double other_phases,
	struct bucket *out);

double slots_recent_mb_min(
	const struct slots *slots, int64_t now_us, int64_t span_us);

#endif
