/*
 * store_item.h - contacts, events, tasks and notes of DAV collections.
 *
 * An item is its text, byte for byte as the server sent it, with a few
 * columns for listing and search. Found by (folder, href). Same thread and
 * error rules as store.h.
 */
#ifndef SLUICE_STORE_ITEM_H
#define SLUICE_STORE_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pim.h"

struct err;
struct store;

struct store_item {
	int64_t id; /* 0 on the way in */
	int64_t folder;
	enum pim_kind kind;
	const char *href;
	const char *etag;
	const char *uid;     /* or NULL */
	const char *summary; /* SUMMARY or FN; or NULL */
	const char *email;   /* or NULL */
	int64_t start_us;    /* or PIM_NO_TIME */
	int64_t end_us;	     /* or PIM_NO_TIME */
	const char *text;    /* not in store_item_each() */
	size_t length;
};

/* New, or replaces the one with the same href. */
int store_item_put(
	struct store *store, const struct store_item *item, struct err *err);

/* An unknown href is not an error. */
int store_item_delete(
	struct store *store, int64_t folder, const char *href, struct err *err);

/* In order of href. Strings live until EACH returns. EACH returns non-zero
 * to stop, which is then returned; it may read and change the store. TEXT is
 * NULL, LENGTH is set. */
int store_item_each(struct store *store, int64_t folder,
	int (*each)(const struct store_item *item, void *arg), void *arg,
	struct err *err);

/* The collection moved: hrefs that begin with FROM begin with TO instead. */
int store_item_move(struct store *store, int64_t folder, const char *from,
	const char *to, struct err *err);

/* The etag for free(), or NULL when there is no such item. */
char *store_item_etag(struct store *store, int64_t folder, const char *href);

/* Do A and B name one version? Servers give the same etag with and without
 * quotes, and proxies that compress make it weak ("W/") or add "-gzip". */
bool store_item_same_etag(const char *a, const char *b);

/* The text for free() with its length, or NULL and ERR filled. */
char *store_item_text(
	struct store *store, int64_t id, size_t *length, struct err *err);

#endif
