/*
 * inventory_test.c - names from a range and from a CSV file, and what is
 * refused with which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "inventory.h"

static char path[64];

static int load_as(struct inventory *inventory, const char *text,
	const char *ending, struct err *err)
{
	FILE *file;
	int fd, status;

	snprintf(path, sizeof(path), "/tmp/inventory.XXXXXX%s", ending);
	fd = mkstemps(path, (int)strlen(ending));
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	fputs(text, file);
	fclose(file);
	status = inventory_load(inventory, path, err);
	unlink(path);
	return status;
}

static int load(struct inventory *inventory, const char *text, struct err *err)
{
	return load_as(inventory, text, "", err);
}

static void expands_a_range(void **state)
{
	struct inventory inventory;

	(void)state;
	assert_int_equal(inventory_expand(&inventory, "u008..u011", NULL), 0);
	assert_int_equal(inventory.count, 4);
	assert_string_equal(inventory.rows[0].client, "u008");
	assert_string_equal(inventory.rows[3].client, "u011");
	assert_int_equal(inventory.rows[0].link_bytes_s, 0);
	inventory_free(&inventory);
	/* Digits before the last number belong to the prefix. */
	assert_int_equal(
		inventory_expand(&inventory, "a1b9@x..a1b10@x", NULL), -1);
	assert_int_equal(inventory_expand(&inventory, "a1b9..a1b10", NULL), 0);
	assert_string_equal(inventory.rows[1].client, "a1b10");
	inventory_free(&inventory);
}

static void reads_every_column(void **state)
{
	struct inventory inventory;
	const struct inventory_row *row;

	(void)state;
	assert_int_equal(
		load(&inventory,
			"client, room ,link,store,password_file,start,size\n"
			"u1,upstairs,1.5MB/s,none,secret/u1,30s,20MB\n"
			"\n"
			"\"u2\",,,/var/u2,/etc/pw,,\n"
			"u3\n",
			NULL),
		0);
	assert_int_equal(inventory.count, 3);
	row = inventory.rows;
	assert_string_equal(row[0].client, "u1");
	assert_int_equal(row[0].link_bytes_s, 1500000);
	assert_string_equal(row[0].store, "none");
	assert_string_equal(row[0].password_file, "/tmp/secret/u1");
	assert_int_equal(row[0].start_us, 30000000);
	assert_int_equal(row[0].size_bytes, 20000000);
	assert_string_equal(row[1].client, "u2");
	assert_string_equal(row[1].store, "/var/u2");
	assert_string_equal(row[1].password_file, "/etc/pw");
	assert_int_equal(row[1].link_bytes_s, 0);
	assert_int_equal(row[1].line, 4);
	assert_null(row[2].store);
	inventory_free(&inventory);
}

static void reads_what_a_spreadsheet_wrote(void **state)
{
	struct inventory inventory;

	(void)state;
	assert_int_equal(load(&inventory,
				 "\xef\xbb\xbf"
				 "client,size\r\nu1,20MB\r\n",
				 NULL),
		0);
	assert_int_equal(inventory.count, 1);
	assert_string_equal(inventory.rows[0].client, "u1");
	assert_int_equal(inventory.rows[0].size_bytes, 20000000);
	inventory_free(&inventory);
}

static void reads_the_same_as_yaml(void **state)
{
	struct inventory inventory;
	const struct inventory_row *row;
	struct err err = ERR_INIT;

	(void)state;
	if (load_as(&inventory,
		    "clients:\n"
		    "  - { client: u1, mailbox: upstairs, link: 1.5MB/s,\n"
		    "      store: none, password_file: secret/u1, start: 30s }\n"
		    "  - { client: u2, store: mine, size: 20MB }\n",
		    ".yaml", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(inventory.count, 2);
	row = inventory.rows;
	assert_string_equal(row[0].client, "u1");
	assert_int_equal(row[0].link_bytes_s, 1500000);
	assert_string_equal(row[0].store, "none");
	assert_string_equal(row[0].password_file, "/tmp/secret/u1");
	assert_int_equal(row[0].start_us, 30000000);
	assert_string_equal(row[1].store, "/tmp/mine");
	assert_int_equal(row[1].size_bytes, 20000000);
	assert_null(row[1].mailbox);
	inventory_free(&inventory);
	assert_int_equal(load_as(&inventory,
				 "clients:\n  - {client: u1}\n"
				 "  - {client: u1}\n",
				 ".yml", &err),
		-1);
	assert_non_null(strstr(err.text, "u1 stands twice"));
	assert_int_equal(load_as(&inventory, "clients:\n  - {user: u1}\n",
				 ".yaml", &err),
		-1);
	assert_non_null(strstr(err.text, ".yaml:2:"));
	assert_int_equal(load_as(&inventory, "clients:\n  - {client: a/b}\n",
				 ".yaml", &err),
		-1);
	assert_non_null(strstr(err.text, "client 1"));
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *words;
	} files[] = {
		{"user\nu1\n", ":1: no column is called client"},
		{"client,link\nu1,fast\n", ":2: "},
		{"client\nu1\nu2\nu1\n", ": u1 stands twice, in lines 2 and 4"},
		{"client\nu 1\n", "spaces, slashes and quotes"},
		{"client,start\n,5s\n", "expected 1 to 80 characters"},
	};
	static const char *const ranges[] = {
		"u001", "u5..u4", "u1..v2", "u..v", "u1..u200000", "..", ""};
	struct inventory inventory;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		err = (struct err)ERR_INIT;
		assert_int_equal(load(&inventory, files[i].text, &err), -1);
		assert_non_null(strstr(err.text, files[i].words));
		assert_non_null(strstr(err.text, path));
		assert_int_equal(inventory.count, 0);
	}
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		assert_int_equal(
			inventory_expand(&inventory, ranges[i], &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
	}
	assert_int_equal(inventory_load(&inventory, "/nowhere.csv", &err), -1);
	assert_non_null(strstr(err.text, "/nowhere.csv"));
	assert_int_equal(err.kind, ERR_CONFIG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(expands_a_range),
		cmocka_unit_test(reads_every_column),
		cmocka_unit_test(reads_what_a_spreadsheet_wrote),
		cmocka_unit_test(reads_the_same_as_yaml),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
