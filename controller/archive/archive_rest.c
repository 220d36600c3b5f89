/*
 * archive_rest.c - settings, the count of reports, and who may speak.
 *
 * Secrets and tokens come as SHA-256 and are compared in constant time.
 */
#include "archive.h"
#include "archive_private.h"

#include <string.h>

#include "alloc.h"
#include "err.h"

static int prepare(struct archive *archive, const char *sql,
	sqlite3_stmt **stmt, struct err *err)
{
	if (sqlite3_prepare_v2(archive->db, sql, -1, stmt, NULL) != SQLITE_OK)
		return table_error(archive->db, "statement", err);
	return 0;
}

/* Run a statement that returns no row. */
static int finish(struct archive *archive, sqlite3_stmt *stmt, struct err *err)
{
	int result = 0;

	if (sqlite3_step(stmt) != SQLITE_DONE)
		result = table_error(archive->db, "write", err);
	sqlite3_finalize(stmt);
	return result;
}

/* ---- settings */

int archive_set(struct archive *archive, const char *key, const char *value,
	struct err *err)
{
	sqlite3_stmt *stmt;

	if (prepare(archive,
		    "INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)",
		    &stmt, err) < 0)
		return -1;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
	return finish(archive, stmt, err);
}

int archive_get(
	struct archive *archive, const char *key, char **value, struct err *err)
{
	sqlite3_stmt *stmt;
	int step;

	if (prepare(archive, "SELECT value FROM setting WHERE key = ?", &stmt,
		    err) < 0)
		return -1;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	step = sqlite3_step(stmt);
	if (step == SQLITE_ROW || step == SQLITE_DONE)
		*value = step == SQLITE_ROW
			? xstrdup((const char *)sqlite3_column_text(stmt, 0))
			: NULL;
	sqlite3_finalize(stmt);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return table_error(archive->db, "setting", err);
	return 0;
}

int archive_scenario(struct archive *archive, char **text, struct err *err)
{
	if (archive_get(archive, "scenario", text, err) < 0)
		return -1;
	return *text
		? 0
		: err_set(err, ERR_DATABASE,
			  "archive: the scenario is missing; it is damaged");
}

/* ---- reports */

int archive_add_report(struct archive *archive, const char *agent, uint64_t seq,
	int64_t at_us, bool *fresh, struct err *err)
{
	sqlite3_stmt *stmt;

	if (prepare(archive,
		    "INSERT OR IGNORE INTO report (agent, seq, at_us) "
		    "VALUES (?, ?, ?)",
		    &stmt, err) < 0)
		return -1;
	sqlite3_bind_text(stmt, 1, agent, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)seq);
	sqlite3_bind_int64(stmt, 3, at_us);
	if (finish(archive, stmt, err) < 0)
		return -1;
	*fresh = sqlite3_changes(archive->db) == 1;
	return 0;
}

/* ---- secrets */

static bool same_hash(const unsigned char *a, const void *b, int length)
{
	const unsigned char *c = b;
	unsigned char difference = 0;

	if (!b || length != ARCHIVE_HASH_BYTES)
		return false;
	for (int i = 0; i < ARCHIVE_HASH_BYTES; i++)
		difference |= a[i] ^ c[i];
	return difference == 0;
}

int archive_put_secret(struct archive *archive, unsigned client,
	const char *agent, const unsigned char hash[ARCHIVE_HASH_BYTES],
	struct err *err)
{
	sqlite3_stmt *stmt;

	if (prepare(archive,
		    "INSERT OR REPLACE INTO secret (client, agent, hash) "
		    "VALUES (?, ?, ?)",
		    &stmt, err) < 0)
		return -1;
	sqlite3_bind_int64(stmt, 1, client);
	sqlite3_bind_text(stmt, 2, agent, -1, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 3, hash, ARCHIVE_HASH_BYTES, SQLITE_STATIC);
	return finish(archive, stmt, err);
}

int archive_check_secret(struct archive *archive, const char *agent,
	const unsigned char hash[ARCHIVE_HASH_BYTES], unsigned *client,
	struct err *err)
{
	sqlite3_stmt *stmt;
	int step;

	if (prepare(archive, "SELECT client, hash FROM secret WHERE agent = ?",
		    &stmt, err) < 0)
		return -1;
	sqlite3_bind_text(stmt, 1, agent, -1, SQLITE_STATIC);
	step = sqlite3_step(stmt);
	*client = 0;
	if (step == SQLITE_ROW &&
		same_hash(hash, sqlite3_column_blob(stmt, 1),
			sqlite3_column_bytes(stmt, 1)))
		*client = (unsigned)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return table_error(archive->db, "secret", err);
	return 0;
}

/* ---- tokens */

int archive_add_token(struct archive *archive,
	const unsigned char hash[ARCHIVE_HASH_BYTES], const char *kind,
	int64_t expires_us, unsigned uses, struct err *err)
{
	sqlite3_stmt *stmt;

	if (prepare(archive,
		    "INSERT OR REPLACE INTO token (hash, kind, expires_us, "
		    "uses) VALUES (?, ?, ?, ?)",
		    &stmt, err) < 0)
		return -1;
	sqlite3_bind_blob(stmt, 1, hash, ARCHIVE_HASH_BYTES, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, kind, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, expires_us);
	sqlite3_bind_int64(stmt, 4, uses);
	return finish(archive, stmt, err);
}

/* The last use deletes the token, since 0 means any number. */
static int count_use(struct archive *archive, const unsigned char *hash,
	int64_t uses, struct err *err)
{
	sqlite3_stmt *stmt;

	if (uses == 0)
		return 0;
	if (prepare(archive,
		    uses == 1 ? "DELETE FROM token WHERE hash = ?"
			      : "UPDATE token SET uses = uses - 1 "
				"WHERE hash = ?",
		    &stmt, err) < 0)
		return -1;
	sqlite3_bind_blob(stmt, 1, hash, ARCHIVE_HASH_BYTES, SQLITE_STATIC);
	return finish(archive, stmt, err);
}

int archive_use_token(struct archive *archive,
	const unsigned char hash[ARCHIVE_HASH_BYTES], const char *kind,
	int64_t now_us, bool *good, struct err *err)
{
	sqlite3_stmt *stmt;
	bool found = false;
	int64_t uses = 0;
	int step;

	if (prepare(archive,
		    "SELECT hash, uses FROM token WHERE kind = ? AND "
		    "(expires_us = 0 OR expires_us > ?)",
		    &stmt, err) < 0)
		return -1;
	sqlite3_bind_text(stmt, 1, kind, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, now_us);
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (!same_hash(hash, sqlite3_column_blob(stmt, 0),
			    sqlite3_column_bytes(stmt, 0)))
			continue;
		found = true;
		uses = sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	if (step != SQLITE_DONE)
		return table_error(archive->db, "token", err);
	if (found && count_use(archive, hash, uses, err) < 0)
		return -1;
	*good = found;
	return 0;
}
