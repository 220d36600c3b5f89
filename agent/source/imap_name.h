/*
 * imap_name.h - mailbox names: what is on the wire and what people see.
 *
 * On the wire a name is modified UTF-7 (RFC 3501 5.1.3) or, where the
 * server says so or does not care, UTF-8. Pure.
 */
#ifndef SLUICE_IMAP_NAME_H
#define SLUICE_IMAP_NAME_H

/* Modified UTF-7 to UTF-8 for free(). What is no UTF-7 is taken as it is:
 * many servers let 8-bit names through. Invalid UTF-8 becomes U+FFFD. */
char *imap_name_decode(const char *wire);

/* UTF-8 to modified UTF-7 for free(). */
char *imap_name_encode(const char *text);

/* The path of collection.h for a name with DELIMITER between levels (0:
 * flat); for free(). */
char *imap_name_path(const char *wire, char delimiter);

#endif
