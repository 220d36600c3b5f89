/*
 * conf.c - a YAML file into a struct, by the struct's table.
 *
 * Two passes over the text: the events, to refuse what we do not read
 * (aliases, anchors, tags, depth), then the document, whose nodes know
 * their line and column. libyaml parses, the table decides. Any thread.
 */
#include "conf_private.h"
#include "conf_locate.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "alloc.h"
#include "err.h"

#define DEPTH_MAX 16
#define NODES_MAX 400000
#define KEYS_MAX  4096 /* of one mapping; looking for twins is quadratic */

/* One file being read. */
struct reader {
	yaml_document_t document;
	const char *name;
	const char *folder;
};

/* Where in the file's structure we are; lives on the stack. */
struct place {
	const struct place *parent;
	const char *key; /* NULL for the whole file */
};

static int read_value(struct reader *reader, const struct place *place,
	const struct conf_field *field, void *at, size_t *count,
	yaml_node_t *node, struct err *err);

static void write_path(const struct place *place, struct buf *path)
{
	if (!place || !place->key)
		return;
	write_path(place->parent, path);
	(void)buf_printf(path, "%s%.80s", path->length ? "." : "", place->key);
}

/* Put "FILE:LINE:COLUMN: key: " before the text of ERR. */
static int at_place(const struct reader *reader, const struct place *place,
	yaml_mark_t mark, struct err *err)
{
	struct buf path = BUF_INIT(400);

	write_path(place, &path);
	if (path.length)
		err_context(err, "%s:%zu:%zu: %s", reader->name, mark.line + 1,
			mark.column + 1, buf_text(&path));
	else
		err_context(err, "%s:%zu:%zu", reader->name, mark.line + 1,
			mark.column + 1);
	buf_free(&path);
	return -1;
}

static const char *node_kind(const yaml_node_t *node)
{
	if (node->type == YAML_SEQUENCE_NODE)
		return "a list";
	return node->type == YAML_MAPPING_NODE ? "keys with values" : "a value";
}

static bool is_null(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE &&
		node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		(node->data.scalar.length == 0 ||
			strcmp((char *)node->data.scalar.value, "~") == 0 ||
			strcmp((char *)node->data.scalar.value, "null") == 0);
}

static int wrong_kind(const struct reader *reader, const struct place *place,
	const struct conf_field *field, const yaml_node_t *node,
	struct err *err)
{
	if (is_null(node))
		err_set(err, ERR_CONFIG,
			"expected %s, found nothing; give a value or remove "
			"the key",
			conf_expected(field));
	else
		err_set(err, ERR_CONFIG, "expected %s, found %s",
			conf_expected(field), node_kind(node));
	return at_place(reader, place, node->start_mark, err);
}

/* Edit distance of two short words, counting a swap of neighbours as one. */
static unsigned distance(const char *a, const char *b)
{
	enum {
		LONGEST = 32
	};
	size_t n = strlen(a), m = strlen(b);
	unsigned d[LONGEST + 1][LONGEST + 1];

	if (n > LONGEST || m > LONGEST)
		return LONGEST;
	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			unsigned best = d[i - 1][j - 1] +
				(a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1] &&
				d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n][m];
}

static int unknown_key(
	const struct conf_table *table, const char *key, struct err *err)
{
	const struct conf_field *near = NULL;
	unsigned best = 3;
	struct buf keys = BUF_INIT(600);

	for (const struct conf_field *f = table->fields; f->key; f++) {
		unsigned d = distance(key, f->key);

		if (d < best && d < strlen(f->key)) {
			best = d;
			near = f;
		}
		(void)buf_printf(
			&keys, "%s%s", keys.length ? ", " : "", f->key);
	}
	err_set(err, ERR_CONFIG, "unknown key");
	if (near)
		err_hint(err, "did you mean %s?", near->key);
	else
		err_hint(err, "the keys here are %s", buf_text(&keys));
	buf_free(&keys);
	return -1;
}

