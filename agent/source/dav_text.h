/*
 * dav_text.h - the text of one object as it is stored.
 *
 * XML turns CRLF into LF, so an object would differ by the request that
 * fetched it. Stored text has the line ends that iCalendar and vCard demand,
 * CRLF, also after the last line, whatever came; nothing else is changed.
 * Pure; belongs to one thread.
 */
#ifndef SLUICE_DAV_TEXT_H
#define SLUICE_DAV_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

struct dav_text {
	struct buf text;
	bool too_large; /* the rest is passed over */
};

/* At most LIMIT bytes are kept. */
void dav_text_init(struct dav_text *text, size_t limit);
void dav_text_append(struct dav_text *text, const char *data, size_t length);
/* Ends the last line. */
void dav_text_finish(struct dav_text *text);
/* Ready for the next object. */
void dav_text_clear(struct dav_text *text);
void dav_text_free(struct dav_text *text);

/* Begins like an object: "BEGIN:", not an error page. */
bool dav_text_is_object(const struct dav_text *text);

/* Has a U+FFFD: in an answer that had to be mended (dav_clean.h) it may be
 * ours. */
bool dav_text_may_be_mended(const struct dav_text *text);

#endif
