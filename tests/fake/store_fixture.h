/*
 * store_fixture.h - a store in a directory of its own for each test, and the few
 * steps that every test of it takes. Included by tests of the agent; all static.
 */
#ifndef SLUICE_TEST_STORE_FIXTURE_H
#define SLUICE_TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "store.h"
#include "store_folder.h"
#include "store_list.h"
#include "store_message.h"
#include "temp_dir.h"

#define USED __attribute__((unused))

static struct err err;
static char directory[TEMP_DIR_SIZE];

#define ok(call) ok_(call, #call)
USED static void ok_(int status, const char *call)
{
	if (status < 0)
		fail_msg("%s: %s", call, err.text);
}

USED static int setup(void **state)
{
	(void)state;
	temp_dir_make(directory);
	return 0;
}

USED static int teardown(void **state)
{
	(void)state;
	temp_dir_remove(directory);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

USED static struct store *open_store(enum store_access how)
{
	struct store *store = store_open(directory, how, &err);

	if (!store)
		fail_msg("store_open: %s", err.text);
	return store;
}

USED static int64_t add_folder(
	struct store *store, const char *path, enum store_mode mode)
{
	struct store_folder folder = {
		.kind = STORE_KIND_MAIL,
		.mode = mode,
		.path = (char *)path,
		.remote = (char *)path,
		.validity = 7,
	};

	ok(store_folder_put(store, &folder, &err));
	return folder.id;
}

USED static void add_header(struct store *store, int64_t folder, uint32_t uid,
	enum protection protection)
{
	char header[256];
	int length = snprintf(header, sizeof(header),
		"From: A <a@example.org>\r\nSubject: number %u\r\n"
		"Message-ID: <m%u@example.org>\r\n"
		"Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n\r\n",
		uid, uid);
	struct store_message message = {
		.folder = folder,
		.uid = uid,
		.size = 1000 + uid,
		.internal_date_s = 1700000000 + uid,
		.flags = STORE_FLAG_SEEN,
		.protection = protection,
		.header = header,
		.header_length = (size_t)length,
	};

	ok(store_message_put(store, &message, &err));
}

USED static void add_body(
	struct store *store, int64_t folder, uint32_t uid, const char *text)
{
	size_t half = strlen(text) / 2;

	ok(store_body_begin(store, &err));
	ok(store_body_append(store, text, half, &err));
	ok(store_body_append(store, text + half, strlen(text) - half, &err));
	ok(store_body_end(store, folder, uid, &err));
}

USED static int count_missing(struct store *store, int64_t folder)
{
	struct store_uid uids[8];
	int n = store_uids(store, folder, STORE_SELECT_MISSING, STORE_UID_END,
		uids, 8, &err);

	ok(n);
	return n;
}

USED static struct store_totals totals_of(struct store *store)
{
	struct store_totals totals;

	ok(store_totals(store, &totals, &err));
	return totals;
}

#endif
