/* version.c - see version.h. Pure. */
#include "version.h"

#include <ctype.h>
#include <stddef.h>

/* The next number, and *TEXT behind it and its dot; 0 at the end. */
static unsigned long next_number(const char **text)
{
	unsigned long number = 0;
	const char *at = *text;

	while (isdigit((unsigned char)*at) && number < 100000000)
		number = number * 10 + (unsigned long)(*at++ - '0');
	while (isdigit((unsigned char)*at))
		at++;
	/* Anything but a dot and a digit ends the number for good. */
	*text = *at == '.' && isdigit((unsigned char)at[1]) ? at + 1 : "";
	return number;
}

bool version_at_least(const char *version, const char *wanted)
{
	if (!wanted)
		return true;
	while (*version && !isdigit((unsigned char)*version))
		version++;
	while (*version || *wanted) {
		unsigned long have = next_number(&version);
		unsigned long want = next_number(&wanted);

		if (have != want)
			return have > want;
	}
	return true;
}
