/*
 * canary_dav.c - see canary_dav.h. Runs on the canary's thread.
 */
#include "canary_dav.h"

#include <expat.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "http.h"

#define ANSWER_BYTES (4U << 20)
#define HREF_BYTES   1024

struct canary_dav {
	char *url, *user, *password;
	struct http *http;
	char *calendar; /* absolute URL; NULL: not found yet */
};

struct canary_dav *canary_dav_new(const char *url, const char *user,
	const char *password, const char *ca_file, struct wire *wire)
{
	struct http_options options = {.ca_file = ca_file};
	struct canary_dav *dav = xcalloc(1, sizeof(*dav));

	dav->url = xstrdup(url);
	dav->user = xstrdup(user);
	dav->password = xstrdup(password);
	dav->http = http_new(&options, wire);
	return dav;
}

void canary_dav_free(struct canary_dav *dav)
{
	if (!dav)
		return;
	http_free(dav->http);
	free(dav->url);
	free(dav->user);
	free(dav->password);
	free(dav->calendar);
	free(dav);
}

const char *canary_dav_calendar(const struct canary_dav *dav)
{
	return dav->calendar;
}

void canary_dav_use(struct canary_dav *dav, const char *calendar)
{
	free(dav->calendar);
	dav->calendar = xstrdup(calendar);
}

/* What a multistatus is searched for: the href inside PROPERTY, or of the
 * first response that holds PROPERTY at all. */
struct search {
	const char *property; /* "DAV: name" as expat joins them */
	bool inside;	      /* the href stands inside the property */
	unsigned depth;	      /* within the property; 0: outside */
	bool in_href, found;
	char href[HREF_BYTES]; /* being read */
	char found_href[HREF_BYTES];
	char response[HREF_BYTES]; /* of the response being read */
};

static void XMLCALL on_start(
	void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct search *s = context;

	(void)attributes;
	if (strcmp(name, s->property) == 0 || s->depth)
		s->depth++;
	if (strcmp(name, "DAV: response") == 0)
		s->response[0] = '\0';
	if (strcmp(name, "DAV: href") == 0) {
		s->in_href = true;
		s->href[0] = '\0';
	}
	if (s->depth == 1 && !s->inside && !s->found) {
		s->found = true;
		memcpy(s->found_href, s->response, sizeof(s->response));
	}
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
	struct search *s = context;

	if (strcmp(name, "DAV: href") == 0) {
		s->in_href = false;
		if (s->depth && s->inside && !s->found) {
			s->found = true;
			memcpy(s->found_href, s->href, sizeof(s->href));
		} else if (!s->depth && s->response[0] == '\0') {
			memcpy(s->response, s->href, sizeof(s->href));
		}
	}
	if (s->depth)
		s->depth--;
}

static void XMLCALL on_text(void *context, const XML_Char *text, int length)
{
	struct search *s = context;
	size_t used = strlen(s->href);

	if (s->in_href && length > 0 && used + (size_t)length < HREF_BYTES) {
		memcpy(s->href + used, text, (size_t)length);
		s->href[used + (size_t)length] = '\0';
	}
}

static int search_xml(struct search *search, const struct buf *xml)
{
	XML_Parser parser = XML_ParserCreateNS(NULL, ' ');

	/* Entities are bounded by expat's own limit on amplification. */
	XML_SetUserData(parser, search);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	int ok = XML_Parse(parser, buf_text(xml), (int)xml->length, 1);
	XML_ParserFree(parser);
	return ok == XML_STATUS_OK && search->found ? 0 : -1;
}

static int ask(struct canary_dav *dav, const char *method, const char *url,
	const char *depth, const char *body, int64_t timeout_us,
	struct http_response *response, struct err *err)
{
	char depth_line[16];
	const char *headers[] = {depth_line,
		"Content-Type: application/xml; charset=utf-8", NULL};
	struct http_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.body = body,
		.body_bytes = strlen(body),
		.user = dav->user,
		.password = dav->password,
		.follow = true,
		.total_us = timeout_us,
		.max_bytes = ANSWER_BYTES,
	};

	snprintf(depth_line, sizeof(depth_line), "Depth: %s", depth);
	if (http_perform(dav->http, &request, response, err) < 0)
		return -1;
	return http_check(&request, response, err);
}

