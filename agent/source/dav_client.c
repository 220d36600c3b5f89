/*
 * One DAV request over lib/net/http, its redirects, and the streaming of a
 * 207 answer into the XML reader. Runs on the source's thread; used by the
 * discovery, the listing and the fetch.
 */
#include "dav_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "dav_href.h"
#include "dav_quirks.h"
#include "err.h"
#include "http.h"
#include "wire.h"

#define REDIRECTS_MAX 6

static char *no_header(const void *context, const char *name)
{
	(void)context;
	(void)name;
	return NULL;
}

static void connect_client(struct dav_client *client)
{
	const struct http_options options = {
		.ca_file = client->ca_file,
		.connect_us = client->connect_us,
		.stall_us = client->stall_us,
	};

	client->http = http_new(&options, client->wire);
}

int dav_client_init(struct dav_client *client, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err)
{
	if (!account->user || !password)
		return err_set(err, ERR_CONFIG,
			"account: user and password are needed for DAV");
	*client = (struct dav_client){
		.wire = wire,
		.quirks = dav_quirks_find(no_header, NULL),
		.user = xstrdup(account->user),
		.password = xstrdup(password),
		.ca_file = xstrdup(account->ca_file),
		.connect_us = options ? options->connect_us : 0,
		.stall_us = options ? options->stall_us : 0,
	};
	connect_client(client);
	return 0;
}

void dav_client_copy(struct dav_client *copy, const struct dav_client *client,
	int64_t connect_us)
{
	*copy = *client;
	copy->user = xstrdup(client->user);
	copy->password = xstrdup(client->password);
	copy->server = xstrdup(client->server);
	copy->ca_file = xstrdup(client->ca_file);
	copy->round_trips = 0;
	if (!copy->connect_us || copy->connect_us > connect_us)
		copy->connect_us = connect_us;
	connect_client(copy);
}

void dav_client_release(struct dav_client *client)
{
	if (client->http)
		http_free(client->http);
	free(client->user);
	if (client->password)
		explicit_bzero(client->password, strlen(client->password));
	free(client->password);
	free(client->server);
	free(client->ca_file);
	*client = (struct dav_client){.http = NULL};
}

void dav_answer_clear(struct dav_answer *answer)
{
	free(answer->url);
	free(answer->sync_token);
	free(answer->etag);
	*answer = (struct dav_answer){.status = 0};
}

static int feed_xml(
	void *context, const char *data, size_t bytes, struct err *err)
{
	return dav_xml_feed(context, data, bytes, err);
}

static char *header_of(const void *response, const char *name)
{
	return http_header(response, name);
}

/* Any answer may tell who the server is; of some servers only that to OPTIONS
 * does. */
static void know_server(
	struct dav_client *client, const struct http_response *response)
{
	if (!client->quirks->header)
		client->quirks = dav_quirks_find(header_of, response);
	if (!client->server)
		client->server = http_header(response, "Server");
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 ||
		status == 307 || status == 308;
}

/* What an error document of a 4xx or 5xx says, where it is one. */
static void read_conditions(
	struct dav_answer *answer, const struct http_response *response)
{
	struct dav_xml_handler none = {NULL, NULL, NULL};
	struct dav_xml *xml;
	struct err ignored = ERR_INIT;

	if (response->body.length == 0)
		return;
	xml = dav_xml_new(&none);
	if (dav_xml_feed(xml, response->body.data, response->body.length,
		    &ignored) == 0 &&
		dav_xml_finish(xml, &ignored) == 0) {
		answer->bad_token = dav_xml_result(xml)->bad_token;
		answer->too_many = dav_xml_result(xml)->too_many;
	}
	dav_xml_free(xml);
}

static bool offers(const struct http_response *response, const char *scheme)
{
	static const char name[] = "\nWWW-Authenticate:";
	const char *line = buf_text(&response->headers);

	while ((line = strcasestr(line, name))) {
		const char *found = strcasestr(line += strlen(name), scheme);

		if (found && found < line + strcspn(line, "\r\n"))
			return true;
	}
	return false;
}

/* The password goes out with the first request; few servers take it after a
 * challenge only. */
static bool wants_digest(
	const struct dav_client *client, const struct http_response *response)
{
	return response->status == 401 && !client->digest &&
		offers(response, "Digest") && !offers(response, "Basic");
}

static int no_dav_answer(const struct http_request *request,
	const struct http_response *response, struct err *err)
{
	char *type = http_header(response, "Content-Type");

	err_set(err, ERR_PROTOCOL,
		"%s %s: status %d with %s where a WebDAV answer is due; does "
		"a login page or proxy answer instead of the server?",
		request->method, request->url, response->status,
		type ? type : "no content type");
	free(type);
	return -1;
}

/* ERR_AUTH and ERR_THROTTLED concern the session, the rest the request. */
static int check_session(struct dav_client *client,
	const struct http_request *request,
	const struct http_response *response, struct err *err)
{
	if (response->status == 401) {
		http_check(request, response, err);
		return err_context(err, "user %s", client->user);
	}
	if (response->status == 429 || response->status == 503)
		return http_check(request, response, err);
	return 0;
}

