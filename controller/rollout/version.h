/*
 * version.h - "3.10.1" is newer than "3.9".
 */
#ifndef SLUICE_VERSION_H
#define SLUICE_VERSION_H

#include <stdbool.h>

/* Numbers between dots are compared as numbers, the first that differs
 * decides; what is not a number ends the comparison ("3.6.1-4+deb12u3" counts
 * as 3.6.1). A missing number is 0. WANTED NULL: anything will do. */
bool version_at_least(const char *version, const char *wanted);

#endif
