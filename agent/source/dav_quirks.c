/*
 * The table of differences between DAV servers. A row is chosen by the headers
 * of the first answer that fits one. Pure.
 */
#include "dav_quirks.h"

#include <stdlib.h>
#include <string.h>

static const struct dav_quirks table[] = {
	/* Looks up each object of a multiget by itself, which takes five times
	 * as long as to walk through all of them. */
	{"Cyrus IMAP", "Server", "Cyrus", 1000, 2000, false, true},
	/* Answers long multigets after building them whole in memory. */
	{"Kerio Connect", "Server", "Kerio", 50, 200, false, false},
	{"Apple iCloud", "Server", "AppleHttpServer", 50, 200, false, false},
	{"Apple iCloud", "X-Apple-User-Partition", "", 50, 200, false, false},
	{"Calendar Server", "Server", "CalendarServer", 50, 200, false, false},
	{"Google", "Server", "GSE", 50, 100, false, false},
	/* Nextcloud, Baikal, ownCloud */
	{"sabre/dav", "X-Sabre-Version", "", 100, 500, false, false},
	/* Its tokens are seconds of the clock: a change within the second of
	 * the listing is never told. */
	{"SOGo", "Server", "SOGo", 100, 500, true, false},
	/* Needs seconds per item of a large multiget. */
	{"Xandikos", "Server", "Xandikos", 20, 50, false, false},
	{"Zimbra", "Server", "Zimbra", 50, 200, true, false},
	{"DAViCal", "X-DAViCal-Version", "", 100, 500, true, false},
	{"Stalwart", "Server", "Stalwart", 100, 500, false, false},
	{"a WebDAV server", NULL, NULL, 1000, 2000, false, false},
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
