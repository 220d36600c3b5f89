/*
 * slot.c - see slot.h. Used by slicer.c only; no I/O; same thread.
 */
#include "slot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"

#define PROBES_MAX  1024 /* per slot */
#define AHEAD_MAX   100	 /* slots beyond the newest: a damaged time */
#define FIRST_SLOTS 256

struct slot {
	int64_t start_us;
	int64_t bulk_us, active_us;
	uint64_t bytes;
	unsigned flags, wave;
	unsigned changes, settling; /* syncs that began or ended, or just had */
	bool revised;		    /* since it was handed out, or never was */
	int64_t *latency_us;
	unsigned latencies, failures;
	double load[LOAD_COUNT], weight[LOAD_COUNT];
};

struct slots {
	int64_t slot_us, keep_us;
	struct slot *slot; /* ascending, without holes */
	size_t count, room;
	bool dropped;	 /* old ones: nothing is added before the oldest */
	unsigned wave;	 /* running now */
	int64_t wave_us; /* since */
};

struct slots *slots_new(int64_t slot_us, int64_t keep_us)
{
	struct slots *slots = xcalloc(1, sizeof(*slots));

	slots->slot_us = slot_us;
	slots->keep_us = keep_us;
	return slots;
}

void slots_free(struct slots *slots)
{
	if (!slots)
		return;
	for (size_t i = 0; i < slots->count; i++)
		free(slots->slot[i].latency_us);
	free(slots->slot);
	free(slots);
}

static int64_t floor_to(int64_t us, int64_t step)
{
	int64_t rest = us % step;

	return us - (rest < 0 ? rest + step : rest);
}

static void append(struct slots *slots, int64_t start_us)
{
	if (slots->count == slots->room) {
		slots->room = slots->room ? slots->room * 2 : FIRST_SLOTS;
		slots->slot = xrealloc(
			slots->slot, slots->room, sizeof(*slots->slot));
	}
	struct slot *slot = &slots->slot[slots->count++];
	memset(slot, 0, sizeof(*slot));
	slot->start_us = start_us;
	slot->revised = true;
	if (start_us >= slots->wave_us)
		slot->wave = slots->wave;
}

/* Room for what came before anything else did. */
static void prepend(struct slots *slots, int64_t start_us)
{
	size_t missing = (size_t)((slots->slot[0].start_us - start_us) /
		slots->slot_us);
	struct slots older = {.slot_us = slots->slot_us};

	for (size_t i = 0; i < missing; i++)
		append(&older, start_us + (int64_t)i * slots->slot_us);
	for (size_t i = 0; i < slots->count; i++) {
		append(&older, 0);
		older.slot[missing + i] = slots->slot[i];
	}
	free(slots->slot);
	slots->slot = older.slot;
	slots->count = older.count;
	slots->room = older.room;
}

/* The slot that holds US, made when it lies ahead. Before the oldest that is
 * kept: the oldest, with *LATE set. */
static struct slot *slot_at(struct slots *slots, int64_t us, bool *late)
{
	int64_t start = floor_to(us, slots->slot_us);

	*late = false;
	if (slots->count == 0)
		append(slots, start);
	int64_t oldest = slots->slot[0].start_us;
	if (start < oldest && !slots->dropped &&
		oldest - start <= slots->keep_us) {
		prepend(slots, start);
		oldest = start;
	}
	if (start < oldest) {
		*late = true;
		return &slots->slot[0];
	}
	size_t at = (size_t)((start - oldest) / slots->slot_us);
	if (at >= slots->count + AHEAD_MAX)
		at = slots->count + AHEAD_MAX - 1;
	while (at >= slots->count)
		append(slots,
			slots->slot[slots->count - 1].start_us +
				slots->slot_us);
	return &slots->slot[at];
}

