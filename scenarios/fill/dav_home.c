/*
 * dav_home.c - from a server's URL to one collection per kind of item.
 *
 * Runs on the thread of its account.
 */
#include "dav_home.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "err.h"
#include "multistatus.h"

static const char ask_principal[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>"
	"<D:propfind xmlns:D=\"DAV:\"><D:prop><D:current-user-principal/>"
	"</D:prop></D:propfind>";
static const char ask_homes[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>"
	"<D:propfind xmlns:D=\"DAV:\" "
	"xmlns:C=\"urn:ietf:params:xml:ns:caldav\" "
	"xmlns:A=\"urn:ietf:params:xml:ns:carddav\"><D:prop>"
	"<C:calendar-home-set/><A:addressbook-home-set/>"
	"</D:prop></D:propfind>";
static const char ask_types[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>"
	"<D:propfind xmlns:D=\"DAV:\" "
	"xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop>"
	"<D:resourcetype/><C:supported-calendar-component-set/>"
	"</D:prop></D:propfind>";
static const char make_addressbook[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>"
	"<D:mkcol xmlns:D=\"DAV:\" "
	"xmlns:A=\"urn:ietf:params:xml:ns:carddav\"><D:set><D:prop>"
	"<D:resourcetype><D:collection/><A:addressbook/></D:resourcetype>"
	"</D:prop></D:set></D:mkcol>";

/* REFERENCE as found in an answer from BASE, made absolute, for free(). */
static char *absolute(const char *base, const char *reference)
{
	CURLU *url = curl_url();
	char *part = NULL, *result = NULL;

	if (curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
		curl_url_set(url, CURLUPART_URL, reference, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_URL, &part, 0) == CURLUE_OK)
		result = xstrdup(part);
	curl_free(part);
	curl_url_cleanup(url);
	return result;
}

/* A request with an XML body; the answer's status is judged by the caller. */
static int ask(const struct dav_login *login, const char *method,
	const char *url, const char *depth, const char *body,
	struct http_request *request, struct http_response *response,
	struct err *err)
{
	static const char *const depths[][3] = {
		{"Content-Type: application/xml; charset=utf-8", "Depth: 0",
			NULL},
		{"Content-Type: application/xml; charset=utf-8", "Depth: 1",
			NULL},
	};

	*request = (struct http_request){
		.method = method,
		.url = url,
		.headers = depths[*depth == '1'],
		.body = body,
		.body_bytes = strlen(body),
		.user = login->user,
		.password = login->password,
		.follow = true,
	};
	return http_perform(login->http, request, response, err);
}

/* *FINAL, for free(), is the URL that answered. */
static int propfind(const struct dav_login *login, const char *url,
	const char *depth, const char *body, struct multistatus *result,
	char **final, struct err *err)
{
	struct http_response response;
	struct http_request request;
	int status = ask(
		login, "PROPFIND", url, depth, body, &request, &response, err);

	if (status == 0)
		status = http_check(&request, &response, err);
	if (status == 0 && response.status != 207)
		status = err_set(err, ERR_PROTOCOL,
			"PROPFIND %s: status %d instead of 207; is this a "
			"CalDAV server?",
			url, response.status);
	if (status == 0)
		status = multistatus_parse(buf_text(&response.body),
			response.body.length, result, err);
	if (status == 0)
		*final = xstrdup(response.final_url ? response.final_url : url);
	http_response_free(&response);
	return status;
}

/* RFC 6764: what the URL itself says, else its well-known path. */
static char *find_principal(const struct dav_login *login, struct err *err)
{
	char *known = absolute(login->url, "/.well-known/caldav");
	const char *const urls[] = {login->url, known};
	char *principal = NULL;

	for (unsigned i = 0; !principal && i < 2; i++) {
		struct multistatus found;
		char *final;

		if (!urls[i] ||
			propfind(login, urls[i], "0", ask_principal, &found,
				&final, err) != 0)
			continue;
		if (found.principal)
			principal = absolute(final, found.principal);
		else
			err_set(err, ERR_PROTOCOL,
				"%s: names no principal for %s", final,
				login->user);
		multistatus_free(&found);
		free(final);
	}
	free(known);
	return principal;
}

static int find_homes(const struct dav_login *login, char **calendars,
	char **addressbooks, struct err *err)
{
	char *principal = find_principal(login, err);
	struct multistatus found;
	char *final;
	int result = -1;

	if (!principal)
		return -1;
	if (propfind(login, principal, "0", ask_homes, &found, &final, err) !=
		0)
		goto free_principal;
	if (found.calendar_home && found.addressbook_home) {
		*calendars = absolute(final, found.calendar_home);
		*addressbooks = absolute(final, found.addressbook_home);
		result = 0;
	} else {
		err_set(err, ERR_PROTOCOL,
			"%s: names no home for calendars or address books",
			principal);
	}
	multistatus_free(&found);
	free(final);
free_principal:
	free(principal);
	return result;
}

/* The first collection of HOME that can hold KIND, for free(); *RESULT is
 * NULL when there is none. */
static int find_collection(const struct dav_login *login, const char *home,
	enum item_kind kind, char **result, struct err *err)
{
	struct multistatus found;
	char *final;

	*result = NULL;
	if (propfind(login, home, "1", ask_types, &found, &final, err) != 0)
		return -1;
	for (size_t i = 0; i < found.count && !*result; i++) {
		const struct multistatus_entry *entry = &found.entry[i];
		bool fits = kind == ITEM_CONTACT
			? entry->addressbook
			: entry->calendar && (!entry->limited || entry->events);

		if (fits && entry->href)
			*result = absolute(final, entry->href);
	}
	multistatus_free(&found);
	free(final);
	return 0;
}

/* Make the collection NAME of HOME for KIND; that it is there is fine. */
static int make_collection(const struct dav_login *login, const char *home,
	const char *name, enum item_kind kind, char **result, struct err *err)
{
	static const char *const component[ITEM_KIND_COUNT] = {
		[ITEM_EVENT] = "VEVENT",
		[ITEM_TASK] = "VTODO",
		[ITEM_NOTE] = "VJOURNAL",
	};
	bool contacts = kind == ITEM_CONTACT;
	char *url = xasprintf("%s%s/", home, name);
	struct http_response response;
	struct http_request request;
	struct buf body = BUF_INIT(0);
	int status;

	if (contacts)
		(void)buf_append_text(&body, make_addressbook);
	else
		(void)buf_printf(&body,
			"<?xml version=\"1.0\" encoding=\"utf-8\"?>"
			"<C:mkcalendar xmlns:D=\"DAV:\" "
			"xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:set>"
			"<D:prop><D:displayname>%s</D:displayname>"
			"<C:supported-calendar-component-set>"
			"<C:comp name=\"%s\"/>"
			"</C:supported-calendar-component-set></D:prop>"
			"</D:set></C:mkcalendar>",
			name, component[kind]);
	status = ask(login, contacts ? "MKCOL" : "MKCALENDAR", url, "0",
		buf_text(&body), &request, &response, err);
	/* 405 and 409 are two ways of saying that it exists (RFC 4918 section
	 * 9.3.1, Radicale); a missing one shows at the first PUT. */
	if (status == 0 && response.status != 405 && response.status != 409 &&
		response.status != 403)
		status = http_check(&request, &response, err);
	http_response_free(&response);
	buf_free(&body);
	if (status == 0)
		*result = url;
	else
		free(url);
	return status;
}

int dav_home_find(
	const struct dav_login *login, struct dav_home *home, struct err *err)
{
	static const struct {
		const char *name;
		enum item_kind kind;
		bool own; /* not in whatever collection there is */
	} wanted[] = {
		{"Contacts", ITEM_CONTACT, false},
		{"Events", ITEM_EVENT, false},
		{"Tasks", ITEM_TASK, true},
		{"Notes", ITEM_NOTE, true},
	};
	char *calendars = NULL, *addressbooks = NULL;
	int result = find_homes(login, &calendars, &addressbooks, err);

	*home = (struct dav_home){0};
	for (unsigned i = 0; result == 0 && i < ITEM_KIND_COUNT; i++) {
		enum item_kind kind = wanted[i].kind;
		const char *where = kind == ITEM_CONTACT ? addressbooks
							 : calendars;
		char **url = &home->collection[kind];

		if (!wanted[i].own)
			result = find_collection(login, where, kind, url, err);
		if (result == 0 && !*url)
			result = make_collection(
				login, where, wanted[i].name, kind, url, err);
	}
	if (result < 0)
		dav_home_free(home);
	free(calendars);
	free(addressbooks);
	return result;
}

void dav_home_free(struct dav_home *home)
{
	for (unsigned i = 0; i < ITEM_KIND_COUNT; i++)
		free(home->collection[i]);
	*home = (struct dav_home){0};
}
