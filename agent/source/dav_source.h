/*
 * dav_source.h - the parts of the DAV source: opening (dav_source.c), its
 * collections (dav_collections.c), what is in one (dav_list.c) and the objects
 * themselves, all of them (dav_query.c) or by name (dav_get.c). Private to
 * those files.
 */
#ifndef SLUICE_DAV_SOURCE_H
#define SLUICE_DAV_SOURCE_H

#include <stdbool.h>

#include "dav_chunk.h"
#include "dav_client.h"
#include "dav_pool.h"
#include "discovery.h"
#include "err.h"
#include "source_driver.h"

struct dav_text;

struct dav_source {
	struct source base; /* first: source.c sees only this */
	struct dav_pool *pool;
	struct dav_client *client; /* the one of the pool that is in use here */
	struct discovery discovery;
	const struct dav_quirks *quirks;
	bool identified; /* the server was asked who it is */
	uint64_t item_bytes_max;
	unsigned in_flight_max;	    /* of the options */
	struct dav_chunk chunk;	    /* carried over from window to window */
	unsigned multigets_refused; /* one after another */
	bool sync_refused;	    /* this server has no sync-collection */
	bool query_refused;	    /* or it answers no query for all objects */
	bool proved;		    /* a DAV header was seen */
	struct err trouble; /* the first of a collection; the others go on */
};

/* Tokens as the engine keeps them: what kind, then the server's text. */
#define DAV_TOKEN_SYNC "sync:"
#define DAV_TOKEN_CTAG "ctag:"

int dav_collections(struct dav_source *source,
	int (*each)(void *context, const struct collection *collection,
		struct err *err),
	void *context, struct err *err);

/* One window to its end; the next three are for FETCH_LIST, and for FETCH_FULL
 * of a whole collection and of objects by name. */
int dav_window(struct dav_source *source, const struct window *window,
	const struct feed *feed, struct err *err);
int dav_list_window(struct dav_source *source, const struct window *window,
	const struct feed *feed, struct err *err);
int dav_query_window(struct dav_source *source, const struct window *window,
	const struct feed *feed, struct err *err);
int dav_get_window(struct dav_source *source, const struct window *window,
	const struct feed *feed, struct err *err);

/* An object whose text is whole, to the sink. */
int dav_tell_object(const struct feed *feed, const struct window *window,
	struct item_id id, const struct dav_text *text, const char *etag,
	struct err *err);

/*
 * Before "there is nothing" is believed: 0 when URL is served by a DAV
 * server, by the header of ANSWER or by asking once a session; else
 * ERR_PROTOCOL. What is stored locally must not go because a proxy answered.
 */
int dav_prove(struct dav_source *source, const char *url,
	const struct dav_answer *answer, struct err *err);

/* By an answer so far, or by asking URL, once a session. -1 when the session
 * has to end. */
int dav_identify(struct dav_source *source, const char *url, struct err *err);

/* After a request for URL that came to FAILURE, perhaps with its connection: is
 * the server there at all, and well enough to answer? */
int dav_check_alive(struct dav_source *source, const char *url,
	const struct err *failure, struct err *err);

/* ERR speaks of one request, and another, smaller one may work. */
bool dav_is_soft(const struct err *err);

#endif
