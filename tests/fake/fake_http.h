/*
 * fake_http.h - an HTTP server on loopback that says what a test wants.
 *
 * Answers come from a script: the first step that fits a request and is not
 * used up. A request that no step fits gets 404 and is remembered as such.
 * One thread, owned by the server; everything is over when fake_http_stop()
 * returns.
 */
#ifndef SLUICE_FAKE_HTTP_H
#define SLUICE_FAKE_HTTP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"

struct fake_http;

struct fake_request {
	char method[16];
	char path[512];
	struct buf headers;
	struct buf body;
};

struct fake_step {
	const char *method;   /* NULL: any */
	const char *path;     /* exactly; NULL: any */
	const char *contains; /* in the body; NULL: any */
	int times;	      /* 0: once; negative: for ever */
	int status;
	const char *headers; /* lines, each with \r\n; NULL: none */
	const char *body;    /* NULL: none */
	/* Instead of BODY: fills it, and returns the status. */
	int (*answer)(void *context, const struct fake_request *request,
		struct buf *body);
	void *context;
	/* Close the connection after so many bytes of the body, though more
	 * were announced; 0: send all. */
	size_t cut_after;
	/* The same, but leave the connection open and say nothing more. */
	size_t stall_after;
	int drip_ms; /* a byte of the body each so many milliseconds */
	int hang_up; /* close without an answer */
};

/* STEPS must outlive the server. Listens before it returns. */
struct fake_http *fake_http_start(const struct fake_step *steps, size_t count);

/* Another script from now on, none of it used up. */
void fake_http_script(
	struct fake_http *http, const struct fake_step *steps, size_t count);

/* "http://127.0.0.1:PORT" */
const char *fake_http_url(const struct fake_http *http);

/* "METHOD path\n" of every request so far, "!" before what no step fitted;
 * for free(). */
char *fake_http_log(struct fake_http *http);

/* How many requests contained TEXT in their headers or body. */
unsigned fake_http_saw(struct fake_http *http, const char *text);

/* fork() at a moment without the server's thread, which could hold a lock of
 * the allocator that nobody would release in the child. The connections are
 * closed; the parent serves new ones, the child has but the URL. */
pid_t fake_http_fork(struct fake_http *http);

void fake_http_stop(struct fake_http *http);

#endif
