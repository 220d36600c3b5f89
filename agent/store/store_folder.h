/*
 * store_folder.h - the folders of a store and what has been synced of them.
 *
 * A folder is found by (kind, remote name). The path is what people see and
 * type: UTF-8, levels separated by '/'. Same thread and error rules as
 * store.h; changes need a transaction.
 */
#ifndef SLUICE_STORE_FOLDER_H
#define SLUICE_STORE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct store;

enum store_kind {
	STORE_KIND_MAIL,
	STORE_KIND_NOTES, /* IMAP folder whose messages are notes */
	STORE_KIND_CONTACTS,
	STORE_KIND_CALENDAR, /* events, tasks and journal entries */
};

enum store_mode {
	STORE_MODE_OFF,	    /* known, nothing fetched */
	STORE_MODE_HEADERS, /* bodies of signed and encrypted only */
	STORE_MODE_FULL,
};

struct store_folder {
	int64_t id; /* 0: not stored yet */
	enum store_kind kind;
	enum store_mode mode;
	char *path;
	char *remote; /* mailbox name as sent, or collection href */
	char *role;   /* special use without backslash ("sent"), or NULL */
	char *token;  /* DAV sync token or ctag, or NULL */
	uint32_t validity;
	uint32_t uid_next; /* of the last completed pass */
	uint64_t modseq;   /* of the last completed pass */
	uint32_t walked;   /* header pass is complete for UIDs >= this; 0: no
			      pass is under way */
	uint64_t server_count;
	uint64_t server_bytes;
	bool verified;

	/* Kept by the store; ignored on the way in. */
	uint64_t messages, bodies, protected_messages, body_bytes;
	uint64_t header_bytes, items;
	uint64_t detached; /* messages that wait to be matched again */
};

/* Stores everything but the counts; sets folder->id. A folder with the same
 * (kind, remote) is replaced and keeps its content. */
int store_folder_put(
	struct store *store, struct store_folder *folder, struct err *err);

/* Return 1 and fill OUT (store_folder_free() later), 0 when there is none. */
int store_folder_get(struct store *store, int64_t id, struct store_folder *out,
	struct err *err);
int store_folder_find(struct store *store, enum store_kind kind,
	const char *remote, struct store_folder *out, struct err *err);

/* By path; INBOX in any case. */
int store_folder_by_path(struct store *store, const char *path,
	struct store_folder *out, struct err *err);

/* In path order; the Inbox first. EACH returns non-zero to stop, which is
 * then returned; it may read and change the store. */
int store_folder_each(struct store *store,
	int (*each)(const struct store_folder *folder, void *arg), void *arg,
	struct err *err);

/* KIND: a mail folder may become one of notes by its new name. */
int store_folder_rename(struct store *store, int64_t id, enum store_kind kind,
	const char *path, const char *remote, struct err *err);

/* Something in it is lost, or not what the server has: the next pass looks at
 * all of it. */
int store_folder_doubt(struct store *store, int64_t id, struct err *err);

/* With everything in it, quarantine included. */
int store_folder_delete(struct store *store, int64_t id, struct err *err);

/* UIDVALIDITY changed: the UIDs mean nothing any more. Messages leave the
 * folder but stay in the store; while the header pass comes by again,
 * store_message_put() and store_message_rematch() give each its new UID when
 * Message-ID, size and internal date agree. Drop the rest afterwards. */
int store_folder_detach(
	struct store *store, int64_t id, uint32_t validity, struct err *err);
int store_folder_drop_detached(
	struct store *store, int64_t id, uint64_t *dropped, struct err *err);

void store_folder_free(struct store_folder *folder);

/* Its objects come by CalDAV or CardDAV. */
bool store_kind_is_dav(enum store_kind kind);

/* "mail", "notes", "contacts", "calendar"; "off", "headers", "full". */
const char *store_kind_name(enum store_kind kind);
const char *store_mode_name(enum store_mode mode);

#endif
