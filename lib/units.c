/*
 * units.c - numbers with units: one reader for "digits[.digits]unit", one
 * table of units for each kind of quantity.
 *
 * Pure; any thread. A decimal fraction is scaled as an integer, so 1.5MB/s is
 * exactly 1500000 and 0.1s exactly 100000.
 */
#include "units.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

#define FRACTION_DIGITS_MAX 9

struct unit {
	const char *name;
	uint64_t scale; /* how many of the result's unit it is */
	uint64_t divisor;
};

static const struct unit durations[] = {
	{"us", 1, 1},
	{"ms", 1000, 1},
	{"s", 1000000, 1},
	{"m", 60000000, 1},
	{"min", 60000000, 1},
	{"h", 3600000000, 1},
	{"d", 86400000000, 1},
	{NULL, 0, 0},
};

static const struct unit sizes[] = {
	{"", 1, 1},
	{"B", 1, 1},
	{"kB", 1000, 1},
	{"KB", 1000, 1},
	{"MB", 1000000, 1},
	{"GB", 1000000000, 1},
	{"TB", 1000000000000, 1},
	{"KiB", 1ull << 10, 1},
	{"MiB", 1ull << 20, 1},
	{"GiB", 1ull << 30, 1},
	{"TiB", 1ull << 40, 1},
	{NULL, 0, 0},
};

static const struct unit rates[] = {
	{"B/s", 1, 1},
	{"kB/s", 1000, 1},
	{"KB/s", 1000, 1},
	{"MB/s", 1000000, 1},
	{"GB/s", 1000000000, 1},
	{"KiB/s", 1ull << 10, 1},
	{"MiB/s", 1ull << 20, 1},
	{"GiB/s", 1ull << 30, 1},
	{"kbit/s", 1000, 8},
	{"Mbit/s", 1000000, 8},
	{"Gbit/s", 1000000000, 8},
	{"MB/min", 1000000, 60},
	{NULL, 0, 0},
};

/* Millionths, so that a ratio is exact before it becomes a double. */
static const struct unit percents[] = {
	{"%", 1000000, 1},
	{NULL, 0, 0},
};

static const struct unit factors[] = {
	{"x", 1000000, 1},
	{NULL, 0, 0},
};

struct decimal {
	uint64_t digits; /* without the point */
	uint64_t tenths; /* 10 to the number of digits behind it */
};

/* Returns where the number ends, or NULL when there is none or it is out of
 * range. */
static const char *read_decimal(const char *text, struct decimal *number)
{
	const char *at = text;
	unsigned fraction = 0;
	bool point = false;

	*number = (struct decimal){0, 1};
	if (!isdigit((unsigned char)*at))
		return NULL;
	for (;; at++) {
		if (*at == '.' && !point && isdigit((unsigned char)at[1])) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)*at))
			return at;
		if (number->digits > (UINT64_MAX - 9) / 10)
			return NULL;
		if (point && ++fraction > FRACTION_DIGITS_MAX)
			return NULL;
		number->digits = number->digits * 10 + (uint64_t)(*at - '0');
		if (point)
			number->tenths *= 10;
	}
}

static int read_quantity(const char *text, const struct unit *units,
	const char *example, uint64_t *value, struct err *err)
{
	struct decimal number;
	const char *unit = read_decimal(text, &number);
	unsigned __int128 product;

	if (!unit)
		return err_set(err, ERR_CONFIG,
			"expected a number with a unit, as %s, found '%.40s'",
			example, text);
	while (*unit == ' ')
		unit++;
	for (; units->name; units++)
		if (strcmp(units->name, unit) == 0)
			break;
	if (!units->name)
		return err_set(err, ERR_CONFIG,
			"expected a unit, as in %s, found '%.40s'", example,
			text);
	product = (unsigned __int128)number.digits * units->scale;
	product /= (unsigned __int128)number.tenths * units->divisor;
	if (product > INT64_MAX)
		return err_set(err, ERR_CONFIG, "'%.40s' is too large", text);
	*value = (uint64_t)product;
	return 0;
}

int units_parse_duration(const char *text, int64_t *us, struct err *err)
{
	uint64_t value = 0;

	if (strcmp(text, "0") != 0 &&
		read_quantity(text, durations, "250ms, 2s, 10m or 1h", &value,
			err) < 0)
		return -1;
	*us = (int64_t)value;
	return 0;
}

