/*
 * archive_private.h - the inside of struct archive, for its own parts.
 */
#ifndef SLUICE_ARCHIVE_PRIVATE_H
#define SLUICE_ARCHIVE_PRIVATE_H

#include <sqlite3.h>

#include "schema.h"

struct archive {
	sqlite3 *db;
	int lock; /* -1: a reader */
	sqlite3_stmt *put[SCHEMA_COUNT];
};

#endif
