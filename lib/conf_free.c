/*
 * conf_free.c - release what the reader of files allocated, by the table.
 *
 * The other end of conf.c. Any thread.
 */
#include "conf_private.h"

#include <stdlib.h>
#include <string.h>

size_t *conf_count(const struct conf_field *field, void *object)
{
	if (field->type != CONF_LIST && field->type != CONF_MAP)
		return NULL;
	return (size_t *)((char *)object + field->count_offset);
}

static void free_field(const struct conf_field *field, void *at, size_t *count)
{
	void *pointer;

	switch (field->type) {
	case CONF_STRING:
	case CONF_PATH:
		memcpy(&pointer, at, sizeof(pointer));
		free(pointer);
		memset(at, 0, sizeof(pointer));
		break;
	case CONF_TABLE:
		conf_free(field->table, at);
		break;
	case CONF_LIST:
	case CONF_MAP:
		memcpy(&pointer, at, sizeof(pointer));
		for (size_t i = 0; pointer && count && i < *count; i++) {
			char *element = (char *)pointer +
				i * field->element_size;
			char *name;

			if (field->type == CONF_MAP) {
				memcpy(&name, element + field->name_offset,
					sizeof(name));
				free(name);
			}
			free_field(field->element,
				element + field->element->offset, NULL);
		}
		free(pointer);
		memset(at, 0, sizeof(pointer));
		if (count)
			*count = 0;
		break;
	default:
		break;
	}
}

void conf_free(const struct conf_table *table, void *object)
{
	for (const struct conf_field *f = table->fields; f->key; f++)
		free_field(
			f, (char *)object + f->offset, conf_count(f, object));
	memset(object, 0, table->size);
}
