/*
 * imap_scan.h - reads one untagged FETCH answer, line by line.
 *
 * Pure: the caller brings lines and literals from wherever they come. The
 * attributes may come in any order; a body is never held in memory, it is
 * the caller's to pass on. Sizes are 64 bits wide. What is not understood
 * spoils this answer and no other. One thread.
 *
 *     imap_scan_start(scan);
 *     while ((step = imap_scan_line(scan, line, length)) != SCAN_END)
 *         SCAN_BODY:  pass on scan->literal_bytes bytes, read another line
 *         SCAN_TEXT:  give them to imap_scan_text(), read another line
 *         SCAN_SKIP:  drop them, read another line
 *         SCAN_BAD:   the answer ended, scan->reason says what is wrong
 *         SCAN_SPOILT: drop the literal and go on; SCAN_BAD comes later
 */
#ifndef SLUICE_IMAP_SCAN_H
#define SLUICE_IMAP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Flags, structure and quoted bodies longer than this spoil an answer. */
#define SCAN_TEXT_MAX (512u * 1024)

enum scan_step {
	SCAN_END,
	SCAN_BODY,
	SCAN_TEXT,
	SCAN_SKIP,
	SCAN_SPOILT,
	SCAN_BAD,
};

struct imap_scan {
	/* What the answer says, complete at SCAN_END; uid and has_uid are
	 * right as soon as they were read. */
	uint32_t uid;
	bool has_uid;
	bool has_size;
	bool has_body; /* also an empty or NIL one */
	bool has_date;
	uint64_t size;
	uint64_t modseq;
	int64_t received_s;
	struct buf flags;     /* "\Seen $Junk", without parentheses */
	struct buf structure; /* BODYSTRUCTURE as sent, or empty */
	struct buf body;      /* a body that came as a quoted string */
	bool body_quoted;
	uint64_t literal_bytes;
	const char *reason; /* of SCAN_BAD */

	/* Between lines. */
	int attribute;
	unsigned depth; /* of parentheses inside the current value */
	bool in_value;
	bool open; /* past the first parenthesis */
	bool spoilt;
	struct buf other; /* a value nobody wants */
};

void imap_scan_init(struct imap_scan *scan);
void imap_scan_free(struct imap_scan *scan);

/* For the next answer. */
void imap_scan_start(struct imap_scan *scan);

/* The first LINE begins after "* 12 FETCH "; a further one is what follows
 * a literal. With or without its CRLF. */
enum scan_step imap_scan_line(
	struct imap_scan *scan, const char *line, size_t length);

/* A literal's bytes after SCAN_TEXT, in pieces of any size. */
void imap_scan_text(struct imap_scan *scan, const char *data, size_t bytes);

/* "17-Jul-1996 02:44:25 -0700" in seconds since 1970 UTC, or -1. */
int64_t imap_date(const char *text, size_t length);

#endif
