/*
 * dav_href.h - addresses of DAV resources.
 *
 * Servers write one resource in several ways: absolute or as a path, with or
 * without a slash at the end, percent-encoded once, twice or not at all.
 * Requests use an href as the server gave it; comparisons use its normal
 * form. Pure; any thread.
 */
#ifndef SLUICE_DAV_HREF_H
#define SLUICE_DAV_HREF_H

#include <stdbool.h>

struct err;

/* HREF without scheme, host, query and slashes at the end, percent-decoded
 * until nothing changes; for free(). Only for comparing. */
char *dav_href_normal(const char *href);

/* HREF as found in an answer of BASE, as an absolute URL for free(); NULL
 * with ERR filled when it is none or not http(s). */
char *dav_href_resolve(const char *base, const char *href, struct err *err);

/*
 * May a client that holds a password for FROM send it to TO? Yes on the same
 * scheme and host, from http to https on the same host, and from https to
 * https anywhere: the server that redirects already knows the password, and
 * the next one proves its name. Never to another host, nor back, in plain
 * text (RFC 6764 section 8).
 */
bool dav_href_may_follow(const char *from, const char *to);

/* HREF as dav_href_resolve(), where the password for BASE may go as well; else
 * NULL with ERR_TLS. WHAT it is, for people: "home". */
char *dav_href_target(
	const char *base, const char *href, const char *what, struct err *err);

/* The same scheme and host; the port may differ. */
bool dav_href_same_host(const char *a, const char *b);

/* The last non-empty segment, percent-decoded once; for free(). */
char *dav_href_name(const char *href);

#endif
