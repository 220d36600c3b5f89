/*
 * The small pure parts of the DAV source: addresses, request bodies, object
 * text, chunk sizes, sets of hrefs, quirks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "dav_body.h"
#include "dav_chunk.h"
#include "dav_href.h"
#include "dav_quirks.h"
#include "dav_seen.h"
#include "dav_text.h"
#include "err.h"

static void normal_forms(void **state)
{
	static const struct {
		const char *href, *normal;
	} cases[] = {
		{"/a/b.ics", "/a/b.ics"},
		{"/a/", "/a"},
		{"/", ""},
		{"http://h:80/a/b/?x=1#y", "/a/b"},
		{"http://h", ""},
		{"//h/a", "/a"},
		{"/a%20b", "/a b"},
		{"/a%2520b", "/a b"},
		{"/a%25252520b", "/a b"},
		{"/a%zz%2", "/a%zz%2"},
		{"/a%00b", "/a%00b"},
		{"/redirect/http://x/y", "/redirect/http://x/y"},
		{"/u%c3%bc", "/u\xc3\xbc"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *normal = dav_href_normal(cases[i].href);

		assert_string_equal(normal, cases[i].normal);
		free(normal);
	}
}

static void resolving(void **state)
{
	static const struct {
		const char *href, *url;
	} cases[] = {
		{"/x/y", "https://h.example/x/y"},
		{"y", "https://h.example/a/y"},
		{"https://other.example/z", "https://other.example/z"},
		{"/with blank", "https://h.example/with%20blank"},
		{"/kept%20", "https://h.example/kept%20"},
		{"https://me:pw@h.example/", "https://h.example/"},
		{"file:///etc/passwd", NULL},
		{"ftp://h.example/", NULL},
		{"/line\nbreak", NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		char *url = dav_href_resolve(
			"https://h.example/a/b", cases[i].href, &err);

		if (cases[i].url) {
			assert_non_null(url);
			assert_string_equal(url, cases[i].url);
		} else {
			assert_null(url);
			assert_int_equal(err.kind, ERR_PROTOCOL);
		}
		free(url);
	}
}

static void where_a_password_may_go(void **state)
{
	(void)state;
	assert_true(dav_href_may_follow("http://h/", "http://h:8080/x"));
	assert_true(dav_href_may_follow("http://h/", "https://H/"));
	assert_true(dav_href_may_follow("https://h/", "https://p7-h.example/"));
	assert_false(dav_href_may_follow("https://h/", "http://h/"));
	assert_false(dav_href_may_follow("http://h/", "http://g/"));
	assert_false(dav_href_may_follow("http://h/", "https://g/"));
	assert_false(dav_href_may_follow("https://h/", "nonsense"));
}

static void names(void **state)
{
	char *name = dav_href_name("https://h/dav/My%20Calendar/?a");

	(void)state;
	assert_string_equal(name, "My Calendar");
	free(name);
	name = dav_href_name("https://h/");
	assert_string_equal(name, "");
	free(name);
}

static void bodies_escape_what_servers_sent(void **state)
{
	static const char *const hrefs[] = {"/a&b", "/<c>"};
	struct buf body = dav_body_sync("t<1>&\"", 0);

	(void)state;
	assert_non_null(strstr(body.data,
		"<D:sync-token>t&lt;1&gt;&amp;&quot;</D:sync-token>"));
	assert_null(strstr(body.data, "limit"));
	buf_free(&body);
	body = dav_body_sync("", 500);
	assert_non_null(strstr(body.data, "<D:nresults>500</D:nresults>"));
	buf_free(&body);
	body = dav_body_multiget(COLLECTION_CONTACTS, hrefs, 2);
	assert_non_null(strstr(body.data,
		"<A:address-data/></D:prop><D:href>/a&amp;b</D:href>"
		"<D:href>/&lt;c&gt;</D:href></A:addressbook-multiget>"));
	buf_free(&body);
	body = dav_body_multiget(COLLECTION_TASKS, hrefs, 1);
	assert_non_null(strstr(body.data, "<C:calendar-data/>"));
	buf_free(&body);
}

static void text_has_one_form(void **state)
{
	static const char *const forms[] = {"BEGIN:A\nB\nEND:A",
		"BEGIN:A\r\nB\r\nEND:A\r\n", "\n  BEGIN:A\nB\r\nEND:A\r",
		"\xef\xbb\xbf"
		"BEGIN:A\nB\nEND:A\n"};
	size_t i, cut;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		for (cut = 0; cut <= strlen(forms[i]); cut++) {
			struct dav_text text;

			dav_text_init(&text, 1000);
			dav_text_append(&text, forms[i], cut);
			dav_text_append(
				&text, forms[i] + cut, strlen(forms[i]) - cut);
			dav_text_finish(&text);
			assert_string_equal(buf_text(&text.text),
				"BEGIN:A\r\nB\r\nEND:A\r\n");
			assert_true(dav_text_is_object(&text));
			dav_text_free(&text);
		}
}

static void text_beyond_its_limit_is_told(void **state)
{
	struct dav_text text;

	(void)state;
	dav_text_init(&text, 8);
	dav_text_append(&text, "12345678", 8);
	assert_false(text.too_large);
	dav_text_finish(&text);
	assert_true(text.too_large);
	assert_false(dav_text_is_object(&text));
	dav_text_clear(&text);
	assert_false(text.too_large);
	dav_text_free(&text);
}

static void chunk_grows_and_shrinks(void **state)
{
	struct dav_chunk chunk;

	(void)state;
	dav_chunk_init(&chunk, 100, 300);
	dav_chunk_succeeded(&chunk, 40, 1000, 1000); /* the rest: no sign */
	assert_int_equal(dav_chunk_next(&chunk), 100);
	dav_chunk_succeeded(&chunk, 100, 1000, 1000);
	assert_int_equal(dav_chunk_next(&chunk), 200);
	dav_chunk_succeeded(&chunk, 200, 1000, 1000);
	assert_int_equal(dav_chunk_next(&chunk), 300);
	dav_chunk_succeeded(&chunk, 300, 1000, 10000000);
	assert_int_equal(dav_chunk_next(&chunk), 150);
	dav_chunk_succeeded(&chunk, 150, 100 << 20, 1000);
	assert_int_equal(dav_chunk_next(&chunk), 75);
	dav_chunk_succeeded(&chunk, 75, 5 << 20, 1000); /* just right */
	assert_int_equal(dav_chunk_next(&chunk), 75);
}

