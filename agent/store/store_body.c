/*
 * store_body.c - bodies going in, piece by piece. See store_message.h. The
 * bytes go straight to the pack; the first ones are kept for a moment, as
 * they may say what the listing could not: the columns of a message whose
 * header was not fetched apart, and inline armour. Thread: the handle's.
 */
#include <string.h>
#include <sys/types.h>

#include "buf.h"
#include "columns.h"
#include "err.h"
#include "store_list.h"
#include "store_message.h"
#include "store_private.h"

#define HEADER_MAX ((size_t)16 << 20)

static const char target[] =
	"SELECT id, protection, header_at IS NULL, body_length FROM messages"
	" WHERE folder = ? AND uid = ?";

/* The row that takes the body. */
static int find_target(
	struct store *store, int64_t folder, uint32_t uid, struct err *err)
{
	struct store_body *body = &store->body;
	sqlite3_stmt *row = db_query(
		&store->db, err, target, db_int(folder), db_int(uid));
	int found;

	if (!row)
		return -1;
	found = db_step(&store->db, row, err);
	if (found > 0) {
		body->id = sqlite3_column_int64(row, 0);
		body->folder = folder;
		body->protection = sqlite3_column_int(row, 1) & 3;
		body->headless = sqlite3_column_int(row, 2) != 0;
		body->had_body = sqlite3_column_type(row, 3) != SQLITE_NULL;
		body->old_bytes = (uint64_t)sqlite3_column_int64(row, 3);
	}
	db_end(&store->db, row);
	if (found < 0)
		return -1;
	if (!found)
		return err_set(err, ERR_DATABASE,
			"%s: folder %lld has no message %u to take a body",
			store->db.path, (long long)folder, uid);
	return 0;
}

int store_body_begin(struct store *store, struct err *err)
{
	if (store_need_transaction(store, err) < 0 ||
		pack_begin(store->pack, err) < 0)
		return -1;
	store->body = (struct store_body){.open = true};
	return 0;
}

int store_body_append(
	struct store *store, const void *data, size_t length, struct err *err)
{
	struct store_body *body = &store->body;
	size_t room = STORE_HEAD_BYTES - body->head_length;

	if (!body->open)
		return err_set(err, ERR_DATABASE, "%s: bytes without a message",
			store->db.path);
	if (room && length) {
		if (room > length)
			room = length;
		memcpy(store->head + body->head_length, data, room);
		body->head_length += room;
	}
	return pack_append(store->pack, data, length, err);
}

void store_body_abort(struct store *store)
{
	if (!store->body.open)
		return;
	store->body.open = false;
	pack_abort(store->pack);
}

int store_body_take(struct store *store, struct blob *blob,
	enum protection *protection, struct err *err)
{
	if (!store->body.open)
		return err_set(err, ERR_DATABASE,
			"%s: the end of a message that was not begun",
			store->db.path);
	store->body.open = false;
	pack_finish(store->pack, blob);
	if (!store_is_protected(*protection))
		*protection = protection_from_message(
			store->head, store->body.head_length);
	return 0;
}

static const char body_only[] =
	"UPDATE messages SET body_at = ?2, body_length = ?3,"
	" body_crc = ?4, protection = ?5 WHERE id = ?1";
static const char body_and_columns[] =
	"UPDATE messages SET body_at = ?2, body_length = ?3,"
	" body_crc = ?4, protection = ?5, attachment = ?6, sender = ?7,"
	" recipients = ?8, subject = ?9, message_id = ?10,"
	" in_reply_to = ?11, date = CASE WHEN ?12 IS NULL THEN date"
	" ELSE ?12 END WHERE id = ?1";

/* What the index of words has been by already is looked at once more. */
static int index_again(struct store *store, struct err *err)
{
	return db_run(&store->db, err,
		"INSERT INTO indexed SELECT ?1, 2 WHERE ?1 <="
		" (SELECT messages FROM indexed_upto)"
		" ON CONFLICT(id) DO UPDATE SET whole = 2 WHERE NOT whole",
		db_int(store->body.id));
}

static int write_body(struct store *store, const struct blob *blob,
	enum protection protection, struct err *err)
{
	struct db_value date = {0};
	struct columns columns;

	if (!store->body.headless)
		return db_run(&store->db, err, body_only,
			db_int(store->body.id), db_int((int64_t)blob->at),
			db_int((int64_t)blob->length), db_int(blob->crc),
			db_int(protection));
	/* The message was put without its header. */
	columns_parse(&columns, store->head, store->body.head_length);
	if (columns.date_s != COLUMNS_NO_DATE)
		date = db_int(columns.date_s);
	return db_run(&store->db, err, body_and_columns, db_int(store->body.id),
		db_int((int64_t)blob->at), db_int((int64_t)blob->length),
		db_int(blob->crc), db_int(protection),
		db_int(columns.attachment), db_text(columns.from),
		db_text(columns.to), db_text(columns.subject),
		db_text(columns.message_id), db_text(columns.in_reply_to),
		date);
}

