/*
 * offline_export.h - the formats of `sluice-agent export`.
 *
 * Each function writes one folder; 0, or -1 with export->err filled. Private
 * to the verb. One thread.
 */
#ifndef SLUICE_OFFLINE_EXPORT_H
#define SLUICE_OFFLINE_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct store;
struct store_folder;

enum export_format {
	EXPORT_MBOX,
	EXPORT_MAILDIR,
	EXPORT_ICS,
	EXPORT_VCF,
	EXPORT_DIGESTS,
};

struct export
{
	struct store *store;
	struct err *err;
	enum export_format format;
	const char *directory; /* NULL for digests */
	uint64_t count;
	uint64_t skipped; /* header only */
	char **names;	  /* given out by export_name() */
	size_t name_count;
};

/* Creates the directory. */
int export_prepare(struct export *export);

int export_mbox(struct export *export, const struct store_folder *folder);
int export_maildir(struct export *export, const struct store_folder *folder);

/* Contacts, or events, tasks and notes. */
int export_items(struct export *export, const struct store_folder *folder);

/* {"folder","uid","size","part","sha256","bytes","flags"} a message,
 * {"folder","href","kind","uid","sha256","bytes"} an item, JSON lines. */
int export_digests(struct export *export, const struct store_folder *folder);

/* A file that appears as DIRECTORY/NAME when it is closed and was whole.
 * export_close() takes the status so far and removes what is not. */
struct export_file {
	FILE *file;
	char *name;
	char *partial;
};
int export_open(
	struct export *export, struct export_file *file, const char *name);
int export_close(struct export *export, struct export_file *file, int status);

/* A folder's path as one file name: no '/', nothing hidden, not the same for
 * two folders of one export. Lives until export_end(). */
const char *export_name(
	struct export *export, const char *path, const char *suffix);
void export_end(struct export *export);

#endif
