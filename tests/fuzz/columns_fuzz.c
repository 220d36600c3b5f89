/*
 * columns_fuzz.c - any bytes as a header block: the columns are valid UTF-8
 * within their sizes and hold nothing that moves a terminal.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "charset.h"
#include "columns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	if (length == size || !charset_is_utf8((struct span){text, length}))
		abort();
	for (size_t i = 0; i < length; i++) {
		if (text[i] != ' ' && charset_control(text + i, length - i))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(size ? size : 1, 1);
	struct columns columns;

	if (size)
		memcpy(text, data, size);
	columns_parse(&columns, text, size);
	check(columns.from, sizeof(columns.from));
	check(columns.to, sizeof(columns.to));
	check(columns.subject, sizeof(columns.subject));
	check(columns.message_id, sizeof(columns.message_id));
	check(columns.in_reply_to, sizeof(columns.in_reply_to));
	columns_decode(columns.subject, 20, text, size);
	check(columns.subject, 20);
	columns_date(text, size);
	free(text);
	return 0;
}
