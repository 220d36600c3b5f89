/*
 * store_db.c - see store_db.h. Every SQLite result that leaves the store
 * passes db_error(), which says in words what an administrator can do.
 * Thread: the one that owns the handle.
 */
#include "store_db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"

/* SQLite has a code of its own for ENOSPC only. A quota or a largest file
 * size shows as a failed write whose errno is often lost again by the time
 * it is asked for. */
static bool disk_full(int extended, int system_errno)
{
	bool no_write = extended == SQLITE_IOERR_WRITE ||
		extended == SQLITE_IOERR_SHMSIZE ||
		extended == SQLITE_IOERR_TRUNCATE;

	if ((extended & 0xff) == SQLITE_FULL)
		return true;
	return (extended & 0xff) == SQLITE_IOERR &&
		(system_errno == ENOSPC || system_errno == EDQUOT ||
			system_errno == EFBIG || (no_write && !system_errno));
}

int db_error(struct db *db, struct err *err)
{
	int extended = db->handle ? sqlite3_extended_errcode(db->handle)
				  : SQLITE_NOMEM;
	int code = extended & 0xff;
	const char *text = db->handle ? sqlite3_errmsg(db->handle)
				      : "out of memory";

	if (disk_full(extended,
		    db->handle ? sqlite3_system_errno(db->handle) : 0))
		return err_set(err, ERR_DISK_FULL,
			"%s: no space left on the disk; free some and run "
			"again, what is stored is kept",
			db->path);
	switch (code) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_LOCKED,
			"%s: in use by another process; try again when it is "
			"done",
			db->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, ERR_DATABASE,
			"%s: the database is damaged (%s); move its directory "
			"away and sync again",
			db->path, text);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return err_set(err, ERR_DATABASE,
			"%s: may not be written (%s); check the owner and the "
			"mode of the directory",
			db->path, text);
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		errno = sqlite3_system_errno(db->handle);
		if (errno)
			return err_set_errno(err, "%s: %s", db->path, text);
		return err_set(err, ERR_IO, "%s: %s", db->path, text);
	default:
		return err_set(err, ERR_DATABASE, "%s: %s (SQLite %d)",
			db->path, text, extended);
	}
}

/* SQLite would create the file for everybody to read; its log files get the
 * mode of the file. */
static int create_private(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		err_set_errno(err, "%s", path);
		return err_hint(err, "the directory must be writable");
	}
	close(fd);
	return 0;
}

/* Each handle is one thread's, and nobody asks for SQLite's own statistics:
 * both would cost a lock at every allocation. */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(struct db *db, const char *path, int flags, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, configure);
	memset(db, 0, sizeof(*db));
	if ((flags & SQLITE_OPEN_CREATE) && create_private(path, err) < 0)
		return -1;
	db->path = xstrdup(path);
	if (sqlite3_open_v2(path, &db->handle,
		    flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		    NULL) != SQLITE_OK) {
		db_error(db, err);
		db_close(db);
		return -1;
	}
	sqlite3_busy_timeout(db->handle, DB_BUSY_TIMEOUT_MS);
	return 0;
}

void db_close(struct db *db)
{
	for (size_t i = 0; i < DB_CACHED_STATEMENTS; i++)
		sqlite3_finalize(db->cache[i].statement);
	sqlite3_close(db->handle);
	free(db->path);
	memset(db, 0, sizeof(*db));
}

int db_script(struct db *db, const char *sql, struct err *err)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, err);
	return 0;
}

/* The cache slot of SQL: its own, or the first free one after its hash;
 * NULL when the cache is full. */
static size_t slot_of(const struct db *db, const char *sql)
{
	size_t at = ((uintptr_t)sql >> 3) * 31 % DB_CACHED_STATEMENTS;

	for (size_t i = 0; i < DB_CACHED_STATEMENTS; i++) {
		size_t slot = (at + i) % DB_CACHED_STATEMENTS;

		if (!db->cache[slot].sql || db->cache[slot].sql == sql)
			return slot;
	}
	return DB_CACHED_STATEMENTS;
}

static sqlite3_stmt *prepare(struct db *db, const char *sql, struct err *err)
{
	size_t slot = slot_of(db, sql);
	sqlite3_stmt *statement = NULL;
	bool keep = slot < DB_CACHED_STATEMENTS && !db->cache[slot].sql;

	if (slot < DB_CACHED_STATEMENTS && db->cache[slot].sql &&
		!sqlite3_stmt_busy(db->cache[slot].statement))
		return db->cache[slot].statement;
	if (sqlite3_prepare_v3(db->handle, sql, -1,
		    keep ? SQLITE_PREPARE_PERSISTENT : 0, &statement,
		    NULL) != SQLITE_OK) {
		db_error(db, err);
		return NULL;
	}
	if (keep) {
		db->cache[slot].sql = sql;
		db->cache[slot].statement = statement;
	}
	return statement;
}

static int bind(sqlite3_stmt *statement, int at, const struct db_value *value)
{
	switch (value->type) {
	case DB_INT:
		return sqlite3_bind_int64(statement, at, value->integer);
	case DB_TEXT:
		return sqlite3_bind_text(
			statement, at, value->data, -1, SQLITE_STATIC);
	case DB_BLOB:
		return sqlite3_bind_blob64(statement, at, value->data,
			value->length, SQLITE_STATIC);
	default:
		return sqlite3_bind_null(statement, at);
	}
}

/* values[0] is a placeholder that makes the macro work without arguments. */
sqlite3_stmt *db_query_values(struct db *db, struct err *err, const char *sql,
	const struct db_value *values, size_t count)
{
	sqlite3_stmt *statement = prepare(db, sql, err);

	if (!statement)
		return NULL;
	for (size_t i = 1; i < count; i++) {
		if (bind(statement, (int)i, &values[i]) != SQLITE_OK) {
			db_error(db, err);
			db_end(db, statement);
			return NULL;
		}
	}
	return statement;
}

int db_run_values(struct db *db, struct err *err, const char *sql,
	const struct db_value *values, size_t count)
{
	sqlite3_stmt *statement = db_query_values(db, err, sql, values, count);
	int row;

	if (!statement)
		return -1;
	do
		row = db_step(db, statement, err);
	while (row > 0);
	db_end(db, statement);
	return row;
}

int db_number(struct db *db, int64_t *number, const char *sql, struct err *err)
{
	sqlite3_stmt *statement = db_query(db, err, sql);
	int row;

	if (!statement)
		return -1;
	row = db_step(db, statement, err);
	if (row >= 0)
		*number = row > 0 &&
				sqlite3_column_type(statement, 0) != SQLITE_NULL
			? sqlite3_column_int64(statement, 0)
			: 0;
	db_end(db, statement);
	return row < 0 ? -1 : 0;
}

int db_step(struct db *db, sqlite3_stmt *statement, struct err *err)
{
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE)
		return 0;
	return db_error(db, err);
}

void db_end(struct db *db, sqlite3_stmt *statement)
{
	for (size_t i = 0; i < DB_CACHED_STATEMENTS; i++) {
		if (db->cache[i].statement == statement) {
			sqlite3_reset(statement);
			sqlite3_clear_bindings(statement);
			return;
		}
	}
	sqlite3_finalize(statement);
}

char *db_column_copy(sqlite3_stmt *statement, int column)
{
	return xstrdup((const char *)sqlite3_column_text(statement, column));
}
