/*
 * store_message.h - messages going in: headers, bodies, flags, what is
 * missing.
 *
 * Same thread and error rules as store.h. Writing needs a transaction; the
 * pages of UIDs are read in small batches, so that a commit may come between
 * any two of them.
 */
#ifndef SLUICE_STORE_MESSAGE_H
#define SLUICE_STORE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protection.h"

struct err;
struct store;

enum store_flag {
	STORE_FLAG_SEEN = 1,
	STORE_FLAG_ANSWERED = 2,
	STORE_FLAG_FLAGGED = 4,
	STORE_FLAG_DELETED = 8,
	STORE_FLAG_DRAFT = 16,
};

struct store_message {
	int64_t folder;
	uint32_t uid;
	uint64_t size;		 /* RFC822.SIZE as announced */
	int64_t internal_date_s; /* since 1970 */
	unsigned flags;		 /* enum store_flag, or-ed */
	const char *keywords;	 /* space separated, or NULL */
	uint64_t modseq;	 /* 0: unknown */
	enum protection protection;
	const char *header; /* NULL: taken from the body when that is stored */
	size_t header_length;
};

/* A new message, or new data for one that is there (its body stays). The
 * listing columns are parsed from the header here. */
int store_message_put(struct store *store, const struct store_message *message,
	struct err *err);

/* 1: a detached message of this folder got this UID, header and body and
 * all; 0: none fits. MESSAGE_ID with its angle brackets. Flags, keywords and
 * modseq are taken from MESSAGE. */
int store_message_rematch(struct store *store,
	const struct store_message *message, const char *message_id,
	struct err *err);

int store_message_set_flags(struct store *store, int64_t folder, uint32_t uid,
	unsigned flags, const char *keywords, uint64_t modseq, struct err *err);
/* An unknown UID is not an error. */
int store_message_delete(
	struct store *store, int64_t folder, uint32_t uid, struct err *err);

/* ---------------------------------------------------------------- bodies */

/* The server announces another size from now on. */
int store_message_set_size(struct store *store, int64_t folder, uint32_t uid,
	uint64_t size, struct err *err);

/* One body at a time, in pieces of any size, never whole in memory. Whose it
 * is must be known at the end only; the message must have been put by then.
 * Bytes are found by nobody before the commit. Ending looks at the message
 * itself for a signature or encryption that the structure did not show. */
int store_body_begin(struct store *store, struct err *err);
int store_body_append(
	struct store *store, const void *data, size_t length, struct err *err);
int store_body_end(
	struct store *store, int64_t folder, uint32_t uid, struct err *err);

/* The same for a message that comes whole: puts it, and its body with it. */
int store_message_put_whole(struct store *store,
	const struct store_message *message, struct err *err);

/* Forget the body begun; what the transaction did before stays. */
void store_body_abort(struct store *store);

/* Lowering a policy with pruning: bodies of FOLDER that its mode does not
 * ask for are forgotten. */
int store_body_prune(
	struct store *store, int64_t folder, uint64_t *pruned, struct err *err);

/* ------------------------------------------------------------- iterating */

struct store_uid {
	uint32_t uid;
	uint64_t size; /* as announced */
	uint64_t modseq;
	unsigned flags;
	enum protection protection;
	bool has_body;
	uint64_t body_bytes; /* as stored; 0 without a body */
};

/* What to list of a folder. */
enum store_select {
	STORE_SELECT_ALL,
	STORE_SELECT_MISSING, /* bodies that the folder's mode asks for and
				 that are neither there nor in quarantine */
};

/* The next at most CAPACITY messages with uid < BEFORE, newest first; begin
 * with BEFORE = STORE_UID_END, go on with the last uid got. Returns how
 * many, or -1. */
#define STORE_UID_END UINT64_C(0x100000000)
int store_uids(struct store *store, int64_t folder, enum store_select select,
	uint64_t before, struct store_uid *uids, size_t capacity,
	struct err *err);

/* How many bodies, and bytes by announced size, a folder's mode asks for and
 * are missing. Scans the folder. */
int store_missing(struct store *store, int64_t folder, uint64_t *count,
	uint64_t *bytes, struct err *err);

/* 1 present, 0 not. */
int store_has(
	struct store *store, int64_t folder, uint32_t uid, struct err *err);

/* 1 and the length of its body, as stored; 0: it has none. */
int store_body_length(struct store *store, int64_t folder, uint32_t uid,
	uint64_t *bytes, struct err *err);

#endif
