/*
 * digest.h - SHA-256 of what is stored, for verify.c. Belongs to the thread of
 * the store's handle.
 */
#ifndef SLUICE_DIGEST_H
#define SLUICE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#define DIGEST_BYTES 32

struct store;

/* Of the object or the message's body ID. What cannot be read has none: false.
 */
bool digest_object(struct store *store, int64_t id, unsigned char *digest);
bool digest_body(struct store *store, int64_t id, unsigned char *digest);

#endif
