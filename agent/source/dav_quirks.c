/*
 * The table of differences between DAV servers. Chosen once per session from
 * the headers of the first answer. Pure.
 */
#include "dav_quirks.h"

#include <stdlib.h>
#include <string.h>

static const struct dav_quirks table[] = {
	{"Cyrus IMAP", "Server", "Cyrus", 1000, 2000, false},
	/* Answers long multigets after building them whole in memory. */
	{"Kerio Connect", "Server", "Kerio", 50, 200, false},
	{"Apple iCloud", "Server", "AppleHttpServer", 50, 200, false},
	{"Apple iCloud", "X-Apple-User-Partition", "", 50, 200, false},
	{"Calendar Server", "Server", "CalendarServer", 50, 200, false},
	{"Google", "Server", "GSE", 50, 100, false},
	/* Nextcloud, Baikal, ownCloud */
	{"sabre/dav", "X-Sabre-Version", "", 100, 500, false},
	/* Its tokens are seconds of the clock: a change within the second of
	 * the listing is never told. */
	{"SOGo", "Server", "SOGo", 100, 500, true},
	/* Needs seconds per item of a large multiget. */
	{"Xandikos", "Server", "Xandikos", 20, 50, false},
	{"Zimbra", "Server", "Zimbra", 50, 200, true},
	{"DAViCal", "X-DAViCal-Version", "", 100, 500, true},
	{"Stalwart", "Server", "Stalwart", 100, 500, false},
	{"a WebDAV server", NULL, NULL, 1000, 2000, false},
};

const struct dav_quirks *dav_quirks_find(
	char *(*value_of)(const void *context, const char *header),
	const void *context)
{
	const struct dav_quirks *row = table;

	for (; row->header; row++) {
		char *value = value_of(context, row->header);
		bool match = value && strcasestr(value, row->contains);

		free(value);
		if (match)
			break;
	}
	return row;
}
