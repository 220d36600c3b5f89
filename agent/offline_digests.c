/*
 * offline_digests.c - `sluice-agent export --digests`: a fingerprint of all
 * that is stored, for comparing a store with its server or with another
 * store. See offline_export.h.
 */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "offline_export.h"
#include "offline_print.h"
#include "store.h"

#define SHA256_BYTES 32

struct digests {
	struct export *export;
	const char *folder;
};

static void hex(const unsigned char *digest, char *text)
{
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(text + i * 2, 3, "%02x", digest[i]);
}

/* TEXT takes 65 bytes. */
static int digest_part(struct export *export, int64_t id, enum store_part part,
	char *text, uint64_t *bytes)
{
	struct store_reader *reader = store_read_open(
		export->store, id, part, export->err);
	unsigned char digest[SHA256_BYTES];
	gnutls_hash_hd_t hash;
	char data[16384];
	ssize_t n;

	if (!reader)
		return -1;
	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0) {
		store_read_close(reader);
		return err_set(export->err, ERR_IO, "GnuTLS has no SHA-256");
	}
	while ((n = store_read(reader, data, sizeof(data), export->err)) > 0)
		gnutls_hash(hash, data, (size_t)n);
	*bytes = store_read_length(reader);
	gnutls_hash_deinit(hash, digest);
	store_read_close(reader);
	hex(digest, text);
	return n < 0 ? -1 : 0;
}

static int message(const struct store_row *row, void *arg)
{
	struct digests *digests = arg;
	char sha256[SHA256_BYTES * 2 + 1];
	char flags[64];
	uint64_t bytes = 0;
	json_t *line;

	if (digest_part(digests->export, row->id,
		    row->has_body ? STORE_PART_BODY : STORE_PART_HEADER, sha256,
		    &bytes) < 0)
		return -1;
	line = json_pack("{s:s s:I s:I s:s s:s s:I s:s s:s}", "folder",
		digests->folder, "uid", (json_int_t)row->uid, "size",
		(json_int_t)row->size, "part",
		row->has_body ? "body" : "header", "sha256", sha256, "bytes",
		(json_int_t)bytes, "flags", flag_words(row->flags, flags),
		"protection", protection_name(row->protection));
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
	return 0;
}

static int item(const struct store_item *item, void *arg)
{
	struct digests *digests = arg;
	char sha256[SHA256_BYTES * 2 + 1];
	unsigned char digest[SHA256_BYTES];
	size_t length;
	char *text = store_item_text(digests->export->store, item->id, &length,
		digests->export->err);
	json_t *line;

	if (!text)
		return -1;
	gnutls_hash_fast(GNUTLS_DIG_SHA256, text, length, digest);
	free(text);
	hex(digest, sha256);
	line = json_pack("{s:s s:s s:s s:s s:s s:I}", "folder", digests->folder,
		"href", item->href, "kind", pim_kind_name(item->kind), "uid",
		item->uid ? item->uid : "", "sha256", sha256, "bytes",
		(json_int_t)length);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
	return 0;
}

int export_digests(struct export *export, const struct store_folder *folder)
{
	struct digests digests = {export, folder->path};

	if (folder->kind == STORE_KIND_MAIL || folder->kind == STORE_KIND_NOTES)
		return store_rows(export->store, folder->id, 0, message,
			&digests, export->err);
	return store_item_each(
		export->store, folder->id, item, &digests, export->err);
}
