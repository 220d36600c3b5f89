/*
 * engine_fixture.h - an account in memory, a store in a temporary directory,
 * and a run of the engine between them.
 */
#ifndef SLUICE_ENGINE_FIXTURE_H
#define SLUICE_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"
#include "fake_account.h"
#include "policy.h"
#include "sync.h"
#include "temp_dir.h"

static const char signed_mail[] =
	"From: a@example.org\r\nSubject: signed\r\n"
	"Message-ID: <signed@example.org>\r\n"
	"Content-Type: multipart/signed; boundary=b; "
	"protocol=\"application/pgp-signature\"\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
static const char event[] =
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n"
	"UID:e1\r\nDTSTART:20260101T100000Z\r\n"
	"SUMMARY:meeting\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

struct fixture {
	struct fake_account *fake;
	struct account account;
	struct policy *policy;
	char directory[TEMP_DIR_SIZE];
	char *store, *password;
	struct err err;
	struct sync_progress progress;
	struct sync *running;
	unsigned stop_window; /* see engine_stop.h */
};

static inline int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	temp_dir_make(f->directory);
	f->store = xasprintf("%s/store", f->directory);
	f->password = temp_dir_put(f->directory, "pw", "x\n");
	/* Shared, so that a child that is killed leaves its counts. */
	f->fake = mmap(NULL, sizeof *f->fake, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(f->fake != MAP_FAILED);
	fake_serve(f->fake);
	f->account.user = "u@example.org";
	f->account.password_file = f->password;
	f->account.imap.host = "fake";
	f->policy = policy_new();
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	temp_dir_remove(f->directory);
	policy_free(f->policy);
	fake_free(f->fake);
	munmap(f->fake, sizeof *f->fake);
	free(f->store);
	free(f->password);
	free(f);
	return 0;
}

/* Another account and another store, for the next of many cases. */
static inline struct fixture *anew(void **state)
{
	teardown(state);
	setup(state);
	return *state;
}

static inline struct sync_setup setup_of(const struct fixture *f)
{
	return (struct sync_setup){
		.account = &f->account,
		.directory = f->store,
		.policy = f->policy,
		.window_bytes = 8192,
		.queue_bytes = 1 << 20,
		.backoff_us = 1000,
		.open_mail = fake_open_mail,
		.open_dav = fake_open_dav,
	};
}

static inline int run_as(struct fixture *f, const struct sync_setup *how)
{
	int status;

	f->err = ERR_INIT;
	assert_int_equal(sync_new(&f->running, how, &f->err), 0);
	status = sync_run(f->running, &f->err);
	sync_progress(f->running, &f->progress);
	sync_free(f->running);
	f->running = NULL;
	return status;
}

static inline int synchronise(struct fixture *f)
{
	struct sync_setup how = setup_of(f);

	return run_as(f, &how);
}

/* The account is in memory: between two runs there are no other threads. */
static inline pid_t fork_alone(struct fixture *f)
{
	(void)f;
	return fork();
}

static inline void fill(struct fixture *f)
{
	struct fake_folder *inbox = fake_add_folder(
		f->fake, "INBOX", COLLECTION_MAIL, false);
	struct fake_folder *sent = fake_add_folder(
		f->fake, "Sent", COLLECTION_MAIL, false);
	struct fake_folder *days = fake_add_folder(
		f->fake, "Calendar", COLLECTION_CALENDAR, true);

	for (int i = 0; i < 20; i++)
		fake_add_mail(inbox, 1500);
	for (int i = 0; i < 10; i++)
		fake_add_mail(sent, 700);
	fake_add(sent, signed_mail, 0);
	for (int i = 0; i < 3; i++)
		fake_add(days, event, 0);
}

#endif
