/*
 * imap_list.h - reads LIST and STATUS answers into collections.
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

struct imap_folder {
	struct collection collection; /* owns its strings */
	bool gone;		      /* \NonExistent */
};

struct imap_folders {
	struct imap_folder *folder; /* in the server's order */
	size_t count, capacity;
	size_t dropped; /* answers that were not understood */
	size_t cursor;	/* where the next STATUS probably belongs */
	/* From NAMESPACE; NULL or ended by NULL. Not owned. */
	char *const *other_prefixes, *const *shared_prefixes;
};

/* TEXT without "* ". What is neither LIST nor STATUS is ignored. */
void imap_folders_take(
	struct imap_folders *folders, const char *text, size_t length);

void imap_folders_free(struct imap_folders *folders);

#endif
