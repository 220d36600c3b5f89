/*
 * store.h - the local database of one client.
 *
 * A directory (mode 0700) that holds
 *   store.db               SQLite, WAL: folders, message columns, items
 *   bodies/NNNNNN.pack     header blocks and bodies, appended, never changed
 *   lock                   held by the one process that writes
 *   drops                  only here: nothing is kept (store_scratch.h)
 * Bytes go to a pack first, the row that points at them is committed after:
 * what a reader can find is complete. A process may be killed at any moment;
 * the next store_open() goes back to the last commit. After a power failure
 * rows whose bytes never reached the disk are found by their checksum and
 * become missing again.
 *
 * A handle belongs to one thread at a time. Any number of readers, in this
 * process or others, may work beside the writer. Errors name the file;
 * kinds: ERR_LOCKED, ERR_DISK_FULL, ERR_DATABASE (damaged, newer, or
 * read-only), ERR_IO. After a failed write call store_rollback(): the store
 * is as it was at the last commit and can be used on.
 *
 * See store_folder.h, store_message.h, store_item.h, store_list.h,
 * store_quarantine.h, and outbox.h for what the control link keeps.
 */
#ifndef SLUICE_STORE_H
#define SLUICE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

enum store_access {
	STORE_WRITE,  /* create when absent; a second writer waits for two
			 seconds, then ERR_LOCKED */
	STORE_UPKEEP, /* the same without waiting; such a writer gives way
			 within a second by closing the store */
	STORE_READ,   /* must exist; beside a writer is fine */
};

/* NULL and ERR filled on failure. */
struct store *store_open(
	const char *directory, enum store_access access, struct err *err);

/* Rolls back what is not committed. Does not wait for the disk. NULL is
 * fine. */
void store_close(struct store *store);

/* Folds the log as far as readers allow, which waits for the disk: the next
 * to close finds little left to do. Bodies are not waited for. */
void store_fold(struct store *store);

/* Waits until everything committed is on the disk. */
int store_sync(struct store *store, struct err *err);

/* The page caches of all stores of this process share BYTES from now on; for
 * a process with hundreds of them. */
void store_cap_caches(uint64_t bytes);

const char *store_directory(const struct store *store);

/* Everything that changes the store happens between begin and commit.
 * Transactions do not nest; begin inside one is an error. */
int store_begin(struct store *store, struct err *err);
int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);
bool store_in_transaction(const struct store *store);

/* ---------------------------------------------------------------- totals */

struct store_totals {
	uint64_t folders;  /* all kinds */
	uint64_t messages; /* rows: header or header and body */
	uint64_t bodies;   /* of them complete */
	uint64_t protected_messages;
	uint64_t contacts, events, tasks, notes;
	uint64_t quarantined;
	uint64_t body_bytes;   /* sum over complete messages */
	uint64_t stored_bytes; /* database and packs, the log folded */
};

/* Cheap: the counters are kept with each commit, nothing is scanned. */
int store_totals(
	struct store *store, struct store_totals *totals, struct err *err);

/* Size the store will have for a plan, within about ten per cent. */
uint64_t store_predict_bytes(uint64_t messages, uint64_t header_bytes,
	uint64_t body_bytes, uint64_t items, uint64_t item_bytes);

/* ------------------------------------------------------------------ meta */

/* Returns the value for free(), or NULL when there is none. A NULL value
 * deletes. Keys are ours: "policy", "last_sync_us", … */
char *store_meta_get(struct store *store, const char *key);
int store_meta_put(struct store *store, const char *key, const char *value,
	struct err *err);

/* Cumulative counters ("app_bytes", "wire_bytes"), 0 when never set. */
int64_t store_counter_get(struct store *store, const char *key);
int store_counter_add(
	struct store *store, const char *key, int64_t amount, struct err *err);

/* --------------------------------------------------------------- checking */

/* Reads every body and header block whose bytes are not known to be good
 * and compares its checksum; EACH (may be NULL) hears of the bad ones. With
 * REPAIR (needs the writer, outside a transaction) bad bodies become
 * missing again and bad header rows are dropped. BAD counts them. */
struct store_damage {
	int64_t folder;
	uint32_t uid;
	const char *what; /* "body" or "header"; static */
};
int store_check(struct store *store, bool repair,
	void (*each)(const struct store_damage *damage, void *arg), void *arg,
	uint64_t *bad, struct err *err);

/* Rewrites packs of which at least DEAD_PERCENT is of messages that are gone
 * and says how much smaller the store got. For idle time; takes as long as
 * copying what lives, or until STOP (may be NULL) is set: then the rest is
 * done another time. */
int store_compact(struct store *store, unsigned dead_percent,
	const atomic_bool *stop, uint64_t *freed, struct err *err);

/* What a person at the mail client would feel: lists 50 rows of the largest
 * folder and opens one message, the next one each time. */
int store_probe(struct store *store, int64_t *elapsed_us, struct err *err);

#endif