static const struct conf_field *find_field(
	const struct conf_table *table, const char *key)
{
	assert(key);
	for (const struct conf_field *f = table->fields; f->key; f++)
		if (strcmp(f->key, key) == 0)
			return f;
	return NULL;
}

/* The key of a pair as text, or NULL when it is none or stands twice. */
static const char *pair_key(struct reader *reader, const struct place *place,
	const yaml_node_t *map, const yaml_node_pair_t *pair, struct err *err)
{
	yaml_node_t *node = yaml_document_get_node(
		&reader->document, pair->key);
	struct place here = {place, (char *)node->data.scalar.value};

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0 ||
		strlen(here.key) != node->data.scalar.length) {
		err_set(err, ERR_CONFIG, "expected a key, found %s",
			node->type == YAML_SCALAR_NODE ? "nothing"
						       : node_kind(node));
		at_place(reader, place, node->start_mark, err);
		return NULL;
	}
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair;
		p++) {
		yaml_node_t *other = yaml_document_get_node(
			&reader->document, p->key);

		if (strcmp((char *)other->data.scalar.value, here.key) != 0)
			continue;
		err_set(err, ERR_CONFIG,
			"stands twice, first on line %zu; remove one",
			other->start_mark.line + 1);
		at_place(reader, &here, node->start_mark, err);
		return NULL;
	}
	return here.key;
}

/* ---- defaults */

static int default_list(const struct conf_field *field, void *at, size_t *count,
	struct err *err)
{
	struct reader reader = {.name = "default"};
	struct place place = {NULL, field->key};
	yaml_parser_t parser;
	int result = -1;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser,
		(const unsigned char *)field->fallback,
		strlen(field->fallback));
	if (!yaml_parser_load(&parser, &reader.document)) {
		yaml_parser_delete(&parser);
		return err_set(err, ERR_CONFIG, "%s: bad default", field->key);
	}
	result = read_value(&reader, &place, field, at, count,
		yaml_document_get_root_node(&reader.document), err);
	yaml_document_delete(&reader.document);
	yaml_parser_delete(&parser);
	return result;
}

static int fill_default(const struct reader *reader,
	const struct conf_field *field, void *object, struct err *err)
{
	void *at = (char *)object + field->offset;

	if (field->type == CONF_TABLE) {
		for (const struct conf_field *f = field->table->fields; f->key;
			f++)
			if (fill_default(reader, f, at, err) < 0)
				return -1;
		return 0;
	}
	if (!field->fallback)
		return 0;
	if (conf_count(field, object))
		return default_list(field, at, conf_count(field, object), err);
	return conf_scalar(
		field, at, field->fallback, true, reader->folder, err);
}

/* ---- values */

static int read_table(struct reader *reader, const struct place *place,
	const struct conf_table *table, void *object, yaml_node_t *node,
	struct err *err)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	const yaml_node_pair_t *top = node->data.mapping.pairs.top;
	bool seen[64] = {false};

	for (; pair < top; pair++) {
		struct place here = {
			place, pair_key(reader, place, node, pair, err)};
		const struct conf_field *field;

		if (!here.key)
			return -1;
		field = find_field(table, here.key);
		if (!field) {
			unknown_key(table, here.key, err);
			return at_place(reader, &here,
				yaml_document_get_node(
					&reader->document, pair->key)
					->start_mark,
				err);
		}
		seen[field - table->fields] = true;
		if (read_value(reader, &here, field,
			    (char *)object + field->offset,
			    conf_count(field, object),
			    yaml_document_get_node(
				    &reader->document, pair->value),
			    err) < 0)
			return -1;
	}
	for (const struct conf_field *f = table->fields; f->key; f++) {
		struct place here = {place, f->key};

		if (seen[f - table->fields])
			continue;
		if (f->required) {
			err_set(err, ERR_CONFIG,
				"missing; add it: %s (expected %s)", f->text,
				conf_expected(f));
			return at_place(reader, &here, node->start_mark, err);
		}
		if (fill_default(reader, f, object, err) < 0)
			return at_place(reader, &here, node->start_mark, err);
	}
	if (table->check && table->check(object, err) < 0)
		return at_place(reader, place,
			conf_locate(&reader->document, node, err->text), err);
	return 0;
}

