/*
 * Reads multistatus answers with expat, between the byte filter (dav_clean.c)
 * and those who list collections, list items and fetch them. Runs on the
 * source's thread, inside the HTTP transfer.
 *
 * The names that matter are one table. A stack of them tells where a text
 * belongs: DAV:href names the resource directly in a response, a principal
 * or a home elsewhere.
 */
#include "dav_xml.h"

#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "alloc.h"
#include "buf.h"
#include "dav_clean.h"
#include "err.h"

#define DEPTH_MAX	48
#define VALUE_BYTES_MAX 16384
#define TAG_BYTES_MAX	(1 << 20)
#define HREFS_MAX	100000
#define PIECE_BYTES	16384

#define NS_DAV	   "DAV: "
#define NS_CALDAV  "urn:ietf:params:xml:ns:caldav "
#define NS_CARDDAV "urn:ietf:params:xml:ns:carddav "
#define NS_CS	   "http://calendarserver.org/ns/ "

enum element {
	E_OTHER,
	E_MULTISTATUS,
	E_ERROR,
	E_RESPONSE,
	E_HREF,
	E_STATUS,
	E_PROPSTAT,
	E_PROP,
	E_ETAG,
	E_CTAG,
	E_SYNC_TOKEN,
	E_DISPLAY_NAME,
	E_PRINCIPAL,
	E_OWNER,
	E_TYPE,
	E_TYPE_COLLECTION,
	E_TYPE_CALENDAR,
	E_TYPE_ADDRESSBOOK,
	E_TYPE_SHARED,
	E_TYPE_SUBSCRIBED,
	E_CALENDAR_HOME,
	E_ADDRESSBOOK_HOME,
	E_COMPONENTS,
	E_COMPONENT,
	E_REPORT,
	E_REPORT_SYNC,
	E_DATA,
	E_BAD_TOKEN,
	E_TOO_MANY,
};

static const struct {
	const char *name;
	enum element element;
} names[] = {
	{NS_DAV "multistatus", E_MULTISTATUS},
	{NS_DAV "error", E_ERROR},
	{NS_DAV "response", E_RESPONSE},
	{NS_DAV "href", E_HREF},
	{NS_DAV "status", E_STATUS},
	{NS_DAV "propstat", E_PROPSTAT},
	{NS_DAV "prop", E_PROP},
	{NS_DAV "getetag", E_ETAG},
	{NS_DAV "sync-token", E_SYNC_TOKEN},
	{NS_DAV "displayname", E_DISPLAY_NAME},
	{NS_DAV "current-user-principal", E_PRINCIPAL},
	{NS_DAV "owner", E_OWNER},
	{NS_DAV "resourcetype", E_TYPE},
	{NS_DAV "collection", E_TYPE_COLLECTION},
	{NS_DAV "report", E_REPORT},
	{NS_DAV "sync-collection", E_REPORT_SYNC},
	{NS_DAV "valid-sync-token", E_BAD_TOKEN},
	{NS_DAV "number-of-matches-within-limits", E_TOO_MANY},
	{NS_CALDAV "calendar", E_TYPE_CALENDAR},
	{NS_CALDAV "calendar-home-set", E_CALENDAR_HOME},
	{NS_CALDAV "supported-calendar-component-set", E_COMPONENTS},
	{NS_CALDAV "comp", E_COMPONENT},
	{NS_CALDAV "calendar-data", E_DATA},
	{NS_CARDDAV "addressbook", E_TYPE_ADDRESSBOOK},
	{NS_CARDDAV "addressbook-home-set", E_ADDRESSBOOK_HOME},
	{NS_CARDDAV "address-data", E_DATA},
	{NS_CS "getctag", E_CTAG},
	{NS_CS "shared", E_TYPE_SHARED},
	{NS_CS "subscribed", E_TYPE_SUBSCRIBED},
};

struct dav_xml {
	struct dav_xml_handler handler;
	struct dav_xml_result result;
	XML_Parser parser;
	struct dav_clean clean;
	struct buf cleaned;
	uint64_t fed;
	struct err *err; /* of the feed that runs */
	bool failed;
	enum element stack[DEPTH_MAX];
	int depth;
	struct buf text; /* of the element that is open */
	struct dav_response response;
	char **more_hrefs; /* of a response with several */
	size_t more_count;
	struct dav_props pending; /* of the propstat that is open */
	bool pending_data;
	int propstat_status;
};

