/*
 * manifest.h - a record of everything a fill put, or found, in mailboxes.
 *
 * JSON lines, for tests that compare stores with it:
 *   {"user","folder","index","kind","protected","bytes","sha256",
 *    "header_sha256"}                                     one message
 *   {"user","item":KIND,"uid","href","bytes","sha256"}    one PIM object
 * An item's digest is that of the text its server hands out. Any thread;
 * lines of different users mix.
 */
#ifndef SLUICE_MANIFEST_H
#define SLUICE_MANIFEST_H

#include <stddef.h>

struct err;
struct item;
struct letter;
struct manifest;

int manifest_open(
	struct manifest **manifest, const char *path, struct err *err);

/* Fails when anything could not be written. NULL is allowed. */
int manifest_close(struct manifest *manifest, struct err *err);

/* FOLDER is the server's name of it in UTF-8. */
void manifest_letter(struct manifest *manifest, const char *user,
	const char *folder, unsigned index, const struct letter *letter);

/* KIND is item_kind_name(), TEXT what the server hands out. */
void manifest_item(struct manifest *manifest, const char *user,
	const char *kind, const char *uid, const char *href, const char *text,
	size_t bytes);

#endif
