/*
 * letter_private.h - between letter.c, which writes a message's header, and
 * letter_body.c, which goes on from the Content-Type line.
 */
#ifndef SLUICE_LETTER_PRIVATE_H
#define SLUICE_LETTER_PRIVATE_H

#include <stdbool.h>

struct dice;
struct letter;
struct mailbox;

/* Append the MIME fields, the empty line and the body of letter->kind; sets
 * letter->header_bytes. */
void letter_body(const struct mailbox *mailbox, struct letter *letter,
	bool foreign, struct dice *dice);

#endif
