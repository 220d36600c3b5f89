/*
 * manifest.c - digests of what a fill made, one JSON line each.
 *
 * Called by the threads of all users; a line is written under the lock.
 */
#include "manifest.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "err.h"
#include "letter.h"

#define SHA256_BYTES 32

struct manifest {
	pthread_mutex_t lock;
	FILE *file;
	char *path;
};

int manifest_open(struct manifest **manifest, const char *path, struct err *err)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return err_set_errno(err, "manifest %s", path);
	*manifest = xcalloc(1, sizeof(**manifest));
	(*manifest)->file = file;
	(*manifest)->path = xstrdup(path);
	pthread_mutex_init(&(*manifest)->lock, NULL);
	return 0;
}

int manifest_close(struct manifest *manifest, struct err *err)
{
	int result = 0;

	if (!manifest)
		return 0;
	if (ferror(manifest->file)) {
		errno = EIO;
		result = err_set_errno(err, "manifest %s", manifest->path);
	}
	if (fclose(manifest->file) != 0 && result == 0)
		result = err_set_errno(err, "manifest %s", manifest->path);
	pthread_mutex_destroy(&manifest->lock);
	free(manifest->path);
	free(manifest);
	return result;
}

static void digest(const char *data, size_t bytes, char *hex)
{
	unsigned char hash[SHA256_BYTES];

	gnutls_hash_fast(GNUTLS_DIG_SHA256, data, bytes, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

static void write_line(struct manifest *manifest, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	pthread_mutex_lock(&manifest->lock);
	fprintf(manifest->file, "%s\n", text);
	pthread_mutex_unlock(&manifest->lock);
	free(text);
	json_decref(line);
}

void manifest_letter(struct manifest *manifest, const char *user,
	const char *folder, unsigned index, const struct letter *letter)
{
	char whole[2 * SHA256_BYTES + 1], header[2 * SHA256_BYTES + 1];

	digest(letter->text.data, letter->text.length, whole);
	digest(letter->text.data, letter->header_bytes, header);
	write_line(manifest,
		json_pack("{s:s, s:s, s:i, s:s, s:b, s:I, s:s, s:s}", "user",
			user, "folder", folder, "index", (int)index, "kind",
			letter_kind_name(letter->kind), "protected",
			(int)letter->is_protected, "bytes",
			(json_int_t)letter->text.length, "sha256", whole,
			"header_sha256", header));
}

void manifest_item(struct manifest *manifest, const char *user,
	const char *kind, const char *uid, const char *href, const char *text,
	size_t bytes)
{
	char whole[2 * SHA256_BYTES + 1];

	digest(text, bytes, whole);
	write_line(manifest,
		json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "user", user,
			"item", kind, "uid", uid, "href", href, "bytes",
			(json_int_t)bytes, "sha256", whole));
}
