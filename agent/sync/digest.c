/*
 * digest.c - what is stored, as a number to compare.
 *
 * Used by verify.c, on its caller's thread.
 */
#include "digest.h"

#include <gnutls/crypto.h>
#include <stdlib.h>

#include "alloc.h"
#include "store_item.h"
#include "store_list.h"

#define READ_BYTES ((size_t)64 << 10)

bool digest_object(struct store *store, int64_t id, unsigned char *digest)
{
	size_t length;
	char *text = store_item_text(store, id, &length, NULL);
	bool made = text &&
		!gnutls_hash_fast(GNUTLS_DIG_SHA256, text, length, digest);

	free(text);
	return made;
}

bool digest_body(struct store *store, int64_t id, unsigned char *digest)
{
	struct store_reader *reader = store_read_open(
		store, id, STORE_PART_BODY, NULL);
	gnutls_hash_hd_t hash;
	char *piece;
	ssize_t got = 0;

	if (!reader)
		return false;
	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256)) {
		store_read_close(reader);
		return false;
	}
	piece = xcalloc(1, READ_BYTES);
	while ((got = store_read(reader, piece, READ_BYTES, NULL)) > 0)
		gnutls_hash(hash, piece, (size_t)got);
	free(piece);
	gnutls_hash_deinit(hash, digest);
	store_read_close(reader);
	return got == 0;
}
