/*
 * listed.c - wait until a store lists so many messages of a folder.
 *
 * usage: listed STORE FOLDER COUNT
 * Looks every 10 ms by one handle that only reads, as any reader beside a
 * sync may; a program started for each look would take a processor from what
 * is measured. Ends with 1 when it has not come within a minute.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"

#define LOOK_US	 (10 * US_PER_MS)
#define LIMIT_US (60 * US_PER_S)

/* -1: there is no store yet, or it is just being made. */
static long count(const char *path, sqlite3 **db, const char *folder)
{
	static const char sql[] =
		"SELECT count(*) FROM messages WHERE folder = "
		"(SELECT id FROM folders WHERE path = ?)";
	sqlite3_stmt *row = NULL;
	long listed = -1;

	if (!*db &&
		sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL) !=
			SQLITE_OK) {
		sqlite3_close(*db);
		*db = NULL;
		return -1;
	}
	if (sqlite3_prepare_v2(*db, sql, -1, &row, NULL) == SQLITE_OK &&
		sqlite3_bind_text(row, 1, folder, -1, SQLITE_STATIC) ==
			SQLITE_OK &&
		sqlite3_step(row) == SQLITE_ROW)
		listed = (long)sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return listed;
}

int main(int argc, char **argv)
{
	int64_t end_us = clock_monotonic_us() + LIMIT_US;
	sqlite3 *db = NULL;
	char path[4096];
	long wanted;
	long listed;

	if (argc != 4) {
		fputs("usage: listed STORE FOLDER COUNT\n", stderr);
		return 2;
	}
	wanted = strtol(argv[3], NULL, 10);
	snprintf(path, sizeof(path), "%s/store.db", argv[1]);
	while ((listed = count(path, &db, argv[2])) < wanted &&
		clock_monotonic_us() < end_us)
		usleep(LOOK_US);
	sqlite3_close(db);
	return listed < wanted;
}
