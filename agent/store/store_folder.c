/*
 * store_folder.c - see store_folder.h. Thread: the handle's.
 */
#include "store_folder.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "store_private.h"

#define COLUMNS                                                                \
	"SELECT id, kind, mode, path, remote, role, token, validity,"          \
	" uid_next, modseq, walked, server_count, server_bytes, verified,"     \
	" messages, bodies, protected, body_bytes, header_bytes,"              \
	" contacts + events + tasks + notes, detached FROM folders "

static const char *const kind_names[] = {
	[STORE_KIND_MAIL] = "mail",
	[STORE_KIND_NOTES] = "notes",
	[STORE_KIND_CONTACTS] = "contacts",
	[STORE_KIND_CALENDAR] = "calendar",
};
static const char *const mode_names[] = {
	[STORE_MODE_OFF] = "off",
	[STORE_MODE_HEADERS] = "headers",
	[STORE_MODE_FULL] = "full",
};

bool store_kind_is_dav(enum store_kind kind)
{
	return kind == STORE_KIND_CONTACTS || kind == STORE_KIND_CALENDAR;
}

const char *store_kind_name(enum store_kind kind)
{
	return kind_names[kind];
}

const char *store_mode_name(enum store_mode mode)
{
	return mode_names[mode];
}

static uint64_t number(sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

/* An enum value from a file that others may have written. */
static unsigned within(uint64_t value, unsigned highest)
{
	return value > highest ? highest : (unsigned)value;
}

static void fill(sqlite3_stmt *row, struct store_folder *out)
{
	*out = (struct store_folder){
		.id = sqlite3_column_int64(row, 0),
		.kind = within(number(row, 1), STORE_KIND_CALENDAR),
		.mode = within(number(row, 2), STORE_MODE_FULL),
		.path = db_column_copy(row, 3),
		.remote = db_column_copy(row, 4),
		.role = db_column_copy(row, 5),
		.token = db_column_copy(row, 6),
		.validity = (uint32_t)number(row, 7),
		.uid_next = (uint32_t)number(row, 8),
		.modseq = number(row, 9),
		.walked = (uint32_t)number(row, 10),
		.server_count = number(row, 11),
		.server_bytes = number(row, 12),
		.verified = number(row, 13) != 0,
		.messages = number(row, 14),
		.bodies = number(row, 15),
		.protected_messages = number(row, 16),
		.body_bytes = number(row, 17),
		.header_bytes = number(row, 18),
		.items = number(row, 19),
		.detached = number(row, 20),
	};
}

void store_folder_free(struct store_folder *folder)
{
	free(folder->path);
	free(folder->remote);
	free(folder->role);
	free(folder->token);
	*folder = (struct store_folder){0};
}

int store_folder_put(
	struct store *store, struct store_folder *folder, struct err *err)
{
	sqlite3_stmt *row;
	int status;

	if (store_need_transaction(store, err) < 0)
		return -1;
	row = db_query(&store->db, err,
		"INSERT INTO folders(kind, mode, path, remote, role, token,"
		" validity, uid_next, modseq, walked, server_count,"
		" server_bytes, verified)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT(kind, remote) DO UPDATE SET"
		" mode = excluded.mode, path = excluded.path,"
		" role = excluded.role, token = excluded.token,"
		" validity = excluded.validity, uid_next = excluded.uid_next,"
		" modseq = excluded.modseq, walked = excluded.walked,"
		" server_count = excluded.server_count,"
		" server_bytes = excluded.server_bytes,"
		" verified = excluded.verified RETURNING id",
		db_int(folder->kind), db_int(folder->mode),
		db_text(folder->path), db_text(folder->remote),
		db_text(folder->role), db_text(folder->token),
		db_int(folder->validity), db_int(folder->uid_next),
		db_int((int64_t)folder->modseq), db_int(folder->walked),
		db_int((int64_t)folder->server_count),
		db_int((int64_t)folder->server_bytes),
		db_int(folder->verified));
	if (!row)
		return -1;
	status = db_step(&store->db, row, err);
	if (status > 0) {
		folder->id = sqlite3_column_int64(row, 0);
		status = db_step(&store->db, row, err);
	}
	db_end(&store->db, row);
	return status < 0 ? -1 : 0;
}

/* Ends ROW, from which at most one folder is wanted. */
static int fill_one(struct store *store, sqlite3_stmt *row,
	struct store_folder *out, struct err *err)
{
	int found;

	if (!row)
		return -1;
	found = db_step(&store->db, row, err);
	if (found > 0)
		fill(row, out);
	db_end(&store->db, row);
	return found;
}

int store_folder_get(struct store *store, int64_t id, struct store_folder *out,
	struct err *err)
{
	if (store_flush_deltas(store, err) < 0)
		return -1;
	return fill_one(store,
		db_query(&store->db, err, COLUMNS "WHERE id = ?", db_int(id)),
		out, err);
}

int store_folder_find(struct store *store, enum store_kind kind,
	const char *remote, struct store_folder *out, struct err *err)
{
	if (store_flush_deltas(store, err) < 0)
		return -1;
	return fill_one(store,
		db_query(&store->db, err,
			COLUMNS "WHERE kind = ? AND remote = ?", db_int(kind),
			db_text(remote)),
		out, err);
}

int store_folder_by_path(struct store *store, const char *path,
	struct store_folder *out, struct err *err)
{
	if (store_flush_deltas(store, err) < 0)
		return -1;
	return fill_one(store,
		db_query(&store->db, err,
			COLUMNS "WHERE path = ?1 OR (lower(?1) = 'inbox' AND"
				" lower(path) = 'inbox' AND kind = 0)"
				" ORDER BY kind LIMIT 1",
			db_text(path)),
		out, err);
}

/* The ids first, so that EACH may change the table. */
static int list_ids(
	struct store *store, int64_t **ids, size_t *count, struct err *err)
{
	size_t capacity = 64;
	sqlite3_stmt *row;
	int status;

	row = db_query(&store->db, err,
		"SELECT id FROM folders ORDER BY kind,"
		" kind = 0 AND lower(path) = 'inbox' DESC, path");
	if (!row)
		return -1;
	*count = 0;
	*ids = xcalloc(capacity, sizeof(**ids));
	while ((status = db_step(&store->db, row, err)) > 0) {
		if (*count == capacity) {
			capacity *= 2;
			*ids = xrealloc(*ids, capacity, sizeof(**ids));
		}
		(*ids)[(*count)++] = sqlite3_column_int64(row, 0);
	}
	db_end(&store->db, row);
	if (status < 0)
		free(*ids);
	return status;
}

int store_folder_each(struct store *store,
	int (*each)(const struct store_folder *folder, void *arg), void *arg,
	struct err *err)
{
	int64_t *ids;
	size_t count;
	int status = 0;

	if (list_ids(store, &ids, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count && status == 0; i++) {
		struct store_folder folder;
		int found = store_folder_get(store, ids[i], &folder, err);

		if (found < 0)
			status = -1;
		if (found <= 0)
			continue;
		status = each(&folder, arg);
		store_folder_free(&folder);
	}
	free(ids);
	return status;
}

int store_folder_rename(struct store *store, int64_t id, enum store_kind kind,
	const char *path, const char *remote, struct err *err)
{
	if (store_need_transaction(store, err) < 0)
		return -1;
	return db_run(&store->db, err,
		"UPDATE folders SET kind = ?, path = ?, remote = ?"
		" WHERE id = ?",
		db_int(kind), db_text(path), db_text(remote), db_int(id));
}

int store_folder_doubt(struct store *store, int64_t id, struct err *err)
{
	if (store_need_transaction(store, err) < 0)
		return -1;
	return db_run(&store->db, err,
		"UPDATE folders SET verified = 0, token = NULL WHERE id = ?",
		db_int(id));
}

int store_folder_delete(struct store *store, int64_t id, struct err *err)
{
	if (store_need_transaction(store, err) < 0 ||
		store_flush_deltas(store, err) < 0)
		return -1;
	if (db_run(&store->db, err,
		    "DELETE FROM messages WHERE folder IN (?1, -?1)",
		    db_int(id)) < 0 ||
		db_run(&store->db, err, "DELETE FROM items WHERE folder = ?",
			db_int(id)) < 0 ||
		db_run(&store->db, err,
			"DELETE FROM quarantine WHERE folder = ?",
			db_int(id)) < 0 ||
		db_run(&store->db, err, "DELETE FROM folders WHERE id = ?",
			db_int(id)) < 0)
		return -1;
	return store_load_detached(store, err);
}

/* ------------------------------------------------- UIDVALIDITY changed */

int store_folder_detach(
	struct store *store, int64_t id, uint32_t validity, struct err *err)
{
	if (store_need_transaction(store, err) < 0 ||
		store_flush_deltas(store, err) < 0)
		return -1;
	if (db_run(&store->db, err,
		    "UPDATE messages SET folder = -folder, uid = -id"
		    " WHERE folder = ?",
		    db_int(id)) < 0 ||
		db_run(&store->db, err,
			"DELETE FROM quarantine WHERE folder = ? AND uid > 0",
			db_int(id)) < 0 ||
		db_run(&store->db, err,
			"UPDATE folders SET validity = ?2, uid_next = 0,"
			" modseq = 0, walked = 0, verified = 0,"
			" detached = detached + messages, messages = 0,"
			" bodies = 0, protected = 0, body_bytes = 0,"
			" header_bytes = 0 WHERE id = ?1",
			db_int(id), db_int(validity)) < 0)
		return -1;
	return store_load_detached(store, err);
}

int store_folder_drop_detached(
	struct store *store, int64_t id, uint64_t *dropped, struct err *err)
{
	if (store_need_transaction(store, err) < 0 ||
		store_flush_deltas(store, err) < 0)
		return -1;
	if (db_run(&store->db, err, "DELETE FROM messages WHERE folder = -?",
		    db_int(id)) < 0)
		return -1;
	if (dropped)
		*dropped = (uint64_t)sqlite3_changes64(store->db.handle);
	if (db_run(&store->db, err,
		    "UPDATE folders SET detached = 0 WHERE id = ?",
		    db_int(id)) < 0)
		return -1;
	return store_load_detached(store, err);
}
