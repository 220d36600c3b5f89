/*
 * imap_reader.h - the answers of a logged-in session, one at a time.
 *
 * Sits on the stream's own buffer: a FETCH answer is scanned in place and
 * its body passed on from there. One thread.
 */
#ifndef SLUICE_IMAP_READER_H
#define SLUICE_IMAP_READER_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "imap_scan.h"

struct err;
struct stream;

enum answer_kind {
	ANSWER_TAGGED,
	ANSWER_FETCH, /* only announced: imap_read_fetch() must follow */
	ANSWER_UNTAGGED,
};

enum answer_status {
	ANSWER_OK,
	ANSWER_NO,
	ANSWER_BAD,
};

struct answer {
	enum answer_kind kind;
	unsigned tag;		   /* of ANSWER_TAGGED */
	enum answer_status status; /* of ANSWER_TAGGED */
	/* Untagged: without "* "; tagged: after the status; NUL-terminated,
	 * valid until the next read. */
	const char *text;
	size_t length;
};

struct imap_reader {
	struct stream *stream;
	struct buf text;
	struct buf raw; /* the lines of a FETCH answer, for the quarantine */
	struct imap_scan scan;
};

/* Where the body of a FETCH answer goes. */
struct body_sink {
	/* The body begins, BYTES long: 1 take it, 0 drop it, -1 stop. */
	int (*begin)(void *context, const struct imap_scan *scan,
		uint64_t bytes, struct err *err);
	int (*data)(
		void *context, const char *data, size_t bytes, struct err *err);
	void *context;
};

void imap_reader_init(struct imap_reader *reader, struct stream *stream);
void imap_reader_free(struct imap_reader *reader);

/* The session is over after -1: ERR_PROTOCOL when it lost its place. */
int imap_read_answer(
	struct imap_reader *reader, struct answer *answer, struct err *err);

/* The FETCH answer that was announced: 1 understood (reader->scan has it),
 * 0 not (scan.reason, and reader->raw has what came), -1. */
int imap_read_fetch(struct imap_reader *reader, const struct body_sink *sink,
	struct err *err);

#endif
