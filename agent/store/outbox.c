/*
 * outbox.c - see outbox.h. Full durability (synchronous FULL): a report that
 * the controller has counted must not come back under another number.
 * Thread: the one that owns the handle.
 */
#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "alloc.h"
#include "err.h"
#include "store_db.h"

struct outbox {
	struct db db;
};

static const char schema[] =
	"PRAGMA journal_mode = WAL;"
	"PRAGMA cache_size = -256;"
	"PRAGMA wal_autocheckpoint = 64;"
	"CREATE TABLE IF NOT EXISTS reports("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, json TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS identity("
	" key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

struct outbox *outbox_open(
	const char *directory, enum outbox_care care, struct err *err)
{
	struct outbox *outbox;
	char *path;
	int status;

	if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
		err_set_errno(err, "%s", directory);
		return NULL;
	}
	outbox = xcalloc(1, sizeof(*outbox));
	path = xasprintf("%s/outbox.db", directory);
	status = db_open(&outbox->db, path,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
	free(path);
	if (status == 0)
		status = db_script(&outbox->db,
			care == OUTBOX_SAFE ? "PRAGMA synchronous = FULL;"
					    : "PRAGMA synchronous = OFF;",
			err);
	if (status == 0)
		status = db_script(&outbox->db, schema, err);
	if (status < 0) {
		outbox_close(outbox);
		return NULL;
	}
	return outbox;
}

void outbox_close(struct outbox *outbox)
{
	if (!outbox)
		return;
	if (outbox->db.path)
		db_close(&outbox->db);
	free(outbox);
}

int outbox_put(
	struct outbox *outbox, const char *json, uint64_t *seq, struct err *err)
{
	if (db_run(&outbox->db, err, "INSERT INTO reports(json) VALUES(?)",
		    db_text(json)) < 0)
		return -1;
	*seq = (uint64_t)sqlite3_last_insert_rowid(outbox->db.handle);
	return 0;
}

uint64_t outbox_next_seq(struct outbox *outbox)
{
	int64_t last = 0;

	db_number(&outbox->db, &last,
		"SELECT seq FROM sqlite_sequence WHERE name = 'reports'", NULL);
	return (uint64_t)last + 1;
}

char *outbox_next(struct outbox *outbox, uint64_t after, uint64_t *seq)
{
	sqlite3_stmt *row = db_query(&outbox->db, NULL,
		"SELECT seq, json FROM reports WHERE seq > ?"
		" ORDER BY seq LIMIT 1",
		db_int((int64_t)after));
	char *json = NULL;

	if (!row)
		return NULL;
	if (db_step(&outbox->db, row, NULL) > 0) {
		*seq = (uint64_t)sqlite3_column_int64(row, 0);
		json = db_column_copy(row, 1);
	}
	db_end(&outbox->db, row);
	return json;
}

int outbox_ack(struct outbox *outbox, uint64_t seq, struct err *err)
{
	return db_run(&outbox->db, err, "DELETE FROM reports WHERE seq <= ?",
		db_int((int64_t)seq));
}

uint64_t outbox_count(struct outbox *outbox)
{
	int64_t count = 0;

	db_number(&outbox->db, &count, "SELECT COUNT(*) FROM reports", NULL);
	return (uint64_t)count;
}

char *outbox_get(struct outbox *outbox, const char *key)
{
	sqlite3_stmt *row = db_query(&outbox->db, NULL,
		"SELECT value FROM identity WHERE key = ?", db_text(key));
	char *value = NULL;

	if (!row)
		return NULL;
	if (db_step(&outbox->db, row, NULL) > 0)
		value = db_column_copy(row, 0);
	db_end(&outbox->db, row);
	return value;
}

int outbox_set(struct outbox *outbox, const char *key, const char *value,
	struct err *err)
{
	if (!value)
		return db_run(&outbox->db, err,
			"DELETE FROM identity WHERE key = ?", db_text(key));
	return db_run(&outbox->db, err,
		"INSERT INTO identity VALUES(?, ?)"
		" ON CONFLICT(key) DO UPDATE SET value = excluded.value",
		db_text(key), db_text(value));
}
