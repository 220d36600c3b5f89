/*
 * contentline.h - the logical lines of iCalendar and vCard text.
 *
 * Both formats write "[group.]NAME;PARAM=value:value", folded by a line break
 * and one blank (RFC 5545 section 3.1, RFC 6350 section 3.2). This reader
 * unfolds and splits and judges nothing else. Line ends are CRLF, LF or CR,
 * mixed as servers like. Pure; a reader belongs to one thread.
 */
#ifndef SLUICE_CONTENTLINE_H
#define SLUICE_CONTENTLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* What a line holds beyond this is passed over: photos, attachments. */
#define CONTENTLINE_BYTES_MAX 65536

struct contentline_reader {
	const char *at;
	const char *end;
	struct buf line;
};

/* Parts of one line, NUL-terminated, valid until the next call. NAME has no
 * group. PARAMS is the text between the first ";" and the ":". */
struct contentline {
	const char *name;
	const char *params;
	const char *value;
	bool cut; /* longer than CONTENTLINE_BYTES_MAX */
};

/* TEXT stays the caller's and must outlive the reader. */
void contentline_open(
	struct contentline_reader *reader, const char *text, size_t length);
void contentline_close(struct contentline_reader *reader);

/* False at the end of the text. Lines without ":" are passed over. */
bool contentline_next(
	struct contentline_reader *reader, struct contentline *line);

bool contentline_is(const struct contentline *line, const char *name);

/* The first value of parameter NAME without its quotes into VALUE of SIZE
 * bytes, cut to fit; false when the line has none. */
bool contentline_param(const struct contentline *line, const char *name,
	char *value, size_t size);

/* TEXT unescaped (backslash n, comma, semicolon, backslash), control
 * characters turned into blanks, broken UTF-8 into U+FFFD, cut at MAX_BYTES
 * on a character; for free(). */
char *contentline_text(const char *text, size_t max_bytes);

#endif
