/*
 * dav_rig.h - a DAV source against a scripted server, and a sink that writes
 * down, one line a call, what it was told. For the tests beside it.
 */
#ifndef SLUICE_DAV_RIG_H
#define SLUICE_DAV_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "alloc.h"
#include "err.h"
#include "fake_http.h"
#include "source.h"
#include "wire.h"

#define MULTI(X)                                                               \
	"<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\" "              \
	"xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "                           \
	"xmlns:a=\"urn:ietf:params:xml:ns:carddav\" "                          \
	"xmlns:s=\"http://calendarserver.org/ns/\">" X "</d:multistatus>"
#define PROPSTAT(STATUS, X)                                                    \
	"<d:propstat><d:prop>" X "</d:prop><d:status>HTTP/1.1 " STATUS         \
	"</d:status></d:propstat>"
#define RESPONSE(HREF, X)                                                      \
	"<d:response><d:href>" HREF "</d:href>" X "</d:response>"
#define OK200(HREF, X) RESPONSE(HREF, PROPSTAT("200 OK", X))
#define ETAG(X)	       "<d:getetag>\"" X "\"</d:getetag>"
#define TOKEN(X)       "<d:sync-token>" X "</d:sync-token>"

/* One request opens a session: the address names its own homes. The server
 * sends the further HEADERS. */
#define OPEN_STEP OPEN_STEP_OF("")
#define OPEN_STEP_OF(HEADERS)                                                  \
	{                                                                      \
		.method = "PROPFIND", .path = "/", .status = 207,              \
		.headers = HEADERS "DAV: 1, addressbook, calendar-access\r\n", \
		.body = MULTI(OK200("/",                                       \
			"<c:calendar-home-set><d:href>/h/</d:href>"            \
			"</c:calendar-home-set><a:addressbook-home-set>"       \
			"<d:href>/h/</d:href></a:addressbook-home-set>"))      \
	}

struct rig {
	struct fake_http *http;
	struct source *source;
	struct wire *wire;
	struct source_options options;
	struct err err;
	struct window *windows; /* handed out in turn */
	size_t window_count, window_at;
	struct buf log;
};

static inline int rig_next(
	void *context, struct window *window, struct err *err)
{
	struct rig *rig = context;

	(void)err;
	if (rig->window_at == rig->window_count)
		return 0;
	*window = rig->windows[rig->window_at++];
	return 1;
}

static inline int rig_state(void *context, const struct window *window,
	const struct collection_state *state, struct err *err)
{
	struct rig *rig = context;

	(void)window;
	(void)err;
	return buf_printf(
		&rig->log, "state %s\n", state->complete ? "all" : "changes");
}

static inline int rig_begin(void *context, const struct window *window,
	uint64_t bytes, struct err *err)
{
	struct rig *rig = context;

	(void)window;
	(void)err;
	return buf_printf(&rig->log, "begin %d\n", (int)bytes);
}

static inline int rig_data(void *context, const struct window *window,
	const char *data, size_t bytes, struct err *err)
{
	struct rig *rig = context;

	(void)window;
	(void)err;
	return buf_append(&rig->log, data, bytes);
}

static inline int rig_end(void *context, const struct window *window,
	const struct item *item, struct err *err)
{
	struct rig *rig = context;

	(void)window;
	(void)err;
	return buf_printf(&rig->log, "item %s %s %d\n", item->id.href,
		item->etag ? item->etag : "-", (int)item->size);
}

static inline int rig_failed(void *context, const struct window *window,
	struct item_id id, enum item_fault fault, const char *reason,
	const char *raw, size_t raw_bytes, struct err *err)
{
	struct rig *rig = context;

	(void)window;
	(void)err;
	assert_non_null(reason);
	assert_non_null(raw);
	return buf_printf(&rig->log, "failed %s %d raw %d\n", id.href,
		(int)fault, (int)raw_bytes);
}

static inline int rig_gone(void *context, const struct window *window,
	struct item_id id, struct err *err)
{
	struct rig *rig = context;

	(void)window;
	(void)err;
	return buf_printf(&rig->log, "gone %s\n", id.href);
}

static inline int rig_window_end(void *context, const struct window *window,
	enum window_result result, const char *token, struct err *err)
{
	struct rig *rig = context;

	(void)window;
	(void)err;
	return buf_printf(
		&rig->log, "end %d %s\n", (int)result, token ? token : "-");
}

#endif
