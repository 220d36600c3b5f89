/*
 * dav_home.h - where an account's calendars and address books are.
 *
 * Just enough of WebDAV to find collections and to make those that a filled
 * account needs (RFC 5397, RFC 4791, RFC 6352). One thread; it blocks.
 */
#ifndef SLUICE_DAV_HOME_H
#define SLUICE_DAV_HOME_H

#include "http.h"
#include "item.h"

struct err;

struct dav_login {
	struct http *http;
	const char *url; /* of the server */
	const char *user, *password;
};

/* Absolute URLs that end with "/", one for each kind of item. */
struct dav_home {
	char *collection[ITEM_KIND_COUNT];
};

/* Finds the user's calendar for events and address book for contacts; tasks
 * and notes get calendars of their own. Makes what is missing. */
int dav_home_find(
	const struct dav_login *login, struct dav_home *home, struct err *err);
void dav_home_free(struct dav_home *home);

#endif
