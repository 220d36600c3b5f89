/*
 * store_message.c - message rows going in, and UIDs going out in pages. See
 * store_message.h. Parsing of the header happens here, on the store's
 * thread, not on the network's. Thread: the handle's.
 */
#include "store_message.h"

#include <string.h>

#include "columns.h"
#include "err.h"
#include "store_folder.h"
#include "store_private.h"

/* What has to be known of a message that is there already. */
struct known {
	int64_t id;
	enum protection protection;
	bool has_body;
	uint64_t body_bytes, header_bytes;
};

static const char known_by_uid[] =
	"SELECT id, protection, body_length, header_length FROM messages"
	" WHERE folder = ? AND uid = ?";

/* 1 found, 0, -1. */
static int find(struct store *store, int64_t folder, uint32_t uid,
	struct known *known, struct err *err)
{
	sqlite3_stmt *row = db_query(
		&store->db, err, known_by_uid, db_int(folder), db_int(uid));
	int found;

	if (!row)
		return -1;
	found = db_step(&store->db, row, err);
	if (found > 0)
		*known = (struct known){
			.id = sqlite3_column_int64(row, 0),
			.protection = sqlite3_column_int(row, 1) & 3,
			.has_body = sqlite3_column_type(row, 2) != SQLITE_NULL,
			.body_bytes = (uint64_t)sqlite3_column_int64(row, 2),
			.header_bytes = (uint64_t)sqlite3_column_int64(row, 3),
		};
	db_end(&store->db, row);
	return found;
}

int store_blob_put(struct store *store, const void *data, size_t length,
	struct blob *blob, struct err *err)
{
	if (pack_begin(store->pack, err) < 0)
		return -1;
	if (pack_append(store->pack, data, length, err) < 0) {
		pack_abort(store->pack);
		return -1;
	}
	pack_finish(store->pack, blob);
	return 0;
}

/* ------------------------------------------------------------- re-match */

static const char detached_candidates[] =
	"SELECT id, protection, body_length, header_length FROM messages"
	" WHERE folder = -?1 AND folder < 0 AND message_id = ?2 AND size = ?3"
	" AND internal_date = ?4 ORDER BY body_at IS NULL, id LIMIT 1";
static const char attach[] =
	"UPDATE messages SET folder = ?2, uid = ?3, flags = ?4,"
	" keywords = ?5, modseq = ?6 WHERE id = ?1";

int store_message_rematch(struct store *store,
	const struct store_message *message, const char *message_id,
	struct err *err)
{
	struct store_delta *delta;
	sqlite3_stmt *row;
	int64_t id = 0;
	int found;

	if (store_need_transaction(store, err) < 0)
		return -1;
	if (!store->detached || !message_id[0])
		return 0;
	row = db_query(&store->db, err, detached_candidates,
		db_int(message->folder), db_text(message_id),
		db_int((int64_t)message->size),
		db_int(message->internal_date_s));
	delta = store_delta(store, message->folder, err);
	if (!row || !delta)
		return -1;
	found = db_step(&store->db, row, err);
	if (found > 0) {
		id = sqlite3_column_int64(row, 0);
		delta->detached--;
		delta->messages++;
		delta->protected_messages += store_is_protected(
			sqlite3_column_int(row, 1) & 3);
		delta->bodies += sqlite3_column_type(row, 2) != SQLITE_NULL;
		delta->body_bytes += sqlite3_column_int64(row, 2);
		delta->header_bytes += sqlite3_column_int64(row, 3);
	}
	db_end(&store->db, row);
	if (found <= 0)
		return found;
	return db_run(&store->db, err, attach, db_int(id),
		       db_int(message->folder), db_int(message->uid),
		       db_int(message->flags), db_text(message->keywords),
		       db_int((int64_t)message->modseq)) < 0
		? -1
		: 1;
}

/* ------------------------------------------------------------------- put */

static const char insert[] =
	"INSERT INTO messages(folder, uid, size, internal_date, flags,"
	" modseq, protection, keywords, attachment, date, sender,"
	" recipients, subject, message_id, in_reply_to, header_at,"
	" header_length, header_crc, body_at, body_length, body_crc)"
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	" ?)";
static const char update[] =
	"UPDATE messages SET size = ?3, internal_date = ?4, flags = ?5,"
	" modseq = ?6, protection = ?7, keywords = ?8, attachment = ?9,"
	" date = ?10, sender = ?11, recipients = ?12, subject = ?13,"
	" message_id = ?14, in_reply_to = ?15, header_at = ?16,"
	" header_length = ?17, header_crc = ?18"
	" WHERE folder = ?1 AND uid = ?2";

