/*
 * store_quarantine.c - see store_quarantine.h. Thread: the handle's.
 */
#include "store_quarantine.h"

#include "clock.h"
#include "err.h"
#include "store_private.h"

int store_quarantine_add(struct store *store,
	const struct store_quarantine *object, struct err *err)
{
	size_t length = object->raw_length;
	bool cut = length > STORE_QUARANTINE_BYTES;

	if (store_need_transaction(store, err) < 0)
		return -1;
	if (cut)
		length = STORE_QUARANTINE_BYTES;
	return db_run(&store->db, err,
		"INSERT INTO quarantine(folder, uid, href, reason, tries, at,"
		" skip, raw) VALUES(?1, ?2, ?3, ?4 || CASE WHEN ?7 THEN"
		" ' (only the beginning of it is kept)' ELSE '' END, 1, ?5, 1,"
		" ?6) ON CONFLICT(folder, uid, href) DO UPDATE SET"
		" reason = excluded.reason, tries = tries + NOT skip,"
		" at = excluded.at, skip = 1, raw = excluded.raw",
		db_int(object->folder), db_int(object->uid),
		db_text(object->href ? object->href : ""),
		db_text(object->reason), db_int(clock_wall_us()),
		object->raw ? db_blob(object->raw, length)
			    : (struct db_value){0},
		db_int(cut));
}

int store_quarantine_remove(struct store *store, int64_t folder, uint32_t uid,
	const char *href, struct err *err)
{
	if (store_need_transaction(store, err) < 0)
		return -1;
	return db_run(&store->db, err,
		"DELETE FROM quarantine WHERE folder = ? AND uid = ?"
		" AND href = ?",
		db_int(folder), db_int(uid), db_text(href ? href : ""));
}

int store_quarantine_retry(struct store *store, struct err *err)
{
	if (store_need_transaction(store, err) < 0)
		return -1;
	return db_run(&store->db, err, "UPDATE quarantine SET skip = 0");
}

int store_quarantine_each(struct store *store, int64_t folder,
	int (*each)(const struct store_quarantine *object, void *arg),
	void *arg, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT folder, uid, href, reason, tries, at, raw, skip"
		" FROM quarantine WHERE ?1 IN (0, folder)"
		" ORDER BY folder, uid, href",
		db_int(folder));
	int status;
	int stop = 0;

	if (!row)
		return -1;
	while (!stop && (status = db_step(&store->db, row, err)) > 0) {
		struct store_quarantine object = {
			.folder = sqlite3_column_int64(row, 0),
			.uid = (uint32_t)sqlite3_column_int64(row, 1),
			.reason = (const char *)sqlite3_column_text(row, 3),
			.tries = (unsigned)sqlite3_column_int(row, 4),
			.at_us = sqlite3_column_int64(row, 5),
			.raw = sqlite3_column_blob(row, 6),
			.raw_length = (size_t)sqlite3_column_bytes(row, 6),
			.skip = sqlite3_column_int(row, 7) != 0,
		};

		if (!object.uid)
			object.href = (const char *)sqlite3_column_text(row, 2);
		stop = each(&object, arg);
	}
	db_end(&store->db, row);
	return stop ? stop : status;
}
