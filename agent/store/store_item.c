/*
 * store_item.c - see store_item.h. Thread: the handle's.
 */
#include "store_item.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "store_private.h"

/* So many hrefs are copied out at a time; between two batches nothing of
 * the database is held. */
#define BATCH 128

static int counted(
	struct store *store, int64_t folder, int kind, int by, struct err *err)
{
	struct store_delta *delta = store_delta(store, folder, err);

	if (!delta)
		return -1;
	if (kind >= 0 && kind < PIM_KIND_COUNT)
		delta->items[kind] += by;
	return 0;
}

/* 1 found, 0, -1. */
static int kind_of(struct store *store, int64_t folder, const char *href,
	int *kind, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT kind FROM items WHERE folder = ? AND href = ?",
		db_int(folder), db_text(href));
	int found;

	if (!row)
		return -1;
	found = db_step(&store->db, row, err);
	if (found > 0)
		*kind = sqlite3_column_int(row, 0);
	db_end(&store->db, row);
	return found;
}

/* A replaced item gets a new id, so that the index of words never shows the
 * old text under it. */
int store_item_put(
	struct store *store, const struct store_item *item, struct err *err)
{
	if (store_need_transaction(store, err) < 0 ||
		store_item_delete(store, item->folder, item->href, err) < 0 ||
		counted(store, item->folder, item->kind, 1, err) < 0)
		return -1;
	return db_run(&store->db, err,
		"INSERT INTO items(folder, href, etag, kind, uid, summary,"
		" email, start, finish, text)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		db_int(item->folder), db_text(item->href), db_text(item->etag),
		db_int(item->kind), db_text(item->uid), db_text(item->summary),
		db_text(item->email), db_int(item->start_us),
		db_int(item->end_us),
		db_blob(item->text, store->drops ? 0 : item->length));
}

int store_item_delete(
	struct store *store, int64_t folder, const char *href, struct err *err)
{
	int kind = 0;
	int found;

	if (store_need_transaction(store, err) < 0)
		return -1;
	found = kind_of(store, folder, href, &kind, err);
	if (found <= 0)
		return found;
	if (counted(store, folder, kind, -1, err) < 0)
		return -1;
	return db_run(&store->db, err,
		"DELETE FROM items WHERE folder = ? AND href = ?",
		db_int(folder), db_text(href));
}

struct batch {
	struct store_item items[BATCH];
	size_t count;
};

static void batch_clear(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		free((char *)batch->items[i].href);
		free((char *)batch->items[i].etag);
		free((char *)batch->items[i].uid);
		free((char *)batch->items[i].summary);
		free((char *)batch->items[i].email);
	}
	batch->count = 0;
}

static int batch_read(struct store *store, int64_t folder, const char *after,
	struct batch *batch, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT id, kind, href, etag, uid, summary, email, start,"
		" finish, length(text) FROM items WHERE folder = ?"
		" AND href > ? ORDER BY href LIMIT ?",
		db_int(folder), db_text(after), db_int(BATCH));
	int status;

	if (!row)
		return -1;
	while ((status = db_step(&store->db, row, err)) > 0) {
		batch->items[batch->count++] = (struct store_item){
			.id = sqlite3_column_int64(row, 0),
			.folder = folder,
			.kind = sqlite3_column_int(row, 1) & 3,
			.href = db_column_copy(row, 2),
			.etag = db_column_copy(row, 3),
			.uid = db_column_copy(row, 4),
			.summary = db_column_copy(row, 5),
			.email = db_column_copy(row, 6),
			.start_us = sqlite3_column_int64(row, 7),
			.end_us = sqlite3_column_int64(row, 8),
			.length = (size_t)sqlite3_column_int64(row, 9),
		};
	}
	db_end(&store->db, row);
	return status;
}

int store_item_each(struct store *store, int64_t folder,
	int (*each)(const struct store_item *item, void *arg), void *arg,
	struct err *err)
{
	struct batch *batch = xcalloc(1, sizeof(*batch));
	char *last = xstrdup("");
	int status = 0;
	size_t got;

	do {
		status = batch_read(store, folder, last, batch, err);
		got = batch->count;
		for (size_t i = 0; i < got && status == 0; i++)
			status = each(&batch->items[i], arg);
		if (got) {
			free(last);
			last = xstrdup(batch->items[got - 1].href);
		}
		batch_clear(batch);
	} while (status == 0 && got == BATCH);
	free(last);
	free(batch);
	return status;
}

char *store_item_etag(struct store *store, int64_t folder, const char *href)
{
	sqlite3_stmt *row = db_query(&store->db, NULL,
		"SELECT etag FROM items WHERE folder = ? AND href = ?",
		db_int(folder), db_text(href));
	char *etag = NULL;

	if (!row)
		return NULL;
	if (db_step(&store->db, row, NULL) > 0)
		etag = db_column_copy(row, 0);
	db_end(&store->db, row);
	return etag;
}

/* What of an etag names the version. */
static const char *version_of(const char *etag, size_t *length)
{
	static const char zipped[] = "-gzip";

	if (strncmp(etag, "W/", 2) == 0)
		etag += 2;
	etag += *etag == '"';
	*length = strcspn(etag, "\"");
	if (*length > strlen(zipped) &&
		strncmp(etag + *length - strlen(zipped), zipped,
			strlen(zipped)) == 0)
		*length -= strlen(zipped);
	return etag;
}

bool store_item_same_etag(const char *a, const char *b)
{
	size_t a_length;
	size_t b_length;

	a = version_of(a, &a_length);
	b = version_of(b, &b_length);
	return a_length == b_length && memcmp(a, b, a_length) == 0;
}

char *store_item_text(
	struct store *store, int64_t id, size_t *length, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT text FROM items WHERE id = ?", db_int(id));
	char *text = NULL;
	int found;

	if (!row)
		return NULL;
	found = db_step(&store->db, row, err);
	if (found > 0) {
		*length = (size_t)sqlite3_column_bytes(row, 0);
		text = xstrndup(
			*length ? sqlite3_column_blob(row, 0) : "", *length);
	} else if (found == 0) {
		err_set(err, ERR_USAGE, "%s: there is no item i%lld",
			store->directory, (long long)id);
	}
	db_end(&store->db, row);
	return text;
}

int store_item_move(struct store *store, int64_t folder, const char *from,
	const char *to, struct err *err)
{
	if (store_need_transaction(store, err) < 0)
		return -1;
	if (db_run(&store->db, err,
		    "UPDATE items SET href = ?3 || substr(href, length(?2) + 1)"
		    " WHERE folder = ?1 AND substr(href, 1, length(?2)) = ?2",
		    db_int(folder), db_text(from), db_text(to)) < 0)
		return -1;
	return db_run(&store->db, err,
		"UPDATE quarantine SET href = ?3 || substr(href, length(?2) + 1)"
		" WHERE folder = ?1 AND substr(href, 1, length(?2)) = ?2",
		db_int(folder), db_text(from), db_text(to));
}
