/*
 * store_search.c - the index of words (SQLite FTS5), and the probe of how a
 * person would find the store. See store_list.h, store.h. Thread: the
 * handle's.
 *
 * The index has no content of its own: it gives rowids. A message stands in
 * it under 2 x id by its columns, and under 2 x id + 1 with its text when its
 * body was there; an item under -id. What has gone since is left in the index
 * and does not show, as ids never come back.
 */
#include "store_list.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "store_private.h"
#include "text.h"

/* Of one message: so much is read, so much text is indexed. */
#define READ_BYTES  (1024 * 1024)
#define INDEX_BYTES (256 * 1024)
#define QUERY_BYTES 4096

/* -------------------------------------------------------------- indexing */

struct candidate {
	int64_t id;
	bool whole;
	char *title, *people;
};

/* A message not indexed at all, or one whose body has come since. */
static const char next_message[] =
	"SELECT id, body_at IS NOT NULL, subject,"
	" ifnull(sender, '') || ' ' || ifnull(recipients, '') FROM messages"
	" WHERE id > (SELECT messages FROM indexed_upto)"
	" AND sender IS NOT NULL ORDER BY id LIMIT 1";
#define PROMOTED                                                               \
	" FROM indexed i JOIN messages m ON m.id = i.id WHERE i.whole = 2"     \
	" AND m.body_at IS NOT NULL"
static const char next_promoted[] =
	"SELECT m.id, 1, m.subject, ifnull(m.sender, '') || ' ' ||"
	" ifnull(m.recipients, '')" PROMOTED " LIMIT 1";

static int next_candidate(struct store *store, const char *sql,
	struct candidate *out, struct err *err)
{
	sqlite3_stmt *row = db_query(&store->db, err, sql);
	int found;

	if (!row)
		return -1;
	found = db_step(&store->db, row, err);
	if (found > 0)
		*out = (struct candidate){
			.id = sqlite3_column_int64(row, 0),
			.whole = sqlite3_column_int(row, 1) != 0,
			.title = db_column_copy(row, 2),
			.people = db_column_copy(row, 3),
		};
	db_end(&store->db, row);
	return found;
}

/* The beginning of a stored message as text. Damage is verify's business:
 * what can be read is indexed. */
static void message_text(struct store *store, int64_t id, struct buf *out)
{
	struct store_reader *reader = store_read_open(
		store, id, STORE_PART_BODY, NULL);
	char *data;
	size_t length = 0;
	ssize_t n;

	if (!reader)
		return;
	data = xcalloc(1, READ_BYTES);
	while (length < READ_BYTES &&
		(n = store_read(
			 reader, data + length, READ_BYTES - length, NULL)) > 0)
		length += (size_t)n;
	text_from_message(out, data, length, false);
	free(data);
	store_read_close(reader);
}

static const char add_words[] =
	"INSERT INTO words(rowid, title, people, content) VALUES(?, ?, ?, ?)";

static int index_message(struct store *store, const struct candidate *message,
	uint64_t *bytes, struct err *err)
{
	struct buf content = BUF_INIT(INDEX_BYTES);
	int status;

	if (message->whole)
		message_text(store, message->id, &content);
	*bytes += content.length + 200;
	status = db_run(&store->db, err, add_words,
		db_int(message->id * 2 + message->whole),
		db_text(message->title), db_text(message->people),
		db_text(buf_text(&content)));
	buf_free(&content);
	if (status < 0)
		return -1;
	return db_run(&store->db, err,
		"INSERT INTO indexed VALUES(?, ?)"
		" ON CONFLICT(id) DO UPDATE SET whole = excluded.whole",
		db_int(message->id), db_int(message->whole));
}

static int index_messages(struct store *store, const char *sql,
	uint64_t max_bytes, uint64_t *bytes, struct err *err)
{
	struct candidate message;
	int found = 0;

	while (*bytes < max_bytes &&
		(found = next_candidate(store, sql, &message, err)) > 0) {
		int status = index_message(store, &message, bytes, err);

		if (status == 0 && sql == next_message)
			status = db_run(&store->db, err,
				"UPDATE indexed_upto SET messages = ?",
				db_int(message.id));
		free(message.title);
		free(message.people);
		if (status < 0)
			return -1;
	}
	return found;
}

/* Items are small: their own text is the content. */
static int index_items(struct store *store, uint64_t max_bytes, uint64_t *bytes,
	struct err *err)
{
	while (*bytes < max_bytes) {
		sqlite3_stmt *row = db_query(&store->db, err,
			"SELECT id, summary, ifnull(email, ''), text FROM items"
			" WHERE id > (SELECT items FROM indexed_upto)"
			" ORDER BY id LIMIT 1");
		int status;
		int64_t id;

		if (!row)
			return -1;
		status = db_step(&store->db, row, err);
		if (status > 0) {
			id = sqlite3_column_int64(row, 0);
			*bytes += (uint64_t)sqlite3_column_bytes(row, 3) + 200;
			status = db_run(&store->db, err, add_words, db_int(-id),
					 db_text((const char *)
							 sqlite3_column_text(
								 row, 1)),
					 db_text((const char *)
							 sqlite3_column_text(
								 row, 2)),
					 db_text((const char *)
							 sqlite3_column_text(
								 row, 3))) < 0
				? -1
				: 1;
		}
		db_end(&store->db, row);
		if (status <= 0)
			return status;
		if (db_run(&store->db, err, "UPDATE indexed_upto SET items = ?",
			    db_int(id)) < 0)
			return -1;
	}
	return 1;
}

