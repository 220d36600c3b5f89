/*
 * offline_print.h - how the offline verbs write to people, and what they
 * have in common.
 *
 * Text of messages never reaches a terminal with control characters in it.
 * One thread.
 */
#ifndef SLUICE_OFFLINE_PRINT_H
#define SLUICE_OFFLINE_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "store_folder.h"
#include "store_list.h"

struct err;

/* "sluice-agent VERB: text" on standard error; the exit status. */
int offline_fail(const char *verb, const struct err *err);

/* Flushes standard output: a full disk or a closed pipe is a failure. */
int offline_end(const char *verb);

/* WORK on the local database in DIRECTORY, opened for reading, and the exit
 * status that comes of it. */
int offline_run(const char *verb, const char *directory,
	int (*work)(struct store *store, void *request, struct err *err),
	void *request);

/* TEXT in exactly WIDTH columns, cut or filled; 0: as it is. */
void print_cell(const char *text, unsigned width);

/* Local time, "2026-03-01 12:00", "-" without one; TEXT holds 32 bytes. */
char *print_date(int64_t seconds, char *text);

/* One line of a listing; FOLDER (may be NULL) goes before the subject. */
void print_row(const struct store_row *row, const char *folder);
void print_item(const struct store_item *item, const char *folder);

/* The same as one line of JSON. */
void print_row_json(const struct store_row *row, const char *folder);
void print_item_json(const struct store_item *item, const char *folder);

/* The N of --limit N: decimal digits and nothing else. */
bool offline_limit(const char *word, uint64_t *limit);

/* "123" is a message, "i45" an item. */
bool offline_id(const char *word, bool *is_item, int64_t *id);

/* By path, or by kind and path ("calendar:Notes") where two kinds have the
 * same. ERR_USAGE when there is no such folder. */
int offline_folder(struct store *store, const char *path,
	struct store_folder *folder, struct err *err);

/* ",S" of Maildir, "\\Seen \\Flagged" of IMAP: letters or words of FLAGS;
 * TEXT holds 64 bytes. */
char *flag_letters(unsigned flags, char *text);
char *flag_words(unsigned flags, char *text);

#endif
