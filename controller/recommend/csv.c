/*
 * csv.c - see csv.h.
 *
 * Between a user's file and recommend(): what is not a number in a cell is
 * an error with its place, "nan" is a bucket that holds no number. Pure;
 * any thread.
 */
#include "csv.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"

#define COLUMNS_MAX 64
#define CELL_MAX    63
#define LENGTH_S    5		   /* of the only row */
#define SHARE_MAX   2		   /* of all; more is meant in per cent */
#define UTF8_MARK   "\xef\xbb\xbf" /* before the first line, by some */

enum column {
	COLUMN_SECONDS,
	COLUMN_N,
	COLUMN_X, /* needed up to here */
	COLUMN_WAVE,
	COLUMN_P95,
	COLUMN_PROBES,
	COLUMN_CPU,
	COLUMN_AWAIT,
	COLUMN_UTIL,
	COLUMN_MEM,
	COLUMN_NIC,
	COLUMN_LENGTH, /* of the report only, from here on */
	COLUMN_WHY,
	COLUMN_COUNT,
	COLUMN_IGNORED = COLUMN_COUNT
};
#define COLUMNS_NEEDED 3
#define REPORT_FIRST   "start_utc" /* says that the report wrote the file */

/* A name as anyone writes it, and as `sluice report --csv` does. */
static const struct {
	const char *plain, *report;
} column_names[COLUMN_COUNT] = {
	[COLUMN_SECONDS] = {"seconds", "start_s"},
	[COLUMN_N] = {"n", "n"},
	[COLUMN_X] = {"x_mb_per_min", "mb_per_min"},
	[COLUMN_WAVE] = {"wave", "wave"},
	[COLUMN_P95] = {"canary_p95_ms", "canary_p95_ms"},
	[COLUMN_PROBES] = {"probes", "probes"},
	[COLUMN_CPU] = {"cpu", "cpu"},
	[COLUMN_AWAIT] = {"disk_await_ms", "disk_await_ms"},
	[COLUMN_UTIL] = {"disk_util", "disk_util"},
	[COLUMN_MEM] = {"mem_available", "mem_available"},
	[COLUMN_NIC] = {"nic", "nic"},
	[COLUMN_LENGTH] = {NULL, "seconds"},
	[COLUMN_WHY] = {NULL, "why"},
};

struct reader {
	const char *name;
	const char *at, *end;
	unsigned line, column; /* of the cell that was read last, from 1 */
	bool line_ended;
	bool report; /* the file is the report's */
	char cell[CELL_MAX + 1];
	enum column order[COLUMNS_MAX];
	unsigned columns;
};

static int wrong(struct reader *r, struct err *err, const char *what)
{
	return err_set(err, ERR_CONFIG, "%s:%u:%u: %s", r->name, r->line,
		r->column, what);
}

/* The next cell of the line, blanks and quotes around it taken off. */
static int next_cell(struct reader *r, struct err *err)
{
	const char *start = r->at;

	r->column++;
	while (r->at < r->end && *r->at != ',' && *r->at != '\n')
		r->at++;
	const char *stop = r->at;
	r->line_ended = r->at >= r->end || *r->at == '\n';
	if (r->at < r->end)
		r->at++;
	while (start < stop &&
		(isspace((unsigned char)*start) || *start == '"'))
		start++;
	while (stop > start &&
		(isspace((unsigned char)stop[-1]) || stop[-1] == '"'))
		stop--;
	size_t length = (size_t)(stop - start);
	if (length > CELL_MAX)
		return wrong(r, err, "the cell is longer than 63 characters");
	memcpy(r->cell, start, length);
	r->cell[length] = '\0';
	return 0;
}

/* NULL: only the report has it. */
static const char *name_of(const struct reader *r, int column)
{
	return r->report ? column_names[column].report
			 : column_names[column].plain;
}

static enum column column_named(const struct reader *r)
{
	for (int i = 0; i < COLUMN_COUNT; i++) {
		const char *name = name_of(r, i);
		if (name && strcmp(r->cell, name) == 0)
			return (enum column)i;
	}
	return COLUMN_IGNORED;
}