/* A list and a map differ in where an element's name is. */
static int read_elements(struct reader *reader, const struct place *place,
	const struct conf_field *field, void *at, size_t *count,
	yaml_node_t *node, struct err *err)
{
	bool map = field->type == CONF_MAP;
	size_t n = map ? (size_t)(node->data.mapping.pairs.top -
				 node->data.mapping.pairs.start)
		       : (size_t)(node->data.sequence.items.top -
				 node->data.sequence.items.start);
	char *elements = n ? xcalloc(n, field->element_size) : NULL;

	memcpy(at, &elements, sizeof(elements));
	*count = n;
	for (size_t i = 0; i < n; i++) {
		char *element = elements + i * field->element_size;
		char number[24];
		struct place here = {place, number};
		int value;

		(void)snprintf(number, sizeof(number), "%zu", i + 1);
		if (map) {
			yaml_node_pair_t *pair =
				node->data.mapping.pairs.start + i;
			char *name;

			value = pair->value;
			here.key = pair_key(reader, place, node, pair, err);
			if (!here.key)
				return -1;
			name = xstrdup(here.key);
			memcpy(element + field->name_offset, &name,
				sizeof(name));
		} else {
			value = node->data.sequence.items.start[i];
		}
		if (read_value(reader, &here, field->element,
			    element + field->element->offset, NULL,
			    yaml_document_get_node(&reader->document, value),
			    err) < 0)
			return -1;
	}
	return 0;
}

static int read_value(struct reader *reader, const struct place *place,
	const struct conf_field *field, void *at, size_t *count,
	yaml_node_t *node, struct err *err)
{
	yaml_node_type_t wanted = YAML_SCALAR_NODE;

	if (field->type == CONF_TABLE || field->type == CONF_MAP)
		wanted = YAML_MAPPING_NODE;
	else if (field->type == CONF_LIST)
		wanted = YAML_SEQUENCE_NODE;
	if (!node)
		return err_set(err, ERR_CONFIG,
			"%s:1:1: the file is empty; expected keys with values",
			reader->name);
	if (node->type != wanted || is_null(node))
		return wrong_kind(reader, place, field, node, err);
	if (wanted == YAML_MAPPING_NODE &&
		node->data.mapping.pairs.top - node->data.mapping.pairs.start >
			KEYS_MAX) {
		err_set(err, ERR_LIMIT, "more than %d keys", KEYS_MAX);
		return at_place(reader, place, node->start_mark, err);
	}
	if (field->type == CONF_TABLE)
		return read_table(reader, place, field->table, at, node, err);
	if (wanted != YAML_SCALAR_NODE)
		return read_elements(
			reader, place, field, at, count, node, err);
	if (strlen((char *)node->data.scalar.value) !=
		node->data.scalar.length) {
		err_set(err, ERR_CONFIG, "expected %s, found a NUL character",
			conf_expected(field));
		return at_place(reader, place, node->start_mark, err);
	}
	if (conf_scalar(field, at, (char *)node->data.scalar.value,
		    node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
		    reader->folder, err) < 0)
		return at_place(reader, place, node->start_mark, err);
	return 0;
}

/* ---- the file */

static int syntax_error(const struct reader *reader,
	const yaml_parser_t *parser, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s:%zu:%zu: not YAML: %s%s%s",
		reader->name, parser->problem_mark.line + 1,
		parser->problem_mark.column + 1,
		parser->problem ? parser->problem : "unreadable",
		parser->context ? " " : "",
		parser->context ? parser->context : "");
}