static void props_clear(struct dav_props *p)
{
	int i;

	free(p->etag);
	free(p->ctag);
	free(p->sync_token);
	free(p->display_name);
	free(p->principal);
	free(p->owner);
	for (i = 0; i < DAV_HOMES_MAX; i++) {
		free(p->calendar_homes[i]);
		free(p->addressbook_homes[i]);
	}
	*p = (struct dav_props){.etag = NULL};
}

static void response_clear(struct dav_xml *xml)
{
	free(xml->response.href);
	props_clear(&xml->response.props);
	xml->response = (struct dav_response){.href = NULL};
	while (xml->more_count)
		free(xml->more_hrefs[--xml->more_count]);
}

static void stop(struct dav_xml *xml)
{
	xml->failed = true;
	XML_StopParser(xml->parser, XML_FALSE);
}

static enum element above(const struct dav_xml *xml, int levels)
{
	int at = xml->depth - 1 - levels;

	return at < 0 ? E_OTHER : xml->stack[at];
}

static enum element element_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].element;
	return E_OTHER;
}

static void read_component(struct dav_xml *xml, const char **attributes)
{
	static const struct {
		const char *name;
		unsigned bit;
	} components[] = {{"VEVENT", DAV_VEVENT}, {"VTODO", DAV_VTODO},
		{"VJOURNAL", DAV_VJOURNAL}};
	size_t i;

	for (; attributes[0]; attributes += 2) {
		if (strcmp(attributes[0], "name") != 0)
			continue;
		for (i = 0; i < 3; i++)
			if (strcmp(attributes[1], components[i].name) == 0)
				xml->pending.components |= components[i].bit;
	}
}

static unsigned type_bit(enum element element)
{
	switch (element) {
	case E_TYPE_COLLECTION:
		return DAV_TYPE_COLLECTION;
	case E_TYPE_CALENDAR:
		return DAV_TYPE_CALENDAR;
	case E_TYPE_ADDRESSBOOK:
		return DAV_TYPE_ADDRESSBOOK;
	case E_TYPE_SHARED:
		return DAV_TYPE_SHARED;
	case E_TYPE_SUBSCRIBED:
		return DAV_TYPE_SUBSCRIBED;
	default:
		return 0;
	}
}

static void enter(
	struct dav_xml *xml, enum element element, const char **attributes)
{
	switch (element) {
	case E_RESPONSE:
		response_clear(xml);
		break;
	case E_PROPSTAT:
		props_clear(&xml->pending);
		xml->pending_data = false;
		xml->propstat_status = 0;
		break;
	case E_COMPONENTS:
		xml->pending.has_components = true;
		break;
	case E_COMPONENT:
		read_component(xml, attributes);
		break;
	case E_REPORT_SYNC:
		if (above(xml, 1) == E_REPORT)
			xml->pending.can_sync = true;
		break;
	case E_DATA:
		xml->pending_data = true;
		break;
	case E_BAD_TOKEN:
		xml->result.bad_token = true;
		break;
	case E_TOO_MANY:
		xml->result.too_many = true;
		break;
	default:
		if (above(xml, 1) == E_TYPE)
			xml->pending.types |= type_bit(element);
	}
}

static void XMLCALL on_start(
	void *user, const char *name, const char **attributes)
{
	struct dav_xml *xml = user;
	enum element element = element_of(name);

	if (xml->failed)
		return;
	if (xml->depth == 0 && element != E_MULTISTATUS && element != E_ERROR) {
		err_set(xml->err, ERR_PROTOCOL,
			"the answer is no WebDAV document but <%.60s>", name);
		stop(xml);
		return;
	}
	if (xml->depth == DEPTH_MAX) {
		err_set(xml->err, ERR_LIMIT,
			"the answer nests deeper than %d elements", DEPTH_MAX);
		stop(xml);
		return;
	}
	if (xml->depth == 0)
		xml->result.multistatus = element == E_MULTISTATUS;
	xml->stack[xml->depth++] = element;
	buf_clear(&xml->text);
	enter(xml, element, attributes);
}

static bool wants_text(enum element element)
{
	switch (element) {
	case E_HREF:
	case E_STATUS:
	case E_ETAG:
	case E_CTAG:
	case E_SYNC_TOKEN:
	case E_DISPLAY_NAME:
		return true;
	default:
		return false;
	}
}

static void XMLCALL on_text(void *user, const char *text, int length)
{
	struct dav_xml *xml = user;
	enum element element = above(xml, 0);

	if (xml->failed)
		return;
	if (element == E_DATA && above(xml, 1) == E_PROP) {
		if (xml->handler.data &&
			xml->handler.data(xml->handler.context, &xml->response,
				text, (size_t)length, xml->err) < 0)
			stop(xml);
	} else if (wants_text(element) &&
		buf_append(&xml->text, text, (size_t)length) < 0) {
		err_set(xml->err, ERR_LIMIT,
			"the answer has a value of more than %d bytes",
			VALUE_BYTES_MAX);
		stop(xml);
	}
}

