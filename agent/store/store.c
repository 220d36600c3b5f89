/*
 * store.c - see store.h: opening, locking, transactions, what is on the
 * disk.
 *
 * The order that makes a kill harmless: bytes into the pack, pack_flush(),
 * the transaction with the rows and the new end of the pack, commit. An end
 * of pack that no commit knows is cut off by the next open. The order that
 * makes a power failure harmless: `synced_end` only ever grows after an
 * fdatasync(); after a boot every blob beyond it is checked. The write-ahead
 * log is folded into the database here, by size, never by SQLite itself.
 * Thread: the one that owns the handle.
 */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "crash.h"
#include "err.h"
#include "store_message.h"
#include "store_scratch.h"

#define FOLD_PAGES     1536 /* 24 MiB of the log, before it is folded */
#define DROP_PAGES     64   /* the same of a log in memory */
#define UNSYNCED_BYTES (UINT64_C(256) << 20)
#define LOCK_WAIT_US   (2 * US_PER_S)
#define LOCK_POLL_US   (10 * US_PER_MS)

static const char writer_pragmas[] = "PRAGMA page_size = 16384;"
				     "PRAGMA journal_mode = WAL;"
				     "PRAGMA synchronous = NORMAL;"
				     "PRAGMA wal_autocheckpoint = 0;"
				     "PRAGMA cache_size = -2048;"
				     "PRAGMA temp_store = MEMORY;"
				     "PRAGMA journal_size_limit = 33554432;";
/* In memory, and many of them: small pages and a short log. */
static const char drop_pragmas[] = "PRAGMA page_size = 4096;"
				   "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = OFF;"
				   "PRAGMA wal_autocheckpoint = 0;"
				   "PRAGMA cache_size = -1024;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA journal_size_limit = 262144;";
static const char reader_pragmas[] = "PRAGMA query_only = 1;"
				     "PRAGMA cache_size = -1024;"
				     "PRAGMA temp_store = MEMORY;";

/* Changes with each boot, so that it tells a killed process, whose bytes the
 * kernel still has, from a machine that went down. */
static void read_boot(char *boot, size_t size)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	boot[0] = '\0';
	if (!file)
		return;
	if (fgets(boot, (int)size, file))
		boot[strcspn(boot, "\n")] = '\0';
	fclose(file);
}

/* Who is only keeping the store up gives way to who has something to store,
 * who therefore waits a moment. */
static int wait_for_lock(const struct store *store)
{
	int64_t until_us = clock_monotonic_us() +
		(store->access == STORE_WRITE ? LOCK_WAIT_US : 0);

	while (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EINTR && clock_monotonic_us() >= until_us)
			return -1;
		clock_sleep_us(LOCK_POLL_US);
	}
	return 0;
}

static int take_lock(struct store *store, struct err *err)
{
	char *path = xasprintf("%s/lock", store->directory);
	char owner[32] = "";

	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock_fd < 0) {
		err_set_errno(err, "%s", path);
		err_hint(err, "the directory of the store must be writable");
		goto fail;
	}
	if (wait_for_lock(store) < 0) {
		ssize_t n = pread(store->lock_fd, owner, sizeof(owner) - 1, 0);

		owner[n > 0 ? n : 0] = '\0';
		err_set(err, ERR_LOCKED,
			"%s: another agent works on this store (process "
			"%ld); wait for it or stop it",
			store->directory, strtol(owner, NULL, 10));
		goto fail;
	}
	snprintf(owner, sizeof(owner), "%ld\n", (long)getpid());
	if (ftruncate(store->lock_fd, 0) < 0 ||
		pwrite(store->lock_fd, owner, strlen(owner), 0) < 0) {
		err_set_errno(err, "%s", path);
		goto fail;
	}
	free(path);
	return 0;
fail:
	free(path);
	return -1;
}

static int wal_grew(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *store = arg;

	(void)db;
	(void)name;
	store->wal_pages = pages;
	return SQLITE_OK;
}

