/*
 * item.h - the n-th contact, event, task or note of a generated account.
 *
 * Pure: depends on the profile, the user, the kind and the number alone.
 */
#ifndef SLUICE_ITEM_H
#define SLUICE_ITEM_H

#include "buf.h"

struct mailbox;

enum item_kind {
	ITEM_CONTACT, /* vCard 3.0, RFC 2426 */
	ITEM_EVENT,   /* VEVENT, some recurring */
	ITEM_TASK,    /* VTODO */
	ITEM_NOTE,    /* VJOURNAL */
	ITEM_KIND_COUNT
};

struct item {
	struct buf text; /* lines end with CRLF, folded at 75 bytes */
	char uid[64];
	char name[80]; /* last part of its URL */
};

/* How many of a kind the profile asks for. */
unsigned item_count(const struct mailbox *mailbox, enum item_kind kind);

/* Fill ITEM from scratch; release it with item_free(). */
void item_make(const struct mailbox *mailbox, const char *user,
	enum item_kind kind, unsigned index, struct item *item);
void item_free(struct item *item);

const char *item_kind_name(enum item_kind kind);

/* "text/vcard" or "text/calendar", with their charset. */
const char *item_content_type(enum item_kind kind);

#endif
