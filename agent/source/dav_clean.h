/*
 * dav_clean.h - makes the XML of tolerant servers fit for a strict parser.
 *
 * Servers copy what users typed into their answers: control characters, raw
 * or as "&#11;", and bytes that are no UTF-8. XML 1.0 allows neither (section
 * 2.2), and one such item would hide all others of an answer. This filter
 * drops the control characters, and blanks before the document, and turns
 * broken UTF-8 into U+FFFD, in a stream of pieces cut anywhere. Other declared
 * encodings keep their bytes.
 * Pure; a filter belongs to one thread.
 */
#ifndef SLUICE_DAV_CLEAN_H
#define SLUICE_DAV_CLEAN_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

struct dav_clean {
	char head[128]; /* the start, until the encoding is known */
	size_t head_length;
	bool begun;	  /* the encoding is known */
	bool single_byte; /* declared, not UTF-8 */
	bool wide;	  /* UTF-16: passes as it is */
	bool mended;	  /* something became U+FFFD */
	char pending[12]; /* a character or reference cut by a piece's end */
	size_t pending_length;
};

#define DAV_CLEAN_INIT ((struct dav_clean){.begun = false})

/* Appends what is certain to OUT, which must have room for three times
 * LENGTH + 256. */
void dav_clean(struct dav_clean *clean, const char *data, size_t length,
	struct buf *out);

/* Appends the rest. */
void dav_clean_finish(struct dav_clean *clean, struct buf *out);

#endif
