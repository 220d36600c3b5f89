/* pim_fuzz.c - any bytes as a contact or calendar object. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "pim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
	if (text && strlen(text) > PIM_TEXT_BYTES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pim_columns columns;
	struct err err = ERR_INIT;

	if (pim_parse(&columns, (const char *)data, size, &err) < 0)
		return 0;
	check(columns.uid);
	check(columns.title);
	check(columns.status);
	check(columns.email);
	check(columns.phone);
	pim_columns_free(&columns);
	return 0;
}
