/*
 * http.h - HTTP requests over one kept connection, by libcurl.
 *
 * A handle belongs to one thread. Certificates are always verified.
 * Credentials go neither over plain text to anything but loopback nor to a
 * host or scheme that the caller did not name: a redirect elsewhere is
 * handed back instead of followed.
 */
#ifndef SLUICE_HTTP_H
#define SLUICE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct err;
struct http;
struct wire;

struct http_options {
	const char *ca_file;	 /* PEM; NULL: the system's authorities */
	const char *unix_socket; /* NULL: TCP */
	int64_t connect_us;	 /* 0: 20 s */
	int64_t stall_us;	 /* so long nothing, or next to it; 0: 60 s */
	size_t buffer_bytes;	 /* read at once; 0: 256 KiB */
};

struct http_request {
	const char *method; /* NULL: GET */
	const char *url;
	const char *const *headers; /* "Name: value", ended by NULL; or NULL */
	const void *body;	    /* NULL: none */
	size_t body_bytes;
	const char *user, *password; /* basic authentication, or NULL */
	bool digest;		     /* not basic, but by digest (RFC 7616) */
	const char *bearer;	     /* or NULL */
	bool follow;	    /* redirects that stay on scheme, host, port */
	int64_t total_us;   /* for all of it; 0: only the watchdog limits */
	uint64_t max_bytes; /* of the answer; 0: 16 MiB */
	/* Takes the answer's body in pieces when the status is 2xx; of every
	 * other status 64 KiB at most go to response->body. Without it all of
	 * every answer does. -1 with ERR filled stops the transfer. */
	int (*sink)(
		void *context, const char *data, size_t bytes, struct err *err);
	void *context;
};

struct http_response {
	int status;
	unsigned retry_after_s; /* 0: not said */
	int64_t waited_us; /* from the request to the answer's first byte */
	struct buf body;
	struct buf headers; /* raw, of the last answer */
	char *redirect_url; /* absolute, for 3xx; or NULL */
	char *final_url;    /* after the redirects that were followed */
};

/* OPTIONS may be NULL. WIRE may be NULL: no counters, limit or cancelling;
 * else it must outlive the handle. */
struct http *http_new(const struct http_options *options, struct wire *wire);
void http_free(struct http *http);

/*
 * Any complete answer is 0, also a 404: http_check() judges. RESPONSE is
 * filled from scratch and released with http_response_free(), after a
 * failure too.
 */
int http_perform(struct http *http, const struct http_request *request,
	struct http_response *response, struct err *err);
void http_response_free(struct http_response *response);

/*
 * 0 for 2xx. 401 and 403 ERR_AUTH, 408 ERR_TIMEOUT, 429 and 503
 * ERR_THROTTLED with retry_after_s, 500 to 599 ERR_NETWORK (worth another
 * try), 507 ERR_LIMIT, other ERR_REFUSED. The text has method, URL, status.
 */
int http_check(const struct http_request *request,
	const struct http_response *response, struct err *err);

/* The value of a header of the last answer for free(), or NULL. */
char *http_header(const struct http_response *response, const char *name);

#endif