/* Objects 0 to 99, CULPRIT fails; returns how many requests it takes. */
static unsigned bisect(struct dav_chunk *chunk, size_t culprit)
{
	unsigned requests = 0;
	size_t at = 0;

	while (at < 100) {
		size_t count = dav_chunk_next(chunk);

		if (count > 100 - at)
			count = 100 - at;
		requests++;
		if (culprit < at || culprit >= at + count)
			dav_chunk_succeeded(chunk, count, 10, 10);
		else if (count == 1)
			dav_chunk_culprit(chunk);
		else {
			dav_chunk_failed(chunk, count, count);
			continue;
		}
		at += count;
	}
	return requests;
}

static void culprit_is_found_and_size_kept(void **state)
{
	size_t culprit;

	(void)state;
	for (culprit = 0; culprit < 100; culprit++) {
		struct dav_chunk chunk;

		dav_chunk_init(&chunk, 100, 400);
		assert_in_range(bisect(&chunk, culprit), 7, 16);
		assert_int_equal(chunk.max, 400);
		assert_true(dav_chunk_next(&chunk) >= 100);
	}
}

static void too_many_at_once_lowers_the_maximum(void **state)
{
	struct dav_chunk chunk;
	size_t left;

	(void)state;
	dav_chunk_init(&chunk, 100, 400);
	dav_chunk_failed(&chunk, 100, 100);
	for (left = 100; left > 0;) {
		size_t count = dav_chunk_next(&chunk);

		dav_chunk_succeeded(&chunk, count, 10, 10);
		left -= count;
	}
	assert_int_equal(dav_chunk_next(&chunk), 50);
	assert_int_equal(chunk.max, 50);
}

static void other_objects_are_not_suspected(void **state)
{
	struct dav_chunk chunk;

	(void)state;
	dav_chunk_init(&chunk, 100, 400);
	dav_chunk_failed(&chunk, 100, 1);
	assert_int_equal(dav_chunk_next(&chunk), 1);
	dav_chunk_restart(&chunk);
	assert_int_equal(dav_chunk_next(&chunk), 100);
}

static void set_of_hrefs(void **state)
{
	struct dav_seen seen = {NULL, 0, 0};
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		char *href = xasprintf("/dav/cal/%d.ics", i);

		assert_true(dav_seen_add(&seen, href, false));
		assert_false(dav_seen_add(&seen, href, false));
		free(href);
	}
	assert_false(dav_seen_add(&seen, "http://h/dav/cal/7%2eics/", false));
	assert_true(dav_seen_add(&seen, "/dav/cal/7.ics", true));
	assert_false(dav_seen_add(&seen, "/dav/cal/7.ics", true));
	dav_seen_free(&seen);
}

static char *sabre(const void *context, const char *header)
{
	(void)context;
	return strcmp(header, "X-Sabre-Version") == 0 ? xstrdup("4.1.5") : NULL;
}

static char *server_is(const void *context, const char *header)
{
	return strcmp(header, "Server") == 0 ? xstrdup(context) : NULL;
}

static void quirks_by_header(void **state)
{
	(void)state;
	assert_string_equal(dav_quirks_find(sabre, NULL)->name, "sabre/dav");
	assert_true(dav_quirks_find(server_is, "SOGo/5.8")->sync_is_unreliable);
	assert_string_equal(
		dav_quirks_find(server_is, "xandikos/0.2")->name, "Xandikos");
	assert_null(dav_quirks_find(server_is, "nginx")->header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_forms),
		cmocka_unit_test(resolving),
		cmocka_unit_test(where_a_password_may_go),
		cmocka_unit_test(names),
		cmocka_unit_test(bodies_escape_what_servers_sent),
		cmocka_unit_test(text_has_one_form),
		cmocka_unit_test(text_beyond_its_limit_is_told),
		cmocka_unit_test(chunk_grows_and_shrinks),
		cmocka_unit_test(culprit_is_found_and_size_kept),
		cmocka_unit_test(too_many_at_once_lowers_the_maximum),
		cmocka_unit_test(other_objects_are_not_suspected),
		cmocka_unit_test(set_of_hrefs),
		cmocka_unit_test(quirks_by_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