int store_index_step(
	struct store *store, uint64_t max_bytes, bool *more, struct err *err)
{
	uint64_t bytes = 0;

	if (store_begin(store, err) < 0)
		return -1;
	if (index_messages(store, next_message, max_bytes, &bytes, err) < 0 ||
		index_messages(store, next_promoted, max_bytes, &bytes, err) <
			0 ||
		index_items(store, max_bytes, &bytes, err) < 0 ||
		store_commit(store, err) < 0) {
		store_rollback(store);
		return -1;
	}
	*more = bytes >= max_bytes;
	return 0;
}

int store_index_left(struct store *store, uint64_t *left, struct err *err)
{
	int64_t messages = 0;
	int64_t promoted = 0;
	int64_t items = 0;

	if (db_number(&store->db, &messages,
		    "SELECT COUNT(*) FROM messages WHERE folder > 0 AND"
		    " id > (SELECT messages FROM indexed_upto)",
		    err) < 0 ||
		db_number(&store->db, &promoted, "SELECT COUNT(*)" PROMOTED,
			err) < 0 ||
		db_number(&store->db, &items,
			"SELECT COUNT(*) FROM items WHERE id >"
			" (SELECT items FROM indexed_upto)",
			err) < 0)
		return -1;
	*left = (uint64_t)(messages + promoted + items);
	return 0;
}

/* ------------------------------------------------------------- searching */

/* What the user types is no FTS5 query: each word becomes a quoted string,
 * quotes group a phrase, a star at the end of a word stays one. */
static int make_query(struct buf *query, const char *terms)
{
	while (*terms) {
		bool phrase = *terms == '"';
		size_t length;

		terms += phrase;
		length = phrase ? strcspn(terms, "\"")
				: strcspn(terms, " \t\r\n\"");
		if (strspn(terms, " \t\r\n") < length) {
			bool star = !phrase && length > 1 &&
				terms[length - 1] == '*';

			if (buf_printf(query, "\"%.*s\"%s ",
				    (int)(length - star), terms,
				    star ? "*" : "") < 0)
				return -1;
		}
		terms += length;
		if (*terms && (phrase || isspace((unsigned char)*terms)))
			terms++;
	}
	return 0;
}

static const char found_messages[] =
	"SELECT m.id FROM (SELECT DISTINCT rowid / 2 AS id FROM words"
	" WHERE words MATCH ?1 AND rowid > 0) hit"
	" JOIN messages m ON m.id = hit.id WHERE m.folder > 0"
	" ORDER BY m.date DESC, m.id DESC LIMIT ?2";
static const char found_items[] =
	"SELECT i.id FROM words JOIN items i ON i.id = -words.rowid"
	" WHERE words MATCH ?1 AND words.rowid < 0"
	" ORDER BY i.start DESC, i.id DESC LIMIT ?2";

/* How many were told of, or -1; STOP is what EACH returned. */
static int64_t tell(struct store *store, const char *sql, const char *query,
	int64_t limit, int (*each)(const struct store_hit *hit, void *arg),
	void *arg, int *stop, struct err *err)
{
	sqlite3_stmt *row = db_query(
		&store->db, err, sql, db_text(query), db_int(limit));
	int64_t count = 0;
	int status = 0;

	if (!row)
		return -1;
	while (!*stop && (status = db_step(&store->db, row, err)) > 0) {
		struct store_hit hit = {
			sql == found_items, sqlite3_column_int64(row, 0)};

		count++;
		*stop = each(&hit, arg);
	}
	db_end(&store->db, row);
	return status < 0 ? -1 : count;
}

int store_search(struct store *store, const char *terms, uint64_t limit,
	int (*each)(const struct store_hit *hit, void *arg), void *arg,
	struct err *err)
{
	struct buf query = BUF_INIT(QUERY_BYTES);
	int64_t left = limit && limit < INT64_MAX ? (int64_t)limit : INT64_MAX;
	int64_t told;
	int stop = 0;

	if (make_query(&query, terms) < 0 || !query.length) {
		buf_free(&query);
		return err_set(err, ERR_USAGE,
			"give one word or more, up to %d bytes", QUERY_BYTES);
	}
	told = tell(store, found_messages, buf_text(&query), left, each, arg,
		&stop, err);
	if (told >= 0 && !stop && told < left)
		told = tell(store, found_items, buf_text(&query), left - told,
			each, arg, &stop, err);
	buf_free(&query);
	if (told < 0)
		return -1;
	return stop;
}
