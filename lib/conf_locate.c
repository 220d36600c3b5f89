/*
 * conf_locate.c - where in a file a check found fault.
 *
 * Checks of whole tables know paths of keys but no lines; between them and
 * the reader. Any thread.
 */
#include "conf_locate.h"

#include <string.h>

/* The value of the key that is TEXT's first LENGTH bytes; NULL: none. */
static yaml_node_t *child(yaml_document_t *document, const yaml_node_t *node,
	const char *text, size_t length)
{
	const yaml_node_pair_t *pair;

	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(
			document, pair->key);

		if (key->type == YAML_SCALAR_NODE &&
			key->data.scalar.length == length &&
			memcmp(key->data.scalar.value, text, length) == 0)
			return yaml_document_get_node(document, pair->value);
	}
	return NULL;
}

/* The last element of a list that is the word TEXT begins with; NODE itself
 * when there is none. */
static const yaml_node_t *element(
	yaml_document_t *document, const yaml_node_t *node, const char *text)
{
	size_t length = strcspn(text, " ");
	const yaml_node_item_t *item;
	const yaml_node_t *found = node;

	if (node->type != YAML_SEQUENCE_NODE)
		return node;
	for (item = node->data.sequence.items.start;
		item < node->data.sequence.items.top; item++) {
		const yaml_node_t *at = yaml_document_get_node(document, *item);

		if (at->type == YAML_SCALAR_NODE &&
			at->data.scalar.length == length &&
			memcmp(at->data.scalar.value, text, length) == 0)
			found = at;
	}
	return found;
}

yaml_mark_t conf_locate(
	yaml_document_t *document, yaml_node_t *node, const char *text)
{
	size_t length = strcspn(text, ".: ");

	while (length && (text[length] == '.' || text[length] == ':')) {
		yaml_node_t *below = child(document, node, text, length);

		if (!below)
			break;
		node = below;
		text += length + 1;
		text += *text == ' ';
		length = strcspn(text, ".: ");
	}
	return element(document, node, text)->start_mark;
}
