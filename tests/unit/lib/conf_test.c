/* conf_test.c - YAML files against a table: values, defaults, and errors that
 * say where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "account.h"
#include "conf.h"
#include "err.h"

struct share {
	char *name;
	double share;
};

struct inner {
	char *path;
	uint16_t port;
	int word;
};

struct outer {
	char *title;
	bool on;
	unsigned count;
	int64_t wait_us;
	uint64_t size, rate;
	double ratio, factor, number;
	struct inner inner;
	unsigned *list;
	size_t list_count;
	struct share *shares;
	size_t share_count;
	struct inner *servers;
	size_t server_count;
};

static const char *const words[] = {"red", "green", NULL};

static const struct conf_field inner_fields[] = {
	{CONF_AT(struct inner, path), "path", CONF_PATH, "a file",
		.required = true},
	{CONF_AT(struct inner, port), "port", CONF_INT, "a port",
		.fallback = "993", .min = 1, .max = 65535},
	{CONF_AT(struct inner, word), "word", CONF_ENUM, "a colour",
		.fallback = "green", .words = words},
	CONF_END,
};
static const struct conf_table inner_table = {
	.name = "inner",
	.text = "Inside.",
	.size = sizeof(struct inner),
	.fields = inner_fields,
};
static const struct conf_field number_element = {
	.size = sizeof(unsigned), .type = CONF_INT};
static const struct conf_field share_element = {
	CONF_AT(struct share, share), NULL, CONF_PERCENT};
static const struct conf_field inner_element = {.size = sizeof(struct inner),
	.type = CONF_TABLE,
	.table = &inner_table};

static int check_outer(void *object, struct err *err)
{
	const struct outer *outer = object;

	return outer->count == 13
		? err_set(err, ERR_CONFIG, "count 13 is unlucky; take 12")
		: 0;
}

static const struct conf_field outer_fields[] = {
	{CONF_AT(struct outer, title), "title", CONF_STRING, "its name",
		.required = true},
	{CONF_AT(struct outer, on), "on", CONF_BOOL, "whether",
		.fallback = "true"},
	{CONF_AT(struct outer, count), "count", CONF_INT, "how many",
		.max = 100},
	{CONF_AT(struct outer, wait_us), "wait", CONF_DURATION, "how long",
		.fallback = "10m"},
	{CONF_AT(struct outer, size), "size", CONF_BYTES, "how big"},
	{CONF_AT(struct outer, rate), "rate", CONF_RATE, "how fast"},
	{CONF_AT(struct outer, ratio), "ratio", CONF_PERCENT, "which share"},
	{CONF_AT(struct outer, factor), "factor", CONF_FACTOR, "how often"},
	{CONF_AT(struct outer, number), "number", CONF_NUMBER, "a figure"},
	{CONF_AT(struct outer, inner), "inner", CONF_TABLE, "a table",
		.table = &inner_table},
	{CONF_AT(struct outer, list), "list", CONF_LIST, "numbers",
		.fallback = "[1, 5]", .element = &number_element,
		.element_size = sizeof(unsigned),
		.count_offset = offsetof(struct outer, list_count)},
	{CONF_AT(struct outer, shares), "shares", CONF_MAP, "shares by name",
		.element = &share_element, .element_size = sizeof(struct share),
		.name_offset = offsetof(struct share, name),
		.count_offset = offsetof(struct outer, share_count)},
	{CONF_AT(struct outer, servers), "servers", CONF_LIST, "tables",
		.element = &inner_element, .element_size = sizeof(struct inner),
		.count_offset = offsetof(struct outer, server_count)},
	CONF_END,
};
static const struct conf_table outer_table = {
	.name = "outer",
	.text = "Outside.",
	.size = sizeof(struct outer),
	.fields = outer_fields,
	.check = check_outer,
};

static int parse(struct outer *outer, const char *text, struct err *err)
{
	return conf_parse(&outer_table, outer, text, strlen(text), "f.yaml",
		"/etc/x", err);
}

static void reads_every_type(void **state)
{
	struct outer outer;
	struct err err = ERR_INIT;

	(void)state;
	if (parse(&outer,
		    "title: 'a: b'\non: no\ncount: 7\nwait: 1.5s\nsize: 20MB\n"
		    "rate: 1.5MB/s\nratio: 60%\nfactor: 2.5x\nnumber: -1e3\n"
		    "inner: {path: a/b, port: 143, word: red}\n"
		    "list: [3, 4, 5]\nshares:\n  small: 60%\n  large: 40%\n"
		    "servers:\n- path: /abs\n- {path: c, port: 1}\n",
		    &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(outer.title, "a: b");
	assert_false(outer.on);
	assert_int_equal(outer.count, 7);
	assert_int_equal(outer.wait_us, 1500000);
	assert_int_equal(outer.size, 20000000);
	assert_int_equal(outer.rate, 1500000);
	assert_true(outer.ratio == 0.6);
	assert_true(outer.factor == 2.5);
	assert_true(outer.number == -1000);
	assert_string_equal(outer.inner.path, "/etc/x/a/b");
	assert_int_equal(outer.inner.port, 143);
	assert_int_equal(outer.inner.word, 0);
	assert_int_equal(outer.list_count, 3);
	assert_int_equal(outer.list[2], 5);
	assert_int_equal(outer.share_count, 2);
	assert_string_equal(outer.shares[0].name, "small");
	assert_true(outer.shares[1].share == 0.4);
	assert_int_equal(outer.server_count, 2);
	assert_string_equal(outer.servers[0].path, "/abs");
	assert_int_equal(outer.servers[0].port, 993);
	conf_free(&outer_table, &outer);
	assert_null(outer.title);
}

static void fills_defaults(void **state)
{
	struct outer outer;

	(void)state;
	assert_int_equal(parse(&outer, "title: x\n", NULL), 0);
	assert_true(outer.on);
	assert_int_equal(outer.wait_us, INT64_C(600000000));
	assert_int_equal(outer.list_count, 2);
	assert_int_equal(outer.list[1], 5);
	assert_int_equal(outer.inner.port, 993);
	assert_int_equal(outer.inner.word, 1);
	assert_null(outer.inner.path);
	conf_free(&outer_table, &outer);
}

static const struct {
	const char *text, *error;
} cases[] = {
	{"title: x\ncuont: 3\n",
		"f.yaml:2:1: cuont: unknown key; did you mean count?"},
	{"title: x\ninner:\n  path: p\n  prot: 5\n",
		"f.yaml:4:3: inner.prot: unknown key; did you mean port?"},
	{"title: x\nqqqqqqqq: 1\n",
		"f.yaml:2:1: qqqqqqqq: unknown key; the keys here are "
		"title, on"},
	{"title: x\ncount: many\n",
		"f.yaml:2:8: count: expected a whole number, found "
		"'many'"},
	{"title: x\ncount: '3'\n",
		"f.yaml:2:8: count: expected a whole number, found the "
		"text '3'"},
	{"title: x\ncount: 101\n",
		"f.yaml:2:8: count: expected a whole number from 0 to "
		"100, found 101"},
	{"title: x\ninner: {path: p, port: 70000}\n",
		"f.yaml:2:24: inner.port: expected a whole number from "
		"1 to 65535, found 70000"},
	{"title: x\nwait: soon\n",
		"f.yaml:2:7: wait: expected a number with a unit, as "
		"250ms"},
	{"title: x\nsize: 3XB\n", "f.yaml:2:7: size: expected a unit"},
	{"title: x\nratio: 101%\n", "f.yaml:2:8: ratio: expected at most 100%"},
	{"title: x\non: maybe\n",
		"f.yaml:2:5: on: expected true or false, found 'maybe'"},
	{"title: x\ninner: {path: p, word: blue}\n",
		"f.yaml:2:24: inner.word: expected one of red, green, "
		"found 'blue'"},
	{"title: x\ninner: 3\n",
		"f.yaml:2:8: inner: expected keys with values, found a "
		"value"},
	{"title: [1]\n",
		"f.yaml:1:8: title: expected a text, found a "
		"list"},
	{"title:\n",
		"f.yaml:1:7: title: expected a text, found "
		"nothing"},
	{"title: x\nlist: [1, two]\n",
		"f.yaml:2:11: list.2: expected a whole number, found "
		"'two'"},
	{"title: x\nshares: {a: 1}\n",
		"f.yaml:2:13: shares.a: expected a unit"},
	{"title: x\nservers:\n- port: 1\n",
		"f.yaml:3:3: servers.1.path: missing; add it"},
	{"title: x\ncount: 1\ncount: 2\n",
		"f.yaml:3:1: count: stands twice, first on line 2"},
	{"count: 1\n", "f.yaml:1:1: title: missing; add it: its name"},
	{"title: x\ncount: 13\n", "f.yaml:1:1: count 13 is unlucky"},
	{"", "f.yaml:1:1: the file is empty"},
	{"title: x\n\tcount: 1\n", "f.yaml:2:1: not YAML"},
	{"title: \"x\n", "f.yaml:2:1: not YAML"},
	{"title: &a x\n", "f.yaml:1:8: found an anchor"},
	{"title: x\ncount: *a\n", "f.yaml:2:8: found an alias"},
	{"title: !!str x\n", "f.yaml:1:8: found a tag"},
	{"title: x\n---\ntitle: y\n", "f.yaml:2:1: found a second"},
	{"[[[[[[[[[[[[[[[[[[[[", "f.yaml:1:17: found more than 16"},
	{"title: \"a\\0b\"\n",
		"f.yaml:1:8: title: expected a text, "
		"found a NUL"},
	{"- title\n", "f.yaml:1:1: expected keys with values"},
};

static void says_where_and_what(void **state)
{

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct outer outer;
		struct err err = ERR_INIT;

		assert_int_equal(parse(&outer, cases[i].text, &err), -1);
		if (strncmp(err.text, cases[i].error, strlen(cases[i].error)))
			fail_msg("wanted '%s', got '%s'", cases[i].error,
				err.text);
		assert_int_equal(err_exit_status(&err), 2);
	}
}

static void refuses_what_is_too_large(void **state)
{
	struct outer outer;
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT(0);

	(void)state;
	buf_append_text(&text, "title: x\nshares:\n");
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "  k%d: 1%%\n", i);
	assert_int_equal(parse(&outer, text.data, &err), -1);
	assert_non_null(strstr(err.text, "more than 4096 keys"));
	while (text.length <= CONF_FILE_BYTES_MAX)
		buf_append_text(&text, "# a comment that is quite long\n");
	assert_int_equal(parse(&outer, text.data, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	buf_free(&text);
}

static void names_a_missing_file(void **state)
{
	struct outer outer;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		conf_load(&outer_table, &outer, "/nowhere/f.yaml", &err), -1);
	assert_non_null(strstr(err.text, "/nowhere/f.yaml"));
	assert_int_equal(err_exit_status(&err), 2);
}

static void documents_every_key(void **state)
{
	struct buf out = BUF_INIT(0);

	(void)state;
	conf_document(&outer_table, &out);
	for (const struct conf_field *f = outer_fields; f->key; f++) {
		char row[64];

		snprintf(row, sizeof(row), "| `%s` |", f->key);
		assert_non_null(strstr(out.data, row));
	}
	assert_non_null(strstr(out.data,
		"| `port` | whole number, 1 to 65535 "
		"| `993` | a port |"));
	assert_non_null(strstr(out.data, "| `title` | text | required |"));
	/* The table that two fields share has one chapter. */
	assert_non_null(strstr(out.data, "## inner"));
	assert_null(strstr(strstr(out.data, "## inner") + 1, "## inner"));
	buf_free(&out);
}

static void reads_an_account(void **state)
{
	static const char text[] =
		"user: u1\npassword_file: u1.pw\n"
		"imap: {host: 127.0.0.1, port: 143, security: none}\n"
		"dav: {url: 'http://127.0.0.1:80/'}\n";
	struct account account;
	struct err err = ERR_INIT;

	(void)state;
	if (conf_parse(&account_table, &account, text, strlen(text), "p.yaml",
		    "/p", &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(account.password_file, "/p/u1.pw");
	assert_string_equal(account.dav_url, "http://127.0.0.1:80/");
	assert_int_equal(account.imap.security, SECURITY_NONE);
	conf_free(&account_table, &account);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_type),
		cmocka_unit_test(fills_defaults),
		cmocka_unit_test(says_where_and_what),
		cmocka_unit_test(refuses_what_is_too_large),
		cmocka_unit_test(names_a_missing_file),
		cmocka_unit_test(documents_every_key),
		cmocka_unit_test(reads_an_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
