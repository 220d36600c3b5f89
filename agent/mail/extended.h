/*
 * extended.h - the parameter values of RFC 2231: longer than a line, in
 * pieces, or in another character set than ASCII.
 *
 *   filename*0*=utf-8''na%C3%AF; filename*1="ve.txt"
 *
 * Pure but for iconv's tables (charset.h). Any thread.
 */
#ifndef SLUICE_EXTENDED_H
#define SLUICE_EXTENDED_H

#include <stdbool.h>
#include <stddef.h>

#define EXTENDED_PIECES	     16
#define EXTENDED_PIECE_BYTES 256

struct extended {
	bool there[EXTENDED_PIECES], coded[EXTENDED_PIECES];
	char pieces[EXTENDED_PIECES][EXTENDED_PIECE_BYTES];
};

void extended_init(struct extended *extended);

/* SUFFIX is what follows the parameter's name: "*", "*0", "*1*". What is no
 * such suffix, or a piece too many, is passed over. */
void extended_add(
	struct extended *extended, const char *suffix, const char *value);

/* The pieces in order, up to the first that is missing, in UTF-8 into OUT,
 * cut at a character. False, and OUT as it was, when there is none. */
bool extended_join(const struct extended *extended, char *out, size_t size);

#endif
