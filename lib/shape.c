/*
 * shape.c - see shape.h. jansson parses and prints, the table decides.
 *
 * Under message.c on both ends of the control link. Any thread.
 */
#include "shape.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"

static int decode_table(const struct shape_table *table, char *object,
	const json_t *json, struct err *err);

/* ---- encoding */

static int64_t load_int(const struct shape_field *field, const char *at)
{
	uint64_t u64;
	int64_t i64;
	unsigned u;
	int i;

	if (field->size == sizeof(int)) {
		memcpy(&i, at, sizeof(i));
		memcpy(&u, at, sizeof(u));
		return field->type == SHAPE_INT ? i : (int64_t)u;
	}
	memcpy(&i64, at, sizeof(i64));
	memcpy(&u64, at, sizeof(u64));
	if (field->type == SHAPE_UINT && u64 > INT64_MAX)
		return INT64_MAX;
	return i64;
}

static json_t *encode_table(
	const struct shape_table *table, const char *object);

static json_t *encode_array(const struct shape_field *field, const char *object)
{
	const char *elements;
	json_t *array;
	size_t count;

	memcpy(&elements, object + field->offset, sizeof(elements));
	memcpy(&count, object + field->count_offset, sizeof(count));
	if (count == 0 && field->optional)
		return NULL;
	array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array,
			encode_table(field->table,
				elements + i * field->table->size));
	return array;
}

/* NULL: leave the key out. */
static json_t *encode_field(const struct shape_field *field, const char *object)
{
	const char *at = object + field->offset;
	const char *text;
	double value;
	unsigned word;

	switch (field->type) {
	case SHAPE_UINT:
	case SHAPE_INT:
		return json_integer(load_int(field, at));
	case SHAPE_DOUBLE:
		memcpy(&value, at, sizeof(value));
		return json_real(isfinite(value) ? value : 0);
	case SHAPE_BOOL:
		return json_boolean(*(const bool *)at);
	case SHAPE_TEXT:
		memcpy(&text, at, sizeof(text));
		return text ? json_string(text) : NULL;
	case SHAPE_WORD:
		memcpy(&word, at, sizeof(word));
		return json_string(
			word < field->word_count ? field->words[word] : "");
	case SHAPE_TABLE:
		return encode_table(field->table, at);
	case SHAPE_ARRAY:
		return encode_array(field, object);
	}
	return NULL;
}

static json_t *encode_table(const struct shape_table *table, const char *object)
{
	json_t *json = json_object();

	for (const struct shape_field *f = table->fields; f->key; f++) {
		json_t *value = encode_field(f, object);

		if (value)
			json_object_set_new(json, f->key, value);
	}
	return json;
}

char *shape_encode(const struct shape_table *table, const void *object)
{
	json_t *json = encode_table(table, object);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text ? text : xstrdup("{}");
}

/* ---- decoding */

static int wrong_type(
	const struct shape_field *field, const char *expected, struct err *err)
{
	return err_set(
		err, ERR_PROTOCOL, "%s: expected %s", field->key, expected);
}

static int decode_int(const struct shape_field *field, char *at,
	const json_t *json, struct err *err)
{
	json_int_t value = json_integer_value(json);
	bool narrow = field->size == sizeof(int);

	if (!json_is_integer(json))
		return wrong_type(field, "a whole number", err);
	if (field->type == SHAPE_UINT &&
		(value < 0 || (narrow && value > UINT32_MAX)))
		return wrong_type(field, "a number from 0 that fits", err);
	if (field->type == SHAPE_INT && narrow &&
		(value < INT32_MIN || value > INT32_MAX))
		return wrong_type(field, "a number that fits", err);
	if (narrow) {
		uint32_t bits = (uint32_t)value;

		memcpy(at, &bits, sizeof(bits));
	} else {
		int64_t wide = value;

		memcpy(at, &wide, sizeof(wide));
	}
	return 0;
}

static int decode_text(const struct shape_field *field, char *at,
	const json_t *json, struct err *err)
{
	size_t limit = field->length_max ? field->length_max : 1024;
	char *text;

	if (!json_is_string(json))
		return wrong_type(field, "a text", err);
	if (json_string_length(json) > limit)
		return err_set(err, ERR_LIMIT, "%s: longer than %zu bytes",
			field->key, limit);
	text = xstrdup(json_string_value(json));
	memcpy(at, &text, sizeof(text));
	return 0;
}

