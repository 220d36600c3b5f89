/*
 * dav_fixture.h - the engine and the DAV source together, against a scripted
 * server, with a store in a temporary directory. For the tests beside it.
 */
#ifndef SLUICE_DAV_FIXTURE_H
#define SLUICE_DAV_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "fake_http.h"
#include "policy.h"
#include "source.h"
#include "sync.h"
#include "temp_dir.h"

#define MULTI(X)                                                               \
	"<d:multistatus xmlns:d=\"DAV:\" "                                     \
	"xmlns:c=\"urn:ietf:params:xml:ns:caldav\">" X "</d:multistatus>"
#define OK200(HREF, X)                                                         \
	"<d:response><d:href>" HREF "</d:href><d:propstat><d:prop>" X          \
	"</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"           \
	"</d:response>"
#define EVENT(UID)                                                             \
	"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:" UID                              \
	"\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n"
#define ITEM(NAME) OK200("/h/cal/" NAME, "<d:getetag>1</d:getetag>")
#define TOKEN(T)   "<d:sync-token>" T "</d:sync-token>"
#define PROVEN	   "DAV: 1, calendar-access\r\n"
#define OBJECT(UID)                                                            \
	OK200("/h/cal/" UID,                                                   \
		"<d:getetag>1</d:getetag><c:calendar-data>" EVENT(             \
			UID) "</c:calendar-data>")

static const char home_body[] = MULTI(OK200("/",
	"<c:calendar-home-set><d:href>/h/</d:href></c:calendar-home-set>"));
/* The home with the one calendar in it, whose state is T. */
#define LIST_BODY(T)                                                            \
	MULTI(OK200("/h/cal/",                                                  \
		"<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>" \
		"<d:supported-report-set><d:supported-report><d:report>"        \
		"<d:sync-collection/></d:report></d:supported-report>"          \
		"</d:supported-report-set>" TOKEN(T)))

struct fixture {
	char *store, *password;
	char directory[TEMP_DIR_SIZE];
	struct fake_http *http; /* one for all runs: its URL names the data */
	struct policy *policy;
	bool one_thread;
	bool aside; /* over several connections, as on a long line */
	bool afar;  /* if the line is found to be long; else over one */
	struct err err;
	struct sync_progress progress;
};

static inline int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	temp_dir_make(f->directory);
	f->store = xasprintf("%s/store", f->directory);
	f->password = temp_dir_put(f->directory, "pw", "x\n");
	f->policy = policy_new();
	f->http = fake_http_start(NULL, 0);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	temp_dir_remove(f->directory);
	fake_http_stop(f->http);
	policy_free(f->policy);
	free(f->store);
	free(f->password);
	free(f);
	return 0;
}

static inline pid_t fork_alone(struct fixture *f)
{
	return fake_http_fork(f->http);
}

/* Of the sessions to come; 0: as many as the line deserves. */
static unsigned connections;

static inline int open_dav(struct source **source,
	const struct account *account, const char *password,
	const struct source_options *options, struct wire *wire,
	struct err *err)
{
	struct source_options told = *options;

	if (!told.in_flight_max)
		told.in_flight_max = connections;
	return dav_source_open(source, account, password, &told, wire, err);
}

/* One sync against the script that runs; 0, or -1 with f->err. */
static inline int synchronise(struct fixture *f)
{
	struct account account = {.user = (char *)"u1",
		.password_file = f->password,
		.dav_url = xasprintf("%s/", fake_http_url(f->http))};
	struct sync_setup setup = {.account = &account,
		.directory = f->store,
		.policy = f->policy,
		.attempts = 2,
		.backoff_us = 1000,
		.one_thread = f->one_thread,
		.open_dav = open_dav};
	struct sync *sync;
	int result;

	connections = f->aside ? 4 : f->afar ? 0 : 1;
	f->err = ERR_INIT;
	if (sync_new(&sync, &setup, &f->err) < 0)
		fail_msg("%s", f->err.text);
	result = sync_run(sync, &f->err);
	sync_progress(sync, &f->progress);
	sync_free(sync);
	free(account.dav_url);
	return result;
}

/* The same against STEPS. */
static inline int run(
	struct fixture *f, const struct fake_step *steps, size_t count)
{
	fake_http_script(f->http, steps, count);
	return synchronise(f);
}

#define RUN(F, STEPS) run(F, STEPS, sizeof(STEPS) / sizeof((STEPS)[0]))

#endif