/* Finds the end of the last commit and, after a boot, what is lost. */
static int open_packs(struct store *store, struct err *err)
{
	char boot[64];
	char last[64] = "";
	sqlite3_stmt *row;
	uint64_t end;

	row = db_query(&store->db, err,
		"SELECT pack_end, synced_end, boot FROM state");
	if (!row)
		return -1;
	if (db_step(&store->db, row, err) < 0) {
		db_end(&store->db, row);
		return -1;
	}
	end = (uint64_t)sqlite3_column_int64(row, 0);
	store->synced_end = (uint64_t)sqlite3_column_int64(row, 1);
	if (sqlite3_column_text(row, 2))
		snprintf(last, sizeof(last), "%s",
			(const char *)sqlite3_column_text(row, 2));
	db_end(&store->db, row);
	if (pack_seek_end(store->pack, end, err) < 0)
		return -1;
	store->committed_end = pack_end(store->pack);
	if (!end)
		store->synced_end = store->committed_end;
	read_boot(boot, sizeof(boot));
	if (last[0] && strcmp(last, boot) != 0 &&
		store_recover(store, store->synced_end, err) < 0)
		return -1;
	if (strcmp(last, boot) == 0)
		return 0;
	return db_run(
		&store->db, err, "UPDATE state SET boot = ?", db_text(boot));
}