/* BODY: of a new message that comes whole, or NULL. */
static int write_row(struct store *store, const char *sql,
	const struct store_message *message, const struct columns *columns,
	const struct blob *header, const struct blob *body, struct err *err)
{
	const struct db_value none = {0};
	bool listed = message->header != NULL;
	bool known = listed || body;
	bool shown = known && !store->drops;

	return db_run_values(&store->db, err, sql,
		(struct db_value[]){{0}, db_int(message->folder),
			db_int(message->uid), db_int((int64_t)message->size),
			db_int(message->internal_date_s),
			db_int(message->flags),
			db_int((int64_t)message->modseq),
			db_int(message->protection), db_text(message->keywords),
			db_int(columns->attachment),
			db_int(columns->date_s == COLUMNS_NO_DATE
					? message->internal_date_s
					: columns->date_s),
			shown ? db_text(columns->from) : none,
			shown ? db_text(columns->to) : none,
			shown ? db_text(columns->subject) : none,
			known ? db_text(columns->message_id) : none,
			shown ? db_text(columns->in_reply_to) : none,
			listed ? db_int((int64_t)header->at) : none,
			listed ? db_int((int64_t)header->length) : none,
			listed ? db_int(header->crc) : none,
			body ? db_int((int64_t)body->at) : none,
			body ? db_int((int64_t)body->length) : none,
			body ? db_int(body->crc) : none},
		sql == insert ? 22 : 19);
}

static int insert_row(struct store *store, const struct store_message *message,
	const struct columns *columns, const struct blob *header,
	const struct blob *body, struct err *err)
{
	struct store_delta *delta = store_delta(store, message->folder, err);

	if (!delta)
		return -1;
	delta->messages++;
	delta->header_bytes += (int64_t)header->length;
	delta->protected_messages += store_is_protected(message->protection);
	if (body) {
		delta->bodies++;
		delta->body_bytes += (int64_t)body->length;
	}
	return write_row(store, insert, message, columns, header, body, err);
}

/* The row stays and so does its body; a protection that was found in the
 * body is not forgotten. */
static int update_row(struct store *store, const struct store_message *message,
	const struct known *known, const struct columns *columns,
	const struct blob *header, struct err *err)
{
	struct store_delta *delta = store_delta(store, message->folder, err);
	struct store_message merged = *message;

	if (!delta)
		return -1;
	if (!message->header)
		return store_message_set_flags(store, message->folder,
			message->uid, message->flags, message->keywords,
			message->modseq, err);
	merged.protection = protection_merge(
		known->protection, message->protection);
	delta->header_bytes += (int64_t)header->length -
		(int64_t)known->header_bytes;
	delta->protected_messages += store_is_protected(merged.protection) -
		store_is_protected(known->protection);
	return write_row(store, update, &merged, columns, header, NULL, err);
}

int store_message_put(struct store *store, const struct store_message *message,
	struct err *err)
{
	struct columns columns = {.date_s = COLUMNS_NO_DATE};
	struct known known;
	struct blob header = {0};
	int found;

	if (store_need_transaction(store, err) < 0)
		return -1;
	found = find(store, message->folder, message->uid, &known, err);
	if (found < 0)
		return -1;
	if (message->header)
		columns_parse(
			&columns, message->header, message->header_length);
	if (!found && store->detached && message->header) {
		int matched = store_message_rematch(
			store, message, columns.message_id, err);

		if (matched != 0)
			return matched < 0 ? -1 : 0;
	}
	if (message->header &&
		store_blob_put(store, message->header, message->header_length,
			&header, err) < 0)
		return -1;
	if (found)
		return update_row(
			store, message, &known, &columns, &header, err);
	return insert_row(store, message, &columns, &header, NULL, err);
}

int store_message_put_whole(struct store *store,
	const struct store_message *message, struct err *err)
{
	struct store_message whole = *message;
	struct columns columns;
	const struct blob no_header = {0};
	struct known known;
	struct blob body;
	int found = find(store, message->folder, message->uid, &known, err);

	if (found < 0)
		return -1;
	if (found || store->detached || message->header)
		return store_message_put(store, message, err) < 0
			? -1
			: store_body_end(
				  store, message->folder, message->uid, err);
	if (store_body_take(store, &body, &whole.protection, err) < 0)
		return -1;
	columns_parse(&columns, store->head, store->body.head_length);
	return insert_row(store, &whole, &columns, &no_header, &body, err);
}

