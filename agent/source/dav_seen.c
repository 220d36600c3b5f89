/*
 * A set of hrefs by hash, open addressing. Used by listing (what was named)
 * and fetching (which of the wanted an answer is). Pure.
 */
#include "dav_seen.h"

#include <stdlib.h>

#include "alloc.h"
#include "dav_href.h"

#define FIRST_SIZE 1024

/* FNV-1a, then the finaliser of MurmurHash3: FNV alone leaves the low bits
 * of similar names similar. */
uint64_t dav_seen_hash(const char *href)
{
	char *normal = dav_href_normal(href);
	uint64_t hash = UINT64_C(14695981039346656037);
	const unsigned char *p;

	for (p = (const unsigned char *)normal; *p; p++)
		hash = (hash ^ *p) * UINT64_C(1099511628211);
	free(normal);
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	hash ^= hash >> 33;
	return hash ? hash : 1;
}

static bool insert(uint64_t *slots, size_t size, uint64_t hash)
{
	size_t at = hash & (size - 1);

	while (slots[at]) {
		if (slots[at] == hash)
			return false;
		at = (at + 1) & (size - 1);
	}
	slots[at] = hash;
	return true;
}

static void grow(struct dav_seen *seen)
{
	size_t size = seen->size ? seen->size * 2 : FIRST_SIZE;
	uint64_t *slots = xcalloc(size, sizeof(*slots));
	size_t i;

	for (i = 0; i < seen->size; i++)
		if (seen->slots[i])
			insert(slots, size, seen->slots[i]);
	free(seen->slots);
	seen->slots = slots;
	seen->size = size;
}

bool dav_seen_add(struct dav_seen *seen, const char *href, bool gone)
{
	uint64_t hash = dav_seen_hash(href);

	if (gone)
		hash = hash == UINT64_MAX ? 1 : ~hash;
	if (seen->count * 4 >= seen->size * 3)
		grow(seen);
	if (!insert(seen->slots, seen->size, hash))
		return false;
	seen->count++;
	return true;
}

void dav_seen_free(struct dav_seen *seen)
{
	free(seen->slots);
	*seen = (struct dav_seen){.slots = NULL};
}
