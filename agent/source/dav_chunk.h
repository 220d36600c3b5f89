/*
 * dav_chunk.h - how many objects one multiget asks for.
 *
 * A round trip is paid per request, memory and a time limit on the server
 * per object: the size doubles while answers are quick and small, shrinks
 * when they are slow or large, and halves when one fails. Pure.
 */
#ifndef SLUICE_DAV_CHUNK_H
#define SLUICE_DAV_CHUNK_H

#include <stddef.h>
#include <stdint.h>

struct dav_chunk {
	size_t count; /* what to ask for next */
	size_t max;
};

void dav_chunk_init(struct dav_chunk *chunk, size_t first, size_t max);

/* COUNT objects came, BYTES long, in DURATION_US. */
void dav_chunk_succeeded(struct dav_chunk *chunk, size_t count, uint64_t bytes,
	int64_t duration_us);

/* A request for COUNT objects failed: at least 1 is asked for. */
void dav_chunk_failed(struct dav_chunk *chunk, size_t count);

#endif
