/*
 * store_check.c - are the bytes that rows point at the ones that were
 * stored? Asked by the user (verify --deep), and by the first open after the
 * machine went down for what was written last. Thread: the handle's.
 */
#include <stdlib.h>

#include "alloc.h"
#include "err.h"
#include "store_folder.h"
#include "store_message.h"
#include "store_private.h"

#define BATCH 256

struct suspect {
	int64_t id;
	int64_t folder;
	uint32_t uid;
	struct blob header, body; /* at 0 and length 0: there is none */
	bool has_header, has_body;
	bool headless; /* all that is stored of it is its body */
};

struct check {
	struct store *store;
	bool repair;
	void (*each)(const struct store_damage *damage, void *arg);
	void *arg;
	uint64_t bad;
};

static struct blob column_blob(sqlite3_stmt *row, int column)
{
	return (struct blob){
		.at = (uint64_t)sqlite3_column_int64(row, column),
		.length = (uint64_t)sqlite3_column_int64(row, column + 1),
		.crc = (uint32_t)sqlite3_column_int64(row, column + 2),
	};
}

/* The next messages after AFTER with bytes at or beyond FROM. */
static int next_batch(struct store *store, int64_t after, uint64_t from,
	struct suspect *batch, size_t *count, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT id, folder, uid, header_at, header_length,"
		" header_crc, body_at, body_length, body_crc FROM messages"
		" WHERE id > ?1 AND (header_at >= ?2 OR body_at >= ?2)"
		" ORDER BY id LIMIT ?3",
		db_int(after), db_int((int64_t)from), db_int(BATCH));
	int status;

	*count = 0;
	if (!row)
		return -1;
	while (*count < BATCH && (status = db_step(&store->db, row, err)) > 0) {
		struct suspect *next = &batch[(*count)++];

		*next = (struct suspect){
			.id = sqlite3_column_int64(row, 0),
			.folder = sqlite3_column_int64(row, 1),
			.uid = (uint32_t)sqlite3_column_int64(row, 2),
			.header = column_blob(row, 3),
			.body = column_blob(row, 6),
		};
		next->headless = sqlite3_column_type(row, 3) == SQLITE_NULL;
		next->has_header = !next->headless && next->header.at >= from;
		next->has_body = sqlite3_column_type(row, 6) != SQLITE_NULL &&
			next->body.at >= from;
	}
	db_end(&store->db, row);
	return status < 0 ? -1 : 0;
}

/* A message whose body is lost is one that is missing; one whose header is
 * lost, be it in the body, was never seen. */
static int repair(struct store *store, const struct suspect *suspect,
	bool header_bad, struct err *err)
{
	header_bad |= suspect->headless;
	if (store_folder_doubt(store, llabs(suspect->folder), err) < 0)
		return -1;
	if (header_bad && suspect->folder > 0)
		return store_message_delete(
			store, suspect->folder, suspect->uid, err);
	if (header_bad)
		return db_run(&store->db, err,
			"DELETE FROM messages WHERE id = ?",
			db_int(suspect->id));
	if (suspect->folder > 0) {
		struct store_delta *delta = store_delta(
			store, suspect->folder, err);

		if (!delta)
			return -1;
		delta->bodies--;
		delta->body_bytes -= (int64_t)suspect->body.length;
	}
	return db_run(&store->db, err,
		"UPDATE messages SET body_at = NULL, body_length = NULL,"
		" body_crc = NULL WHERE id = ?",
		db_int(suspect->id));
}

static int check_one(
	struct check *check, const struct suspect *suspect, struct err *err)
{
	struct store *store = check->store;
	int header = suspect->has_header
		? pack_verify(store->pack, &suspect->header, err)
		: 1;
	int body = suspect->has_body
		? pack_verify(store->pack, &suspect->body, err)
		: 1;
	struct store_damage damage = {
		suspect->folder, suspect->uid, header ? "body" : "header"};

	if (header < 0 || body < 0)
		return -1;
	if (header && body)
		return 0;
	check->bad++;
	if (check->each)
		check->each(&damage, check->arg);
	return check->repair ? repair(store, suspect, !header, err) : 0;
}

static int check_batch(struct check *check, const struct suspect *batch,
	size_t count, struct err *err)
{
	if (check->repair && store_begin(check->store, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (check_one(check, &batch[i], err) < 0) {
			store_rollback(check->store);
			return -1;
		}
	}
	if (check->repair && store_commit(check->store, err) < 0) {
		store_rollback(check->store);
		return -1;
	}
	return 0;
}

static int check_from(struct check *check, uint64_t from, struct err *err)
{
	struct suspect *batch = xcalloc(BATCH, sizeof(*batch));
	int64_t after = 0;
	size_t count;
	int status;

	do {
		status = next_batch(
			check->store, after, from, batch, &count, err);
		if (status == 0 && count) {
			after = batch[count - 1].id;
			status = check_batch(check, batch, count, err);
		}
	} while (status == 0 && count == BATCH);
	free(batch);
	return status;
}

int store_check(struct store *store, bool repair_them,
	void (*each)(const struct store_damage *damage, void *arg), void *arg,
	uint64_t *bad, struct err *err)
{
	struct check check = {store, repair_them, each, arg, 0};

	if (check_from(&check, 0, err) < 0)
		return -1;
	*bad = check.bad;
	return 0;
}

int store_recover(struct store *store, uint64_t from, struct err *err)
{
	struct check check = {.store = store, .repair = true};

	return check_from(&check, from, err);
}
