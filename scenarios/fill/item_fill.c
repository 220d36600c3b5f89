/*
 * item_fill.c - put the generated contacts, events, tasks and notes.
 *
 * Runs on the thread of its account. An item that is there already keeps
 * its text: PUT carries If-None-Match (RFC 9110 section 13.1.2).
 */
#include <stdlib.h>

#include "account_fill.h"
#include "alloc.h"
#include "dav_home.h"
#include "err.h"
#include "http.h"
#include "item.h"
#include "mailbox.h"
#include "manifest.h"

#define PRECONDITION_FAILED 412

static int put(const struct account_fill *fill, struct http *http,
	const char *url, enum item_kind kind, const struct item *item,
	struct err *err)
{
	char *type = xasprintf("Content-Type: %s", item_content_type(kind));
	const char *const headers[] = {type, "If-None-Match: *", NULL};
	struct http_request request = {
		.method = "PUT",
		.url = url,
		.headers = headers,
		.body = item->text.data,
		.body_bytes = item->text.length,
		.user = fill->user,
		.password = fill->password,
	};
	struct http_response response;
	int result = http_perform(http, &request, &response, err);

	if (result == 0 && response.status == PRECONDITION_FAILED) {
		atomic_fetch_add(&fill->counts->found, 1);
	} else if (result == 0) {
		result = http_check(&request, &response, err);
		atomic_fetch_add(&fill->counts->items, result == 0);
		atomic_fetch_add(&fill->counts->bytes, item->text.length);
	}
	http_response_free(&response);
	free(type);
	return result;
}

/* Servers may write an item in their own way: what counts is what they hand
 * out again. */
static int note_served(const struct account_fill *fill, struct http *http,
	const char *url, enum item_kind kind, const struct item *item,
	struct err *err)
{
	struct http_request request = {
		.url = url,
		.user = fill->user,
		.password = fill->password,
	};
	struct http_response response;
	int result = http_perform(http, &request, &response, err);

	if (result == 0)
		result = http_check(&request, &response, err);
	if (result == 0)
		manifest_item(fill->manifest, fill->user, item_kind_name(kind),
			item->uid, url, buf_text(&response.body),
			response.body.length);
	http_response_free(&response);
	return result;
}

static int fill_kind(const struct account_fill *fill, struct http *http,
	const char *collection, enum item_kind kind, struct err *err)
{
	unsigned count = item_count(fill->mailbox, kind);
	int result = 0;

	for (unsigned i = 0; result == 0 && i < count; i++) {
		struct item item;
		char *url;

		item_make(fill->mailbox, fill->user, kind, i, &item);
		url = xasprintf("%s%s", collection, item.name);
		result = put(fill, http, url, kind, &item, err);
		if (result == 0 && fill->manifest)
			result = note_served(fill, http, url, kind, &item, err);
		free(url);
		item_free(&item);
	}
	return result;
}

int fill_items(const struct account_fill *fill, struct err *err)
{
	struct http_options options = {.ca_file = fill->ca_file};
	struct dav_login login = {
		.http = http_new(&options, NULL),
		.url = fill->dav_url,
		.user = fill->user,
		.password = fill->password,
	};
	struct dav_home home;
	int result = dav_home_find(&login, &home, err);

	if (result == 0) {
		for (unsigned kind = 0; result == 0 && kind < ITEM_KIND_COUNT;
			kind++)
			result = fill_kind(fill, login.http,
				home.collection[kind], kind, err);
		dav_home_free(&home);
	}
	http_free(login.http);
	return result;
}
