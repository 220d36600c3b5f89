/*
 * uid_set.h - a sorted set of message UIDs, and how IMAP writes it. Pure.
 */
#ifndef SLUICE_UID_SET_H
#define SLUICE_UID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct uid_set {
	uint32_t *uids; /* ascending, each once */
	size_t count;
	size_t capacity;
};

/* False when it was in already. Cheap when UIDs come in order. */
bool uid_set_add(struct uid_set *set, uint32_t uid);
bool uid_set_has(const struct uid_set *set, uint32_t uid);

/* The same for many in any order: append each, then sort once. */
void uid_set_append(struct uid_set *set, uint32_t uid);
void uid_set_sort(struct uid_set *set);

void uid_set_free(struct uid_set *set);

/*
 * Write members from FIRST on as "1:4,7" until END or until the text would
 * pass MAX_BYTES; returns the index of the first that was left out.
 */
size_t uid_set_print(const struct uid_set *set, size_t first, size_t end,
	size_t max_bytes, struct buf *text);

/*
 * Read one range of "1:4,7" at *TEXT, which moves past it and its comma.
 * False at the end or at what is no range ('*' is not allowed in answers).
 */
bool uid_range_next(const char **text, uint32_t *first, uint32_t *last);

#endif
