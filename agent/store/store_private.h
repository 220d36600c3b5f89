/*
 * store_private.h - what the files of the store share. See store.h.
 *
 * Counts of a folder live in its row; during a transaction the changes are
 * collected in memory and added to the rows at its end, or before the rows
 * are read.
 */
#ifndef SLUICE_STORE_PRIVATE_H
#define SLUICE_STORE_PRIVATE_H

#include "store.h"

#include "pim.h"
#include "protection.h"
#include "store_db.h"
#include "store_pack.h"

/* The beginning of a body, kept while it streams by: its header block and
 * what inline armour would be seen in. */
#define STORE_HEAD_BYTES (UINT64_C(64) * 1024)

/* Changes to the counts of one folder. */
struct store_delta {
	int64_t folder; /* 0: free */
	int64_t messages, bodies, protected_messages;
	int64_t body_bytes, header_bytes, detached;
	int64_t items[PIM_KIND_COUNT];
};
#define STORE_DELTAS 16

struct store_body {
	bool open;
	int64_t id; /* of the message */
	int64_t folder;
	enum protection protection;
	bool headless;	    /* columns must come from the body */
	uint64_t old_bytes; /* of the body that is replaced */
	bool had_body;
	size_t head_length;
};

struct store {
	char *directory;
	enum store_access access;
	struct db db;
	struct pack *pack;
	bool drops; /* store_scratch.h */
	int lock_fd;
	bool in_transaction;
	bool detached; /* some folder has detached messages */
	uint64_t committed_end;
	uint64_t synced_end; /* on the disk; known by the state row later */
	int wal_pages;
	struct store_delta deltas[STORE_DELTAS];
	struct store_body body;
	char *head; /* STORE_HEAD_BYTES of the body being stored */
	int64_t probe_id;
};

/* Brings the tables to our version, or says why not. */
int schema_open(struct store *store, struct err *err);

/* Fails unless a transaction is open. */
int store_need_transaction(struct store *store, struct err *err);

/* The delta of FOLDER, for adding to. */
struct store_delta *store_delta(
	struct store *store, int64_t folder, struct err *err);

/* Adds all deltas to the folder rows. */
int store_flush_deltas(struct store *store, struct err *err);

/* Whether a detached message exists, from the folder rows. */
int store_load_detached(struct store *store, struct err *err);

/* Appends DATA as one blob. */
int store_blob_put(struct store *store, const void *data, size_t length,
	struct blob *blob, struct err *err);

/* Ends the body begun: where it lies, and how it is PROTECTED if that was not
 * known. Its beginning stays in store->head. */
int store_body_take(struct store *store, struct blob *blob,
	enum protection *protection, struct err *err);

/* False while somebody reads the database as it was before the last commit. */
bool store_is_read_anew(struct store *store);

/* After a power failure: rows whose bytes are lost go, or become missing. */
int store_recover(struct store *store, uint64_t from, struct err *err);

static inline bool store_is_protected(enum protection protection)
{
	return protection == PROTECTION_SIGNED ||
		protection == PROTECTION_ENCRYPTED;
}

#endif
