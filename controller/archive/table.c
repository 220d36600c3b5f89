/*
 * table.c - see table.h. Used by the thread that owns the archive.
 */
#include "table.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bucket.h"
#include "buf.h"
#include "err.h"

int table_error(sqlite3 *db, const char *what, struct err *err)
{
	int code = sqlite3_errcode(db);
	enum err_kind kind = ERR_DATABASE;

	if (code == SQLITE_FULL)
		kind = ERR_DISK_FULL;
	else if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		kind = ERR_LOCKED;
	err_set(err, kind, "archive: %s: %s", what, sqlite3_errmsg(db));
	if (kind == ERR_DISK_FULL)
		err_hint(err, "make room on its disk");
	return -1;
}

static const char *column_sql(const struct column *column)
{
	switch (column->type) {
	case COLUMN_INT:
		return "INTEGER";
	case COLUMN_DOUBLE:
	case COLUMN_FLOAT:
		return "REAL";
	default:
		return "TEXT";
	}
}

/* "word" and the like are words of SQL: quote every name. */
static void append_names(const struct table *table, struct buf *sql)
{
	for (const struct column *c = table->columns; c->name; c++)
		(void)buf_printf(sql, "%s\"%s\"",
			c == table->columns ? "" : ",", c->name);
}

char *table_create_sql(const struct table *table)
{
	struct buf sql = BUF_INIT(0);

	(void)buf_printf(&sql, "CREATE TABLE %s (", table->name);
	for (const struct column *c = table->columns; c->name; c++)
		(void)buf_printf(&sql, "%s\"%s\" %s",
			c == table->columns ? "" : ", ", c->name,
			column_sql(c));
	if (table->key)
		(void)buf_printf(&sql, ", %s", table->key);
	(void)buf_append_text(&sql, ");");
	return sql.data;
}

/* ---- writing */

static int64_t load_int(const void *at, size_t size)
{
	uint64_t u64;
	uint32_t u32;

	if (size == sizeof(bool))
		return *(const bool *)at;
	if (size == sizeof(u32)) {
		memcpy(&u32, at, sizeof(u32));
		return u32;
	}
	memcpy(&u64, at, sizeof(u64));
	return (int64_t)u64;
}

static char *load_json(const struct column *column, const char *at)
{
	json_t *json = column->type == COLUMN_LOAD ? json_object()
						   : json_array();
	size_t count = column->type == COLUMN_LOAD ? LOAD_COUNT
		: column->type == COLUMN_LONGS
		? column->size / sizeof(int64_t)
		: column->size / sizeof(uint16_t);
	char *text;

	for (size_t i = 0; i < count; i++) {
		float f;
		int64_t l;
		uint16_t s;

		if (column->type == COLUMN_LOAD) {
			memcpy(&f, at + i * sizeof(f), sizeof(f));
			if (isfinite(f))
				json_object_set_new(json,
					load_metric_table[i].name,
					json_real((double)f));
		} else if (column->type == COLUMN_LONGS) {
			memcpy(&l, at + i * sizeof(l), sizeof(l));
			json_array_append_new(json, json_integer(l));
		} else {
			memcpy(&s, at + i * sizeof(s), sizeof(s));
			json_array_append_new(json, json_integer(s));
		}
	}
	/* Nine digits are enough to bring every float back. */
	text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(json);
	return text ? text : xstrdup("[]");
}

static void bind_number(sqlite3_stmt *stmt, int i, double value)
{
	if (isnan(value))
		sqlite3_bind_null(stmt, i);
	else
		sqlite3_bind_double(stmt, i, value);
}

static void bind_column(
	sqlite3_stmt *stmt, int i, const struct column *column, const char *row)
{
	const char *at = row + column->offset;
	const char *string;
	double d;
	float f;

	switch (column->type) {
	case COLUMN_INT:
		sqlite3_bind_int64(stmt, i, load_int(at, column->size));
		break;
	case COLUMN_DOUBLE:
		memcpy(&d, at, sizeof(d));
		bind_number(stmt, i, d);
		break;
	case COLUMN_FLOAT:
		memcpy(&f, at, sizeof(f));
		bind_number(stmt, i, (double)f);
		break;
	case COLUMN_TEXT:
		sqlite3_bind_text(stmt, i, at, (int)strnlen(at, column->size),
			SQLITE_TRANSIENT);
		break;
	case COLUMN_STRING:
		memcpy(&string, at, sizeof(string));
		sqlite3_bind_text(stmt, i, string, -1, SQLITE_TRANSIENT);
		break;
	case COLUMN_WORD:
		sqlite3_bind_text(stmt, i,
			column->word((int)load_int(at, column->size)), -1,
			SQLITE_STATIC);
		break;
	case COLUMN_LOAD:
	case COLUMN_LONGS:
	case COLUMN_SHORTS:
		sqlite3_bind_text(stmt, i, load_json(column, at), -1, free);
		break;
	}
}

