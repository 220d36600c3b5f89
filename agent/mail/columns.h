/*
 * columns.h - what a mail client's list shows of a message, from its header
 * block.
 *
 * RFC 5322 headers, RFC 2047 encoded words, RFC 6532 raw UTF-8, and the
 * rest of the world: it never fails. What cannot be read is left empty, what
 * is too long is cut at a character, control characters become spaces, bytes
 * that are no UTF-8 are taken as Windows-1252. Pure. Any thread.
 */
#ifndef SLUICE_COLUMNS_H
#define SLUICE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLUMNS_FROM_BYTES    256
#define COLUMNS_TO_BYTES      512
#define COLUMNS_SUBJECT_BYTES 512
#define COLUMNS_ID_BYTES      512

/* Without a date. */
#define COLUMNS_NO_DATE INT64_MIN

/* Valid UTF-8, NUL-terminated, "" when absent. About two kilobytes; meant
 * to be reused for one message after another. */
struct columns {
	char from[COLUMNS_FROM_BYTES]; /* "Name <address>", decoded */
	char to[COLUMNS_TO_BYTES];     /* To, else Cc */
	char subject[COLUMNS_SUBJECT_BYTES];
	char message_id[COLUMNS_ID_BYTES]; /* with its angle brackets */
	char in_reply_to[COLUMNS_ID_BYTES];
	int64_t date_s;	 /* since 1970 UTC */
	bool attachment; /* the outermost type suggests one */
};

/* TEXT is a header block; it ends at LENGTH or at the first empty line. */
void columns_parse(struct columns *columns, const char *text, size_t length);

/* Decodes RFC 2047 encoded words and repairs what is no UTF-8; at most SIZE
 * bytes with the NUL. Returns the length written. */
size_t columns_decode(char *out, size_t size, const char *text, size_t length);

/* RFC 5322 3.3 and the obsolete and broken forms in use; COLUMNS_NO_DATE when it
 * is none. */
int64_t columns_date(const char *text, size_t length);

#endif
