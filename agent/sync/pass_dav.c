/*
 * pass_dav.c - hrefs and etags held against the store.
 *
 * Part of a pass, on the lane's thread.
 */
#include "pass_dav.h"

#include "alloc.h"
#include "pass.h"
#include "pipe.h"
#include "store_item.h"

#include <stdlib.h>
#include <string.h>

/* What an object is reckoned to weigh. */
#define OBJECT_BYTES 1000
/* A window is one request or few: objects are small, round trips are not, and
 * the source cuts what is too much for the server. */
#define OBJECTS_PER_MESSAGE 2

static void add(struct pass_hrefs *list, const char *href)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity * 2 + 64;
		list->names = xrealloc(
			list->names, list->capacity, sizeof *list->names);
		list->listed = xrealloc(
			list->listed, list->capacity, sizeof *list->listed);
	}
	list->listed[list->count] = false;
	list->names[list->count++] = xstrdup(href);
}

static void clear(struct pass_hrefs *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	free(list->listed);
	*list = (struct pass_hrefs){NULL, NULL, 0, 0};
}

static int load(const struct store_item *item, void *arg)
{
	struct pass *pass = arg;

	add(&pass->stored, item->href);
	return 0;
}

int pass_dav_load(struct pass *pass, struct store *reader, struct err *err)
{
	pass_dav_free(pass);
	return store_item_each(reader, pass->row.id, load, pass, err);
}

static int by_name(const void *key, const void *element)
{
	return strcmp(key, *(char *const *)element);
}

static void mark(struct pass_hrefs *stored, const char *href)
{
	char **found = stored->count
		? bsearch(href, stored->names, stored->count,
			  sizeof *stored->names, by_name)
		: NULL;

	if (found)
		stored->listed[found - stored->names] = true;
}

void pass_dav_listed(
	struct pass *pass, struct store *reader, const struct item *item)
{
	char *etag = store_item_etag(reader, pass->row.id, item->id.href);

	mark(&pass->stored, item->id.href);
	if (!etag || !item->etag || strcmp(etag, item->etag) != 0) {
		pass->differences++;
		if (!etag)
			pass->added++;
		add(&pass->fresh, item->id.href);
	}
	free(etag);
}

const char *pass_dav_gone(const struct pass *pass, size_t *at)
{
	const struct pass_hrefs *stored = &pass->stored;

	while (*at < stored->count) {
		size_t i = (*at)++;

		if (!stored->listed[i])
			return stored->names[i];
	}
	return NULL;
}

bool pass_dav_next(
	struct pass *pass, const struct plan_pace *pace, struct batch *batch)
{
	struct pass_hrefs *fresh = &pass->fresh;
	size_t taken = 0;

	while (taken < fresh->count &&
		taken < pace->items * OBJECTS_PER_MESSAGE) {
		taken++;
		batch->bytes += OBJECT_BYTES;
	}
	if (!taken)
		return false;
	fresh->count -= taken;
	batch->count = taken;
	batch->hrefs = xcalloc(taken, sizeof *batch->hrefs);
	batch->ids = xcalloc(taken, sizeof *batch->ids);
	for (size_t i = 0; i < taken; i++) {
		batch->hrefs[i] = fresh->names[fresh->count + i];
		batch->ids[i].href = batch->hrefs[i];
	}
	return true;
}

void pass_dav_free(struct pass *pass)
{
	clear(&pass->fresh);
	clear(&pass->stored);
}
