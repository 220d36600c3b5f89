/*
 * store_totals.c - counts, sizes, counters and settings of a store. The
 * counts are kept by folder as things change, so that progress can be asked
 * for each second whatever the mailbox's size. Thread: the handle's.
 */
#include "store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

static const char add_delta[] =
	"UPDATE folders SET messages = messages + ?2, bodies = bodies + ?3,"
	" protected = protected + ?4, body_bytes = body_bytes + ?5,"
	" header_bytes = header_bytes + ?6, detached = detached + ?7,"
	" contacts = contacts + ?8, events = events + ?9,"
	" tasks = tasks + ?10, notes = notes + ?11 WHERE id = ?1";

int store_flush_deltas(struct store *store, struct err *err)
{
	for (size_t i = 0; i < STORE_DELTAS; i++) {
		struct store_delta *delta = &store->deltas[i];

		if (!delta->folder)
			continue;
		if (db_run(&store->db, err, add_delta, db_int(delta->folder),
			    db_int(delta->messages), db_int(delta->bodies),
			    db_int(delta->protected_messages),
			    db_int(delta->body_bytes),
			    db_int(delta->header_bytes),
			    db_int(delta->detached),
			    db_int(delta->items[PIM_CONTACT]),
			    db_int(delta->items[PIM_EVENT]),
			    db_int(delta->items[PIM_TASK]),
			    db_int(delta->items[PIM_NOTE])) < 0)
			return -1;
		memset(delta, 0, sizeof(*delta));
	}
	return 0;
}

struct store_delta *store_delta(
	struct store *store, int64_t folder, struct err *err)
{
	for (size_t i = 0; i < STORE_DELTAS; i++) {
		if (store->deltas[i].folder == folder)
			return &store->deltas[i];
		if (!store->deltas[i].folder) {
			store->deltas[i].folder = folder;
			return &store->deltas[i];
		}
	}
	if (store_flush_deltas(store, err) < 0)
		return NULL;
	store->deltas[0].folder = folder;
	return &store->deltas[0];
}

int store_load_detached(struct store *store, struct err *err)
{
	int64_t detached = 0;

	if (db_number(&store->db, &detached,
		    "SELECT SUM(detached) FROM folders", err) < 0)
		return -1;
	store->detached = detached > 0;
	return 0;
}

/* The database as it is when its log is folded, whenever that happens. */
static int database_bytes(struct store *store, uint64_t *bytes, struct err *err)
{
	int64_t pages = 0;
	int64_t page_bytes = 0;

	if (db_number(&store->db, &pages, "PRAGMA page_count", err) < 0 ||
		db_number(&store->db, &page_bytes, "PRAGMA page_size", err) < 0)
		return -1;
	*bytes = (uint64_t)(pages * page_bytes);
	return 0;
}

static uint64_t column(sqlite3_stmt *row, int at)
{
	return (uint64_t)sqlite3_column_int64(row, at);
}

int store_totals(
	struct store *store, struct store_totals *totals, struct err *err)
{
	struct store_totals out = {0};
	int64_t quarantined = 0;
	sqlite3_stmt *row;
	int status;

	if (store_flush_deltas(store, err) < 0)
		return -1;
	row = db_query(&store->db, err,
		"SELECT COUNT(*), SUM(messages), SUM(bodies), SUM(protected),"
		" SUM(body_bytes), SUM(contacts), SUM(events), SUM(tasks),"
		" SUM(notes) + SUM(CASE kind WHEN 1 THEN messages ELSE 0 END)"
		" FROM folders");
	if (!row)
		return -1;
	status = db_step(&store->db, row, err);
	if (status > 0) {
		out.folders = column(row, 0);
		out.messages = column(row, 1);
		out.bodies = column(row, 2);
		out.protected_messages = column(row, 3);
		out.body_bytes = column(row, 4);
		out.contacts = column(row, 5);
		out.events = column(row, 6);
		out.tasks = column(row, 7);
		out.notes = column(row, 8);
	}
	db_end(&store->db, row);
	if (status < 0 ||
		db_number(&store->db, &quarantined,
			"SELECT COUNT(*) FROM quarantine", err) < 0)
		return -1;
	out.quarantined = (uint64_t)quarantined;
	if (database_bytes(store, &out.stored_bytes, err) < 0)
		return -1;
	out.stored_bytes += pack_total_bytes(store->pack);
	*totals = out;
	return 0;
}

/* Measured on mailboxes of the lab: what a row costs beside the bytes that
 * the server counts, with its index entries. */
#define FIXED_BYTES   (256 * 1024)
#define MESSAGE_BYTES 320
#define ITEM_BYTES    320

uint64_t store_predict_bytes(uint64_t messages, uint64_t header_bytes,
	uint64_t body_bytes, uint64_t items, uint64_t item_bytes)
{
	return FIXED_BYTES + messages * MESSAGE_BYTES + header_bytes +
		body_bytes + items * ITEM_BYTES + item_bytes;
}

/* ------------------------------------------------------------------ meta */

static const char meta_select[] = "SELECT value FROM meta WHERE key = ?";

char *store_meta_get(struct store *store, const char *key)
{
	sqlite3_stmt *row = db_query(
		&store->db, NULL, meta_select, db_text(key));
	char *value = NULL;

	if (!row)
		return NULL;
	if (db_step(&store->db, row, NULL) > 0)
		value = db_column_copy(row, 0);
	db_end(&store->db, row);
	return value;
}

int store_meta_put(struct store *store, const char *key, const char *value,
	struct err *err)
{
	if (store_need_transaction(store, err) < 0)
		return -1;
	if (!value)
		return db_run(&store->db, err, "DELETE FROM meta WHERE key = ?",
			db_text(key));
	return db_run(&store->db, err,
		"INSERT INTO meta VALUES(?, ?)"
		" ON CONFLICT(key) DO UPDATE SET value = excluded.value",
		db_text(key), db_text(value));
}

int64_t store_counter_get(struct store *store, const char *key)
{
	sqlite3_stmt *row = db_query(
		&store->db, NULL, meta_select, db_text(key));
	int64_t value = 0;

	if (!row)
		return 0;
	if (db_step(&store->db, row, NULL) > 0)
		value = sqlite3_column_int64(row, 0);
	db_end(&store->db, row);
	return value;
}

int store_counter_add(
	struct store *store, const char *key, int64_t amount, struct err *err)
{
	if (store_need_transaction(store, err) < 0)
		return -1;
	return db_run(&store->db, err,
		"INSERT INTO meta VALUES(?, ?)"
		" ON CONFLICT(key) DO UPDATE SET value = value + excluded.value",
		db_text(key), db_int(amount));
}