int store_message_set_flags(struct store *store, int64_t folder, uint32_t uid,
	unsigned flags, const char *keywords, uint64_t modseq, struct err *err)
{
	if (store_need_transaction(store, err) < 0)
		return -1;
	return db_run(&store->db, err,
		"UPDATE messages SET flags = ?3, keywords = ?4, modseq = ?5"
		" WHERE folder = ?1 AND uid = ?2",
		db_int(folder), db_int(uid), db_int(flags), db_text(keywords),
		db_int((int64_t)modseq));
}

int store_message_set_size(struct store *store, int64_t folder, uint32_t uid,
	uint64_t size, struct err *err)
{
	if (store_need_transaction(store, err) < 0)
		return -1;
	return db_run(&store->db, err,
		"UPDATE messages SET size = ?3 WHERE folder = ?1 AND uid = ?2",
		db_int(folder), db_int(uid), db_int((int64_t)size));
}

int store_message_delete(
	struct store *store, int64_t folder, uint32_t uid, struct err *err)
{
	struct known known;
	struct store_delta *delta;
	int found;

	if (store_need_transaction(store, err) < 0)
		return -1;
	found = find(store, folder, uid, &known, err);
	if (found <= 0)
		return found;
	delta = store_delta(store, folder, err);
	if (!delta)
		return -1;
	delta->messages--;
	delta->bodies -= known.has_body;
	delta->protected_messages -= store_is_protected(known.protection);
	delta->body_bytes -= (int64_t)known.body_bytes;
	delta->header_bytes -= (int64_t)known.header_bytes;
	return db_run(&store->db, err, "DELETE FROM messages WHERE id = ?",
		db_int(known.id));
}

/* ----------------------------------------------------------------- pages */

#define UID_COLUMNS                                                            \
	"SELECT uid, size, modseq, flags, protection, body_length"             \
	" FROM messages m WHERE m.folder = ?1 AND m.uid < ?2 "

/* What the folder's mode asks for: mode 2 is everything, 1 what is signed,
 * encrypted or undecided. Quarantined ones wait for the next run. */
#define MISSING                                                                \
	" AND m.body_at IS NULL AND EXISTS (SELECT 1 FROM folders f"           \
	" WHERE f.id = ?1 AND (f.mode = 2 OR (f.mode = 1 AND m.protection)))"  \
	" AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.folder = ?1"      \
	" AND q.uid = m.uid AND q.href = '' AND q.skip) "
#define NEWEST_FIRST " ORDER BY m.uid DESC LIMIT ?3"

static const char uids_all[] = UID_COLUMNS NEWEST_FIRST;
static const char uids_missing[] = UID_COLUMNS MISSING NEWEST_FIRST;

int store_uids(struct store *store, int64_t folder, enum store_select select,
	uint64_t before, struct store_uid *uids, size_t capacity,
	struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		select == STORE_SELECT_ALL ? uids_all : uids_missing,
		db_int(folder), db_int((int64_t)before),
		db_int((int64_t)capacity));
	size_t count = 0;
	int status;

	if (!row)
		return -1;
	while ((status = db_step(&store->db, row, err)) > 0 &&
		count < capacity) {
		bool has_body = sqlite3_column_type(row, 5) != SQLITE_NULL;

		uids[count++] = (struct store_uid){
			.uid = (uint32_t)sqlite3_column_int64(row, 0),
			.size = (uint64_t)sqlite3_column_int64(row, 1),
			.modseq = (uint64_t)sqlite3_column_int64(row, 2),
			.flags = (unsigned)sqlite3_column_int(row, 3),
			.protection = sqlite3_column_int(row, 4) & 3,
			.has_body = has_body,
			.body_bytes = (uint64_t)sqlite3_column_int64(row, 5),
		};
	}
	db_end(&store->db, row);
	return status < 0 ? -1 : (int)count;
}

int store_missing(struct store *store, int64_t folder, uint64_t *count,
	uint64_t *bytes, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err,
		"SELECT COUNT(*), SUM(m.size) FROM messages m"
		" WHERE m.folder = ?1" MISSING,
		db_int(folder));
	int status;

	if (!row)
		return -1;
	status = db_step(&store->db, row, err);
	if (status > 0) {
		*count = (uint64_t)sqlite3_column_int64(row, 0);
		*bytes = (uint64_t)sqlite3_column_int64(row, 1);
	}
	db_end(&store->db, row);
	return status < 0 ? -1 : 0;
}

int store_has(
	struct store *store, int64_t folder, uint32_t uid, struct err *err)
{
	struct known known;

	return find(store, folder, uid, &known, err);
}

int store_body_length(struct store *store, int64_t folder, uint32_t uid,
	uint64_t *bytes, struct err *err)
{
	struct known known;
	int found = find(store, folder, uid, &known, err);

	if (found <= 0)
		return found;
	*bytes = known.body_bytes;
	return known.has_body;
}
