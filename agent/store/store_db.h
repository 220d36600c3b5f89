/*
 * store_db.h - SQLite with our errors: prepared once, bound by type.
 *
 * A query text is a string literal (its address is the key of the cache of
 * prepared statements). A statement belongs to its caller from db_query()
 * to db_end(); the same text may be queried again meanwhile. One thread.
 */
#ifndef SLUICE_STORE_DB_H
#define SLUICE_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define DB_CACHED_STATEMENTS 128

/* How long a statement waits for another process's transaction. */
#define DB_BUSY_TIMEOUT_MS 10000

struct db {
	sqlite3 *handle;
	char *path;
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} cache[DB_CACHED_STATEMENTS];
};

struct db_value {
	enum db_type {
		DB_NULL,
		DB_INT,
		DB_TEXT,
		DB_BLOB
	} type;
	int64_t integer;
	const void *data;
	size_t length;
};

static inline struct db_value db_int(int64_t value)
{
	return (struct db_value){.type = DB_INT, .integer = value};
}

/* NULL is SQL's null. The text must live until the statement ends. */
static inline struct db_value db_text(const char *text)
{
	return (struct db_value){
		.type = text ? DB_TEXT : DB_NULL, .data = text};
}

static inline struct db_value db_blob(const void *data, size_t length)
{
	return (struct db_value){
		.type = DB_BLOB, .data = data ? data : "", .length = length};
}

/* FLAGS as of sqlite3_open_v2(). DB is zeroed first; on failure it is
 * closed. */
int db_open(struct db *db, const char *path, int flags, struct err *err);
void db_close(struct db *db);

/* Statements without results, separated by semicolons. */
int db_script(struct db *db, const char *sql, struct err *err);

/* A bound statement for db_step() and db_end(), or NULL. */
#define db_query(db, err, ...) DB_CALL(db_query_values, db, err, __VA_ARGS__)

/* Runs a statement without results to its end. */
#define db_run(db, err, ...) DB_CALL(db_run_values, db, err, __VA_ARGS__)

/* The first column of the first row as an integer; 0 when there is no row or
 * it is null; -1 is an error. */
int db_number(struct db *db, int64_t *number, const char *sql, struct err *err);

/* 1 a row, 0 no more, -1. */
int db_step(struct db *db, sqlite3_stmt *statement, struct err *err);
void db_end(struct db *db, sqlite3_stmt *statement);

/* ERR from the connection's last error. Always returns -1. */
int db_error(struct db *db, struct err *err);

/* A copy of a text column for free(); NULL for null. */
char *db_column_copy(sqlite3_stmt *statement, int column);

#define DB_CALL(function, db, err, sql, ...)                                   \
	function(db, err, sql, (struct db_value[]){{0}, ##__VA_ARGS__},        \
		sizeof((struct db_value[]){{0}, ##__VA_ARGS__}) /              \
			sizeof(struct db_value))

sqlite3_stmt *db_query_values(struct db *db, struct err *err, const char *sql,
	const struct db_value *values, size_t count);
int db_run_values(struct db *db, struct err *err, const char *sql,
	const struct db_value *values, size_t count);

#endif