int store_body_end(
	struct store *store, int64_t folder, uint32_t uid, struct err *err)
{
	struct store_body *body = &store->body;
	enum protection protection;
	struct store_delta *delta;
	struct blob blob;

	if (body->open && find_target(store, folder, uid, err) < 0) {
		store_body_abort(store);
		return -1;
	}
	protection = body->protection;
	if (store_body_take(store, &blob, &protection, err) < 0)
		return -1;
	delta = store_delta(store, body->folder, err);
	if (!delta)
		return -1;
	delta->bodies += !body->had_body;
	delta->body_bytes += (int64_t)blob.length - (int64_t)body->old_bytes;
	delta->protected_messages += store_is_protected(protection) -
		store_is_protected(body->protection);
	return write_body(store, &blob, protection, err) < 0
		? -1
		: index_again(store, err);
}

/* ----------------------------------------------------------------- prune */

/* Up to and with the first empty line; 0 when there is none. */
static size_t header_length(const char *text, size_t length)
{
	size_t line = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\n')
			continue;
		if (i == line || (i == line + 1 && text[line] == '\r'))
			return i + 1;
		line = i + 1;
	}
	return 0;
}

/* The beginning of the body ID that is its header, to TEXT. */
static int read_header(
	struct store *store, int64_t id, struct buf *text, struct err *err)
{
	struct store_reader *reader = store_read_open(
		store, id, STORE_PART_BODY, err);
	char piece[4096];
	size_t end = 0;
	ssize_t got = 0;

	if (!reader)
		return -1;
	while (!end &&
		(got = store_read(reader, piece, sizeof(piece), err)) > 0)
		if (buf_append(text, piece, (size_t)got) < 0)
			break;
		else
			end = header_length(text->data, text->length);
	store_read_close(reader);
	if (end)
		text->length = end;
	return got < 0 ? -1 : 0;
}

/* A message that came whole gets a header of its own before its body goes. */
static int split_header(struct store *store, int64_t id,
	struct store_delta *delta, struct err *err)
{
	struct buf text = BUF_INIT(HEADER_MAX);
	struct blob blob;
	int status = read_header(store, id, &text, err);

	if (status == 0)
		status = store_blob_put(
			store, buf_text(&text), text.length, &blob, err);
	if (status == 0) {
		delta->header_bytes += (int64_t)blob.length;
		status = db_run(&store->db, err,
			"UPDATE messages SET header_at = ?2,"
			" header_length = ?3, header_crc = ?4 WHERE id = ?1",
			db_int(id), db_int((int64_t)blob.at),
			db_int((int64_t)blob.length), db_int(blob.crc));
	}
	buf_free(&text);
	return status;
}

/* Of the folder ?1, and which its mode does not ask for. */
#define PRUNABLE                                                               \
	" FROM messages m WHERE folder = ?1 AND body_at IS NOT NULL AND"       \
	" EXISTS (SELECT 1 FROM folders f WHERE f.id = ?1 AND (f.mode = 0"     \
	" OR (f.mode = 1 AND NOT m.protection)))"

/* The next one behind AFTER without a header: 1 and its ID, 0, -1. */
static int next_headless(struct store *store, int64_t folder, int64_t after,
	int64_t *id, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT id" PRUNABLE
		" AND header_at IS NULL AND id > ?2 ORDER BY id LIMIT 1",
		db_int(folder), db_int(after));
	int found;

	if (!row)
		return -1;
	found = db_step(&store->db, row, err);
	if (found > 0)
		*id = sqlite3_column_int64(row, 0);
	db_end(&store->db, row);
	return found;
}

static int split_headers(struct store *store, int64_t folder,
	struct store_delta *delta, struct err *err)
{
	int64_t id = 0;
	int found;

	while ((found = next_headless(store, folder, id, &id, err)) > 0)
		if (split_header(store, id, delta, err) < 0)
			return -1;
	return found;
}

int store_body_prune(
	struct store *store, int64_t folder, uint64_t *pruned, struct err *err)
{
	struct store_delta *delta;
	sqlite3_stmt *row;
	int status;

	if (store_need_transaction(store, err) < 0)
		return -1;
	delta = store_delta(store, folder, err);
	if (!delta || split_headers(store, folder, delta, err) < 0)
		return -1;
	row = db_query(&store->db, err,
		"SELECT COUNT(*), SUM(body_length)" PRUNABLE, db_int(folder));
	if (!row)
		return -1;
	status = db_step(&store->db, row, err);
	if (status > 0) {
		*pruned = (uint64_t)sqlite3_column_int64(row, 0);
		delta->bodies -= sqlite3_column_int64(row, 0);
		delta->body_bytes -= sqlite3_column_int64(row, 1);
	}
	db_end(&store->db, row);
	if (status < 0)
		return -1;
	return db_run(&store->db, err,
		"UPDATE messages SET body_at = NULL, body_length = NULL,"
		" body_crc = NULL WHERE id IN (SELECT id" PRUNABLE ")",
		db_int(folder));
}
