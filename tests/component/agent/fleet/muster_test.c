/*
 * muster_test.c - a template and names become clients; stores that keep
 * nothing appear in memory and go away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "alloc.h"
#include "err.h"
#include "muster.h"
#include "store_scratch.h"
#include "temp_dir.h"

#define ACCOUNT                                                                \
	"account: {user: '%u', password_file: pw/%u, "                         \
	"imap: {host: 127.0.0.1, port: 143, security: none}}\n"
#define CONTROLLER "controller: {url: 'https://c:1', token_file: token}\n"

static char folder[TEMP_DIR_SIZE];
static char *template, *inventory;

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int setup(void **state)
{
	(void)state;
	temp_dir_make(folder);
	template = xasprintf("%s/template.yaml", folder);
	inventory = xasprintf("%s/clients.csv", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	temp_dir_remove(folder);
	free(template);
	free(inventory);
	return 0;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void a_range_of_clients(void **state)
{
	struct muster_request request = {template, "u08..u10", NULL};
	struct muster muster;
	struct err err = ERR_INIT;
	char *expected = xasprintf("%s/stores/u10", folder);

	(void)state;
	write_file(
		template, ACCOUNT "store: stores/%u\nlink: 1MB/s\n" CONTROLLER);
	if (muster_make(&muster, &request, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(muster.count, 3);
	assert_string_equal(muster.members[0].name, "u08");
	assert_string_equal(muster.members[2].profile.store, expected);
	assert_int_equal(muster.members[2].profile.link_bytes_s, 1000000);
	assert_null(muster.scratch);
	muster_free(&muster);
	free(expected);
}

static void an_inventory_overrides(void **state)
{
	struct muster_request request = {template, NULL, inventory};
	struct muster muster;
	struct err err = ERR_INIT;
	char *own = xasprintf("%s/mine", folder);
	char *password = xasprintf("%s/secret", folder);
	char *scratch;

	(void)state;
	write_file(template, ACCOUNT "store: none\n" CONTROLLER);
	write_file(inventory,
		"client,link,store,password_file,start\n"
		"u1,2MB/s,mine,secret,90s\n"
		"u2,,,,\n");
	if (muster_make(&muster, &request, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(muster.count, 2);
	assert_string_equal(muster.members[0].profile.store, own);
	assert_string_equal(
		muster.members[0].profile.account.password_file, password);
	assert_int_equal(muster.members[0].profile.link_bytes_s, 2000000);
	assert_int_equal(muster.members[0].start_us, 90000000);
	assert_int_equal(muster.members[1].profile.link_bytes_s, 0);
	assert_false(scratch_drops(muster.members[0].profile.store));
	assert_true(scratch_drops(muster.members[1].profile.store));
	scratch = xstrdup(muster.members[1].profile.store);
	muster_free(&muster);
	assert_false(exists(scratch));
	free(scratch);
	free(password);
	free(own);
}

static void refuses(void **state)
{
	static const struct {
		const char *template, *range, *words;
	} rows[] = {
		{ACCOUNT "store: %u\n", "u1..u2", "names no controller"},
		{ACCOUNT "store: all\n" CONTROLLER, "u1..u2",
			"u1 and u2 have one store"},
		{"account: {user: u1, password_file: pw, "
		 "imap: {host: 127.0.0.1, port: 143, security: none}}\n"
		 "store: none\n" CONTROLLER,
			"u1..u2", "calls more than one client u1; put %u"},
		{ACCOUNT "store: %u\n"
			 "controller: {url: 'https://c:1', token_file: token, "
			 "client: one}\n",
			"u1..u2", "calls more than one client one"},
		{ACCOUNT "store: %u\n" CONTROLLER, "u1..u3000",
			"start several for more"},
		{ACCOUNT "store: %u\n" CONTROLLER, "u2..u1",
			"--range: expected FIRST..LAST"},
		{"account: 3\n", "u1..u2", "template.yaml:1:"},
	};
	struct muster muster;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct muster_request request = {template, rows[i].range, NULL};

		write_file(template, rows[i].template);
		err = (struct err)ERR_INIT;
		assert_int_equal(muster_make(&muster, &request, &err), -1);
		if (!strstr(err.text, rows[i].words))
			fail_msg("%s: no \"%s\"", err.text, rows[i].words);
		assert_int_equal(err_exit_status(&err), 2);
		assert_null(muster.members);
	}
	unlink(template);
	assert_int_equal(
		muster_make(&muster,
			&(struct muster_request){template, "u1..u2", NULL},
			&err),
		-1);
	assert_int_equal(err_exit_status(&err), 2);
}

/* What a process that was killed left is removed by the next one; what a
 * living one has is not. */
static void scratch_outlives_nobody(void **state)
{
	struct scratch *mine, *next;
	struct err err = ERR_INIT;
	char *kept, *left;
	int status;
	pid_t child;

	(void)state;
	if (scratch_open(&mine, folder, &err) < 0)
		fail_msg("%s", err.text);
	kept = scratch_store(mine, "u1", &err);
	assert_non_null(kept);
	child = fork();
	if (child == 0) {
		struct scratch *other;

		if (scratch_open(&other, folder, NULL) < 0)
			_exit(1);
		write_file(inventory, scratch_directory(other));
		_exit(scratch_store(other, "u2", NULL) ? 0 : 1);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	left = xcalloc(1, 256);
	FILE *file = fopen(inventory, "r");
	assert_non_null(fgets(left, 256, file));
	fclose(file);
	assert_true(exists(left));
	assert_int_equal(scratch_open(&next, folder, &err), 0);
	assert_false(exists(left));
	assert_true(exists(kept));
	scratch_close(next);
	scratch_close(mine);
	assert_false(exists(kept));
	free(left);
	free(kept);
	assert_int_equal(scratch_open(&mine, "/nowhere", &err), -1);
	assert_non_null(strstr(err.text, "/nowhere"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_range_of_clients),
		TEST(an_inventory_overrides),
		TEST(refuses),
		TEST(scratch_outlives_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
