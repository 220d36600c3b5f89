/*
 * Addresses of DAV resources: libcurl's URL parser does the grammar of RFC
 * 3986, this file the comparison and what a redirect may do with a password.
 * Pure; used by the discovery and by every request of the DAV source.
 */
#include "dav_href.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "alloc.h"
#include "err.h"

/* A name encoded more often than this is compared as it is then. */
#define DECODE_ROUNDS_MAX 8

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; true when something was decoded. "%00" stays. */
static bool decode_once(char *text)
{
	bool changed = false;
	char *to = text;

	for (; *text; text++) {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high >= 0 ? hex_digit(text[2]) : -1;

		if (low >= 0 && high * 16 + low != 0) {
			*to++ = (char)(high * 16 + low);
			text += 2;
			changed = true;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	return changed;
}

/* Where the path of an absolute or relative href starts. */
static const char *path_of(const char *href)
{
	const char *colon = strstr(href, "://");
	const char *first_slash = strchr(href, '/');
	const char *path;

	if (colon && first_slash == colon + 1)
		path = strchr(colon + 3, '/');
	else if (strncmp(href, "//", 2) == 0)
		path = strchr(href + 2, '/');
	else
		return href;
	return path ? path : "";
}

char *dav_href_normal(const char *href)
{
	const char *path = path_of(href);
	char *normal = xstrndup(path, strcspn(path, "?#"));
	size_t length;
	int round;

	for (round = 0; round < DECODE_ROUNDS_MAX; round++)
		if (!decode_once(normal))
			break;
	length = strlen(normal);
	while (length > 0 && normal[length - 1] == '/')
		normal[--length] = '\0';
	return normal;
}

static char *url_part(const char *url, CURLUPart part)
{
	CURLU *handle = curl_url();
	char *value = NULL;
	char *copy = NULL;

	if (curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_get(handle, part, &value, CURLU_DEFAULT_PORT) ==
			CURLUE_OK)
		copy = xstrdup(value);
	curl_free(value);
	curl_url_cleanup(handle);
	return copy;
}

static bool same_part(const char *a, const char *b, CURLUPart part)
{
	char *part_a = url_part(a, part);
	char *part_b = url_part(b, part);
	bool same = part_a && part_b && strcasecmp(part_a, part_b) == 0;

	free(part_a);
	free(part_b);
	return same;
}

static bool is_scheme(const char *url, const char *scheme)
{
	size_t length = strlen(scheme);

	return strncasecmp(url, scheme, length) == 0 &&
		strncmp(url + length, "://", 3) == 0;
}

char *dav_href_resolve(const char *base, const char *href, struct err *err)
{
	CURLU *handle = curl_url();
	char *value = NULL;
	char *url = NULL;

	if (curl_url_set(handle, CURLUPART_URL, base, 0) == CURLUE_OK &&
		curl_url_set(handle, CURLUPART_URL, href, CURLU_URLENCODE) ==
			CURLUE_OK &&
		curl_url_set(handle, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
		curl_url_set(handle, CURLUPART_PASSWORD, NULL, 0) ==
			CURLUE_OK &&
		curl_url_get(handle, CURLUPART_URL, &value, 0) == CURLUE_OK &&
		(is_scheme(value, "http") || is_scheme(value, "https")))
		url = xstrdup(value);
	else
		err_set(err, ERR_PROTOCOL,
			"%s: the server names \"%.200s\", which is no address",
			base, href);
	curl_free(value);
	curl_url_cleanup(handle);
	return url;
}

bool dav_href_same_host(const char *a, const char *b)
{
	return same_part(a, b, CURLUPART_SCHEME) &&
		same_part(a, b, CURLUPART_HOST);
}

bool dav_href_may_follow(const char *from, const char *to)
{
	if (dav_href_same_host(from, to))
		return true;
	if (!is_scheme(to, "https"))
		return false;
	return is_scheme(from, "https") || same_part(from, to, CURLUPART_HOST);
}

char *dav_href_target(
	const char *base, const char *href, const char *what, struct err *err)
{
	char *url = dav_href_resolve(base, href, err);

	if (!url || dav_href_may_follow(base, url))
		return url;
	err_set(err, ERR_TLS,
		"%s names the %s %s, where the password would go in plain "
		"text or to a stranger",
		base, what, url);
	free(url);
	return NULL;
}

char *dav_href_name(const char *href)
{
	const char *path = path_of(href);
	const char *end = path + strcspn(path, "?#");
	const char *start;
	char *name;

	while (end > path && end[-1] == '/')
		end--;
	start = end;
	while (start > path && start[-1] != '/')
		start--;
	name = xstrndup(start, (size_t)(end - start));
	decode_once(name);
	return name;
}
