/*
 * prose.h - words, names and paragraphs for generated mail.
 *
 * Pure; every text comes from the dice it is given.
 */
#ifndef SLUICE_PROSE_H
#define SLUICE_PROSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct dice;

/* COUNT words with spaces between, the first one capitalised. FOREIGN
 * mixes in words beyond ASCII (UTF-8). */
void prose_words(
	struct dice *dice, unsigned count, bool foreign, struct buf *out);

/* About BYTES bytes of lines that end with CRLF, broken below 76 columns. */
void prose_text(
	struct dice *dice, uint64_t bytes, bool foreign, struct buf *out);

/* "Anna Lindqvist"; constant strings. FOREIGN: "Žofie Nováková" too. */
const char *prose_given_name(struct dice *dice, bool foreign);
const char *prose_family_name(struct dice *dice, bool foreign);

/* Append TEXT (UTF-8) as a header value: RFC 2047 encoded words where it
 * has bytes beyond ASCII, split so that none is longer than 75. */
void prose_header(const char *text, struct buf *out);

#endif