/* The text without blanks around it, which pretty-printers add. */
static char *trimmed(const struct buf *text)
{
	const char *start = buf_text(text);
	size_t length;

	start += strspn(start, " \t\r\n");
	length = strlen(start);
	while (length > 0 && strchr(" \t\r\n", start[length - 1]))
		length--;
	return xstrndup(start, length);
}

static void keep(char **slot, const struct buf *text)
{
	free(*slot);
	*slot = trimmed(text);
}

static void keep_home(char **homes, const struct buf *text)
{
	int i;

	for (i = 0; i < DAV_HOMES_MAX; i++)
		if (!homes[i]) {
			homes[i] = trimmed(text);
			return;
		}
}

/* "HTTP/1.1 404 Not Found" */
static int status_of(const struct buf *text)
{
	const char *blank = strchr(buf_text(text), ' ');
	long status = blank ? strtol(blank, NULL, 10) : 0;

	return status >= 100 && status <= 999 ? (int)status : 0;
}

static void end_href(struct dav_xml *xml)
{
	switch (above(xml, 1)) {
	case E_RESPONSE:
		if (!xml->response.href) {
			xml->response.href = trimmed(&xml->text);
		} else if (xml->more_count < HREFS_MAX) {
			xml->more_hrefs = xrealloc(xml->more_hrefs,
				xml->more_count + 1, sizeof(char *));
			xml->more_hrefs[xml->more_count++] = trimmed(
				&xml->text);
		}
		break;
	case E_PRINCIPAL:
		keep(&xml->pending.principal, &xml->text);
		break;
	case E_OWNER:
		keep(&xml->pending.owner, &xml->text);
		break;
	case E_CALENDAR_HOME:
		keep_home(xml->pending.calendar_homes, &xml->text);
		break;
	case E_ADDRESSBOOK_HOME:
		keep_home(xml->pending.addressbook_homes, &xml->text);
		break;
	default:
		break;
	}
}

static void move(char **to, char **from)
{
	if (*from) {
		free(*to);
		*to = *from;
		*from = NULL;
	}
}

static void response_is(struct dav_xml *xml, int status)
{
	xml->response.ill |= status / 100 == 5;
}

static void end_propstat(struct dav_xml *xml)
{
	struct dav_props *to = &xml->response.props;
	struct dav_props *from = &xml->pending;
	int i;

	if (xml->pending_data) {
		xml->response.has_data = true;
		xml->response.data_status = xml->propstat_status;
	}
	response_is(xml, xml->propstat_status);
	if (xml->propstat_status / 100 != 2)
		return;
	move(&to->etag, &from->etag);
	move(&to->ctag, &from->ctag);
	move(&to->sync_token, &from->sync_token);
	move(&to->display_name, &from->display_name);
	move(&to->principal, &from->principal);
	move(&to->owner, &from->owner);
	for (i = 0; i < DAV_HOMES_MAX; i++) {
		move(&to->calendar_homes[i], &from->calendar_homes[i]);
		move(&to->addressbook_homes[i], &from->addressbook_homes[i]);
	}
	to->types |= from->types;
	to->components |= from->components;
	to->has_components |= from->has_components;
	to->can_sync |= from->can_sync;
}

static void end_response(struct dav_xml *xml)
{
	struct dav_response *response = &xml->response;
	size_t i;

	if (!response->href) {
		err_set(xml->err, ERR_PROTOCOL,
			"the answer has a response without href");
		stop(xml);
		return;
	}
	response_is(xml, response->status);
	response->mended = xml->clean.mended;
	for (i = 0; i <= xml->more_count && !xml->failed; i++) {
		if (i > 0)
			move(&response->href, &xml->more_hrefs[i - 1]);
		xml->result.responses++;
		if (xml->handler.response &&
			xml->handler.response(
				xml->handler.context, response, xml->err) < 0)
			stop(xml);
	}
	response_clear(xml);
}

