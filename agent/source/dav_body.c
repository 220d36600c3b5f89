/*
 * The bodies of the few DAV requests we make: PROPFIND, sync-collection,
 * multiget, query. Pure; used by discovery, listing and fetching.
 */
#include "dav_body.h"

#include <string.h>

#define NAMESPACES                                                             \
	"xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" "          \
	"xmlns:A=\"urn:ietf:params:xml:ns:carddav\" "                          \
	"xmlns:S=\"http://calendarserver.org/ns/\""
#define DECLARATION "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
#define PROPFIND(PROPS)                                                        \
	DECLARATION "<D:propfind " NAMESPACES "><D:prop>" PROPS                \
		    "</D:prop></D:propfind>"

const char dav_body_principal[] = PROPFIND(
	"<D:current-user-principal/><D:resourcetype/>"
	"<C:calendar-home-set/><A:addressbook-home-set/>");

const char dav_body_collections[] = PROPFIND(
	"<D:resourcetype/><D:displayname/><D:owner/>"
	"<C:supported-calendar-component-set/>"
	"<D:supported-report-set/><D:sync-token/><S:getctag/>");

const char dav_body_items[] = PROPFIND(
	"<D:resourcetype/><D:getetag/><S:getctag/>");

const char dav_body_state[] = PROPFIND(
	"<D:resourcetype/><D:sync-token/><S:getctag/>");

static void append_escaped(struct buf *body, const char *text)
{
	while (*text) {
		size_t plain = strcspn(text, "<>&\"");

		buf_append(body, text, plain);
		text += plain;
		switch (*text) {
		case '<':
			buf_append_text(body, "&lt;");
			break;
		case '>':
			buf_append_text(body, "&gt;");
			break;
		case '&':
			buf_append_text(body, "&amp;");
			break;
		case '"':
			buf_append_text(body, "&quot;");
			break;
		default:
			return;
		}
		text++;
	}
}

struct buf dav_body_sync(const char *token, unsigned limit)
{
	struct buf body = BUF_INIT(0);

	buf_append_text(&body,
		DECLARATION "<D:sync-collection " NAMESPACES "><D:sync-token>");
	append_escaped(&body, token);
	buf_append_text(&body, "</D:sync-token><D:sync-level>1</D:sync-level>");
	if (limit)
		buf_printf(&body,
			"<D:limit><D:nresults>%u</D:nresults></D:limit>",
			limit);
	buf_append_text(
		&body, "<D:prop><D:getetag/></D:prop></D:sync-collection>");
	return body;
}

struct buf dav_body_multiget(
	enum collection_kind kind, const char *const *hrefs, size_t count)
{
	const char *report = kind == COLLECTION_CONTACTS
		? "A:addressbook-multiget"
		: "C:calendar-multiget";
	const char *data = kind == COLLECTION_CONTACTS ? "A:address-data"
						       : "C:calendar-data";
	struct buf body = BUF_INIT(0);
	size_t i;

	buf_printf(&body,
		DECLARATION "<%s " NAMESPACES
			    "><D:prop><D:getetag/><%s/></D:prop>",
		report, data);
	for (i = 0; i < count; i++) {
		buf_append_text(&body, "<D:href>");
		append_escaped(&body, hrefs[i]);
		buf_append_text(&body, "</D:href>");
	}
	buf_printf(&body, "</%s>", report);
	return body;
}

struct buf dav_body_query(enum collection_kind kind)
{
	struct buf body = BUF_INIT(0);

	if (kind == COLLECTION_CONTACTS)
		buf_append_text(&body,
			DECLARATION "<A:addressbook-query " NAMESPACES
				    "><D:prop><D:getetag/><A:address-data/>"
				    "</D:prop><A:filter/>"
				    "</A:addressbook-query>");
	else
		buf_append_text(&body,
			DECLARATION "<C:calendar-query " NAMESPACES
				    "><D:prop><D:getetag/><C:calendar-data/>"
				    "</D:prop><C:filter>"
				    "<C:comp-filter name=\"VCALENDAR\"/>"
				    "</C:filter></C:calendar-query>");
	return body;
}
