/*
 * protection_fuzz.c - any bytes as BODYSTRUCTURE, as a header block and as a
 * message: an answer comes, and a doubt never hides what was seen.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "protection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of the exact size, so that reading past it is seen. */
	char *text = xcalloc(size ? size : 1, 1);
	enum protection structure, header, message;

	if (size)
		memcpy(text, data, size);
	structure = protection_from_bodystructure(text, size);
	header = protection_from_header(text, size);
	message = protection_from_message(text, size);
	if (!protection_name(structure) || header == PROTECTION_UNKNOWN ||
		message == PROTECTION_UNKNOWN ||
		protection_merge(header, message) != message)
		abort();
	free(text);
	return 0;
}
