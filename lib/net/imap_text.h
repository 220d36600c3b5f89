/*
 * imap_text.h - small pieces of IMAP's grammar (RFC 9051). Pure; any thread.
 */
#ifndef SLUICE_IMAP_TEXT_H
#define SLUICE_IMAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct buf;

/* What a line of LENGTH bytes (with or without CRLF) announces at its end:
 * "{5}", "{5+}", "~{5}". */
struct imap_literal {
	uint64_t bytes;
	bool at_once; /* "+": no go-ahead is waited for */
};
bool imap_literal_at_end(
	const char *line, size_t length, struct imap_literal *literal);

/* Whether a quoted string can hold it: short, printable ASCII. */
bool imap_quotable(const char *text);

/* Append it as a quoted string; only what imap_quotable() allows. */
int imap_quote(struct buf *buf, const char *text);

/*
 * What the text after NO, BAD or BYE asks of us, by its response code
 * (RFC 5530) or by the words that servers without codes use. FALLBACK when
 * neither says anything.
 */
enum err_kind imap_error_kind(const char *text, enum err_kind fallback);

/* The word after "[" at the start of TEXT is CODE; any case. */
bool imap_has_code(const char *text, const char *code);

/* What answers AUTHENTICATE PLAIN (RFC 4616), base64 and all, for free(). It
 * is as secret as the password. */
char *imap_plain(const char *user, const char *password);

#endif
