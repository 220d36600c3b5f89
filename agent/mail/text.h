/*
 * text.h - a MIME message as text that a person can read and an index can
 * take.
 *
 * Text parts are decoded and become UTF-8 with LF line ends and without
 * control characters; of alternatives the plain one is taken, else HTML
 * without its tags. Everything else is one line with its type, and name.
 * Never fails; stops at OUT's limit and at MIME_DEPTH. Pure. Any thread.
 */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* MESSAGE with its header block; the header is not part of the text. With
 * NAMES the other parts are mentioned. */
void text_from_message(
	struct buf *out, const char *message, size_t length, bool names);

/* HTML in UTF-8 without its tags. */
void text_from_html(struct buf *out, const char *html, size_t length);

#endif
