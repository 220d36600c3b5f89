/*
 * Sizes multigets from what the last ones cost; see dav_chunk.h. Used by the
 * DAV fetch, one per source. Pure.
 */
#include "dav_chunk.h"

#include "clock.h"

/* A request that takes longer, or brings more, is better cut in two. */
#define SLOW_US	    (8 * US_PER_S)
#define QUICK_US    (2 * US_PER_S)
#define LARGE_BYTES (16 << 20)

static size_t half(size_t count)
{
	return count > 1 ? count / 2 : 1;
}

void dav_chunk_init(struct dav_chunk *chunk, size_t first, size_t max)
{
	*chunk = (struct dav_chunk){.count = first, .max = max};
}

void dav_chunk_restart(struct dav_chunk *chunk)
{
	chunk->suspects = 0;
}

size_t dav_chunk_next(const struct dav_chunk *chunk)
{
	return chunk->suspects ? half(chunk->suspects) : chunk->count;
}

/* All suspects came after all: they were too many at once. */
static void acquit(struct dav_chunk *chunk, size_t count)
{
	if (count < chunk->suspects) {
		chunk->suspects -= count;
		return;
	}
	chunk->suspects = 0;
	chunk->max = half(chunk->failed);
	if (chunk->count > chunk->max)
		chunk->count = chunk->max;
}

void dav_chunk_succeeded(struct dav_chunk *chunk, size_t count, uint64_t bytes,
	int64_t duration_us)
{
	if (chunk->suspects)
		acquit(chunk, count);
	else if (duration_us > SLOW_US || bytes > LARGE_BYTES)
		chunk->count = half(count);
	else if (duration_us < QUICK_US && bytes < LARGE_BYTES / 4 &&
		count >= chunk->count)
		chunk->count *= 2;
	if (chunk->count > chunk->max)
		chunk->count = chunk->max;
}

void dav_chunk_failed(struct dav_chunk *chunk, size_t count, size_t left)
{
	if (!chunk->suspects)
		chunk->failed = count;
	chunk->suspects = left;
}

void dav_chunk_culprit(struct dav_chunk *chunk)
{
	chunk->suspects = 0;
}
