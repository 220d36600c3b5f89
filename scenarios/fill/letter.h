/*
 * letter.h - the n-th message of a generated folder.
 *
 * Pure: what comes out depends on the profile, the user, the folder and the
 * number alone, so that a second fill finds what the first one made.
 */
#ifndef SLUICE_LETTER_H
#define SLUICE_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct mailbox;

enum letter_kind {
	LETTER_PLAIN,
	LETTER_ALTERNATIVE, /* text and HTML */
	LETTER_ATTACHMENT,  /* text and a base64 part */
	LETTER_SMIME_SIGNED,
	LETTER_SMIME_OPAQUE, /* application/pkcs7-mime, nothing readable */
	LETTER_PGP_SIGNED,
	LETTER_PGP_ENCRYPTED,
	LETTER_PGP_LISTED, /* signed, wrapped by a mailing list's footer */
	LETTER_PGP_INLINE, /* armour in a text/plain body; Inbox only */
	LETTER_NOTE,	   /* of a mail client's notes folder */
	LETTER_KIND_COUNT
};

struct letter {
	struct buf text;
	size_t header_bytes; /* up to and including the empty line */
	enum letter_kind kind;
	bool is_protected; /* signed or encrypted */
	bool seen, flagged;
	int64_t date_s; /* internal date, seconds since 1970 */
	char id[96];	/* Message-ID without brackets */
};

/* FOLDER is the number of the folder in its tree, 0 the Inbox. Fill LETTER
 * from scratch; release it with letter_free(). */
void letter_make(const struct mailbox *mailbox, const char *user,
	unsigned folder, bool notes, unsigned index, struct letter *letter);
void letter_free(struct letter *letter);

const char *letter_kind_name(enum letter_kind kind);

/* "17-Mar-2026 09:30:00 +0000", as APPEND wants it. TEXT: 32 bytes. */
char *letter_internal_date(int64_t date_s, char *text);

#endif
