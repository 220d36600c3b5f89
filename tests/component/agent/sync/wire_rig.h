/*
 * wire_rig.h - the engine, the IMAP source and a store, against a server
 * that does what a test tells it. Each test includes it once.
 */
#ifndef SLUICE_WIRE_RIG_H
#define SLUICE_WIRE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "fake_imap.h"
#include "policy.h"
#include "sync.h"
#include "temp_dir.h"

struct rig {
	struct fake_imap fake;
	char user[8], host[16];
	struct account account;
	struct policy *policy;
	char directory[TEMP_DIR_SIZE];
	char *store, *password;
	struct err err;
	struct sync_progress progress;
	/* Of the quarantine, see rig_quarantined(). */
	uint32_t uid;
	char reason[256], raw[256];
	unsigned tries;
};

static inline struct rig *rig_new(const struct fake_imap *fake)
{
	struct rig *rig = xcalloc(1, sizeof *rig);

	rig->fake = *fake;
	fake_imap_start(&rig->fake);
	temp_dir_make(rig->directory);
	rig->store = xasprintf("%s/store", rig->directory);
	rig->password = temp_dir_put(rig->directory, "pw", "x\n");
	snprintf(rig->user, sizeof rig->user, "u1");
	snprintf(rig->host, sizeof rig->host, "127.0.0.1");
	rig->account.user = rig->user;
	rig->account.password_file = rig->password;
	rig->account.imap.host = rig->host;
	rig->account.imap.port = rig->fake.port;
	rig->account.imap.security = SECURITY_NONE;
	rig->policy = policy_new();
	return rig;
}

static inline void rig_free(struct rig *rig)
{
	fake_imap_stop(&rig->fake);
	temp_dir_remove(rig->directory);
	policy_free(rig->policy);
	free(rig->store);
	free(rig->password);
	free(rig);
}

static inline int rig_try(struct rig *rig)
{
	struct sync_setup how = {
		.account = &rig->account,
		.directory = rig->store,
		.policy = rig->policy,
		.backoff_us = 1000,
	};
	struct sync *sync;
	int status;

	rig->err = ERR_INIT;
	if (sync_new(&sync, &how, &rig->err))
		return -1;
	status = sync_run(sync, &rig->err);
	sync_progress(sync, &rig->progress);
	sync_free(sync);
	return status;
}

static inline void rig_sync(struct rig *rig)
{
	if (rig_try(rig))
		fail_msg("%s\n%s", rig->err.text, rig->fake.log);
	assert_true(rig->progress.verified);
	fake_imap_settle(&rig->fake);
}

#endif
