/*
 * dav_quirks.h - how DAV servers differ, as one table.
 *
 * The code asks a quirk, never a server's name. Pure; any thread.
 */
#ifndef SLUICE_DAV_QUIRKS_H
#define SLUICE_DAV_QUIRKS_H

#include <stdbool.h>
#include <stddef.h>

struct dav_quirks {
	const char *name;	 /* for people */
	const char *header;	 /* "Name" of the answer's header that ... */
	const char *contains;	 /* ... contains this, in any case */
	size_t multiget_first;	 /* items asked for at once to start with */
	size_t multiget_max;	 /* and at most */
	bool sync_is_unreliable; /* list by PROPFIND, compare ctags */
	bool query_is_cheap;	 /* all objects in one answer, for less than by
				multiget */
};

/* The row whose header VALUE_OF(context, header) matches, else the last row,
 * which has no header and is for servers that do what the RFCs say. Never
 * NULL. VALUE_OF returns text for free() or NULL. */
const struct dav_quirks *dav_quirks_find(
	char *(*value_of)(const void *context, const char *header),
	const void *context);

#endif
