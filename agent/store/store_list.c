/*
 * store_list.c - see store_list.h: rows, items, and the bytes of one
 * message. Thread: the handle's.
 */
#include "store_list.h"

#include <stdlib.h>
#include <libdeflate.h>

#include "alloc.h"
#include "err.h"
#include "store_private.h"

#define ROW_COLUMNS                                                            \
	"SELECT id, folder, uid, size, date, internal_date, flags, keywords,"  \
	" protection, body_length, attachment, sender, recipients, subject,"   \
	" message_id, in_reply_to, header_length FROM messages "

static const char *text(sqlite3_stmt *row, int column)
{
	const unsigned char *value = sqlite3_column_text(row, column);

	return value ? (const char *)value : "";
}

static struct store_row row_of(sqlite3_stmt *row)
{
	return (struct store_row){
		.id = sqlite3_column_int64(row, 0),
		.folder = sqlite3_column_int64(row, 1),
		.uid = (uint32_t)sqlite3_column_int64(row, 2),
		.size = (uint64_t)sqlite3_column_int64(row, 3),
		.date_s = sqlite3_column_int64(row, 4),
		.internal_date_s = sqlite3_column_int64(row, 5),
		.flags = (unsigned)sqlite3_column_int(row, 6),
		.keywords = text(row, 7),
		.protection = sqlite3_column_int(row, 8) & 3,
		.has_body = sqlite3_column_type(row, 9) != SQLITE_NULL,
		.body_bytes = (uint64_t)sqlite3_column_int64(row, 9),
		.attachment = sqlite3_column_int(row, 10) != 0,
		.from = text(row, 11),
		.to = text(row, 12),
		.subject = text(row, 13),
		.message_id = text(row, 14),
		.in_reply_to = text(row, 15),
		.header_bytes = (uint64_t)sqlite3_column_int64(row, 16),
	};
}

/* Ends ROW after handing its rows out. */
static int each_row(struct store *store, sqlite3_stmt *row, int *count,
	int (*each)(const struct store_row *row, void *arg), void *arg,
	struct err *err)
{
	int status;
	int stop = 0;

	if (!row)
		return -1;
	while (!stop && (status = db_step(&store->db, row, err)) > 0) {
		struct store_row one = row_of(row);

		stop = each(&one, arg);
		(*count)++;
	}
	db_end(&store->db, row);
	return stop ? stop : status;
}

int store_rows(struct store *store, int64_t folder, uint64_t limit,
	int (*each)(const struct store_row *row, void *arg), void *arg,
	struct err *err)
{
	int count = 0;

	return each_row(store,
		db_query(&store->db, err,
			ROW_COLUMNS "WHERE folder = ? ORDER BY uid DESC"
				    " LIMIT ?",
			db_int(folder), db_int(limit ? (int64_t)limit : -1)),
		&count, each, arg, err);
}

int store_row(struct store *store, int64_t id,
	int (*each)(const struct store_row *row, void *arg), void *arg,
	struct err *err)
{
	int count = 0;
	int status = each_row(store,
		db_query(&store->db, err,
			ROW_COLUMNS "WHERE id = ? AND folder > 0", db_int(id)),
		&count, each, arg, err);

	return status ? status : count;
}

/* ----------------------------------------------------------------- bytes */

struct store_reader {
	struct store *store;
	int64_t id;
	enum store_part part;
	struct blob blob;
	uint64_t offset;
	uint32_t crc; /* of what was read so far */
};

/* 1 found, 0 the part is not stored, -1. EXISTS tells of the row. */
static int find_blob(struct store *store, int64_t id, enum store_part part,
	struct blob *blob, bool *exists, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT header_at, header_length, header_crc, body_at,"
		" body_length, body_crc FROM messages WHERE id = ?",
		db_int(id));
	int column = part == STORE_PART_HEADER ? 0 : 3;
	int found;

	if (!row)
		return -1;
	found = db_step(&store->db, row, err);
	*exists = found > 0;
	if (found > 0 && sqlite3_column_type(row, column) == SQLITE_NULL)
		found = 0;
	if (found > 0)
		*blob = (struct blob){
			.at = (uint64_t)sqlite3_column_int64(row, column),
			.length = (uint64_t)sqlite3_column_int64(
				row, column + 1),
			.crc = (uint32_t)sqlite3_column_int64(row, column + 2),
		};
	db_end(&store->db, row);
	return found;
}

