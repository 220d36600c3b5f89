/*
 * plan.c - the store's view of a folder held against the server's.
 *
 * Filled and read by the folder pass (pass.c). Pure, no thread of its own.
 */
#include "plan.h"

#include "alloc.h"
#include "clock.h"

#include <stdlib.h>

#define WINDOW_US     (US_PER_S / 2)
#define PACE_START    (UINT64_C(256) << 10)
#define PACE_MIN      (UINT64_C(64) << 10)
#define AHEAD_S	      3
#define AHEAD_UNKNOWN (UINT64_C(1) << 20)
#define RATE_NEWEST   0.5 /* its weight among the rates before */

static uint32_t saturate(uint64_t size)
{
	return size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

void plan_reserve(struct plan *plan, size_t stored)
{
	if (stored <= plan->stored_capacity)
		return;
	plan->stored_capacity = stored;
	plan->stored = xrealloc(plan->stored, stored, sizeof *plan->stored);
}

void plan_add_stored(struct plan *plan, uint32_t uid, uint64_t size,
	unsigned flags, uint64_t modseq)
{
	if (plan->stored_count == plan->stored_capacity) {
		plan->stored_capacity = plan->stored_capacity * 2 + 64;
		plan->stored = xrealloc(plan->stored, plan->stored_capacity,
			sizeof *plan->stored);
	}
	plan->stored[plan->stored_count++] = (struct plan_stored){
		.uid = uid,
		.size = saturate(size),
		.modseq = (uint32_t)modseq,
		.flags = (uint8_t)flags,
	};
}

static int stored_by_uid(const void *left, const void *right)
{
	const struct plan_stored *a = left;
	const struct plan_stored *b = right;

	return (a->uid > b->uid) - (a->uid < b->uid);
}

static bool is_sealed(const struct plan *plan)
{
	for (size_t i = 1; i < plan->stored_count; i++)
		if (plan->stored[i - 1].uid >= plan->stored[i].uid)
			return false;
	return true;
}

/* A store reads newest first, and qsort() would take as much memory again:
 * to turn the plan round is all there is to do, most times. */
void plan_seal(struct plan *plan)
{
	size_t count = plan->stored_count;

	for (size_t i = 0; i < count / 2; i++) {
		struct plan_stored swap = plan->stored[i];

		plan->stored[i] = plan->stored[count - 1 - i];
		plan->stored[count - 1 - i] = swap;
	}
	if (!is_sealed(plan))
		qsort(plan->stored, count, sizeof *plan->stored, stored_by_uid);
}

void plan_add_fresh(struct plan *plan, uint32_t uid, uint64_t size)
{
	size_t at = plan->fresh_count;

	if (plan->fresh_count == plan->fresh_capacity) {
		plan->fresh_capacity = plan->fresh_capacity * 2 + 64;
		plan->fresh = xrealloc(
			plan->fresh, plan->fresh_capacity, sizeof *plan->fresh);
	}
	/* Servers list upwards; a stray one is moved to its place. */
	while (at && plan->fresh[at - 1].uid > uid) {
		plan->fresh[at] = plan->fresh[at - 1];
		at--;
	}
	plan->fresh[at] = (struct plan_fresh){uid, saturate(size)};
	plan->fresh_count++;
}

enum plan_match plan_listed(struct plan *plan, uint32_t uid, uint64_t size,
	unsigned flags, uint64_t modseq)
{
	struct plan_stored key = {.uid = uid};
	struct plan_stored *stored = plan->stored_count
		? bsearch(&key, plan->stored, plan->stored_count, sizeof key,
			  stored_by_uid)
		: NULL;

	if (!stored) {
		plan_add_fresh(plan, uid, size);
		return PLAN_FRESH;
	}
	stored->listed = true;
	if (stored->flags == PLAN_SET_APART)
		return PLAN_SAME;
	if (size && stored->size && saturate(size) != stored->size)
		return PLAN_RESIZED;
	if (modseq && stored->modseq)
		return (uint32_t)modseq == stored->modseq ? PLAN_SAME
							  : PLAN_CHANGED;
	return flags == stored->flags ? PLAN_SAME : PLAN_CHANGED;
}

bool plan_gone(const struct plan *plan, size_t *at, uint32_t *uid)
{
	while (*at < plan->stored_count) {
		const struct plan_stored *stored = &plan->stored[(*at)++];

		if (!stored->listed) {
			*uid = stored->uid;
			return true;
		}
	}
	return false;
}

bool plan_next_fresh(struct plan *plan, const struct plan_pace *pace,
	bool whole, struct item_id **ids, size_t *count, uint64_t *bytes)
{
	size_t taken = 0;
	uint64_t sum = 0;

	while (taken < plan->fresh_count) {
		uint64_t size = whole
			? plan->fresh[plan->fresh_count - 1 - taken].size
			: PLAN_HEADER_BYTES;

		if (!plan_pace_fits(pace, taken, sum, size))
			break;
		taken++;
		sum += size;
	}
	if (!taken)
		return false;
	plan->fresh_count -= taken;
	*ids = xcalloc(taken, sizeof **ids);
	for (size_t i = 0; i < taken; i++)
		(*ids)[i].uid = plan->fresh[plan->fresh_count + i].uid;
	*count = taken;
	*bytes = sum;
	return true;
}

uint64_t plan_fresh_bytes(const struct plan *plan)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->fresh_count; i++)
		sum += plan->fresh[i].size;
	return sum;
}