static int prepare_put(sqlite3 *db, sqlite3_stmt **stmt,
	const struct table *table, struct err *err)
{
	struct buf sql = BUF_INIT(0);
	int result;

	(void)buf_printf(&sql, "INSERT OR REPLACE INTO %s (", table->name);
	append_names(table, &sql);
	(void)buf_append_text(&sql, ") VALUES (");
	for (const struct column *c = table->columns; c->name; c++)
		(void)buf_append_text(&sql, c == table->columns ? "?" : ",?");
	(void)buf_append_text(&sql, ")");
	result = sqlite3_prepare_v3(
		db, sql.data, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
	buf_free(&sql);
	return result == SQLITE_OK ? 0 : table_error(db, table->name, err);
}

int table_put(sqlite3 *db, sqlite3_stmt **stmt, const struct table *table,
	const void *row, struct err *err)
{
	int i = 1, result;

	if (!*stmt && prepare_put(db, stmt, table, err) < 0)
		return -1;
	for (const struct column *c = table->columns; c->name; c++)
		bind_column(*stmt, i++, c, row);
	result = sqlite3_step(*stmt);
	sqlite3_reset(*stmt);
	sqlite3_clear_bindings(*stmt);
	return result == SQLITE_DONE ? 0 : table_error(db, table->name, err);
}

/* ---- reading */

static void store_int(void *at, size_t size, int64_t value)
{
	uint32_t u32 = (uint32_t)value;

	if (size == sizeof(bool))
		*(bool *)at = value != 0;
	else if (size == sizeof(u32))
		memcpy(at, &u32, sizeof(u32));
	else
		memcpy(at, &value, sizeof(value));
}

/* An unknown word reads as the first; the archive's version rules it out. */
static int find_word(const struct column *column, const char *text)
{
	for (int i = 0; i < column->word_count; i++)
		if (strcmp(column->word(i), text) == 0)
			return i;
	return 0;
}

static void store_json(const struct column *column, char *at, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	size_t i, count = json_array_size(json);

	if (column->type == COLUMN_LOAD) {
		for (i = 0; i < LOAD_COUNT; i++) {
			const json_t *value = json_object_get(
				json, load_metric_table[i].name);
			float f = value ? (float)json_number_value(value) : NAN;

			memcpy(at + i * sizeof(f), &f, sizeof(f));
		}
		count = 0;
	}
	for (i = 0; i < count; i++) {
		int64_t l = json_integer_value(json_array_get(json, i));
		uint16_t s = (uint16_t)l;

		if (column->type == COLUMN_LONGS &&
			(i + 1) * sizeof(l) <= column->size)
			memcpy(at + i * sizeof(l), &l, sizeof(l));
		if (column->type == COLUMN_SHORTS &&
			(i + 1) * sizeof(s) <= column->size)
			memcpy(at + i * sizeof(s), &s, sizeof(s));
	}
	json_decref(json);
}

static double column_number(sqlite3_stmt *stmt, int i)
{
	return sqlite3_column_type(stmt, i) == SQLITE_NULL
		? NAN
		: sqlite3_column_double(stmt, i);
}

static void read_column(
	sqlite3_stmt *stmt, int i, const struct column *column, char *row)
{
	char *at = row + column->offset;
	const char *text;
	char *string;
	double d;
	float f;

	switch (column->type) {
	case COLUMN_INT:
		store_int(at, column->size, sqlite3_column_int64(stmt, i));
		return;
	case COLUMN_DOUBLE:
		d = column_number(stmt, i);
		memcpy(at, &d, sizeof(d));
		return;
	case COLUMN_FLOAT:
		f = (float)column_number(stmt, i);
		memcpy(at, &f, sizeof(f));
		return;
	default:
		break;
	}
	text = (const char *)sqlite3_column_text(stmt, i);
	switch (column->type) {
	case COLUMN_TEXT:
		(void)snprintf(at, column->size, "%s", text ? text : "");
		break;
	case COLUMN_STRING:
		string = xstrdup(text);
		memcpy(at, &string, sizeof(string));
		break;
	case COLUMN_WORD:
		store_int(
			at, column->size, find_word(column, text ? text : ""));
		break;
	default:
		store_json(column, at, text ? text : "[]");
	}
}

static int prepare_read(sqlite3 *db, sqlite3_stmt **stmt,
	const struct table *table, const char *tail, struct err *err)
{
	struct buf sql = BUF_INIT(0);
	int result;

	(void)buf_append_text(&sql, "SELECT ");
	append_names(table, &sql);
	(void)buf_printf(&sql, " FROM %s %s", table->name, tail);
	result = sqlite3_prepare_v2(db, sql.data, -1, stmt, NULL);
	buf_free(&sql);
	return result == SQLITE_OK ? 0 : table_error(db, table->name, err);
}

int table_read(sqlite3 *db, const struct table *table, const char *tail,
	const char *text, double number, void **rows, size_t *count,
	struct err *err)
{
	sqlite3_stmt *stmt;
	char *all = NULL;
	size_t n = 0, capacity = 0;
	int step, result = 0;

	if (prepare_read(db, &stmt, table, tail, err) < 0)
		return -1;
	if (sqlite3_bind_parameter_count(stmt) > 0) {
		if (text)
			sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC);
		else
			sqlite3_bind_double(stmt, 1, number);
	}
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
		int i = 0;

		if (n == capacity) {
			capacity = capacity ? 2 * capacity : 16;
			all = xrealloc(all, capacity, table->size);
		}
		memset(all + n * table->size, 0, table->size);
		for (const struct column *c = table->columns; c->name; c++)
			read_column(stmt, i++, c, all + n * table->size);
		n++;
	}
	if (step != SQLITE_DONE)
		result = table_error(db, table->name, err);
	sqlite3_finalize(stmt);
	if (result < 0) {
		free(all);
		return -1;
	}
	*rows = all;
	*count = n;
	return 0;
}