struct store_reader *store_read_open(
	struct store *store, int64_t id, enum store_part part, struct err *err)
{
	struct store_reader *reader;
	struct blob blob;
	bool exists;
	int found = find_blob(store, id, part, &blob, &exists, err);

	if (found == 0)
		err_set(err, ERR_USAGE, "%s: message %lld: %s",
			store->directory, (long long)id,
			exists ? "only its header is stored; set its folder "
				 "to full and sync"
			       : "there is none of this number");
	if (found <= 0)
		return NULL;
	reader = xcalloc(1, sizeof(*reader));
	reader->store = store;
	reader->id = id;
	reader->part = part;
	reader->blob = blob;
	return reader;
}

/* Compacting may have moved the bytes to another pack since the row was
 * read: they are the same there. */
static bool moved(struct store_reader *reader)
{
	struct blob blob;
	bool exists;

	if (find_blob(reader->store, reader->id, reader->part, &blob, &exists,
		    NULL) <= 0 ||
		blob.at == reader->blob.at || blob.crc != reader->blob.crc ||
		blob.length != reader->blob.length)
		return false;
	reader->blob = blob;
	return true;
}

uint64_t store_read_length(const struct store_reader *reader)
{
	return reader->blob.length;
}

ssize_t store_read(
	struct store_reader *reader, void *data, size_t size, struct err *err)
{
	struct pack *pack = reader->store->pack;
	ssize_t n = pack_read(
		pack, &reader->blob, reader->offset, data, size, err);

	if (n < 0 && moved(reader))
		n = pack_read(
			pack, &reader->blob, reader->offset, data, size, err);
	if (n > 0) {
		reader->crc = libdeflate_crc32(reader->crc, data, (size_t)n);
		reader->offset += (uint64_t)n;
		return n;
	}
	if (n == 0 &&
		(reader->offset < reader->blob.length ||
			reader->crc != reader->blob.crc))
		return err_set(err, ERR_DATABASE,
			"%s: the stored bytes of a message are damaged; run "
			"`sluice-agent verify --deep --repair`",
			reader->store->directory);
	return n;
}

void store_read_close(struct store_reader *reader)
{
	free(reader);
}

/* ----------------------------------------------------------------- items */

#define ITEM_COLUMNS                                                           \
	"SELECT id, folder, kind, href, etag, uid, summary, email, start,"     \
	" finish, length(text) FROM items "

static int each_item(struct store *store, sqlite3_stmt *row, int *count,
	int (*each)(const struct store_item *item, void *arg), void *arg,
	struct err *err)
{
	int status;
	int stop = 0;

	if (!row)
		return -1;
	while (!stop && (status = db_step(&store->db, row, err)) > 0) {
		struct store_item item = {
			.id = sqlite3_column_int64(row, 0),
			.folder = sqlite3_column_int64(row, 1),
			.kind = sqlite3_column_int(row, 2) & 3,
			.href = text(row, 3),
			.etag = text(row, 4),
			.uid = text(row, 5),
			.summary = text(row, 6),
			.email = text(row, 7),
			.start_us = sqlite3_column_int64(row, 8),
			.end_us = sqlite3_column_int64(row, 9),
			.length = (size_t)sqlite3_column_int64(row, 10),
		};

		stop = each(&item, arg);
		(*count)++;
	}
	db_end(&store->db, row);
	return stop ? stop : status;
}

int store_items(struct store *store, int64_t folder, int kind,
	int (*each)(const struct store_item *item, void *arg), void *arg,
	struct err *err)
{
	int count = 0;

	return each_item(store,
		db_query(&store->db, err,
			ITEM_COLUMNS "WHERE ?1 IN (0, folder)"
				     " AND ?2 IN (-1, kind)"
				     " ORDER BY start, summary, id",
			db_int(folder), db_int(kind)),
		&count, each, arg, err);
}

int store_item(struct store *store, int64_t id,
	int (*each)(const struct store_item *item, void *arg), void *arg,
	struct err *err)
{
	int count = 0;
	int status = each_item(store,
		db_query(&store->db, err, ITEM_COLUMNS "WHERE id = ?",
			db_int(id)),
		&count, each, arg, err);

	return status ? status : count;
}