static int decode_word(const struct shape_field *field, char *at,
	const json_t *json, struct err *err)
{
	if (!json_is_string(json))
		return wrong_type(field, "a word", err);
	for (unsigned i = 0; i < field->word_count; i++) {
		if (strcmp(field->words[i], json_string_value(json)) == 0) {
			memcpy(at, &i, sizeof(i));
			return 0;
		}
	}
	return err_set(err, ERR_PROTOCOL, "%s: unknown word '%.40s'",
		field->key, json_string_value(json));
}

static int decode_array(const struct shape_field *field, char *object,
	const json_t *json, struct err *err)
{
	size_t count = json_array_size(json);
	char *elements;

	if (!json_is_array(json))
		return wrong_type(field, "a list", err);
	if (count > field->length_max)
		return err_set(err, ERR_LIMIT, "%s: more than %zu", field->key,
			field->length_max);
	elements = count ? xcalloc(count, field->table->size) : NULL;
	memcpy(object + field->offset, &elements, sizeof(elements));
	memcpy(object + field->count_offset, &count, sizeof(count));
	for (size_t i = 0; i < count; i++)
		if (decode_table(field->table,
			    elements + i * field->table->size,
			    json_array_get(json, i), err) < 0)
			return err_context(err, "%s %zu", field->key, i + 1);
	return 0;
}

static int decode_field(const struct shape_field *field, char *object,
	const json_t *json, struct err *err)
{
	char *at = object + field->offset;
	double value;

	switch (field->type) {
	case SHAPE_UINT:
	case SHAPE_INT:
		return decode_int(field, at, json, err);
	case SHAPE_DOUBLE:
		if (!json_is_number(json))
			return wrong_type(field, "a number", err);
		value = json_number_value(json);
		memcpy(at, &value, sizeof(value));
		return 0;
	case SHAPE_BOOL:
		if (!json_is_boolean(json))
			return wrong_type(field, "true or false", err);
		*(bool *)at = json_is_true(json);
		return 0;
	case SHAPE_TEXT:
		return decode_text(field, at, json, err);
	case SHAPE_WORD:
		return decode_word(field, at, json, err);
	case SHAPE_TABLE:
		if (decode_table(field->table, at, json, err) < 0)
			return err_context(err, "%s", field->key);
		return 0;
	case SHAPE_ARRAY:
		return decode_array(field, object, json, err);
	}
	return 0;
}

static int decode_table(const struct shape_table *table, char *object,
	const json_t *json, struct err *err)
{
	if (!json_is_object(json))
		return err_set(err, ERR_PROTOCOL, "expected an object");
	for (const struct shape_field *f = table->fields; f->key; f++) {
		const json_t *value = json_object_get(json, f->key);

		if (!value && f->optional)
			continue;
		if (!value)
			return err_set(
				err, ERR_PROTOCOL, "%s: missing", f->key);
		if (decode_field(f, object, value, err) < 0)
			return -1;
	}
	return 0;
}

int shape_decode(const struct shape_table *table, void *object,
	const char *text, struct err *err)
{
	size_t length = strlen(text);
	json_error_t problem;
	json_t *json;
	int result;

	memset(object, 0, table->size);
	if (length > SHAPE_TEXT_MAX)
		return err_set(err, ERR_LIMIT, "JSON larger than 8 MiB");
	json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
	if (!json)
		return err_set(err, ERR_PROTOCOL, "not JSON: %s at byte %d",
			problem.text, problem.position);
	result = decode_table(table, object, json, err);
	json_decref(json);
	if (result < 0)
		shape_free(table, object);
	return result;
}

void shape_free(const struct shape_table *table, void *object)
{
	for (const struct shape_field *f = table->fields; f->key; f++) {
		char *at = (char *)object + f->offset;
		char *pointer;
		size_t count;

		if (f->type == SHAPE_TABLE) {
			shape_free(f->table, at);
			continue;
		}
		if (f->type != SHAPE_TEXT && f->type != SHAPE_ARRAY)
			continue;
		memcpy(&pointer, at, sizeof(pointer));
		if (f->type == SHAPE_ARRAY && pointer) {
			memcpy(&count, (char *)object + f->count_offset,
				sizeof(count));
			for (size_t i = 0; i < count; i++)
				shape_free(
					f->table, pointer + i * f->table->size);
		}
		free(pointer);
	}
	memset(object, 0, table->size);
}
