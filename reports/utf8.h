/*
 * utf8.h - names from elsewhere, character by character. Pure.
 */
#ifndef SLUICE_UTF8_H
#define SLUICE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at TEXT (not at its end); 0 when it is none. */
size_t utf8_length(const char *text);

/* Neither a control character nor one that changes the direction of what
 * follows; LENGTH is utf8_length(). */
bool utf8_printable(const char *text, size_t length);

#endif
