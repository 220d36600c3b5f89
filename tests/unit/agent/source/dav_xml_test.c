/*
 * Multistatus documents: what they mean, whatever the pieces they come in,
 * and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dav_clean.h"
#include "dav_xml.h"
#include "buf.h"
#include "err.h"

static int on_response(
	void *context, const struct dav_response *r, struct err *err)
{
	(void)err;
	return buf_printf(context, "%s status=%d etag=%s types=%u%s\n", r->href,
		r->status, r->props.etag ? r->props.etag : "-", r->props.types,
		r->has_data ? r->data_status == 200 ? " data" : " nodata" : "");
}

static int on_data(void *context, const struct dav_response *r,
	const char *text, size_t length, struct err *err)
{
	(void)err;
	assert_non_null(r->href);
	return buf_append(context, text, length);
}

/* What READS hears of TEXT fed in pieces of PIECE bytes; or the error. */
static char *read_in_pieces(const char *text, size_t length, size_t piece,
	struct dav_xml_result *result, struct err *err)
{
	struct buf heard = BUF_INIT(0);
	struct dav_xml_handler handler = {on_response, on_data, &heard};
	struct dav_xml *xml = dav_xml_new(&handler);
	char *copy = NULL;
	int outcome = 0;
	size_t at;

	for (at = 0; at < length && outcome == 0; at += piece)
		outcome = dav_xml_feed(xml, text + at,
			piece < length - at ? piece : length - at, err);
	if (outcome == 0)
		outcome = dav_xml_finish(xml, err);
	if (outcome == 0) {
		*result = *dav_xml_result(xml);
		if (result->sync_token)
			result->sync_token = strdup(result->sync_token);
		copy = strdup(buf_text(&heard));
	}
	dav_xml_free(xml);
	buf_free(&heard);
	return copy;
}

static const char listing[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">"
	"\n  <response>\n    <href>\n  /a/1.ics </href>"
	"<propstat><prop><getetag>\"e&amp;1\"</getetag>"
	"<getcontentlength>12</getcontentlength>"
	"<C:calendar-data>BEGIN:V\n\xc3\xbc&lt;</C:calendar-data></prop>"
	"<status>HTTP/1.1 200 OK</status></propstat>"
	"<propstat><prop><resourcetype><collection/></resourcetype></prop>"
	"<status>HTTP/1.1 404 Not Found</status></propstat></response>"
	"<response><href>/a/</href><propstat><prop><getetag/><resourcetype>"
	"<collection/><C:calendar/></resourcetype></prop>"
	"<status>HTTP/1.1 200 OK</status></propstat></response>"
	"<response><href>/a/2</href><href>/a/3</href>"
	"<status>HTTP/1.1 404 Gone</status></response>"
	"<unknown xmlns=\"x:y\"><href xmlns=\"DAV:\">/no</href></unknown>"
	"<sync-token> tok </sync-token></multistatus>\n";

static void reading_does_not_depend_on_the_pieces(void **state)
{
	size_t piece;

	(void)state;
	for (piece = 1; piece <= sizeof(listing); piece++) {
		struct dav_xml_result result;
		struct err err = ERR_INIT;
		char *heard = read_in_pieces(
			listing, strlen(listing), piece, &result, &err);

		assert_non_null(heard);
		assert_string_equal(heard,
			"BEGIN:V\n\xc3\xbc</a/1.ics status=0 etag=\"e&1\" "
			"types=0 data\n"
			"/a/ status=0 etag= types=3\n"
			"/a/2 status=404 etag=- types=0\n"
			"/a/3 status=404 etag=- types=0\n");
		assert_string_equal(result.sync_token, "tok");
		assert_int_equal(result.responses, 4);
		assert_true(result.multistatus);
		free(result.sync_token);
		free(heard);
	}
}

static void error_documents(void **state)
{
	static const char text[] =
		"<D:error xmlns:D=\"DAV:\"><D:valid-sync-token/>"
		"<D:number-of-matches-within-limits/></D:error>";
	struct dav_xml_result result;
	char *heard = read_in_pieces(text, strlen(text), 7, &result, NULL);

	(void)state;
	assert_string_equal(heard, "");
	assert_false(result.multistatus);
	assert_true(result.bad_token);
	assert_true(result.too_many);
	free(heard);
}

static void refused_documents(void **state)
{
	static const struct {
		const char *text;
		enum err_kind kind;
	} cases[] = {
		{"", ERR_PROTOCOL},
		{"<html><body/></html>", ERR_PROTOCOL},
		{"<!DOCTYPE html><html></html>", ERR_PROTOCOL},
		{"<!DOCTYPE m [<!ENTITY a \"x\">]>"
		 "<multistatus xmlns=\"DAV:\">&a;</multistatus>",
			ERR_PROTOCOL},
		{"<multistatus xmlns=\"DAV:\">", ERR_PROTOCOL},
		{"<multistatus xmlns=\"DAV:\"></wrong>", ERR_PROTOCOL},
		{"<multistatus/>", ERR_PROTOCOL}, /* of no namespace */
		{"<multistatus xmlns=\"DAV:\"><response/></multistatus>",
			ERR_PROTOCOL},
	};
	struct dav_xml_result result;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;

		assert_null(read_in_pieces(cases[i].text, strlen(cases[i].text),
			9, &result, &err));
		assert_int_equal(err.kind, cases[i].kind);
	}
}

