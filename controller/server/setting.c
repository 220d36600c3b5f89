/* setting.c - see setting.h. On the loop's thread. */
#include "setting.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "archive.h"
#include "err.h"
#include "scenario.h"
#include "units.h"

static int set_slo(struct scenario *s, const char *value, struct err *err)
{
	return units_parse_duration(value, &s->canary.slo_us, err);
}

static int set_rate(struct scenario *s, const char *value, struct err *err)
{
	return units_parse_rate(value, &s->limits.rate_bytes_s, err);
}

static int set_stagger(struct scenario *s, const char *value, struct err *err)
{
	return units_parse_duration(value, &s->steps.stagger_us, err);
}

static int set_window(struct scenario *s, const char *value, struct err *err)
{
	int *window = s->steps.window;

	if (units_parse_window(value, &window[0], &window[1], err) < 0)
		return -1;
	s->steps.has_window = true;
	return 0;
}

static int set_batch_max(struct scenario *s, const char *value, struct err *err)
{
	char *end;
	unsigned long number = strtoul(value, &end, 10);

	if (end == value || *end || *value == '-' || number > 100000)
		return err_set(err, ERR_USAGE,
			"expected a whole number up to 100000, found '%.40s'",
			value);
	s->limits.batch_max = (unsigned)number;
	return 0;
}

static const struct setting {
	const char *key;
	int (*set)(struct scenario *s, const char *value, struct err *err);
} settings[] = {
	{"batch_max", set_batch_max},
	{"rate", set_rate},
	{"slo", set_slo},
	{"stagger", set_stagger},
	{"window", set_window},
};

#define COUNT (sizeof(settings) / sizeof(*settings))

int setting_apply(struct scenario *scenario, const char *key, const char *value,
	struct err *err)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (strcmp(settings[i].key, key) != 0)
			continue;
		if (settings[i].set(scenario, value, err) == 0)
			return 0;
		if (err)
			err->kind = ERR_USAGE;
		return err_context(err, "%s", key);
	}
	return err_set(err, ERR_USAGE,
		"unknown setting '%.40s'; expected batch_max, rate, slo, "
		"stagger or window",
		key);
}

int setting_keep(struct archive *archive, const char *key, const char *value,
	struct err *err)
{
	char *name = xasprintf("set.%s", key);
	int result = archive_set(archive, name, value, err);

	free(name);
	return result;
}

int setting_load(
	struct archive *archive, struct scenario *scenario, struct err *err)
{
	for (size_t i = 0; i < COUNT; i++) {
		char *name = xasprintf("set.%s", settings[i].key);
		char *value = NULL;
		int result = archive_get(archive, name, &value, err);

		if (result == 0 && value)
			result = settings[i].set(scenario, value, err);
		free(name);
		free(value);
		if (result < 0)
			return -1;
	}
	return 0;
}
