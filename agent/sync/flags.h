/*
 * flags.h - IMAP message flags as the store keeps them (RFC 3501 2.3.2).
 *
 * Pure; any thread.
 */
#ifndef SLUICE_FLAGS_H
#define SLUICE_FLAGS_H

#include "store_message.h"

struct buf;

/* TEXT is "\Seen $Forwarded", or NULL. Returns the enum store_flag bits; what
 * the store has no bit for goes to KEYWORDS (unless NULL), except \Recent,
 * which belongs to the session. */
unsigned flags_parse(const char *text, struct buf *keywords);

#endif
