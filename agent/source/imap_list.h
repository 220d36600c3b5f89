/*
 * imap_list.h - reads LIST, STATUS and NAMESPACE answers into collections.
 *
 * Pure: the caller brings one untagged answer at a time, literals inside as
 * sent ("LIST () \"/\" {5}\r\nINBOX"). An answer that makes no sense is
 * dropped alone; the list keeps the count.
 */
#ifndef SLUICE_IMAP_LIST_H
#define SLUICE_IMAP_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "collection.h"

/* No account has more; what comes beyond is dropped and counted. */
#define IMAP_FOLDERS_MAX 200000
#define IMAP_SPACES_MAX	 32

/* A namespace (RFC 2342): what begins so belongs to somebody. */
struct imap_space {
	char *prefix; /* "" too */
	char delimiter;
	enum collection_space space;
};

struct imap_folder {
	struct collection collection; /* owns its strings */
	bool gone;		      /* \NonExistent, or the same as another */
};

struct imap_folders {
	struct imap_folder *folder; /* in the server's order */
	size_t count, capacity;
	size_t dropped; /* answers that were not understood */
	size_t unread;	/* of LIST among them: folders nobody can name */
	size_t cursor;	/* where the next STATUS probably belongs */
	struct imap_space spaces[IMAP_SPACES_MAX];
	size_t space_count;
};

/* TEXT without "* ". What is none of the three is ignored. */
void imap_folders_take(
	struct imap_folders *folders, const char *text, size_t length);

/* All of LIST and NAMESPACE was taken: fill collection.space of each folder,
 * and mark what was named before as gone. */
void imap_folders_settle(struct imap_folders *folders);

void imap_folders_free(struct imap_folders *folders);

#endif
