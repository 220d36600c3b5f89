/*
 * Looks whether DAV and the exporter are where the scenario says, see
 * reach.h. Used by `sluice check`, on its only thread.
 */
#include "reach.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "http.h"

#define LOOK_US (20 * US_PER_S)

static const char question[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	"<D:propfind xmlns:D=\"DAV:\"><D:prop><D:current-user-principal/>"
	"</D:prop></D:propfind>";

/* 0 with RESPONSE, or -1 with ERR; released with http_response_free(). */
static int look(const char *method, const char *url, const char *ca_file,
	struct http_response *response, struct err *err)
{
	static const char *const headers[] = {"Depth: 0",
		"Content-Type: application/xml; charset=utf-8", NULL};
	struct http_options options = {.ca_file = ca_file};
	bool dav = strcmp(method, "PROPFIND") == 0;
	struct http_request request = {
		.method = method,
		.url = url,
		.headers = dav ? headers : NULL,
		.body = dav ? question : NULL,
		.body_bytes = dav ? strlen(question) : 0,
		.follow = true,
		.total_us = LOOK_US,
	};
	struct http *http = http_new(&options, NULL);
	int result = http_perform(http, &request, response, err);

	http_free(http);
	return result;
}

static char *well_known(const char *url)
{
	const char *host = strstr(url, "://");
	size_t origin = host
		? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#")
		: strlen(url);

	return xasprintf("%.*s/.well-known/caldav", (int)origin, url);
}

static char *advice(const struct http_response *response)
{
	int status = response->status;

	if (response->redirect_url)
		return xasprintf("it points to %s; set server.dav.url to the "
				 "address there",
			response->redirect_url);
	if (status == 429 || status == 503)
		return xstrdup("it is overloaded or closed; try again when it "
			       "is not");
	if (status >= 500)
		return xstrdup("it is ill; see the server's log");
	return xstrdup("no DAV is there; set server.dav.url to the address "
		       "that the server's manual gives for CalDAV");
}

/* True when URL is DAV. Else TEXT says what it is. */
static bool look_for_dav(const char *url, const char *ca_file, char **text)
{
	struct http_response response;
	struct err err = ERR_INIT;
	bool good = false;
	char *next;

	if (look("PROPFIND", url, ca_file, &response, &err) < 0) {
		*text = xstrdup(err.text);
	} else if (response.status == 207) {
		good = true;
		*text = xasprintf("%s answers", url);
	} else if (response.status == 401) {
		good = true;
		*text = xasprintf("%s answers and wants a login", url);
	} else {
		next = advice(&response);
		*text = xasprintf(
			"%s: status %d; %s", url, response.status, next);
		free(next);
	}
	http_response_free(&response);
	return good;
}

bool reach_dav(const char *url, const char *ca_file, char **text)
{
	char *other;
	char *place;
	bool good = look_for_dav(url, ca_file, text);

	if (good)
		return true;
	place = well_known(url);
	good = look_for_dav(place, ca_file, &other);
	free(place);
	if (good) {
		free(*text);
		*text = other;
	} else {
		free(other);
	}
	return good;
}

bool reach_exporter(const char *url, const char *ca_file, char **text)
{
	struct http_response response;
	struct err err = ERR_INIT;
	bool good = false;

	if (look("GET", url, ca_file, &response, &err) < 0) {
		*text = xstrdup(err.text);
	} else {
		good = response.status == 200;
		*text = good ? xasprintf("%s answers", url)
			     : xasprintf("%s: status %d; is this the address "
					 "of its metrics?",
				       url, response.status);
	}
	http_response_free(&response);
	return good;
}
