/*
 * imap_list_fuzz.c - any bytes as LIST, STATUS and NAMESPACE answers and as
 * names.
 *
 * Answers are separated by NUL. What a name is decoded to is encoded and
 * decoded again and must stay the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "imap_list.h"
#include "imap_name.h"
#include "uid_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *wire)
{
	char *text = imap_name_decode(wire);
	char *again = imap_name_encode(text);
	char *back = imap_name_decode(again);
	char *path = imap_name_path(wire, '.');

	if (strcmp(text, back) != 0)
		abort();
	free(text);
	free(again);
	free(back);
	free(path);
}

static void check_set(const char *text)
{
	uint32_t first;
	uint32_t last;

	while (uid_range_next(&text, &first, &last))
		if (first > last)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct imap_folders folders = {0};
	const char *at = (const char *)data;
	const char *end = at + size;
	size_t i;

	check_name(text);
	check_set(text);
	free(text);
	while (at < end) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));
		size_t length = nul ? (size_t)(nul - at) : (size_t)(end - at);

		imap_folders_take(&folders, at, length);
		at += length + 1;
	}
	imap_folders_settle(&folders);
	for (i = 0; i < folders.count; i++)
		check_name(folders.folder[i].collection.wire);
	imap_folders_free(&folders);
	return 0;
}
