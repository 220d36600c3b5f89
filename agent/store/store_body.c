/*
 * store_body.c - bodies going in, piece by piece. See store_message.h. The
 * bytes go straight to the pack; the first ones are kept for a moment, as
 * they may say what the listing could not: the columns of a message whose
 * header was not fetched apart, and inline armour. Thread: the handle's.
 */
#include <string.h>

#include "columns.h"
#include "err.h"
#include "store_message.h"
#include "store_private.h"

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

/* Columns of a message that was put without its header. */
static int fill_columns(struct store *store, struct err *err)
{
	struct columns columns;
	struct db_value date = {0};

	columns_parse(&columns, store->head, store->body.head_length);
	if (store->drops)
		return 0;
	if (columns.date_s != COLUMNS_NO_DATE)
		date = db_int(columns.date_s);
	return db_run(&store->db, err,
		"UPDATE messages SET attachment = ?2, sender = ?3,"
		" recipients = ?4, subject = ?5, message_id = ?6,"
		" in_reply_to = ?7, date = CASE WHEN ?8 IS NULL THEN date"
		" ELSE ?8 END WHERE id = ?1",
		db_int(store->body.id), db_int(columns.attachment),
		db_text(columns.from), db_text(columns.to),
		db_text(columns.subject), db_text(columns.message_id),
		db_text(columns.in_reply_to), date);
}

int store_body_end(
	struct store *store, int64_t folder, uint32_t uid, struct err *err)
{
	struct store_body *body = &store->body;
	enum protection protection;
	struct store_delta *delta;
	struct blob blob;

	if (!body->open)
		return err_set(err, ERR_DATABASE,
			"%s: the end of a message that was not begun",
			store->db.path);
	if (find_target(store, folder, uid, err) < 0) {
		store_body_abort(store);
		return -1;
	}
	pack_finish(store->pack, &blob);
	body->open = false;
	protection = body->protection;
	if (!store_is_protected(protection))
		protection = protection_from_message(
			store->head, body->head_length);
	delta = store_delta(store, body->folder, err);
	if (!delta)
		return -1;
	delta->bodies += !body->had_body;
	delta->body_bytes += (int64_t)blob.length - (int64_t)body->old_bytes;
	delta->protected_messages += store_is_protected(protection) -
		store_is_protected(body->protection);
	if (body->headless && fill_columns(store, err) < 0)
		return -1;
	return db_run(&store->db, err,
		"UPDATE messages SET body_at = ?2, body_length = ?3,"
		" body_crc = ?4, protection = ?5 WHERE id = ?1",
		db_int(body->id), db_int((int64_t)blob.at),
		db_int((int64_t)blob.length), db_int(blob.crc),
		db_int(protection));
}

int store_body_prune(
	struct store *store, int64_t folder, uint64_t *pruned, struct err *err)
{
	static const char prunable[] =
		"SELECT COUNT(*), SUM(body_length) FROM messages m"
		" WHERE folder = ?1 AND body_at IS NOT NULL AND EXISTS"
		" (SELECT 1 FROM folders f WHERE f.id = ?1 AND (f.mode = 0"
		" OR (f.mode = 1 AND NOT m.protection)))";
	struct store_delta *delta;
	sqlite3_stmt *row;
	int status;

	if (store_need_transaction(store, err) < 0)
		return -1;
	delta = store_delta(store, folder, err);
	row = delta ? db_query(&store->db, err, prunable, db_int(folder))
		    : NULL;
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
		"UPDATE messages AS m SET body_at = NULL, body_length = NULL,"
		" body_crc = NULL WHERE folder = ?1 AND body_at IS NOT NULL"
		" AND EXISTS (SELECT 1 FROM folders f WHERE f.id = ?1 AND"
		" (f.mode = 0 OR (f.mode = 1 AND NOT m.protection)))",
		db_int(folder));
}
