/*
 * store_compact.c - gives back the space of messages that are gone. See
 * store.h. What still lives in a pack is copied to the end of the last one,
 * window by window, each its own transaction; the old pack goes only when the
 * rows that name the new places are on the disk. Thread: the handle's.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "store_private.h"

#define BATCH	   64
#define COPY_BYTES (64 * 1024)

/* Rows with a blob in one pack. */
struct tenant {
	int64_t id;
	struct blob header, body;
	bool has_header, has_body;
};

static bool inside(sqlite3_stmt *row, int column, unsigned number)
{
	return sqlite3_column_type(row, column) != SQLITE_NULL &&
		PACK_OF((uint64_t)sqlite3_column_int64(row, column)) == number;
}

static struct blob blob_of(sqlite3_stmt *row, int column)
{
	return (struct blob){
		.at = (uint64_t)sqlite3_column_int64(row, column),
		.length = (uint64_t)sqlite3_column_int64(row, column + 1),
		.crc = (uint32_t)sqlite3_column_int64(row, column + 2),
	};
}

static int next_tenants(struct store *store, unsigned number, int64_t after,
	struct tenant *tenants, size_t *count, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT id, header_at, header_length, header_crc, body_at,"
		" body_length, body_crc FROM messages WHERE id > ?1"
		" AND (header_at >> 40 = ?2 OR body_at >> 40 = ?2)"
		" ORDER BY id LIMIT ?3",
		db_int(after), db_int(number), db_int(BATCH));
	int status = 0;

	*count = 0;
	if (!row)
		return -1;
	while (*count < BATCH && (status = db_step(&store->db, row, err)) > 0)
		tenants[(*count)++] = (struct tenant){
			.id = sqlite3_column_int64(row, 0),
			.header = blob_of(row, 1),
			.body = blob_of(row, 4),
			.has_header = inside(row, 1, number),
			.has_body = inside(row, 4, number),
		};
	db_end(&store->db, row);
	return status < 0 ? -1 : 0;
}

/* BLOB becomes the copy's place; its bytes are compared on the way. */
static int move_blob(struct store *store, struct blob *blob, struct err *err)
{
	char *data = xcalloc(1, COPY_BYTES);
	struct blob copy = {0};
	uint64_t offset = 0;
	ssize_t n = 0;
	int status = pack_begin(store->pack, err);

	while (status == 0 &&
		(n = pack_read(store->pack, blob, offset, data, COPY_BYTES,
			 err)) > 0) {
		status = pack_append(store->pack, data, (size_t)n, err);
		offset += (uint64_t)n;
	}
	free(data);
	if (status < 0 || n < 0) {
		pack_abort(store->pack);
		return -1;
	}
	pack_finish(store->pack, &copy);
	if (copy.length != blob->length || copy.crc != blob->crc)
		return err_set(err, ERR_DATABASE,
			"%s: the stored bytes of a message are damaged; run "
			"`sluice-agent verify --deep --repair`",
			store->directory);
	*blob = copy;
	return 0;
}

static int move_tenant(
	struct store *store, struct tenant *tenant, struct err *err)
{
	if (tenant->has_header &&
		(move_blob(store, &tenant->header, err) < 0 ||
			db_run(&store->db, err,
				"UPDATE messages SET header_at = ?"
				" WHERE id = ?",
				db_int((int64_t)tenant->header.at),
				db_int(tenant->id)) < 0))
		return -1;
	if (tenant->has_body &&
		(move_blob(store, &tenant->body, err) < 0 ||
			db_run(&store->db, err,
				"UPDATE messages SET body_at = ? WHERE id = ?",
				db_int((int64_t)tenant->body.at),
				db_int(tenant->id)) < 0))
		return -1;
	return 0;
}

static int move_batch(struct store *store, struct tenant *tenants, size_t count,
	struct err *err)
{
	if (store_begin(store, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (move_tenant(store, &tenants[i], err) < 0)
			goto rollback;
	}
	if (store_commit(store, err) == 0)
		return 0;
rollback:
	store_rollback(store);
	return -1;
}

static bool told_to_stop(const atomic_bool *stop)
{
	return stop && atomic_load(stop);
}

static int empty_pack(struct store *store, unsigned number,
	const atomic_bool *stop, struct err *err)
{
	struct tenant *tenants = xcalloc(BATCH, sizeof(*tenants));
	int64_t after = 0;
	size_t count;
	int status;

	do {
		status = next_tenants(
			store, number, after, tenants, &count, err);
		if (status == 0 && count) {
			after = tenants[count - 1].id;
			status = move_batch(store, tenants, count, err);
		}
	} while (status == 0 && count == BATCH && !told_to_stop(stop));
	free(tenants);
	return status;
}

static int live_bytes(
	struct store *store, unsigned number, uint64_t *live, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT ifnull(SUM(CASE WHEN header_at >> 40 = ?1 THEN"
		" header_length ELSE 0 END + CASE WHEN body_at >> 40 = ?1 THEN"
		" body_length ELSE 0 END), 0) FROM messages"
		" WHERE header_at >> 40 = ?1 OR body_at >> 40 = ?1",
		db_int(number));
	int status;

	if (!row)
		return -1;
	status = db_step(&store->db, row, err);
	if (status > 0)
		*live = (uint64_t)sqlite3_column_int64(row, 0);
	db_end(&store->db, row);
	return status < 0 ? -1 : 0;
}

/* The pack that is being written is closed first. */
static int begin_next_pack(struct store *store, struct err *err)
{
	if (store_begin(store, err) < 0)
		return -1;
	if (pack_roll(store->pack, err) < 0 || store_commit(store, err) < 0) {
		store_rollback(store);
		return -1;
	}
	return 0;
}

/* 1 when the pack is gone. 0: told to stop before; or somebody still reads by
 * rows that name the old places, and it goes another time. */
static int compact_pack(struct store *store, unsigned number, uint64_t live,
	const atomic_bool *stop, struct err *err)
{
	if (number == PACK_OF(pack_end(store->pack)) &&
		begin_next_pack(store, err) < 0)
		return -1;
	if (live && empty_pack(store, number, stop, err) < 0)
		return -1;
	if (told_to_stop(stop))
		return 0;
	if (store_sync(store, err) < 0)
		return -1;
	if (!store_is_read_anew(store))
		return 0;
	return pack_remove(store->pack, number, err) < 0 ? -1 : 1;
}

static bool worth_it(uint64_t size_bytes, uint64_t live, unsigned dead_percent)
{
	return live < size_bytes &&
		(size_bytes - live) * 100 >= size_bytes * dead_percent;
}

int store_compact(struct store *store, unsigned dead_percent,
	const atomic_bool *stop, uint64_t *freed, struct err *err)
{
	unsigned last = PACK_OF(pack_end(store->pack));
	uint64_t total = 0;

	if (store->access == STORE_READ || store->in_transaction)
		return err_set(err, ERR_DATABASE,
			"%s: compacting needs the writer, outside of a "
			"transaction",
			store->db.path);
	for (unsigned number = 1; number <= last; number++) {
		uint64_t size_bytes = pack_bytes(store->pack, number);
		uint64_t live = 0;
		int done;

		if (!size_bytes)
			continue;
		if (live_bytes(store, number, &live, err) < 0)
			return -1;
		if (!worth_it(size_bytes, live, dead_percent))
			continue;
		done = compact_pack(store, number, live, stop, err);
		if (done < 0)
			return -1;
		total += done ? size_bytes - live : 0;
		if (told_to_stop(stop))
			break;
	}
	*freed = total;
	return 0;
}
