/*
 * dav_body.h - the XML bodies of DAV requests. Pure; any thread.
 */
#ifndef SLUICE_DAV_BODY_H
#define SLUICE_DAV_BODY_H

#include <stddef.h>

#include "buf.h"
#include "collection.h"

/* PROPFIND, Depth 0: who am I, where are my homes, what is this? */
extern const char dav_body_principal[];
/* PROPFIND, Depth 1, on a home: the collections and their state. */
extern const char dav_body_collections[];
/* PROPFIND, Depth 1, on a collection: its items. */
extern const char dav_body_items[];
/* PROPFIND, Depth 0, on a collection: did it change? */
extern const char dav_body_state[];

/* REPORT sync-collection; TOKEN "" asks for everything, LIMIT 0 for as much
 * as the server likes (RFC 6578). Etags only. */
struct buf dav_body_sync(const char *token, unsigned limit);

/* REPORT calendar-multiget or addressbook-multiget for the COUNT hrefs. */
struct buf dav_body_multiget(
	enum collection_kind kind, const char *const *hrefs, size_t count);

/* REPORT calendar-query (RFC 4791, 7.8) or addressbook-query (RFC 6352, 8.6)
 * for every object. */
struct buf dav_body_query(enum collection_kind kind);

#endif