void slots_reach(struct slots *slots, int64_t now_us)
{
	int64_t start = floor_to(now_us, slots->slot_us);
	size_t old = 0;

	/* The first one is now, whatever an agent's first time may be. */
	if (slots->count == 0)
		append(slots, start);
	/* A break longer than what is kept leaves a hole, not a million
	 * empty slots. */
	struct slot *last = &slots->slot[slots->count - 1];
	if (start - last->start_us > 2 * slots->keep_us && !last->revised) {
		for (size_t i = 0; i < slots->count; i++)
			free(slots->slot[i].latency_us);
		slots->count = 0;
		slots->dropped = true;
		append(slots, start);
		return;
	}
	while (slots->slot[slots->count - 1].start_us < start)
		append(slots,
			slots->slot[slots->count - 1].start_us +
				slots->slot_us);
	while (old + 1 < slots->count && !slots->slot[old].revised &&
		slots->slot[old].start_us < start - slots->keep_us)
		free(slots->slot[old++].latency_us);
	if (old == 0)
		return;
	memmove(slots->slot, slots->slot + old,
		(slots->count - old) * sizeof(*slots->slot));
	slots->count -= old;
	slots->dropped = true;
}

/* Bytes moved by the time T of [FROM, FROM + SPAN). */
static uint64_t share(uint64_t bytes, int64_t t, int64_t span)
{
	return (uint64_t)((unsigned __int128)bytes * (uint64_t)t /
		(uint64_t)span);
}

void slots_spread(struct slots *slots, int64_t from_us, int64_t to_us,
	uint64_t bytes, bool bulk, bool active, unsigned flags)
{
	int64_t span = to_us - from_us;
	bool late;

	if (span <= 0) {
		struct slot *slot = slot_at(slots, from_us, &late);
		slot->bytes += bytes;
		slot->revised = slot->revised || bytes;
		if (late)
			slot->flags |= BUCKET_NO_DATA;
		return;
	}
	for (int64_t t = from_us; t < to_us;) {
		int64_t end = floor_to(t, slots->slot_us) + slots->slot_us;
		if (end > to_us)
			end = to_us;
		struct slot *slot = slot_at(slots, t, &late);
		if (late && slot->start_us > end)
			end = slot->start_us < to_us ? slot->start_us : to_us;
		slot->bytes += share(bytes, end - from_us, span) -
			share(bytes, t - from_us, span);
		slot->revised = slot->revised || bytes || active;
		slot->flags |= flags;
		if (late) {
			slot->flags |= BUCKET_NO_DATA;
		} else {
			slot->bulk_us += bulk ? end - t : 0;
			slot->active_us += active ? end - t : 0;
		}
		t = end;
	}
}

void slots_mark(
	struct slots *slots, unsigned flags, int64_t from_us, int64_t to_us)
{
	bool late;

	for (int64_t t = from_us; t < to_us;) {
		struct slot *slot = slot_at(slots, t, &late);
		if (!late) {
			slot->revised = slot->revised ||
				(slot->flags & flags) != flags;
			slot->flags |= flags;
		}
		t = floor_to(t, slots->slot_us) + slots->slot_us;
	}
}

void slots_mark_change(struct slots *slots, int64_t at_us)
{
	bool late;

	if (at_us == floor_to(at_us, slots->slot_us))
		return;
	struct slot *slot = slot_at(slots, at_us, &late);
	if (!late) {
		slot->changes++;
		slot->revised = true;
	}
}

void slots_mark_settling(struct slots *slots, int64_t from_us, int64_t to_us)
{
	bool late;

	for (int64_t t = from_us; t < to_us;) {
		struct slot *slot = slot_at(slots, t, &late);
		if (!late) {
			slot->settling++;
			slot->revised = true;
		}
		t = floor_to(t, slots->slot_us) + slots->slot_us;
	}
}

/* What a mean over time must weigh by, beside time itself: a latency by the
 * operations it was measured on. */
static double weight_of(enum load_metric metric, const float *load)
{
	float operations = 1;

	if (metric == LOAD_DISK_READ_AWAIT)
		operations = load[LOAD_DISK_READ_IOPS];
	if (metric == LOAD_DISK_WRITE_AWAIT)
		operations = load[LOAD_DISK_WRITE_IOPS];
	return operations > 0 ? (double)operations : 1;
}

