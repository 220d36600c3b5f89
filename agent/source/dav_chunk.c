/*
 * Sizes multigets from what the last one cost; see dav_chunk.h. Used by the
 * DAV fetch, one per source. Pure.
 */
#include "dav_chunk.h"

#include "clock.h"

/* A request that takes longer, or brings more, is better cut in two. */
#define SLOW_US	    (8 * US_PER_S)
#define QUICK_US    (2 * US_PER_S)
#define LARGE_BYTES (16 << 20)

void dav_chunk_init(struct dav_chunk *chunk, size_t first, size_t max)
{
	chunk->count = first;
	chunk->max = max;
}

void dav_chunk_succeeded(struct dav_chunk *chunk, size_t count, uint64_t bytes,
	int64_t duration_us)
{
	if (duration_us > SLOW_US || bytes > LARGE_BYTES)
		dav_chunk_failed(chunk, count);
	else if (duration_us < QUICK_US && bytes < LARGE_BYTES / 4 &&
		count >= chunk->count)
		chunk->count *= 2;
	if (chunk->count > chunk->max)
		chunk->count = chunk->max;
}

void dav_chunk_failed(struct dav_chunk *chunk, size_t count)
{
	size_t half = count / 2;

	if (half < 1)
		half = 1;
	if (half < chunk->count)
		chunk->count = half;
}