static int open_writer(struct store *store, const char *path, struct err *err)
{
	int status;

	if (mkdir(store->directory, 0700) < 0 && errno != EEXIST)
		return err_set_errno(err, "%s", store->directory);
	if (take_lock(store, err) < 0)
		return -1;
	status = db_open(&store->db, path,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
	if (status == 0)
		status = db_script(&store->db,
			store->drops ? drop_pragmas : writer_pragmas, err);
	if (status < 0)
		return -1;
	sqlite3_wal_hook(store->db.handle, wal_grew, store);
	return schema_open(store, err);
}

/* A store on a medium that may not be written at all: without a log there is
 * nothing that could change under us. */
static int open_unchanging(
	struct store *store, const char *path, struct err *err)
{
	struct buf uri = BUF_INIT(4 * PATH_MAX);
	int status;

	buf_append_text(&uri, "file:");
	for (const char *c = path; *c; c++)
		buf_printf(&uri, strchr("?#%", *c) ? "%%%02x" : "%c",
			(unsigned char)*c);
	buf_append_text(&uri, "?immutable=1");
	status = db_open(&store->db, buf_text(&uri),
		SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
	buf_free(&uri);
	if (status < 0)
		return -1;
	free(store->db.path);
	store->db.path = xstrdup(path);
	return schema_open(store, err);
}

static int open_reader(struct store *store, const char *path, struct err *err)
{
	struct stat st;
	char *log;
	bool no_log;

	if (stat(path, &st) < 0) {
		err_set_errno(err, "%s", path);
		return err_hint(err, "nothing was synchronised into %s yet",
			store->directory);
	}
	if (db_open(&store->db, path, SQLITE_OPEN_READONLY, err) < 0)
		return -1;
	if (db_script(&store->db, reader_pragmas, err) == 0 &&
		schema_open(store, err) == 0)
		return 0;
	log = xasprintf("%s-wal", path);
	no_log = stat(log, &st) < 0 && access(store->directory, W_OK) < 0;
	free(log);
	if (!no_log)
		return -1;
	db_close(&store->db);
	return open_unchanging(store, path, err);
}

struct store *store_open(
	const char *directory, enum store_access access, struct err *err)
{
	struct store *store = xcalloc(1, sizeof(*store));
	char *path = xasprintf("%s/store.db", directory);
	char *bodies = xasprintf("%s/bodies", directory);
	bool writes = access != STORE_READ;
	int status;

	store->directory = xstrdup(directory);
	store->access = access;
	store->drops = scratch_drops(directory);
	store->lock_fd = -1;
	status = writes ? open_writer(store, path, err)
			: open_reader(store, path, err);
	if (status == 0) {
		store->pack = pack_open(bodies,
			store->drops	 ? PACK_DROP
				: writes ? PACK_WRITE
					 : PACK_READ,
			err);
		status = store->pack ? 0 : -1;
	}
	if (status == 0 && writes) {
		store->head = xcalloc(1, STORE_HEAD_BYTES);
		status = open_packs(store, err);
		if (status == 0)
			status = store_load_detached(store, err);
	}
	free(path);
	free(bodies);
	if (status < 0) {
		store_close(store);
		return NULL;
	}
	return store;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->in_transaction)
		store_rollback(store);
	pack_close(store->pack);
	if (store->db.path)
		db_close(&store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->head);
	free(store->directory);
	free(store);
}

void store_cap_caches(uint64_t bytes)
{
	sqlite3_soft_heap_limit64((sqlite3_int64)bytes);
}

const char *store_directory(const struct store *store)
{
	return store->directory;
}

bool store_in_transaction(const struct store *store)
{
	return store->in_transaction;
}

int store_need_transaction(struct store *store, struct err *err)
{
	if (store->in_transaction)
		return 0;
	return err_set(err, ERR_DATABASE, "%s: a change outside a transaction",
		store->db.path);
}

int store_begin(struct store *store, struct err *err)
{
	if (store->access == STORE_READ)
		return err_set(err, ERR_DATABASE, "%s: opened for reading only",
			store->db.path);
	if (store->in_transaction)
		return err_set(err, ERR_DATABASE,
			"%s: a transaction is open already", store->db.path);
	if (db_run(&store->db, err, "BEGIN IMMEDIATE") < 0)
		return -1;
	store->in_transaction = true;
	return 0;
}

/* Makes the log short again; the disk works meanwhile, readers go on, and
 * nobody waits for a reader. A result code of SQLite's. */
static int checkpoint(struct store *store, int mode)
{
	int code;

	sqlite3_busy_timeout(store->db.handle, 0);
	code = sqlite3_wal_checkpoint_v2(
		store->db.handle, NULL, mode, NULL, NULL);
	sqlite3_busy_timeout(store->db.handle, DB_BUSY_TIMEOUT_MS);
	return code;
}

/* The same after the packs are on the disk. */
static int fold_log(struct store *store, int mode, struct err *err)
{
	uint64_t end = store->committed_end;
	int code;

	if (pack_sync(store->pack, err) < 0)
		return -1;
	store->synced_end = end;
	code = checkpoint(store, mode);
	if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
		return db_error(&store->db, err);
	return 0;
}

int store_commit(struct store *store, struct err *err)
{
	uint64_t end;

	if (store_need_transaction(store, err) < 0)
		return -1;
	if (store->body.open)
		return err_set(err, ERR_DATABASE,
			"%s: commit in the middle of a message",
			store->db.path);
	end = pack_end(store->pack);
	if (store_flush_deltas(store, err) < 0 ||
		pack_flush(store->pack, err) < 0 ||
		db_run(&store->db, err,
			"UPDATE state SET pack_end = ?, synced_end = ?",
			db_int((int64_t)end),
			db_int((int64_t)store->synced_end)) < 0 ||
		db_run(&store->db, err, "COMMIT") < 0)
		return -1;
	store->in_transaction = false;
	store->committed_end = end;
	crash_at_commit();
	if (store->wal_pages > (store->drops ? DROP_PAGES : FOLD_PAGES) ||
		end - store->synced_end > UNSYNCED_BYTES)
		return fold_log(store, SQLITE_CHECKPOINT_PASSIVE, err);
	return 0;
}

void store_rollback(struct store *store)
{
	if (!store->in_transaction)
		return;
	store_body_abort(store);
	/* SQLite may have rolled back by itself: then this has no effect. */
	db_run(&store->db, NULL, "ROLLBACK");
	store->in_transaction = false;
	memset(store->deltas, 0, sizeof(store->deltas));
	pack_seek_end(store->pack, store->committed_end, NULL);
	store_load_detached(store, NULL);
}

/* Where a reader keeps the log from being folded, the log itself has to reach
 * the disk. */
static int sync_log(struct store *store, struct err *err)
{
	char *name = xasprintf("%s-wal", store->db.path);
	int fd = open(name, O_RDWR | O_CLOEXEC);
	int status = 0;

	if (fd < 0 ? errno != ENOENT : fdatasync(fd) < 0)
		status = err_set_errno(err, "%s", name);
	if (fd >= 0)
		close(fd);
	free(name);
	return status;
}

/* The log can begin anew only when nobody needs what it has, or what was there
 * before it. */
bool store_is_read_anew(struct store *store)
{
	return checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE) == SQLITE_OK;
}

void store_fold(struct store *store)
{
	if (!store->drops && !store->in_transaction)
		(void)checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
}

int store_sync(struct store *store, struct err *err)
{
	if (store->in_transaction)
		return err_set(err, ERR_DATABASE,
			"%s: sync in the middle of a transaction",
			store->db.path);
	if (fold_log(store, SQLITE_CHECKPOINT_PASSIVE, err) < 0 ||
		store_begin(store, err) < 0)
		return -1;
	if (store_commit(store, err) < 0) {
		store_rollback(store);
		return -1;
	}
	if (fold_log(store, SQLITE_CHECKPOINT_TRUNCATE, err) < 0)
		return -1;
	return sync_log(store, err);
}