/* PATH of an href on the server of URL, for free(). */
static char *resolve(const char *url, const char *href)
{
	const char *host = strstr(url, "://");

	if (!host || strstr(href, "://"))
		return xstrdup(href);
	size_t origin = strcspn(host + 3, "/") + (size_t)(host + 3 - url);
	return xasprintf("%.*s%s", (int)origin, url, href);
}

/* PROPFIND at URL; the href found, absolute and for free(), or NULL. */
static char *find(struct canary_dav *dav, const char *url, const char *depth,
	const char *ask_for, struct search *search, int64_t timeout_us,
	struct err *err)
{
	struct http_response response = {0};
	char *found = NULL;
	char *body = xasprintf(
		"<?xml version=\"1.0\"?><propfind xmlns=\"DAV:\" "
		"xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><prop>%s</prop>"
		"</propfind>",
		ask_for);

	if (ask(dav, "PROPFIND", url, depth, body, timeout_us, &response, err) <
		0)
		err_context(err, "canary: calendar");
	else if (search_xml(search, &response.body) < 0)
		err_set(err, ERR_PROTOCOL,
			"canary: %s answers without \"%s\"; leave out dav of "
			"the canary when it has no calendar",
			url, search->property);
	else
		found = resolve(url, search->found_href);
	http_response_free(&response);
	free(body);
	return found;
}

static int find_calendar(
	struct canary_dav *dav, int64_t timeout_us, struct err *err)
{
	struct search *search = xcalloc(3, sizeof(*search));
	char *principal;
	char *home = NULL;

	search[0].property = "DAV: current-user-principal";
	search[1].property = "urn:ietf:params:xml:ns:caldav calendar-home-set";
	search[2].property = "urn:ietf:params:xml:ns:caldav calendar";
	search[0].inside = search[1].inside = true;
	principal = find(dav, dav->url, "0", "<current-user-principal/>",
		&search[0], timeout_us, err);
	if (principal)
		home = find(dav, principal, "0", "<C:calendar-home-set/>",
			&search[1], timeout_us, err);
	if (home)
		dav->calendar = find(dav, home, "1", "<resourcetype/>",
			&search[2], timeout_us, err);
	free(principal);
	free(home);
	free(search);
	return dav->calendar ? 0 : -1;
}

static void format_day(int64_t wall_us, char text[17])
{
	time_t seconds = (time_t)(wall_us / US_PER_S);
	struct tm day;

	gmtime_r(&seconds, &day);
	strftime(text, 17, "%Y%m%dT000000Z", &day);
}

int canary_dav_day(struct canary_dav *dav, int64_t now_wall_us,
	int64_t timeout_us, struct err *err)
{
	struct http_response response = {0};
	char from[17];
	char to[17];

	if (!dav->calendar && find_calendar(dav, timeout_us, err) < 0)
		return -1;
	format_day(now_wall_us, from);
	format_day(now_wall_us + 86400 * US_PER_S, to);
	char *body = xasprintf(
		"<?xml version=\"1.0\"?><C:calendar-query xmlns=\"DAV:\" "
		"xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><prop><getetag/>"
		"<C:calendar-data/></prop><C:filter><C:comp-filter "
		"name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\">"
		"<C:time-range start=\"%s\" end=\"%s\"/></C:comp-filter>"
		"</C:comp-filter></C:filter></C:calendar-query>",
		from, to);
	int rc = ask(dav, "REPORT", dav->calendar, "1", body, timeout_us,
		&response, err);
	http_response_free(&response);
	free(body);
	if (rc < 0)
		return err_context(err, "canary: one calendar day");
	return 0;
}
