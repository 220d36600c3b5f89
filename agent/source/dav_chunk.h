/*
 * dav_chunk.h - how many objects one multiget asks for.
 *
 * A round trip is paid per request, memory and a time limit on the server
 * per object: the size doubles while answers are quick and small, and
 * shrinks when they are slow or large. When an answer fails, either one
 * object is at fault or they were too many. Halving what is under suspicion
 * tells: it ends at the one object, and the size stays as it was; or all of
 * them come in smaller requests, and half the size is the new maximum. Pure.
 */
#ifndef SLUICE_DAV_CHUNK_H
#define SLUICE_DAV_CHUNK_H

#include <stddef.h>
#include <stdint.h>

struct dav_chunk {
	size_t count; /* asked for when nothing is under suspicion */
	size_t max;
	size_t suspects; /* the next so many: something among them fails */
	size_t failed;	 /* how many were asked for when that was found */
};

void dav_chunk_init(struct dav_chunk *chunk, size_t first, size_t max);

/* Other objects are next: nothing is under suspicion. */
void dav_chunk_restart(struct dav_chunk *chunk);

/* How many to ask for now; at least 1. */
size_t dav_chunk_next(const struct dav_chunk *chunk);

/* COUNT objects came, BYTES long, in DURATION_US. */
void dav_chunk_succeeded(struct dav_chunk *chunk, size_t count, uint64_t bytes,
	int64_t duration_us);

/* A request for COUNT objects failed; LEFT of them did not come. */
void dav_chunk_failed(struct dav_chunk *chunk, size_t count, size_t left);

/* One object failed alone: it was the one. */
void dav_chunk_culprit(struct dav_chunk *chunk);

#endif
