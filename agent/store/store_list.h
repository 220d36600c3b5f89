/*
 * store_list.h - reading the store as a mail client does: lists, one
 * message, search.
 *
 * Works with the server switched off and beside a running sync. Same thread
 * and error rules as store.h; strings handed to callbacks live until the
 * callback returns; a callback returns non-zero to stop, which is then
 * returned.
 */
#ifndef SLUICE_STORE_LIST_H
#define SLUICE_STORE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protection.h"
#include "store_item.h"

struct err;
struct store;

struct store_row {
	int64_t id; /* what `show` takes; never used again */
	int64_t folder;
	uint32_t uid;
	uint64_t size;
	int64_t date_s; /* Date field, else internal date */
	int64_t internal_date_s;
	unsigned flags; /* enum store_flag */
	const char *keywords;
	enum protection protection;
	bool has_body;
	bool attachment;
	const char *from, *to, *subject, *message_id, *in_reply_to;
	uint64_t header_bytes, body_bytes; /* as stored */
};

/* Newest UID first, at most LIMIT rows (0: all). */
int store_rows(struct store *store, int64_t folder, uint64_t limit,
	int (*each)(const struct store_row *row, void *arg), void *arg,
	struct err *err);

/* 1 and EACH called once, or 0: no such message. */
int store_row(struct store *store, int64_t id,
	int (*each)(const struct store_row *row, void *arg), void *arg,
	struct err *err);

/* The stored bytes of a message, piece by piece. */
enum store_part {
	STORE_PART_HEADER,
	STORE_PART_BODY
};
struct store_reader;

/* NULL with ERR filled when it is not stored. */
struct store_reader *store_read_open(
	struct store *store, int64_t id, enum store_part part, struct err *err);
uint64_t store_read_length(const struct store_reader *reader);
/* Bytes got, 0 at the end, -1. The checksum is compared at the end. */
ssize_t store_read(
	struct store_reader *reader, void *data, size_t size, struct err *err);
void store_read_close(struct store_reader *reader);

/* Items of a folder, or all folders (0), of one kind or any (-1), by start
 * and summary; TEXT is NULL. */
int store_items(struct store *store, int64_t folder, int kind,
	int (*each)(const struct store_item *item, void *arg), void *arg,
	struct err *err);
int store_item(struct store *store, int64_t id,
	int (*each)(const struct store_item *item, void *arg), void *arg,
	struct err *err);

/* ---------------------------------------------------------------- search */

/* Adds at most about MAX_BYTES of text to the full-text index in one
 * transaction of its own. MORE says whether anything is left. Needs the
 * writer; meant for idle time after the sync. */
int store_index_step(
	struct store *store, uint64_t max_bytes, bool *more, struct err *err);

/* How many messages and items are not in the index yet. */
int store_index_left(struct store *store, uint64_t *left, struct err *err);

struct store_hit {
	bool is_item;
	int64_t id;
};

/* Words are all required; "a phrase" in quotes; a trailing * matches a
 * beginning. Messages by date, the newest first, then items. */
int store_search(struct store *store, const char *terms, uint64_t limit,
	int (*each)(const struct store_hit *hit, void *arg), void *arg,
	struct err *err);

#endif