static void leave(struct dav_xml *xml, enum element element)
{
	enum element parent = above(xml, 1);

	if (element == E_HREF)
		end_href(xml);
	else if (element == E_STATUS && parent == E_RESPONSE)
		xml->response.status = status_of(&xml->text);
	else if (element == E_STATUS && parent == E_PROPSTAT)
		xml->propstat_status = status_of(&xml->text);
	else if (element == E_SYNC_TOKEN && parent == E_MULTISTATUS)
		keep(&xml->result.sync_token, &xml->text);
	else if (element == E_PROPSTAT && parent == E_RESPONSE)
		end_propstat(xml);
	else if (element == E_RESPONSE && parent == E_MULTISTATUS)
		end_response(xml);
	if (parent != E_PROP)
		return;
	if (element == E_ETAG)
		keep(&xml->pending.etag, &xml->text);
	else if (element == E_CTAG)
		keep(&xml->pending.ctag, &xml->text);
	else if (element == E_SYNC_TOKEN)
		keep(&xml->pending.sync_token, &xml->text);
	else if (element == E_DISPLAY_NAME)
		keep(&xml->pending.display_name, &xml->text);
}

static void XMLCALL on_end(void *user, const char *name)
{
	struct dav_xml *xml = user;

	(void)name;
	if (xml->failed)
		return;
	leave(xml, above(xml, 0));
	buf_clear(&xml->text);
	xml->depth--;
}

static void XMLCALL on_doctype(void *user, const char *name,
	const char *system_id, const char *public_id, int has_subset)
{
	struct dav_xml *xml = user;

	(void)system_id;
	(void)public_id;
	(void)has_subset;
	if (xml->failed)
		return;
	err_set(xml->err, ERR_PROTOCOL,
		"the answer is no WebDAV document but of type \"%.60s\"", name);
	stop(xml);
}

struct dav_xml *dav_xml_new(const struct dav_xml_handler *handler)
{
	struct dav_xml *xml = xcalloc(1, sizeof(*xml));

	xml->handler = *handler;
	xml->parser = XML_ParserCreateNS(NULL, ' ');
	if (!xml->parser)
		abort();
	xml->clean = DAV_CLEAN_INIT;
	xml->cleaned = BUF_INIT((size_t)4 * PIECE_BYTES);
	xml->text = BUF_INIT(VALUE_BYTES_MAX);
	XML_SetUserData(xml->parser, xml);
	XML_SetElementHandler(xml->parser, on_start, on_end);
	XML_SetCharacterDataHandler(xml->parser, on_text);
	XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
	return xml;
}

static int parse(struct dav_xml *xml, bool last, struct err *err)
{
	enum XML_Status status;

	xml->err = err;
	xml->fed += xml->cleaned.length;
	status = XML_Parse(xml->parser, buf_text(&xml->cleaned),
		(int)xml->cleaned.length, last);
	buf_clear(&xml->cleaned);
	if (xml->failed)
		return -1;
	if (status != XML_STATUS_OK) {
		xml->failed = true;
		return err_set(err, ERR_PROTOCOL,
			"the answer is broken XML at line %lu: %s",
			XML_GetCurrentLineNumber(xml->parser),
			XML_ErrorString(XML_GetErrorCode(xml->parser)));
	}
	if (!last &&
		xml->fed - (uint64_t)XML_GetCurrentByteIndex(xml->parser) >
			TAG_BYTES_MAX) {
		xml->failed = true;
		return err_set(err, ERR_LIMIT,
			"the answer has a tag of more than %d bytes",
			TAG_BYTES_MAX);
	}
	return 0;
}

int dav_xml_feed(
	struct dav_xml *xml, const char *data, size_t length, struct err *err)
{
	while (length > 0) {
		size_t piece = length < PIECE_BYTES ? length : PIECE_BYTES;

		if (xml->failed)
			return err_set(
				err, ERR_PROTOCOL, "the answer was given up");
		dav_clean(&xml->clean, data, piece, &xml->cleaned);
		if (parse(xml, false, err) < 0)
			return -1;
		data += piece;
		length -= piece;
	}
	return 0;
}

int dav_xml_finish(struct dav_xml *xml, struct err *err)
{
	if (xml->failed)
		return err_set(err, ERR_PROTOCOL, "the answer was given up");
	dav_clean_finish(&xml->clean, &xml->cleaned);
	return parse(xml, true, err);
}

const struct dav_xml_result *dav_xml_result(const struct dav_xml *xml)
{
	return &xml->result;
}

void dav_xml_free(struct dav_xml *xml)
{
	if (!xml)
		return;
	response_clear(xml);
	free(xml->more_hrefs);
	props_clear(&xml->pending);
	free(xml->result.sync_token);
	XML_ParserFree(xml->parser);
	buf_free(&xml->cleaned);
	buf_free(&xml->text);
	free(xml);
}
