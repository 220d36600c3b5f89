/*
 * tree.h - the folders of a generated mailbox and how full each one is.
 *
 * Pure: the same profile always gives the same tree.
 */
#ifndef SLUICE_TREE_H
#define SLUICE_TREE_H

#include <stddef.h>

struct buf;
struct mailbox;

/* Levels of a path are separated by this; no name contains it. */
#define TREE_SEPARATOR '/'

struct tree_folder {
	char *path; /* UTF-8; "INBOX" is the first, "Notes" the last if any */
	unsigned messages;
};

struct tree {
	struct tree_folder *folder;
	size_t count;
};

void tree_make(const struct mailbox *mailbox, struct tree *tree);
void tree_free(struct tree *tree);

/* Append PATH as the server wants it: PREFIX in front (but for INBOX), its
 * own hierarchy separator, modified UTF-7 (RFC 3501 section 5.1.3). */
void tree_server_name(
	const char *path, const char *prefix, char separator, struct buf *out);

#endif
