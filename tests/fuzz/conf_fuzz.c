/*
 * conf_fuzz.c - any bytes as a YAML file: a struct that can be freed, or an
 * error that names a place.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "conf.h"
#include "err.h"
#include "mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const struct conf_table *table, void *object,
	const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;

	if (conf_parse(table, object, (const char *)data, size, "f.yaml", "/x",
		    &err) < 0) {
		if (strncmp(err.text, "f.yaml:", 7) != 0)
			abort();
	}
	conf_free(table, object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct account account;
	struct mailbox mailbox;

	parse(&account_table, &account, data, size);
	parse(&mailbox_table, &mailbox, data, size);
	return 0;
}
