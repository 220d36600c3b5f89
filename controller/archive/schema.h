/*
 * schema.h - the tables of the archive, one per kind of row.
 *
 * Between the parts of archive; nobody else includes it.
 */
#ifndef SLUICE_SCHEMA_H
#define SLUICE_SCHEMA_H

#include "table.h"

/* Grows with every change of a table below. */
#define SCHEMA_VERSION 4

enum schema_table {
	SCHEMA_ROLLOUT,
	SCHEMA_CLIENT,
	SCHEMA_WAVE,
	SCHEMA_TRANSITION,
	SCHEMA_EVENT,
	SCHEMA_SAMPLE,
	SCHEMA_LOAD,
	SCHEMA_PROBE,
	SCHEMA_HOST,
	SCHEMA_BUCKET,
	SCHEMA_RECOMMENDATION,
	SCHEMA_COUNT
};

extern const struct table schema_tables[SCHEMA_COUNT];

/* Buckets as recommendations saw them: a view, for reading only. */
extern const struct table schema_bucket_seen;

/* What is no row of rows.h: settings, reports, secrets, tokens. */
extern const char schema_rest[];

#endif
