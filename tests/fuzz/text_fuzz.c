/*
 * text_fuzz.c - any bytes as a message: the text is valid UTF-8, within its
 * limit, with no controls but line ends and tabs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "charset.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT 5000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *message = xcalloc(size ? size : 1, 1);
	struct buf out = BUF_INIT(LIMIT);

	if (size)
		memcpy(message, data, size);
	text_from_message(&out, message, size, true);
	if (out.length > LIMIT ||
		!charset_is_utf8((struct span){buf_text(&out), out.length}))
		abort();
	for (size_t i = 0; i < out.length; i++) {
		char c = out.data[i];

		if (c != ' ' && c != '\n' && c != '\t' &&
			charset_control(out.data + i, out.length - i))
			abort();
	}
	buf_free(&out);
	free(message);
	return 0;
}
