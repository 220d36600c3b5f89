/*
 * csv.h - bucket rows from anywhere, for `sluice recommend --from-csv`.
 *
 * The first line names the columns, in any order, separated by commas:
 * seconds, n, x_mb_per_min are needed; wave, canary_p95_ms, probes, cpu,
 * disk_await_ms, disk_util, mem_available and nic are known (ratios 0..1).
 * An empty cell was not measured. Rows must be in order of time; a row lasts
 * until the next one, but no longer than twice the median, which is the last
 * one's length.
 *
 * The buckets.csv of `sluice report --csv` is taken as well, known by its first
 * column; what the report left out is left out again.
 */
#ifndef SLUICE_CSV_H
#define SLUICE_CSV_H

#include "bucket.h"

#define CSV_ROWS_MAX 10000000

struct csv_table {
	struct bucket *bucket; /* for free() */
	size_t count;
	bool load;   /* a column of server load was there */
	bool canary; /* canary_p95_ms was there */
};

/* NAME is for errors, which give line and column. */
int csv_read(struct csv_table *table, const char *name, const char *text,
	size_t length, struct err *err);

#endif
