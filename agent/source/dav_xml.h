/*
 * dav_xml.h - reads WebDAV answers: multistatus and error documents.
 *
 * A stream: pieces of an answer go in, whole responses come out as soon as
 * they end, and the text of objects comes out in pieces, so that an answer of
 * any length takes constant memory. Unknown elements are passed over.
 * Document types are refused, and so is what is deeper, or longer for one
 * tag or value, than an honest server writes. RFC 4918 section 14, RFC 6578,
 * RFC 4791, RFC 6352. Pure; a reader belongs to one thread.
 */
#ifndef SLUICE_DAV_XML_H
#define SLUICE_DAV_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct dav_xml;

enum dav_type { /* of DAV:resourcetype */
	DAV_TYPE_COLLECTION = 1,
	DAV_TYPE_CALENDAR = 2,
	DAV_TYPE_ADDRESSBOOK = 4,
	DAV_TYPE_SHARED = 8,	  /* by somebody else with this user */
	DAV_TYPE_SUBSCRIBED = 16, /* a copy of a calendar elsewhere */
};

enum dav_component {
	DAV_VEVENT = 1,
	DAV_VTODO = 2,
	DAV_VJOURNAL = 4,
};

#define DAV_HOMES_MAX 8

/* Properties that the server has (those in a propstat of status 2xx); NULL
 * or 0 for the others. */
struct dav_props {
	char *etag;
	char *ctag;
	char *sync_token;
	char *display_name;
	char *principal; /* current-user-principal */
	char *owner;
	char *calendar_homes[DAV_HOMES_MAX];
	char *addressbook_homes[DAV_HOMES_MAX];
	unsigned types;
	unsigned components;
	bool has_components; /* supported-calendar-component-set was there */
	bool can_sync;	     /* sync-collection in supported-report-set */
};

struct dav_response {
	char *href;
	int status; /* in direct D:status; 0: it has none */
	bool has_data;
	int data_status; /* of the propstat with the object's text */
	bool ill;	 /* a status is 5xx: there may be more than it tells */
	bool mended;	 /* bytes of the answer so far were no UTF-8 */
	struct dav_props props;
};

struct dav_xml_handler {
	/* A response is complete. It is the reader's. */
	int (*response)(void *context, const struct dav_response *response,
		struct err *err);
	/* A piece of calendar-data or address-data. RESPONSE has what came
	 * before it, the href above all; NULL: not wanted. */
	int (*data)(void *context, const struct dav_response *response,
		const char *text, size_t length, struct err *err);
	void *context;
};

struct dav_xml_result {
	bool multistatus; /* the root; false: DAV:error */
	char *sync_token; /* of the multistatus; or NULL */
	uint64_t responses;
	bool bad_token; /* DAV:valid-sync-token, of an error */
	bool too_many;	/* DAV:number-of-matches-within-limits */
};

struct dav_xml *dav_xml_new(const struct dav_xml_handler *handler);

/* -1 with the handler's error, ERR_PROTOCOL or ERR_LIMIT. */
int dav_xml_feed(
	struct dav_xml *xml, const char *data, size_t length, struct err *err);

/* ERR_PROTOCOL when the document is cut or is not DAV's. */
int dav_xml_finish(struct dav_xml *xml, struct err *err);

/* Valid until dav_xml_free(). */
const struct dav_xml_result *dav_xml_result(const struct dav_xml *xml);

void dav_xml_free(struct dav_xml *xml);

#endif