static int read_header(struct reader *r, struct err *err)
{
	bool seen[COLUMN_COUNT + 1] = {false};

	r->line = 1;
	r->column = 0;
	if (r->end - r->at >= 3 && memcmp(r->at, UTF8_MARK, 3) == 0)
		r->at += 3;
	do {
		if (r->columns == COLUMNS_MAX)
			return wrong(r, err, "more than 64 columns");
		if (next_cell(r, err) < 0)
			return -1;
		if (r->columns == 0)
			r->report = strcmp(r->cell, REPORT_FIRST) == 0;
		enum column column = column_named(r);
		if (column == COLUMN_IGNORED && !r->report)
			return wrong(r, err,
				"unknown column; known are seconds, n, "
				"x_mb_per_min, wave, canary_p95_ms, probes, "
				"cpu, disk_await_ms, disk_util, "
				"mem_available, nic, with commas between");
		if (seen[column] && column != COLUMN_IGNORED)
			return wrong(r, err, "the column is there twice");
		seen[column] = true;
		r->order[r->columns++] = column;
	} while (!r->line_ended);
	for (int i = 0; i < COLUMNS_NEEDED; i++)
		if (!seen[i])
			return err_set(err, ERR_CONFIG,
				"%s:1: the column \"%s\" is missing; needed "
				"are seconds, n, x_mb_per_min",
				r->name, name_of(r, i));
	return 0;
}

static void set_load(
	struct bucket *bucket, enum load_metric metric, double value)
{
	bucket->load[metric] = value >= 0 ? (float)value : NAN;
}

static void set_value(struct bucket *bucket, enum column column, double value)
{
	uint32_t count = value > 0 && value < 1e9 ? (uint32_t)value : 0;

	switch (column) {
	case COLUMN_SECONDS:
		bucket->start_s = value;
		break;
	case COLUMN_N:
		bucket->n = (float)value;
		break;
	case COLUMN_X:
		bucket->x_mb_min = (float)value;
		break;
	case COLUMN_WAVE:
		bucket->wave = count;
		break;
	case COLUMN_P95:
		bucket->p95_ms = value >= 0 ? (float)value : NAN;
		break;
	case COLUMN_PROBES:
		bucket->probes = count;
		break;
	case COLUMN_CPU:
		set_load(bucket, LOAD_CPU, value);
		break;
	case COLUMN_AWAIT:
		set_load(bucket, LOAD_DISK_READ_AWAIT, value);
		break;
	case COLUMN_UTIL:
		set_load(bucket, LOAD_DISK_UTIL, value);
		break;
	case COLUMN_MEM:
		set_load(bucket, LOAD_MEM_AVAILABLE, value);
		break;
	case COLUMN_NIC:
		set_load(bucket, LOAD_NIC, value);
		break;
	case COLUMN_LENGTH:
		bucket->seconds = (float)value;
		break;
	case COLUMN_WHY:
	case COLUMN_COUNT:
		break;
	}
}

/* Why the report left a bucket out. */
static unsigned flag_named(const char *name)
{
	for (unsigned i = 0; i < BUCKET_FLAGS; i++)
		if (strcmp(name,
			    bucket_flag_name((enum bucket_flag)(1u << i))) == 0)
			return 1u << i;
	return BUCKET_INVALID;
}

static bool is_share(enum column column)
{
	return column == COLUMN_CPU || column == COLUMN_NIC ||
		column == COLUMN_UTIL || column == COLUMN_MEM;
}

static int read_cell(struct reader *r, struct bucket *bucket,
	enum column column, struct err *err)
{
	char *end;

	if (column == COLUMN_IGNORED || *r->cell == '\0')
		return 0;
	if (column == COLUMN_WHY) {
		bucket->flags |= flag_named(r->cell);
		return 0;
	}
	double value = strtod(r->cell, &end);
	if (*end != '\0')
		return wrong(r, err, "expected a number");
	if (is_share(column) && value > SHARE_MAX)
		return wrong(
			r, err, "expected a share from 0 to 1, not per cent");
	set_value(bucket, column, value);
	return 0;
}

