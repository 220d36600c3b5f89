/* uid_set.c - see uid_set.h. */
#include "uid_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"

/* The index of the first member that is not below UID. */
static size_t place_of(const struct uid_set *set, uint32_t uid)
{
	size_t low = 0;
	size_t high = set->count;

	if (!high || set->uids[high - 1] < uid)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->uids[middle] < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool uid_set_has(const struct uid_set *set, uint32_t uid)
{
	size_t at = place_of(set, uid);

	return at < set->count && set->uids[at] == uid;
}

static void grow(struct uid_set *set)
{
	if (set->count < set->capacity)
		return;
	set->capacity = set->capacity ? set->capacity * 2 : 64;
	set->uids = xrealloc(set->uids, set->capacity, sizeof(*set->uids));
}

bool uid_set_add(struct uid_set *set, uint32_t uid)
{
	size_t at = place_of(set, uid);

	if (at < set->count && set->uids[at] == uid)
		return false;
	grow(set);
	memmove(set->uids + at + 1, set->uids + at,
		(set->count - at) * sizeof(*set->uids));
	set->uids[at] = uid;
	set->count++;
	return true;
}

void uid_set_append(struct uid_set *set, uint32_t uid)
{
	grow(set);
	set->uids[set->count++] = uid;
}

static int by_uid(const void *left, const void *right)
{
	const uint32_t *a = left;
	const uint32_t *b = right;

	return (*a > *b) - (*a < *b);
}

void uid_set_sort(struct uid_set *set)
{
	size_t kept = 0;

	if (set->count)
		qsort(set->uids, set->count, sizeof(*set->uids), by_uid);
	for (size_t i = 0; i < set->count; i++)
		if (!kept || set->uids[i] != set->uids[kept - 1])
			set->uids[kept++] = set->uids[i];
	set->count = kept;
}

void uid_set_free(struct uid_set *set)
{
	free(set->uids);
	*set = (struct uid_set){0};
}

size_t uid_set_print(const struct uid_set *set, size_t first, size_t end,
	size_t max_bytes, struct buf *text)
{
	char range[32];
	size_t last;
	int length;

	for (; first < end; first = last + 1) {
		last = first;
		while (last + 1 < end &&
			set->uids[last + 1] == set->uids[last] + 1)
			last++;
		if (last > first)
			length = snprintf(range, sizeof(range), "%s%u:%u",
				text->length ? "," : "",
				(unsigned)set->uids[first],
				(unsigned)set->uids[last]);
		else
			length = snprintf(range, sizeof(range), "%s%u",
				text->length ? "," : "",
				(unsigned)set->uids[first]);
		if (text->length + (size_t)length > max_bytes ||
			buf_append(text, range, (size_t)length) < 0)
			break;
	}
	return first;
}

static bool read_uid(const char **text, uint32_t *uid)
{
	const char *at = *text;
	uint64_t value = 0;

	for (; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (at == *text || value > UINT32_MAX)
		return false;
	*text = at;
	*uid = (uint32_t)value;
	return true;
}

bool uid_range_next(const char **text, uint32_t *first, uint32_t *last)
{
	uint32_t swap;

	if (!read_uid(text, first))
		return false;
	*last = *first;
	if (**text == ':') {
		++*text;
		if (!read_uid(text, last))
			return false;
	}
	if (*last < *first) {
		swap = *first;
		*first = *last;
		*last = swap;
	}
	if (**text == ',')
		++*text;
	return true;
}
