/*
 * conf_document.c - the reference of a file's keys, printed from the tables
 * that read it.
 *
 * Called by a hidden verb of each program; docs/ keeps its output, and a test
 * fails when the two differ. Any thread.
 */
#include "conf_private.h"

#include <string.h>

static const char *type_name(const struct conf_field *field)
{
	switch (field->type) {
	case CONF_STRING:
	case CONF_TEXT:
		return "text";
	case CONF_PATH:
		return "path";
	case CONF_BOOL:
		return "true, false";
	case CONF_INT:
		return "whole number";
	case CONF_NUMBER:
		return "number";
	case CONF_DURATION:
		return "duration";
	case CONF_BYTES:
		return "size";
	case CONF_RATE:
		return "rate";
	case CONF_PERCENT:
		return "percentage";
	case CONF_FACTOR:
		return "factor";
	case CONF_TABLE:
	case CONF_ENUM:
	case CONF_LIST:
	case CONF_MAP:
		break;
	}
	return "keys";
}

/* buf_printf can only fail at a limit; the document has none. */
static void write_type(const struct conf_field *field, struct buf *out)
{
	if (field->type == CONF_LIST) {
		(void)buf_append_text(out, "list of ");
		write_type(field->element, out);
	} else if (field->type == CONF_MAP) {
		(void)buf_append_text(out, "NAME: ");
		write_type(field->element, out);
	} else if (field->type == CONF_ENUM) {
		for (int i = 0; field->words[i]; i++)
			(void)buf_printf(
				out, "%s`%s`", i ? ", " : "", field->words[i]);
	} else {
		(void)buf_append_text(out, type_name(field));
		if (field->min != 0 || field->max != 0)
			(void)buf_printf(out, ", %.16g to %.16g", field->min,
				field->max);
	}
}

static const struct conf_table *table_below(const struct conf_field *field)
{
	while (field->type == CONF_LIST || field->type == CONF_MAP)
		field = field->element;
	return field->type == CONF_TABLE ? field->table : NULL;
}

static void write_table(const struct conf_table *table, struct buf *out)
{
	(void)buf_printf(out, "## %s\n\n%s\n\n", table->name, table->text);
	(void)buf_append_text(out,
		"| key | value | default | meaning |\n|---|---|---|---|\n");
	for (const struct conf_field *f = table->fields; f->key; f++) {
		(void)buf_printf(out, "| `%s` | ", f->key);
		write_type(f, out);
		if (f->required)
			(void)buf_append_text(out, " | required");
		else if (f->fallback)
			(void)buf_printf(out, " | `%s`", f->fallback);
		else
			(void)buf_append_text(out, " | none");
		(void)buf_printf(out, " | %s |\n", f->text);
	}
	(void)buf_append_text(out, "\n");
}

/* Tables in the order of their first mention, each once: the headings
 * already in OUT say which ones are there. */
static void write_below(const struct conf_table *table, struct buf *out)
{
	write_table(table, out);
	for (const struct conf_field *f = table->fields; f->key; f++) {
		const struct conf_table *below = table_below(f);
		struct buf heading = BUF_INIT(0);

		if (!below)
			continue;
		(void)buf_printf(&heading, "## %s\n", below->name);
		if (!strstr(buf_text(out), buf_text(&heading)))
			write_below(below, out);
		buf_free(&heading);
	}
}

void conf_document(const struct conf_table *table, struct buf *out)
{
	write_below(table, out);
}
