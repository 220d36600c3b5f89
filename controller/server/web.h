/*
 * web.h - HTTPS and a UNIX socket on the controller's loop.
 *
 * libmicrohttpd parses and encrypts, libuv says when. A request is handed
 * over whole, outside of libmicrohttpd's callbacks; requests that came in one
 * turn are handled together, then `turn_over` is called, then their answers
 * leave: what it commits is committed before anybody is told so. A handler
 * answers or parks the request; parked ones hold no thread and are answered
 * later. Owned by the loop's thread.
 */
#ifndef SLUICE_WEB_H
#define SLUICE_WEB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "buf.h"

struct err;
struct web;

struct web_request {
	const char *method, *path; /* path without the query */
	struct buf body;
	const char *bearer; /* NULL: none was sent */
	bool local;	    /* came over the UNIX socket, from UID */
	uid_t uid;
	unsigned client;  /* the handler's own mark while parked */
	int64_t until_us; /* parked until then, monotonic */
	void *inside;	  /* web.c's own */
};

struct web_handler {
	void *context;

	/* Largest body of a request whose head has arrived; 0 refuses it
	 * with *STATUS. Must not wait. */
	size_t (*body_max)(
		void *context, const struct web_request *request, int *status);

	/* Must end in web_answer() or web_park(). */
	void (*handle)(void *context, struct web_request *request);

	/* False: nothing of what was answered since the last call may be said;
	 * 503 is. */
	bool (*turn_over)(void *context);
};

struct web_options {
	const char *host; /* numeric address or name; NULL: no TCP listener */
	uint16_t port;	  /* 0: any free one */
	const char *cert_pem, *key_pem;
	const char *socket_path; /* NULL: no UNIX listener */
};

int web_start(struct web **web, uv_loop_t *loop, const struct web_options *,
	const struct web_handler *, struct err *err);

/* Parked requests are answered 503; ends with the loop's next turns. */
void web_stop(struct web **web);
uint16_t web_port(const struct web *web);

/* TEXT is copied; TYPE is a constant. */
void web_answer(struct web_request *request, int status, const char *type,
	const char *text);
void web_park(struct web_request *request, int64_t until_us);

/* Call EACH for every parked request; it may answer it. */
void web_each_parked(struct web *web,
	void (*each)(void *context, struct web_request *request),
	void *context);

/* Handle what is there and send what was answered. */
void web_turn(struct web *web);

#endif
