/*
 * table.h - a struct as a row of a SQLite table, by one list of columns.
 *
 * The list makes CREATE TABLE, INSERT OR REPLACE and SELECT, so that a field
 * is named once. Between the parts of archive; nobody else includes it.
 */
#ifndef SLUICE_TABLE_H
#define SLUICE_TABLE_H

#include <stddef.h>
#include <sqlite3.h>

struct err;

enum column_type {
	COLUMN_INT,    /* unsigned, int64_t, uint64_t, bool: by size */
	COLUMN_DOUBLE, /* NaN is NULL */
	COLUMN_FLOAT,
	COLUMN_TEXT,   /* char array; cut to it */
	COLUMN_STRING, /* char *, owned by the row once read */
	COLUMN_WORD,   /* enum, stored by name */
	COLUMN_LOAD,   /* float[LOAD_COUNT], JSON by metric name */
	COLUMN_LONGS,  /* int64_t array, JSON */
	COLUMN_SHORTS, /* uint16_t array, JSON */
};

struct column {
	size_t offset;
	size_t size;
	const char *name;
	enum column_type type;
	const char *(*word)(int value); /* COLUMN_WORD */
	int word_count;
};

struct table {
	const char *name;
	size_t size;		      /* of the struct */
	const char *key;	      /* "PRIMARY KEY (…)"; NULL: none */
	const struct column *columns; /* ends with a column without name */
};

#define COLUMN_AT(type, member)                                                \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define COLUMN_END                                                             \
	{                                                                      \
		.name = NULL                                                   \
	}

/* "CREATE TABLE …;" for free(). */
char *table_create_sql(const struct table *table);

/* Prepare the insertion once into *STMT, then write ROW with it. */
int table_put(sqlite3 *db, sqlite3_stmt **stmt, const struct table *table,
	const void *row, struct err *err);

/* All rows that TAIL ("WHERE … ORDER BY …", with one optional ? bound to
 * TEXT or, when that is NULL, to NUMBER) selects; an array for free(). */
int table_read(sqlite3 *db, const struct table *table, const char *tail,
	const char *text, double number, void **rows, size_t *count,
	struct err *err);

/* The database's own words, with a kind that fits. Always -1. */
int table_error(sqlite3 *db, const char *what, struct err *err);

#endif
