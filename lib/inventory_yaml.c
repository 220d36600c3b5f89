/*
 * inventory_yaml.c - the same inventory as a YAML file: a list `clients`, each
 * with the keys that are the columns of the CSV file.
 *
 * Called by inventory_load() for names that end in .yaml or .yml. Any thread.
 */
#include "inventory_yaml.h"

#include <string.h>

#include "conf.h"
#include "inventory.h"

static const char *const no_store[] = {"none", NULL};

static const struct conf_field row_fields[] = {
	{CONF_AT(struct inventory_row, client), "client", CONF_STRING,
		"the mailbox user", .required = true},
	{CONF_AT(struct inventory_row, mailbox), "mailbox", CONF_STRING,
		"its mailbox profile"},
	{CONF_AT(struct inventory_row, link_bytes_s), "link", CONF_RATE,
		"cap of its line"},
	{CONF_AT(struct inventory_row, size_bytes), "size", CONF_BYTES,
		"expected size of its mailbox"},
	{CONF_AT(struct inventory_row, password_file), "password_file",
		CONF_PATH, "for a fleet: first line is the password"},
	{CONF_AT(struct inventory_row, store), "store", CONF_PATH,
		"for a fleet: directory of its store, or `none`",
		.words = no_store},
	{CONF_AT(struct inventory_row, start_us), "start", CONF_DURATION,
		"for a fleet: when it comes to life"},
	CONF_END,
};

static const struct conf_table row_table = {
	.name = "client",
	.text = "One client of an inventory.",
	.size = sizeof(struct inventory_row),
	.fields = row_fields,
};

static const struct conf_field row_element = {
	.type = CONF_TABLE,
	.size = sizeof(struct inventory_row),
	.table = &row_table,
};

static const struct conf_field inventory_fields[] = {
	{CONF_AT(struct inventory, rows), "clients", CONF_LIST, "the clients",
		.required = true, .element = &row_element,
		.element_size = sizeof(struct inventory_row),
		.count_offset = offsetof(struct inventory, count)},
	CONF_END,
};

static const struct conf_table inventory_table = {
	.name = "inventory",
	.text = "Many clients by name.",
	.size = sizeof(struct inventory),
	.fields = inventory_fields,
};

bool inventory_is_yaml(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

int inventory_load_yaml(
	struct inventory *inventory, const char *path, struct err *err)
{
	return conf_load(&inventory_table, inventory, path, err);
}