/* HEAD, then COUNT times PART. */
static enum err_kind kind_of_repeated(
	const char *head, const char *part, size_t count)
{
	struct buf text = BUF_INIT(0);
	struct dav_xml_result result;
	struct err err = ERR_INIT;

	buf_append_text(&text, head);
	while (count--)
		buf_append_text(&text, part);
	free(read_in_pieces(text.data, text.length, 4096, &result, &err));
	buf_free(&text);
	return err.kind;
}

static void limits(void **state)
{
	static const char root[] = "<multistatus xmlns=\"DAV:\">";

	(void)state;
	assert_int_equal(kind_of_repeated(root, "<x>", 1000), ERR_LIMIT);
	assert_int_equal(kind_of_repeated("<multistatus xmlns=\"DAV:\"><"
					  "response><href>",
				 "long/", 10000),
		ERR_LIMIT);
	assert_int_equal(kind_of_repeated("<multistatus xmlns=\"DAV:\" a=\"",
				 "long ", 400000),
		ERR_LIMIT);
}

static void handler_that_fails_ends_the_reading(void **state)
{
	/* A buffer without room makes on_response() fail. */
	struct buf tiny = BUF_INIT(1);
	struct dav_xml_handler handler = {on_response, NULL, &tiny};
	struct dav_xml *xml = dav_xml_new(&handler);

	(void)state;
	assert_int_equal(dav_xml_feed(xml, listing, strlen(listing), NULL), -1);
	assert_int_equal(dav_xml_finish(xml, NULL), -1);
	dav_xml_free(xml);
}

/* TEXT through the filter, in pieces of PIECE bytes. */
static void check_clean(const char *text, size_t length, const char *expected)
{
	size_t piece;

	for (piece = 1; piece <= length; piece++) {
		struct dav_clean clean = DAV_CLEAN_INIT;
		struct buf out = BUF_INIT(0);
		size_t at;

		for (at = 0; at < length; at += piece)
			dav_clean(&clean, text + at,
				piece < length - at ? piece : length - at,
				&out);
		dav_clean_finish(&clean, &out);
		assert_string_equal(buf_text(&out), expected);
		buf_free(&out);
	}
}

static void cleaning(void **state)
{
	static const struct {
		const char *dirty, *clean;
	} cases[] = {
		{"<a>plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80</a>",
			"<a>plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80</a>"},
		{"<a>\x01\x0b\x1f\x7f\t\r\n</a>", "<a>\t\r\n</a>"},
		{"<a>&#0;&#x1;&#11;&#13;&#x41;&amp;&#;&#x110000;</a>",
			"<a>&#13;&#x41;&amp;</a>"},
		{"<a>&#99999999999999;&#x</a>", "<a>&#99999999999999;&#x</a>"},
		{"<a>\xff\xc3</a>", "<a>\xef\xbf\xbd\xef\xbf\xbd</a>"},
		/* too long a form, a surrogate, a character that is none */
		{"<a>\xe0\x80\xaf\xed\xa0\x80\xef\xbf\xbe</a>",
			"<a>\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</a>"},
		{"<a>\xf0\x9f\x98", "<a>\xef\xbf\xbd"},
		{"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9\x01</a>",
			"<?xml version='1.0' encoding='iso-8859-1'?>"
			"<a>\xe9</a>"},
		{"\r\n\t <?xml version='1.0'?>\n<a/>",
			"<?xml version='1.0'?>\n<a/>"},
		{"\n", ""},
		{"", ""},
		{"&", "&"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_clean(
			cases[i].dirty, strlen(cases[i].dirty), cases[i].clean);
}

static void other_encodings_are_read(void **state)
{
	static const char latin[] =
		"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>"
		"<multistatus xmlns=\"DAV:\"><response><href>/\xe9</href>"
		"</response></multistatus>";
	struct dav_xml_result result;
	char *heard = read_in_pieces(latin, strlen(latin), 5, &result, NULL);

	(void)state;
	assert_string_equal(heard, "/\xc3\xa9 status=0 etag=- types=0\n");
	free(heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_does_not_depend_on_the_pieces),
		cmocka_unit_test(error_documents),
		cmocka_unit_test(refused_documents),
		cmocka_unit_test(limits),
		cmocka_unit_test(handler_that_fails_ends_the_reading),
		cmocka_unit_test(cleaning),
		cmocka_unit_test(other_encodings_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
