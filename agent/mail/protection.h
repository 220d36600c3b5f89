/*
 * protection.h - is a message digitally signed or encrypted?
 *
 * Such messages are always kept whole, so this decides what is fetched. It
 * is asked three times, with more and more of the message at hand: the
 * server's BODYSTRUCTURE, the header block, the message itself. Signed
 * means multipart/signed (RFC 1847) or application/pkcs7-mime with a
 * signed-data type (RFC 8551); encrypted means multipart/encrypted,
 * application/pkcs7-mime otherwise, or an inline PGP message (RFC 9580). A
 * file of no type but with a name of S/MIME's is as good (RFC 8551 3.9).
 * The parts may be anywhere in the structure, and an armour in any transfer
 * encoding. Pure; input from the network is taken as it comes. Any thread.
 */
#ifndef SLUICE_PROTECTION_H
#define SLUICE_PROTECTION_H

#include <stddef.h>

enum protection {
	PROTECTION_NONE,
	PROTECTION_SIGNED,
	PROTECTION_ENCRYPTED,
	PROTECTION_UNKNOWN, /* not decidable: fetch the whole message */
};

/* TEXT is what follows "BODYSTRUCTURE " in a FETCH answer (RFC 3501 7.4.2),
 * up to its closing parenthesis, literals included as they came. */
enum protection protection_from_bodystructure(const char *text, size_t length);

/* TEXT is a header block, with or without its empty line. Sees only the
 * outermost Content-Type. */
enum protection protection_from_header(const char *text, size_t length);

/* TEXT is the beginning of a message, as much as there is: headers, nested
 * parts and inline armour are looked at. */
enum protection protection_from_message(const char *text, size_t length);

/* What is known after both answers: encrypted, signed, none, unknown. */
enum protection protection_merge(enum protection a, enum protection b);

/* "none", "signed", "encrypted", "unknown". */
const char *protection_name(enum protection protection);

#endif
