/*
 * archive.c - opening, owning and the transactions of the archive.
 *
 * Used by the controller's loop as its owner and by reports as a reader.
 */
#include "archive.h"
#include "archive_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"

#define BUSY_TIMEOUT_MS 5000

static int exec(struct archive *archive, const char *sql, struct err *err)
{
	if (sqlite3_exec(archive->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return table_error(archive->db, "statement", err);
	return 0;
}

/* One controller per directory, until its process ends. */
static int take_lock(struct archive *archive, const char *dir, struct err *err)
{
	char *path = xasprintf("%s/lock", dir);
	char owner[32] = "";
	int result = 0;

	archive->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (archive->lock < 0) {
		result = err_set_errno(err, "%s", path);
	} else if (flock(archive->lock, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = pread(archive->lock, owner, sizeof(owner) - 1, 0);

		owner[n > 0 ? n : 0] = '\0';
		owner[strcspn(owner, "\n")] = '\0';
		result = err_set(err, ERR_LOCKED,
			"%s: another controller owns it (process %s); stop "
			"that one or take another --state",
			dir, owner[0] ? owner : "unknown");
	} else {
		int n = snprintf(owner, sizeof(owner), "%ld\n", (long)getpid());

		/* The name of the owner only serves the message above. */
		if (ftruncate(archive->lock, 0) < 0 ||
			pwrite(archive->lock, owner, (size_t)n, 0) < 0)
			result = err_set_errno(err, "%s", path);
	}
	free(path);
	return result;
}

static int open_database(
	struct archive *archive, const char *dir, int flags, struct err *err)
{
	char *path = xasprintf("%s/archive.db", dir);
	int code = sqlite3_open_v2(path, &archive->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | flags, NULL);
	int result = 0;

	if (code != SQLITE_OK && access(path, F_OK) < 0 && !flags)
		result = err_set(err, ERR_IO,
			"%s: no rollout is here; run: sluice init SCENARIO "
			"--state %s",
			dir, dir);
	else if (code != SQLITE_OK)
		result = table_error(archive->db, path, err);
	else
		sqlite3_busy_timeout(archive->db, BUSY_TIMEOUT_MS);
	free(path);
	return result;
}

static int check_version(struct archive *archive, struct err *err)
{
	sqlite3_stmt *stmt;
	int version = -1;

	if (sqlite3_prepare_v2(archive->db, "PRAGMA user_version", -1, &stmt,
		    NULL) != SQLITE_OK)
		return table_error(archive->db, "version", err);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	if (version < 0)
		return table_error(archive->db, "version", err);
	if (version == SCHEMA_VERSION)
		return 0;
	return err_set(err, ERR_DATABASE,
		"archive: made by another version of sluice (schema %d, ours "
		"is %d); use that one",
		version, SCHEMA_VERSION);
}

static int create_tables(struct archive *archive, struct err *err)
{
	char version[48];

	for (int i = 0; i < SCHEMA_COUNT; i++) {
		char *sql = table_create_sql(&schema_tables[i]);
		int result = exec(archive, sql, err);

		free(sql);
		if (result < 0)
			return -1;
	}
	(void)snprintf(version, sizeof(version), "PRAGMA user_version=%d",
		SCHEMA_VERSION);
	if (exec(archive, schema_rest, err) < 0)
		return -1;
	return exec(archive, version, err);
}

static int fill_new(struct archive *archive, const struct rollout_row *rollout,
	const char *scenario_text, const struct client_row *clients,
	size_t count, struct err *err)
{
	if (archive_begin(archive, err) < 0 ||
		create_tables(archive, err) < 0 ||
		archive_put_rollout(archive, rollout, err) < 0 ||
		archive_set(archive, "scenario", scenario_text, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (archive_put_client(archive, &clients[i], err) < 0)
			return -1;
	return archive_commit(archive, err);
}

int archive_create(const char *dir, const struct rollout_row *rollout,
	const char *scenario_text, const struct client_row *clients,
	size_t count, struct err *err)
{
	struct archive *archive = xcalloc(1, sizeof(*archive));
	char *path = xasprintf("%s/archive.db", dir);
	int result = -1;

	archive->lock = -1;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		err_set_errno(err, "%s", dir);
	else if (access(path, F_OK) == 0)
		err_set(err, ERR_REFUSED,
			"%s: a rollout is here already; take another --state",
			dir);
	else if (take_lock(archive, dir, err) == 0 &&
		open_database(archive, dir, SQLITE_OPEN_CREATE, err) == 0 &&
		chmod(path, 0600) == 0 &&
		exec(archive,
			"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
			err) == 0) {
		result = fill_new(
			archive, rollout, scenario_text, clients, count, err);
		/* Half an archive would refuse the next try. */
		if (result < 0)
			(void)unlink(path);
	}
	archive_close(&archive);
	free(path);
	return result;
}

int archive_open(struct archive **out, const char *dir, enum archive_mode mode,
	struct err *err)
{
	struct archive *archive = xcalloc(1, sizeof(*archive));
	const char *pragmas = mode == ARCHIVE_OWN
		? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		  "PRAGMA wal_autocheckpoint=4000"
		: "PRAGMA query_only=1";

	archive->lock = -1;
	if (open_database(archive, dir, 0, err) < 0 ||
		(mode == ARCHIVE_OWN && take_lock(archive, dir, err) < 0) ||
		check_version(archive, err) < 0 ||
		exec(archive, pragmas, err) < 0) {
		archive_close(&archive);
		return -1;
	}
	*out = archive;
	return 0;
}

void archive_close(struct archive **handle)
{
	struct archive *archive = *handle;

	if (!archive)
		return;
	for (int i = 0; i < SCHEMA_COUNT; i++)
		sqlite3_finalize(archive->put[i]);
	sqlite3_close(archive->db);
	if (archive->lock >= 0)
		close(archive->lock);
	free(archive);
	*handle = NULL;
}

int archive_begin(struct archive *archive, struct err *err)
{
	return exec(archive, "BEGIN IMMEDIATE", err);
}

int archive_commit(struct archive *archive, struct err *err)
{
	return exec(archive, "COMMIT", err);
}

void archive_rollback(struct archive *archive)
{
	/* What failed may have rolled back already. */
	if (!sqlite3_get_autocommit(archive->db))
		(void)exec(archive, "ROLLBACK", NULL);
}
