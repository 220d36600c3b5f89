/*
 * pass_dav.c - hrefs and etags held against the store.
 *
 * Part of a pass, on the lane's thread.
 */
#include "pass_dav.h"

#include "alloc.h"
#include "pass.h"
#include "pipe.h"
#include "source.h"
#include "store_item.h"
#include "store_quarantine.h"
#include "tried.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* What an object is reckoned to weigh. */
#define OBJECT_BYTES 1000

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

/* What failed in this run is left alone until the next; what failed in an
 * earlier one is asked for, listed or not. */
static int load_trouble(const struct store_quarantine *object, void *arg)
{
	struct pass *pass = arg;

	if (!object->href)
		return 0;
	add(&pass->troubled, object->href);
	if (!object->skip) {
		pass->differences++;
		add(&pass->fresh, object->href);
	}
	return 0;
}

int pass_dav_load(
	struct pass *pass, const struct pass_tools *tools, struct err *err)
{
	pass_dav_free(pass);
	if (store_item_each(tools->reader, pass->row.id, load, pass, err))
		return -1;
	return store_quarantine_each(
		tools->reader, pass->row.id, load_trouble, pass, err);
}

static int is_owed(const struct store_quarantine *object, void *arg)
{
	(void)arg;
	return object->href && !object->skip;
}

bool pass_dav_owed(const struct pass *pass, const struct pass_tools *tools)
{
	/* In doubt it is looked at. */
	return store_quarantine_each(
		tools->reader, pass->row.id, is_owed, NULL, NULL);
}

static int count_object(const struct store_quarantine *object, void *arg)
{
	uint64_t *count = arg;

	*count += object->href != NULL;
	return 0;
}

bool pass_dav_settle(struct pass *pass, const struct pass_tools *tools)
{
	const struct store_folder *row = &pass->row;
	uint64_t count = row->items;

	if (!(tools->features & SOURCE_EXACT) || !row->token ||
		pass->restarts ||
		store_quarantine_each(
			tools->reader, row->id, count_object, &count, NULL))
		return false;
	if (count != row->server_count)
		return false;
	pass->complete = true;
	pass->count = count;
	free(pass->token);
	pass->token = xstrdup(row->token);
	return true;
}

static int by_name(const void *key, const void *element)
{
	return strcmp(key, *(char *const *)element);
}

/* Its place in a sorted list, or -1. */
static ptrdiff_t find(const struct pass_hrefs *list, const char *href)
{
	char **found = list->count ? bsearch(href, list->names, list->count,
					     sizeof *list->names, by_name)
				   : NULL;

	return found ? found - list->names : -1;
}

/* Where the server tells no etag, in the listing or with the object, what is
 * stored is taken to be the same unless it is named as a change. */
static bool is_same(const struct pass *pass, struct store *reader,
	const struct item *item, bool stored)
{
	char *etag;
	bool same;

	if (!stored)
		return false;
	etag = store_item_etag(reader, pass->row.id, item->id.href);
	if (!item->etag || !etag || !*etag)
		same = !pass->delta;
	else
		same = store_item_same_etag(etag, item->etag);
	free(etag);
	return same;
}

/* For tried.h, which knows messages by numbers. */
static uint32_t number_of(const char *href)
{
	uint32_t crc = (uint32_t)crc32(
		0, (const Bytef *)href, (uInt)strlen(href));

	return crc == TRIED_ENTIRE || crc == TRIED_OPEN ? 1 : crc;
}

void pass_dav_vanished(const struct pass *pass, const struct pass_tools *tools,
	const char *href)
{
	tried_first(tools->tried, pass->row.id, number_of(href));
}

/* Servers list what they cannot give: a second try, in the listing that is the
 * proof, would be followed by a third. What the changes name is new. */
static bool is_ghost(const struct pass *pass, const struct pass_tools *tools,
	const char *href)
{
	return !pass->delta &&
		tried_noted(tools->tried, pass->row.id, number_of(href));
}

void pass_dav_listed(struct pass *pass, const struct pass_tools *tools,
	const struct item *item)
{
	ptrdiff_t stored = find(&pass->stored, item->id.href);

	if (stored < 0 && is_ghost(pass, tools, item->id.href))
		return;
	pass->count++;
	if (stored >= 0)
		pass->stored.listed[stored] = true;
	if (find(&pass->troubled, item->id.href) >= 0 ||
		is_same(pass, tools->reader, item, stored >= 0))
		return;
	pass->differences++;
	if (stored < 0)
		pass->added++;
	add(&pass->fresh, item->id.href);
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

/* A first copy, once in a run: a session that is lost over it is not to be
 * followed by another one like it. */
static bool take_entire(const struct pass *pass, const struct pass_tools *tools)
{
	return (tools->features & SOURCE_ENTIRE) && !pass->stored.count &&
		!pass->troubled.count &&
		tried_first(tools->tried, pass->row.id, TRIED_ENTIRE);
}

/* Tasks and notes are few, and many have none. What changes between one
 * answer and another is told by the changes since the token that came with the
 * list of collections. */
bool pass_dav_early(const struct pass *pass, const struct pass_tools *tools)
{
	enum collection_kind kind = pass->collection.kind;

	return (kind == COLLECTION_CALENDAR || kind == COLLECTION_CONTACTS) &&
		(tools->features & SOURCE_ASIDE) &&
		(tools->features & SOURCE_EXACT) && pass->collection.token &&
		!pass->restarts && take_entire(pass, tools);
}

void pass_dav_entire(struct pass *pass, struct batch *batch)
{
	pass->entire = batch->entire = true;
	batch->count = pass->fresh.count;
	batch->bytes = batch->count * OBJECT_BYTES;
}

void pass_dav_came(struct pass *pass, const char *href)
{
	add(&pass->came, href);
}

static int by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* What came as part of the whole is not asked for again. */
static void strike_out(struct pass *pass)
{
	struct pass_hrefs *fresh = &pass->fresh;
	struct pass_hrefs *came = &pass->came;
	size_t left = 0;

	if (!came->count)
		return;
	qsort(came->names, came->count, sizeof *came->names, by_text);
	for (size_t i = 0; i < fresh->count; i++)
		if (find(came, fresh->names[i]) >= 0)
			free(fresh->names[i]);
		else
			fresh->names[left++] = fresh->names[i];
	fresh->count = left;
	clear(came);
}

bool pass_dav_next(struct pass *pass, const struct pass_tools *tools,
	const struct plan_pace *pace, struct batch *batch)
{
	struct pass_hrefs *fresh = &pass->fresh;
	size_t taken;

	if (pass->entire)
		return false;
	strike_out(pass);
	if (fresh->count > 1 && pass->complete && take_entire(pass, tools)) {
		pass_dav_entire(pass, batch);
		return true;
	}
	if (!fresh->count)
		return false;
	/* One request, which the source cuts where it is too much for the
	 * server. */
	taken = fresh->count < pace->items ? fresh->count : pace->items;
	fresh->count -= taken;
	batch->count = taken;
	batch->bytes = taken * OBJECT_BYTES;
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
	clear(&pass->came);
	clear(&pass->stored);
	clear(&pass->troubled);
}