/* Refuse what a table cannot say. DEPTH and NODES run over the file. */
static int check_event(const struct reader *reader, const yaml_event_t *event,
	unsigned *depth, unsigned *nodes, struct err *err)
{
	const char *refused = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		refused = "an alias; write the value out";
		break;
	case YAML_SCALAR_EVENT:
		if (event->data.scalar.anchor)
			refused = "an anchor; remove it";
		else if (event->data.scalar.tag)
			refused = "a tag; remove it";
		break;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (event->type == YAML_MAPPING_START_EVENT
				? event->data.mapping_start.anchor ||
					event->data.mapping_start.tag
				: event->data.sequence_start.anchor ||
					event->data.sequence_start.tag)
			refused = "an anchor or a tag; remove it";
		else if (++*depth > DEPTH_MAX)
			refused = "more than 16 levels; the file is not ours";
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		--*depth;
		break;
	default:
		break;
	}
	if (++*nodes > NODES_MAX)
		refused = "too many values; split the list into an inventory";
	if (refused) {
		err_set(err, ERR_CONFIG, "found %s", refused);
		return at_place(reader, NULL, event->start_mark, err);
	}
	return 0;
}

static int check_events(const struct reader *reader, const char *text,
	size_t length, struct err *err)
{
	yaml_parser_t parser;
	unsigned depth = 0, nodes = 0, documents = 0;
	bool end = false;
	int result = 0;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(
		&parser, (const unsigned char *)text, length);
	while (result == 0 && !end) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			result = syntax_error(reader, &parser, err);
			break;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		if (event.type == YAML_DOCUMENT_START_EVENT &&
			++documents > 1) {
			err_set(err, ERR_CONFIG,
				"found a second document; one file, one "
				"document");
			result = at_place(reader, NULL, event.start_mark, err);
		} else {
			result = check_event(
				reader, &event, &depth, &nodes, err);
		}
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (result == 0 && documents == 0)
		result = err_set(err, ERR_CONFIG,
			"%s:1:1: the file is empty; expected keys with values",
			reader->name);
	return result;
}

int conf_parse(const struct conf_table *table, void *object, const char *text,
	size_t length, const char *name, const char *folder, struct err *err)
{
	struct reader reader = {.name = name, .folder = folder};
	struct place top = {NULL, NULL};
	struct conf_field root = {.type = CONF_TABLE, .table = table};
	yaml_parser_t parser;
	int result;

	memset(object, 0, table->size);
	if (length > CONF_FILE_BYTES_MAX)
		return err_set(err, ERR_LIMIT,
			"%s: larger than 4 MiB; not a file for us", name);
	if (check_events(&reader, text, length, err) < 0)
		return -1;
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(
		&parser, (const unsigned char *)text, length);
	if (!yaml_parser_load(&parser, &reader.document)) {
		syntax_error(&reader, &parser, err);
		yaml_parser_delete(&parser);
		return -1;
	}
	result = read_value(&reader, &top, &root, object, NULL,
		yaml_document_get_root_node(&reader.document), err);
	yaml_document_delete(&reader.document);
	yaml_parser_delete(&parser);
	if (result < 0)
		conf_free(table, object);
	return result;
}

static int file_error(const char *path, struct err *err)
{
	err_set_errno(err, "%s", path);
	if (err && errno != ENOMEM)
		err->kind = ERR_CONFIG;
	return err_hint(err, "expected a YAML file; check its name");
}

int conf_load(const struct conf_table *table, void *object, const char *path,
	struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder, *text;
	size_t length;
	FILE *file = fopen(path, "re");
	int result;

	if (!file)
		return file_error(path, err);
	text = xcalloc(1, CONF_FILE_BYTES_MAX + 2);
	length = fread(text, 1, CONF_FILE_BYTES_MAX + 1, file);
	if (ferror(file)) {
		result = file_error(path, err);
	} else {
		folder = slash ? xstrndup(path, (size_t)(slash - path) + 1)
			       : xstrdup(".");
		if (slash && slash != path)
			folder[slash - path] = '\0';
		result = conf_parse(
			table, object, text, length, path, folder, err);
		free(folder);
	}
	(void)fclose(file);
	free(text);
	return result;
}