/* A p95 without its number of probes: one a second, as our own canary. */
static void finish_row(struct bucket *bucket)
{
	if (bucket->probes == 0 && isfinite(bucket->p95_ms))
		bucket->probes = 5;
	if (!isfinite(bucket->n) || !isfinite(bucket->x_mb_min) ||
		bucket->n < 0 || bucket->x_mb_min < 0)
		bucket->flags |= BUCKET_INVALID;
	else if (fabsf(bucket->n - roundf(bucket->n)) >
		(float)BUCKET_CHANGE_SHARE * bucket->n)
		bucket->flags |= BUCKET_N_CHANGED;
}

static int read_row(struct reader *r, struct bucket *bucket, struct err *err)
{
	bucket_init(bucket, NAN, LENGTH_S);
	bucket->n = bucket->x_mb_min = NAN;
	r->column = 0;
	for (unsigned i = 0; i < r->columns; i++) {
		if (next_cell(r, err) < 0 ||
			read_cell(r, bucket, r->order[i], err) < 0)
			return -1;
		if (r->line_ended != (i + 1 == r->columns))
			return wrong(r, err,
				r->line_ended ? "the row ends too early"
					      : "the row has too many cells");
	}
	if (!isfinite(bucket->start_s))
		return wrong(r, err,
			r->report ? "the row has no time in \"start_s\""
				  : "the row has no time in \"seconds\"");
	finish_row(bucket);
	return 0;
}

static bool blank_line(struct reader *r)
{
	const char *at = r->at;

	while (at < r->end && *at != '\n' && isspace((unsigned char)*at))
		at++;
	if (at < r->end && *at != '\n')
		return false;
	r->at = at < r->end ? at + 1 : at;
	return true;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A row lasts until the next one, the last as long as is usual. Nobody knows
 * what ran in a gap: before one no longer than twice the usual, which is the
 * median. */
static void set_lengths(struct bucket *row, size_t count)
{
	if (count < 2)
		return;
	double *length = xcalloc(count, sizeof(*length));
	for (size_t i = 0; i + 1 < count; i++)
		length[i] = row[i + 1].start_s - row[i].start_s;
	qsort(length, count - 1, sizeof(*length), compare_doubles);
	double usual = length[(count - 2) / 2];
	for (size_t i = 0; i + 1 < count; i++)
		row[i].seconds = (float)fmin(
			row[i + 1].start_s - row[i].start_s, 2 * usual);
	row[count - 1].seconds = (float)usual;
	free(length);
}

static int read_rows(struct reader *r, struct csv_table *table, struct err *err)
{
	size_t room = 0;

	for (r->line = 2; r->at < r->end; r->line++) {
		if (blank_line(r))
			continue;
		if (table->count == room) {
			room = room ? room * 2 : 1024;
			table->bucket = xrealloc(
				table->bucket, room, sizeof(*table->bucket));
		}
		if (table->count == CSV_ROWS_MAX)
			return wrong(r, err, "more than 10 million rows");
		struct bucket *row = &table->bucket[table->count];
		if (read_row(r, row, err) < 0)
			return -1;
		if (table->count && row->start_s <= row[-1].start_s)
			return wrong(r, err, "rows must be in order of time");
		table->count++;
	}
	if (!r->report)
		set_lengths(table->bucket, table->count);
	return 0;
}

int csv_read(struct csv_table *table, const char *name, const char *text,
	size_t length, struct err *err)
{
	struct reader r = {.name = name, .at = text, .end = text + length};
	struct csv_table result = {0};

	if (length == 0)
		return err_set(err, ERR_CONFIG,
			"%s: empty; the first line names the columns", name);
	if (read_header(&r, err) < 0)
		return -1;
	if (read_rows(&r, &result, err) < 0) {
		free(result.bucket);
		return -1;
	}
	for (unsigned i = 0; i < r.columns; i++) {
		result.canary = result.canary || r.order[i] == COLUMN_P95;
		result.load = result.load ||
			(r.order[i] >= COLUMN_CPU && r.order[i] <= COLUMN_NIC);
	}
	*table = result;
	return 0;
}