void slots_load(struct slots *slots, int64_t at_us, int64_t span_us,
	const float load[LOAD_COUNT])
{
	bool late;
	struct slot *slot = slot_at(slots, at_us, &late);

	if (late)
		return;
	slot->revised = true;
	for (int i = 0; i < LOAD_COUNT; i++) {
		if (!isfinite(load[i]))
			continue;
		double w = (double)span_us *
			weight_of((enum load_metric)i, load);
		slot->load[i] += w * (double)load[i];
		slot->weight[i] += w;
	}
}

void slots_probe(struct slots *slots, int64_t at_us, int64_t latency_us)
{
	bool late;
	struct slot *slot = slot_at(slots, at_us, &late);

	if (late)
		return;
	slot->revised = true;
	if (latency_us < 0) {
		slot->failures++;
		return;
	}
	if (slot->latencies == PROBES_MAX)
		return;
	if ((slot->latencies & (slot->latencies - 1)) == 0)
		slot->latency_us = xrealloc(slot->latency_us,
			slot->latencies * 2UL + 1, sizeof(*slot->latency_us));
	slot->latency_us[slot->latencies++] = latency_us;
}

void slots_wave(struct slots *slots, unsigned wave, int64_t at_us)
{
	slots->wave = wave;
	slots->wave_us = floor_to(at_us, slots->slot_us);
	for (size_t i = slots->count; i-- > 0;) {
		struct slot *slot = &slots->slot[i];
		if (slot->start_us < slots->wave_us)
			break;
		slot->revised = slot->revised || slot->wave != wave;
		slot->wave = wave;
	}
}

static void to_bucket(const struct slots *slots, const struct slot *slot,
	double other_phases, struct bucket *out)
{
	double seconds = (double)slots->slot_us / US_PER_S;
	double length = (double)slots->slot_us;

	bucket_init(out, (double)slot->start_us / US_PER_S, seconds);
	out->n = (float)((double)slot->bulk_us / length);
	out->active = (float)((double)slot->active_us / length);
	out->x_mb_min = (float)((double)slot->bytes / 1e6 / seconds * 60);
	out->wave = slot->wave;
	out->flags = slot->flags;
	double few = BUCKET_CHANGE_SHARE * (double)out->n;
	if (slot->changes > few)
		out->flags |= BUCKET_N_CHANGED;
	if (slot->settling > few)
		out->flags |= BUCKET_SETTLING;
	if ((double)(slot->active_us - slot->bulk_us) >
		other_phases * (double)slot->active_us)
		out->flags |= BUCKET_PHASES;
	if (slot->latencies || slot->failures)
		bucket_set_probes(
			out, slot->latency_us, slot->latencies, slot->failures);
	for (int i = 0; i < LOAD_COUNT; i++)
		if (slot->weight[i] > 0)
			out->load[i] = (float)(slot->load[i] / slot->weight[i]);
}

bool slots_next(struct slots *slots, int64_t done_us, double other_phases,
	struct bucket *out)
{
	for (size_t i = 0; i < slots->count; i++) {
		struct slot *slot = &slots->slot[i];
		if (slot->start_us + slots->slot_us > done_us)
			return false;
		if (!slot->revised)
			continue;
		slot->revised = false;
		to_bucket(slots, slot, other_phases, out);
		return true;
	}
	return false;
}

double slots_recent_mb_min(
	const struct slots *slots, int64_t now_us, int64_t span_us)
{
	int64_t to = floor_to(now_us, slots->slot_us);
	uint64_t bytes = 0;
	int64_t covered = 0;

	for (size_t i = slots->count; i-- > 0;) {
		const struct slot *slot = &slots->slot[i];
		if (slot->start_us >= to)
			continue;
		if (slot->start_us < to - span_us && covered)
			break;
		bytes += slot->bytes;
		covered += slots->slot_us;
	}
	return covered ? (double)bytes * 60 / (double)covered : 0;
}