void plan_free(struct plan *plan)
{
	free(plan->stored);
	free(plan->fresh);
	*plan = (struct plan){.stored = NULL};
}

struct plan_pace plan_pace_init(uint64_t bytes_max)
{
	return (struct plan_pace){
		.bytes = bytes_max < PACE_START ? bytes_max : PACE_START,
		.bytes_max = bytes_max,
		.items = PLAN_ITEMS_MAX,
		.items_max = PLAN_ITEMS_MAX,
	};
}

/* At least twice as much, and what would have taken half of a window's
 * time. */
static uint64_t larger(const struct plan_pace *pace, uint64_t bytes, int64_t us)
{
	uint64_t wanted = bytes * (uint64_t)(WINDOW_US / 2 / (us + 1));

	if (wanted < pace->bytes * 2)
		wanted = pace->bytes * 2;
	return wanted > pace->bytes_max ? pace->bytes_max : wanted;
}

void plan_pace_done(struct plan_pace *pace, uint64_t bytes, int64_t us)
{
	if (pace->items < pace->items_max)
		pace->items = pace->items > pace->items_max / 2
			? pace->items_max
			: pace->items * 2;
	if (us > WINDOW_US * 2 && pace->bytes > PACE_MIN)
		pace->bytes /= 2;
	else if (us < WINDOW_US / 2 && bytes >= pace->bytes / 2)
		pace->bytes = larger(pace, bytes, us);
}

void plan_pace_arrived(struct plan_pace *pace, uint64_t bytes,
	int64_t issued_us, int64_t now_us)
{
	int64_t from_us = pace->ended_us > issued_us ? pace->ended_us
						     : issued_us;
	double seconds = (double)(now_us - from_us) / US_PER_S;

	plan_pace_done(pace, bytes, now_us - issued_us);
	pace->ended_us = now_us;
	if (bytes == 0)
		return;
	/* What came together came within the same millisecond. */
	double now = (double)bytes / (seconds > 0.001 ? seconds : 0.001);

	pace->bytes_s = pace->bytes_s > 0
		? RATE_NEWEST * now + (1 - RATE_NEWEST) * pace->bytes_s
		: now;
}

uint64_t plan_pace_ahead(const struct plan_pace *pace, uint64_t rate_bytes_s)
{
	double rate = pace->bytes_s;

	if (rate_bytes_s && (rate <= 0 || (double)rate_bytes_s < rate))
		rate = (double)rate_bytes_s;
	if (rate <= 0)
		return AHEAD_UNKNOWN;
	rate *= AHEAD_S;
	return rate < (double)UINT32_MAX ? (uint64_t)rate : UINT32_MAX;
}

void plan_pace_failed(struct plan_pace *pace, size_t items)
{
	if (items && items < pace->items)
		pace->items = (unsigned)items;
	pace->items = pace->items > 1 ? pace->items / 2 : 1;
}

bool plan_pace_fits(const struct plan_pace *pace, size_t count, uint64_t bytes,
	uint64_t size)
{
	return !count || (count < pace->items && bytes + size <= pace->bytes);
}