int units_parse_bytes(const char *text, uint64_t *bytes, struct err *err)
{
	return read_quantity(text, sizes, "20MB or 16KiB", bytes, err);
}

int units_parse_rate(const char *text, uint64_t *bytes_s, struct err *err)
{
	return read_quantity(text, rates, "1.5MB/s or 100Mbit/s", bytes_s, err);
}

int units_parse_percent(const char *text, double *ratio, struct err *err)
{
	uint64_t millionths = 0;

	if (read_quantity(text, percents, "60%", &millionths, err) < 0)
		return -1;
	if (millionths > 100000000)
		return err_set(err, ERR_CONFIG,
			"expected at most 100%%, found '%.40s'", text);
	*ratio = (double)millionths / 1e8;
	return 0;
}

int units_parse_factor(const char *text, double *factor, struct err *err)
{
	uint64_t millionths = 0;

	if (read_quantity(text, factors, "3x", &millionths, err) < 0)
		return -1;
	*factor = (double)millionths / 1e6;
	return 0;
}

/* "hh:mm", and nothing but a minute of a day. */
static const char *read_minute(const char *text, int *minute)
{
	for (int i = 0; i < 5; i++)
		if (i == 2 ? text[i] != ':' : !isdigit((unsigned char)text[i]))
			return NULL;
	*minute = ((text[0] - '0') * 10 + text[1] - '0') * 60 +
		(text[3] - '0') * 10 + text[4] - '0';
	return text[3] < '6' && *minute < 24 * 60 ? text + 5 : NULL;
}

int units_parse_time(const char *text, int *minute, struct err *err)
{
	int value = 0;
	const char *end = read_minute(text, &value);

	if (!end || *end)
		return err_set(err, ERR_CONFIG,
			"expected a time of day, as 20:00, found '%.40s'",
			text);
	*minute = value;
	return 0;
}

int units_parse_window(
	const char *text, int *from_min, int *to_min, struct err *err)
{
	int from = 0, to = 0;
	const char *at = read_minute(text, &from);

	if (at && *at == '-')
		at = read_minute(at + 1, &to);
	else
		at = NULL;
	if (!at || *at)
		return err_set(err, ERR_CONFIG,
			"expected a time of day, as 20:00-06:00, found '%.40s'",
			text);
	if (from == to)
		return err_set(
			err, ERR_CONFIG, "'%.40s' is an empty window", text);
	*from_min = from;
	*to_min = to;
	return 0;
}

char *units_format_duration(int64_t us, char *text)
{
	int64_t s = us / 1000000;
	const char *sign = us < 0 ? "-" : "";

	if (us < 0) {
		us = us == INT64_MIN ? INT64_MAX : -us;
		s = us / 1000000;
	}
	if (us == 0)
		(void)snprintf(text, UNITS_TEXT_BYTES, "0s");
	else if (us < 1000000)
		(void)snprintf(text, UNITS_TEXT_BYTES, "%s%lldms", sign,
			(long long)(us / 1000));
	else if (s < 60)
		(void)snprintf(
			text, UNITS_TEXT_BYTES, "%s%llds", sign, (long long)s);
	else if (s < 3600)
		(void)snprintf(text, UNITS_TEXT_BYTES, "%s%lldm%02llds", sign,
			(long long)(s / 60), (long long)(s % 60));
	else if (s < 86400)
		(void)snprintf(text, UNITS_TEXT_BYTES, "%s%lldh%02lldm", sign,
			(long long)(s / 3600), (long long)(s / 60 % 60));
	else
		(void)snprintf(text, UNITS_TEXT_BYTES, "%s%lldd%02lldh", sign,
			(long long)(s / 86400), (long long)(s / 3600 % 24));
	return text;
}

char *units_format_bytes(uint64_t bytes, char *text)
{
	static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double value = (double)bytes;
	unsigned i = 0;

	while (value >= 999.95 && i < 5) {
		value /= 1000;
		i++;
	}
	(void)snprintf(text, UNITS_TEXT_BYTES,
		i == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value,
		names[i]);
	return text;
}
