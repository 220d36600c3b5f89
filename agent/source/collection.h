/*
 * collection.h - a mail folder, address book, calendar: what holds items.
 *
 * Plain data; whoever fills it says who owns the strings. The path is how
 * people and policies name it: UTF-8, '/' between levels whatever the
 * server's delimiter is, the inbox always "INBOX". A '/' inside one level's
 * name is written %2F (and a '%' before two hexadecimal digits %25), so
 * that no two folders share a path.
 */
#ifndef SLUICE_COLLECTION_H
#define SLUICE_COLLECTION_H

#include <stdbool.h>
#include <stdint.h>

enum collection_kind {
	COLLECTION_MAIL,
	COLLECTION_CONTACTS,
	COLLECTION_CALENDAR,
	COLLECTION_TASKS,
	COLLECTION_NOTES, /* VJOURNAL, or a mail folder that holds notes */
	COLLECTION_KIND_COUNT
};

/* Whose it is. The default policy takes personal ones only. */
enum collection_space {
	SPACE_PERSONAL,
	SPACE_OTHER_USERS,
	SPACE_SHARED,
};

/* SPECIAL-USE (RFC 6154), or what a well-known name says. */
enum special_use {
	SPECIAL_NONE,
	SPECIAL_INBOX,
	SPECIAL_DRAFTS,
	SPECIAL_SENT,
	SPECIAL_TRASH,
	SPECIAL_JUNK,
	SPECIAL_ARCHIVE,
	SPECIAL_ALL,	 /* shows every message a second time */
	SPECIAL_FLAGGED, /* the same */
	SPECIAL_COUNT
};

struct collection {
	enum collection_kind kind;
	enum collection_space space;
	enum special_use special;
	bool dav;	 /* fetched by the DAV source, else by IMAP */
	bool selectable; /* false: only a level in the tree */
	char *path;	 /* see above; DAV: the display name, made unique */
	char *wire;	 /* name as IMAP has it on the wire, or URL */
	char delimiter;	 /* of the server; 0: flat */
	/*
	 * The state, as far as listing told it; 0 and NULL: not known.
	 * To be fetched as a delta, a DAV collection carries the token of the
	 * last complete listing here.
	 */
	uint32_t uid_validity;
	uint32_t uid_next;
	uint64_t modseq; /* highest */
	uint64_t items;
	uint64_t bytes;	  /* of all items together */
	bool state_known; /* items, uid_next and uid_validity are the server's */
	char *token;	  /* DAV sync-token or, without, ctag */
};

/* A copy that owns its strings, to be released with collection_free(). */
struct collection collection_copy(const struct collection *collection);
void collection_free(struct collection *collection);

const char *collection_kind_name(enum collection_kind kind);

#endif
