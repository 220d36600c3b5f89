/*
 * dav_client.h - one WebDAV request and its answer.
 *
 * Adds to HTTP what all DAV requests share: the depth, the login, redirects
 * that may keep the login (dav_href.h), the reading of 207 answers as they
 * come, and the suspicion that something that is no DAV server answers. A
 * client is one connection and belongs to one thread.
 */
#ifndef SLUICE_DAV_CLIENT_H
#define SLUICE_DAV_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "dav_xml.h"
#include "source.h"

struct dav_quirks;
struct err;
struct wire;

struct dav_client {
	struct http *http;
	struct wire *wire; /* the caller's */
	char *user, *password;
	char *server; /* "Cyrus-HTTP/3.6.1", from the first answer that says so;
			 or NULL */
	const struct dav_quirks *quirks; /* never NULL */
	bool digest; /* the server takes the password in no other way */
	uint64_t round_trips;
	int64_t round_trip_us; /* the shortest so far; 0: none yet */
	/* Of the connection, for another one like it. */
	char *ca_file;
	int64_t connect_us, stall_us;
};

int dav_client_init(struct dav_client *client, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err);
/* Another connection to the same server as the same user, with what CLIENT
 * knows of it; at most CONNECT_US is waited for it. */
void dav_client_copy(struct dav_client *copy, const struct dav_client *client,
	int64_t connect_us);
void dav_client_release(struct dav_client *client);

struct dav_request {
	const char *method;
	const char *url;
	const char *depth; /* "0", "1" or NULL */
	const char *body;  /* XML; NULL: none */
	size_t body_bytes;
	uint64_t max_bytes; /* of the answer; 0: DAV_ANSWER_BYTES_MAX */
	struct dav_xml_handler handler; /* of a 207 answer */
	/* GET: takes the body instead of the handler. */
	int (*sink)(
		void *context, const char *data, size_t bytes, struct err *err);
	void *context;
};

#define DAV_ANSWER_BYTES_MAX (UINT64_C(1) << 30)

struct dav_answer {
	int status;	  /* of HTTP */
	char *url;	  /* that answered, after redirects */
	char *sync_token; /* of the multistatus; or NULL */
	char *etag;	  /* header of a GET; or NULL */
	uint64_t responses;
	bool dav;	/* it has a DAV header */
	bool bad_token; /* error conditions, also of other statuses */
	bool too_many;
};

/*
 * 0 whatever the status is but for 401 (ERR_AUTH), 429 and 503
 * (ERR_THROTTLED): the caller judges it, dav_answer_check() helps. A success
 * without 207 where a multistatus is due is ERR_PROTOCOL: a login page, a
 * proxy. The ANSWER is released with dav_answer_clear(), also after -1.
 */
int dav_perform(struct dav_client *client, const struct dav_request *request,
	struct dav_answer *answer, struct err *err);
void dav_answer_clear(struct dav_answer *answer);

/* 0 for 2xx, else ERR_REFUSED (4xx), ERR_LIMIT (413, 507) or ERR_NETWORK
 * (5xx), naming method, URL and status. */
int dav_answer_check(const struct dav_request *request,
	const struct dav_answer *answer, struct err *err);

#endif