static int take_answer(struct dav_client *client,
	const struct http_request *http, struct http_response *response,
	struct dav_xml *xml, struct dav_answer *answer, struct err *err)
{
	char *dav;

	know_server(client, response);
	if (check_session(client, http, response, err) < 0)
		return -1;
	answer->status = response->status;
	answer->url = xstrdup(http->url);
	answer->etag = http_header(response, "ETag");
	dav = http_header(response, "DAV");
	answer->dav = dav != NULL;
	free(dav);
	if (xml && response->status / 100 == 2) {
		const struct dav_xml_result *result = dav_xml_result(xml);

		if (response->status != 207)
			return no_dav_answer(http, response, err);
		if (dav_xml_finish(xml, err) < 0)
			return err_context(
				err, "%s %s", http->method, http->url);
		if (!result->multistatus)
			return err_set(err, ERR_PROTOCOL,
				"%s %s: status 207 without multistatus",
				http->method, http->url);
		if (!result->responses && strcmp(http->method, "PROPFIND") == 0)
			return err_set(err, ERR_PROTOCOL,
				"%s %s: the answer does not name even the "
				"place that was asked",
				http->method, http->url);
		answer->responses = result->responses;
		answer->bad_token = result->bad_token;
		answer->too_many = result->too_many;
		answer->sync_token = xstrdup(result->sync_token);
	} else if (response->status / 100 != 2) {
		read_conditions(answer, response);
	}
	return 0;
}

static void count_trip(struct dav_client *client, int64_t waited_us)
{
	client->round_trips += client->digest ? 2 : 1;
	if (waited_us &&
		(!client->round_trip_us || waited_us < client->round_trip_us))
		client->round_trip_us = waited_us;
}

/* One hop. 1: *REDIRECT is where to go instead, or again. */
static int perform_once(struct dav_client *client,
	const struct dav_request *request, const char *url,
	struct dav_answer *answer, char **redirect, struct err *err)
{
	char depth[16] = "";
	const char *headers[] = {
		depth, "Content-Type: application/xml; charset=utf-8", NULL};
	struct http_request http = {
		.method = request->method,
		.url = url,
		.headers = request->body ? headers : NULL,
		.body = request->body,
		.body_bytes = request->body_bytes,
		.user = client->user,
		.password = client->password,
		.digest = client->digest,
		.max_bytes = request->max_bytes ? request->max_bytes
						: DAV_ANSWER_BYTES_MAX,
		.sink = request->sink,
		.context = request->context,
	};
	struct http_response response;
	struct dav_xml *xml = NULL;
	int result;

	snprintf(depth, sizeof(depth), "Depth: %s",
		request->depth ? request->depth : "0");
	if (request->body) {
		xml = dav_xml_new(&request->handler);
		http.sink = feed_xml;
		http.context = xml;
	}
	result = http_perform(client->http, &http, &response, err);
	count_trip(client, response.waited_us);
	if (result == 0 && is_redirect(response.status) &&
		response.redirect_url) {
		*redirect = xstrdup(response.redirect_url);
		result = 1;
	} else if (result == 0 && wants_digest(client, &response)) {
		client->digest = true;
		*redirect = xstrdup(url);
		result = 1;
	} else if (result == 0) {
		result = take_answer(
			client, &http, &response, xml, answer, err);
	}
	dav_xml_free(xml);
	http_response_free(&response);
	return result;
}

int dav_perform(struct dav_client *client, const struct dav_request *request,
	struct dav_answer *answer, struct err *err)
{
	char *url = xstrdup(request->url);
	char *next = NULL;
	int hops;
	int result = 1;

	*answer = (struct dav_answer){.status = 0};
	if (client->wire && wire_cancelled(client->wire))
		result = err_set(err, ERR_CANCELLED, "cancelled");
	for (hops = 0; result == 1; hops++) {
		if (hops > REDIRECTS_MAX) {
			result = err_set(err, ERR_PROTOCOL,
				"%s: more than %d redirects", request->url,
				REDIRECTS_MAX);
			break;
		}
		result = perform_once(client, request, url, answer, &next, err);
		if (result != 1)
			break;
		if (!dav_href_may_follow(url, next)) {
			result = err_set(err, ERR_TLS,
				"%s redirects to %s, where the password "
				"would go in plain text or to a stranger; set "
				"dav.url to the right address",
				url, next);
			break;
		}
		free(url);
		url = next;
		next = NULL;
	}
	free(next);
	free(url);
	return result;
}

int dav_answer_check(const struct dav_request *request,
	const struct dav_answer *answer, struct err *err)
{
	enum err_kind kind = ERR_REFUSED;

	if (answer->status / 100 == 2)
		return 0;
	if (answer->status == 413 || answer->status == 507)
		kind = ERR_LIMIT;
	else if (answer->status >= 500)
		kind = ERR_NETWORK;
	return err_set(err, kind, "%s %s: status %d", request->method,
		answer->url, answer->status);
}
