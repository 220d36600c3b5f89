/*
 * dav_seen.h - which hrefs were named already, 16 bytes or less each.
 *
 * A listing in pages may name an item twice. Kept as 64-bit hashes of the
 * normal form: at half a million items the chance that two of them share one
 * is below one in a hundred million. Pure; belongs to one thread.
 */
#ifndef SLUICE_DAV_SEEN_H
#define SLUICE_DAV_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dav_seen {
	uint64_t *slots; /* 0: free */
	size_t size, count;
};

/* False when HREF was added with the same GONE before. */
bool dav_seen_add(struct dav_seen *seen, const char *href, bool gone);
void dav_seen_free(struct dav_seen *seen);

/* The hash of an href's normal form; never 0. */
uint64_t dav_seen_hash(const char *href);

#endif
