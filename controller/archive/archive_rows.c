/*
 * archive_rows.c - writing and reading the archive's rows.
 *
 * Thin names over table.c, so that callers cannot mix rows and tables.
 */
#include "archive.h"
#include "archive_private.h"

#include <stdlib.h>

#include "err.h"

static int put(struct archive *archive, enum schema_table table,
	const void *row, struct err *err)
{
	return table_put(archive->db, &archive->put[table],
		&schema_tables[table], row, err);
}

static int read_all(struct archive *archive, enum schema_table table,
	const char *tail, double since, void **rows, size_t *count,
	struct err *err)
{
	return table_read(archive->db, &schema_tables[table], tail, NULL, since,
		rows, count, err);
}

int archive_put_rollout(
	struct archive *archive, const struct rollout_row *row, struct err *err)
{
	return put(archive, SCHEMA_ROLLOUT, row, err);
}

int archive_put_client(
	struct archive *archive, const struct client_row *row, struct err *err)
{
	return put(archive, SCHEMA_CLIENT, row, err);
}

int archive_put_wave(
	struct archive *archive, const struct wave_row *row, struct err *err)
{
	return put(archive, SCHEMA_WAVE, row, err);
}

int archive_add_transition(struct archive *archive,
	const struct transition_row *row, struct err *err)
{
	return put(archive, SCHEMA_TRANSITION, row, err);
}

int archive_add_event(
	struct archive *archive, const struct event_row *row, struct err *err)
{
	return put(archive, SCHEMA_EVENT, row, err);
}

int archive_add_sample(
	struct archive *archive, const struct sample_row *row, struct err *err)
{
	return put(archive, SCHEMA_SAMPLE, row, err);
}

int archive_add_load(
	struct archive *archive, const struct load_row *row, struct err *err)
{
	return put(archive, SCHEMA_LOAD, row, err);
}

int archive_add_probe(
	struct archive *archive, const struct probe_row *row, struct err *err)
{
	return put(archive, SCHEMA_PROBE, row, err);
}

int archive_put_bucket(
	struct archive *archive, const struct bucket *row, struct err *err)
{
	return put(archive, SCHEMA_BUCKET, row, err);
}

int archive_add_recommendation(struct archive *archive,
	struct recommendation_row *row, struct err *err)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(archive->db,
		    "SELECT coalesce(max(id), 0) + 1 FROM recommendation", -1,
		    &stmt, NULL) != SQLITE_OK ||
		sqlite3_step(stmt) != SQLITE_ROW) {
		sqlite3_finalize(stmt);
		return table_error(archive->db, "recommendation", err);
	}
	row->id = (unsigned)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return put(archive, SCHEMA_RECOMMENDATION, row, err);
}

/* ---- reading */

int archive_rollout(
	struct archive *archive, struct rollout_row *row, struct err *err)
{
	void *rows;
	size_t count;

	if (read_all(archive, SCHEMA_ROLLOUT, "", 0, &rows, &count, err) < 0)
		return -1;
	if (count == 1)
		*row = *(struct rollout_row *)rows;
	free(rows);
	return count == 1
		? 0
		: err_set(err, ERR_DATABASE,
			  "archive: holds %zu rollouts, not one", count);
}

int archive_clients(struct archive *archive, struct client_row **rows,
	size_t *count, struct err *err)
{
	return read_all(archive, SCHEMA_CLIENT, "ORDER BY id", 0, (void **)rows,
		count, err);
}

int archive_waves(struct archive *archive, struct wave_row **rows,
	size_t *count, struct err *err)
{
	return read_all(archive, SCHEMA_WAVE, "ORDER BY number", 0,
		(void **)rows, count, err);
}

int archive_transitions(struct archive *archive, const char *object,
	struct transition_row **rows, size_t *count, struct err *err)
{
	return table_read(archive->db, &schema_tables[SCHEMA_TRANSITION],
		object ? "WHERE object = ? ORDER BY rowid" : "ORDER BY rowid",
		object, 0, (void **)rows, count, err);
}

int archive_events(struct archive *archive, struct event_row **rows,
	size_t *count, struct err *err)
{
	return read_all(archive, SCHEMA_EVENT, "ORDER BY rowid", 0,
		(void **)rows, count, err);
}

int archive_samples(struct archive *archive, int64_t since_us,
	struct sample_row **rows, size_t *count, struct err *err)
{
	return read_all(archive, SCHEMA_SAMPLE,
		"WHERE at_us >= ? ORDER BY at_us, client", (double)since_us,
		(void **)rows, count, err);
}

int archive_add_host(
	struct archive *archive, const struct host_row *row, struct err *err)
{
	return put(archive, SCHEMA_HOST, row, err);
}

int archive_hosts(struct archive *archive, int64_t since_us,
	struct host_row **rows, size_t *count, struct err *err)
{
	return read_all(archive, SCHEMA_HOST, "WHERE at_us >= ? ORDER BY at_us",
		(double)since_us, (void **)rows, count, err);
}

int archive_loads(struct archive *archive, int64_t since_us,
	struct load_row **rows, size_t *count, struct err *err)
{
	return read_all(archive, SCHEMA_LOAD, "WHERE at_us >= ? ORDER BY at_us",
		(double)since_us, (void **)rows, count, err);
}

int archive_probes(struct archive *archive, int64_t since_us,
	struct probe_row **rows, size_t *count, struct err *err)
{
	return read_all(archive, SCHEMA_PROBE,
		"WHERE start_us >= ? ORDER BY start_us", (double)since_us,
		(void **)rows, count, err);
}

int archive_buckets(struct archive *archive, struct bucket **rows,
	size_t *count, struct err *err)
{
	return read_all(archive, SCHEMA_BUCKET, "ORDER BY start_s", 0,
		(void **)rows, count, err);
}

int archive_buckets_seen(struct archive *archive, unsigned recommendation,
	struct bucket **rows, size_t *count, struct err *err)
{
	return table_read(archive->db, &schema_bucket_seen,
		"WHERE since < ?1 AND until >= ?1 ORDER BY start_s", NULL,
		recommendation, (void **)rows, count, err);
}

int archive_recommendations(struct archive *archive,
	struct recommendation_row **rows, size_t *count, struct err *err)
{
	return read_all(archive, SCHEMA_RECOMMENDATION, "ORDER BY id", 0,
		(void **)rows, count, err);
}

void archive_recommendations_free(struct recommendation_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rows[i].inputs_json);
		free(rows[i].result_json);
	}
	free(rows);
}
