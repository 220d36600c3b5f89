/*
 * conf_scalar.c - one scalar of a YAML file into one field of a struct.
 *
 * Called by the reader for values and for the defaults in the tables. Any
 * thread.
 */
#include "conf_private.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "units.h"

const char *conf_expected(const struct conf_field *field)
{
	switch (field->type) {
	case CONF_STRING:
	case CONF_TEXT:
		return "a text";
	case CONF_PATH:
		return "a path";
	case CONF_BOOL:
		return "true or false";
	case CONF_INT:
		return "a whole number";
	case CONF_NUMBER:
		return "a number";
	case CONF_DURATION:
		return "a duration, as 10m";
	case CONF_BYTES:
		return "a size, as 20MB";
	case CONF_RATE:
		return "a rate, as 1.5MB/s";
	case CONF_PERCENT:
		return "a percentage, as 60%";
	case CONF_FACTOR:
		return "a factor, as 3x";
	case CONF_ENUM:
		return "one of its words";
	case CONF_TABLE:
		return "keys with values";
	case CONF_LIST:
		return "a list";
	case CONF_MAP:
		return "names with values";
	}
	return "a value";
}

static bool is_word(const struct conf_field *field, const char *text)
{
	for (size_t i = 0; field->words && field->words[i]; i++)
		if (strcmp(text, field->words[i]) == 0)
			return true;
	return false;
}

static int read_string(const struct conf_field *field, void *at,
	const char *text, const char *folder, struct err *err)
{
	char *value;

	if (!*text)
		return err_set(err, ERR_CONFIG,
			"expected %s, found nothing; give a value or remove "
			"the key",
			conf_expected(field));
	if (field->type == CONF_PATH && folder && *text != '/' &&
		!is_word(field, text))
		value = xasprintf("%s/%s", folder, text);
	else
		value = xstrdup(text);
	memcpy(at, &value, sizeof(value));
	return 0;
}

static int read_bool(void *at, const char *text, struct err *err)
{
	static const char *const words[] = {"false", "true", "no", "yes"};

	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(text, words[i]) == 0) {
			*(bool *)at = i & 1;
			return 0;
		}
	}
	return err_set(
		err, ERR_CONFIG, "expected true or false, found '%.60s'", text);
}

static int check_range(
	const struct conf_field *field, double value, struct err *err)
{
	if (field->min == 0 && field->max == 0)
		return 0;
	if (value < field->min || value > field->max)
		return err_set(err, ERR_CONFIG,
			"expected %s from %.16g to %.16g, found %.15g",
			field->type == CONF_INT ? "a whole number" : "a number",
			field->min, field->max, value);
	return 0;
}

/* Store VALUE in as many bytes as the member has. */
static int store_int(const struct conf_field *field, void *at, int64_t value,
	struct err *err)
{
	int8_t i8 = (int8_t)value;
	int16_t i16 = (int16_t)value;
	int32_t i32 = (int32_t)value;

	if (check_range(field, (double)value, err) < 0)
		return -1;
	if (field->min >= 0 && value < 0)
		return err_set(err, ERR_CONFIG,
			"expected 0 or more, found %" PRId64, value);
	if (field->size < 8 && (value >> (8 * field->size)) > 0)
		return err_set(
			err, ERR_CONFIG, "%" PRId64 " is too large", value);
	switch (field->size) {
	case 1:
		memcpy(at, &i8, 1);
		break;
	case 2:
		memcpy(at, &i16, 2);
		break;
	case 4:
		memcpy(at, &i32, 4);
		break;
	default:
		memcpy(at, &value, 8);
	}
	return 0;
}

static int read_int(const struct conf_field *field, void *at, const char *text,
	bool plain, struct err *err)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (!plain || end == text || *end)
		return err_set(err, ERR_CONFIG,
			"expected a whole number, found %s'%.60s'",
			plain ? "" : "the text ", text);
	if (errno)
		return err_set(err, ERR_CONFIG, "%.60s is too large", text);
	return store_int(field, at, value, err);
}

static int read_number(const struct conf_field *field, void *at,
	const char *text, struct err *err)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value))
		return err_set(err, ERR_CONFIG,
			"expected a number, found '%.60s'", text);
	if (check_range(field, value, err) < 0)
		return -1;
	*(double *)at = value;
	return 0;
}

static int read_enum(const struct conf_field *field, void *at, const char *text,
	struct err *err)
{
	struct buf words = BUF_INIT(512);

	for (int32_t i = 0; field->words[i]; i++) {
		if (strcmp(text, field->words[i]) == 0) {
			buf_free(&words);
			memcpy(at, &i, sizeof(i));
			return 0;
		}
		(void)buf_printf(
			&words, "%s%s", i ? ", " : "", field->words[i]);
	}
	err_set(err, ERR_CONFIG, "expected one of %s, found '%.60s'",
		buf_text(&words), text);
	buf_free(&words);
	return -1;
}

/* A double that was parsed from a unit, against the field's range. */
static int checked_ratio(
	const struct conf_field *field, void *at, double value, struct err *err)
{
	if (check_range(field, value, err) < 0)
		return -1;
	*(double *)at = value;
	return 0;
}

static int read_with_unit(const struct conf_field *field, void *at,
	const char *text, struct err *err)
{
	double ratio = 0;

	switch (field->type) {
	case CONF_DURATION:
		return units_parse_duration(text, at, err);
	case CONF_BYTES:
		return units_parse_bytes(text, at, err);
	case CONF_RATE:
		return units_parse_rate(text, at, err);
	case CONF_PERCENT:
		return units_parse_percent(text, &ratio, err) < 0
			? -1
			: checked_ratio(field, at, ratio, err);
	default:
		return units_parse_factor(text, &ratio, err) < 0
			? -1
			: checked_ratio(field, at, ratio, err);
	}
}

int conf_scalar(const struct conf_field *field, void *at, const char *text,
	bool plain, const char *folder, struct err *err)
{
	switch (field->type) {
	case CONF_STRING:
	case CONF_PATH:
		return read_string(field, at, text, folder, err);
	case CONF_BOOL:
		return read_bool(at, text, err);
	case CONF_INT:
		return read_int(field, at, text, plain, err);
	case CONF_NUMBER:
		return read_number(field, at, text, err);
	case CONF_ENUM:
		return read_enum(field, at, text, err);
	case CONF_TEXT:
		return field->parse(text, at, err);
	case CONF_DURATION:
	case CONF_BYTES:
	case CONF_RATE:
	case CONF_PERCENT:
	case CONF_FACTOR:
		return read_with_unit(field, at, text, err);
	case CONF_TABLE:
	case CONF_LIST:
	case CONF_MAP:
		break;
	}
	return err_set(err, ERR_CONFIG, "expected %s, found '%.60s'",
		conf_expected(field), text);
}
