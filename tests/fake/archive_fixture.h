/*
 * archive_fixture.h - an archive of two clients in a folder of its own, for
 * tests of what writes to one.
 */
#ifndef SLUICE_ARCHIVE_FIXTURE_H
#define SLUICE_ARCHIVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive.h"
#include "err.h"
#include "temp_dir.h"

struct fixture {
	char dir[TEMP_DIR_SIZE];
	struct archive *archive;
};

static inline void must(int result, const struct err *err)
{
	if (result < 0)
		fail_msg("%s", err->text);
}

/* For cmocka: *STATE is a struct fixture. u2 is syncing already. */
static inline int archive_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct rollout_row rollout = {.name = "demo", .batch_size = 3};
	struct client_row clients[2] = {{.id = 1, .name = "u1"},
		{.id = 2, .name = "u2", .state = CLIENT_SYNCING}};
	struct err err = ERR_INIT;

	temp_dir_make(f->dir);
	must(archive_create(
		     f->dir, &rollout, "rollout: demo\n", clients, 2, &err),
		&err);
	must(archive_open(&f->archive, f->dir, ARCHIVE_OWN, &err), &err);
	*state = f;
	return 0;
}

static inline int archive_teardown(void **state)
{
	struct fixture *f = *state;

	archive_close(&f->archive);
	temp_dir_remove(f->dir);
	free(f);
	return 0;
}

#endif
