/*
 * units_fuzz.c - any text as each kind of number: in range or refused.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "alloc.h"
#include "units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	char out[UNITS_TEXT_BYTES];
	uint64_t u;
	int64_t i;
	double d;
	int from, to;

	if (units_parse_duration(text, &i, NULL) == 0) {
		require(i >= 0);
		units_format_duration(i, out);
	}
	if (units_parse_bytes(text, &u, NULL) == 0) {
		require(u <= INT64_MAX);
		units_format_bytes(u, out);
	}
	if (units_parse_rate(text, &u, NULL) == 0)
		units_format_bytes(u, out);
	if (units_parse_percent(text, &d, NULL) == 0)
		require(d >= 0 && d <= 1);
	if (units_parse_factor(text, &d, NULL) == 0)
		require(isfinite(d) && d >= 0);
	if (units_parse_window(text, &from, &to, NULL) == 0)
		require(from != to && from >= 0 && to < 1440);
	free(text);
	return 0;
}
