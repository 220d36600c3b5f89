/* multistatus_test.c - what a filler reads from WebDAV answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "multistatus.h"

#define OPEN                                                                   \
	"<d:multistatus xmlns:d=\"DAV:\" "                                     \
	"xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "                           \
	"xmlns:a=\"urn:ietf:params:xml:ns:carddav\">"
#define CLOSE "</d:multistatus>"

static int parse(const char *text, struct multistatus *result, struct err *err)
{
	return multistatus_parse(text, strlen(text), result, err);
}

static void resource_types_and_components(void **state)
{
	struct multistatus result;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		parse(OPEN "<d:response><d:href>/cal/a/</d:href><d:propstat>"
			   "<d:prop><d:resourcetype><d:collection/>"
			   "<c:calendar/></d:resourcetype>"
			   "<c:supported-calendar-component-set>"
			   "<c:comp name=\"VTODO\"/><c:comp name=\"VEVENT\"/>"
			   "</c:supported-calendar-component-set>"
			   "</d:prop></d:propstat></d:response>"
			   "<d:response><d:href>/card/</d:href><d:propstat>"
			   "<d:prop><d:resourcetype><a:addressbook/>"
			   "</d:resourcetype></d:prop></d:propstat>"
			   "</d:response>" CLOSE,
			&result, &err),
		0);
	assert_int_equal(result.count, 2);
	assert_string_equal(result.entry[0].href, "/cal/a/");
	assert_true(result.entry[0].calendar && result.entry[0].limited &&
		result.entry[0].events);
	assert_false(result.entry[0].addressbook);
	assert_true(result.entry[1].addressbook);
	assert_false(result.entry[1].calendar || result.entry[1].limited);
	multistatus_free(&result);
}

static void homes_are_told_from_other_hrefs(void **state)
{
	struct multistatus result;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		parse(OPEN
			"<d:response><d:href>/p/</d:href><d:propstat><d:prop>"
			"<d:current-user-principal><d:href>/p/u</d:href>"
			"</d:current-user-principal>"
			"<c:calendar-home-set><d:href>/c/u/</d:href>"
			"</c:calendar-home-set>"
			"<a:addressbook-home-set><d:href>/a/u/</d:href>"
			"</a:addressbook-home-set>"
			"</d:prop></d:propstat></d:response>" CLOSE,
			&result, &err),
		0);
	assert_string_equal(result.entry[0].href, "/p/");
	assert_string_equal(result.principal, "/p/u");
	assert_string_equal(result.calendar_home, "/c/u/");
	assert_string_equal(result.addressbook_home, "/a/u/");
	multistatus_free(&result);
}

static void damaged_and_hostile_answers_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "not xml", OPEN, OPEN "<d:response></d:href>" CLOSE};
	struct buf deep = BUF_INIT(0);
	struct multistatus result;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err = ERR_INIT;
		assert_int_equal(parse(bad[i], &result, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
	}
	for (unsigned i = 0; i < 100; i++)
		(void)buf_append_text(&deep, "<d>");
	err = ERR_INIT;
	assert_int_equal(parse(buf_text(&deep), &result, &err), -1);
	assert_non_null(strstr(err.text, "deep"));
	buf_free(&deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resource_types_and_components),
		cmocka_unit_test(homes_are_told_from_other_hrefs),
		cmocka_unit_test(damaged_and_hostile_answers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
