/*
 * charset.h - text in whatever coding becomes UTF-8 that a terminal, the
 * database and the index can take.
 *
 * Pure but for iconv's tables on disk. Any thread.
 */
#ifndef SLUICE_CHARSET_H
#define SLUICE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "mime.h"

/* Appends DATA, taken to be in CHARSET ("" for unknown), as far as OUT's
 * limit allows. Never fails: what is no CHARSET becomes U+FFFD; text that
 * claims to be ASCII or UTF-8 and is not is taken as Windows-1252, which is
 * what it mostly is; NULs are dropped. */
void charset_append(struct buf *out, struct span data, const char *charset);

bool charset_is_utf8(struct span data);

/* Whether TEXT (of LENGTH > 0) begins with what moves a terminal or is not
 * seen: C0, DEL, and C1, which takes two bytes in UTF-8. Blanks count. */
bool charset_control(const char *text, size_t length);

/* The longest prefix of at most SIZE bytes that ends at a character. */
size_t charset_cut(const char *text, size_t length, size_t size);

#endif
