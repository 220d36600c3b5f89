/*
 * verb_verify.c - `sluice-agent verify`: prove the store against the server,
 * and repair it.
 *
 * Main thread.
 */
#include "verbs.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "offline_print.h"
#include "policy.h"
#include "profile.h"
#include "store.h"
#include "store_folder.h"
#include "store_item.h"
#include "store_message.h"
#include "sync.h"
#include "verify.h"

struct request {
	bool deep, repair;
};

/* What is thrown away so that the next sync brings it again. What the server
 * cannot give is not: ours may be the last copy. */
struct repair {
	struct finding {
		int64_t folder;
		uint32_t uid;
		char *href;
	} * findings;
	size_t count;
};

static const struct argp_option options[] = {
	{"deep", 'd', NULL, 0,
		"Compare every stored body with the server's, byte for byte",
		0},
	{"repair", 'r', NULL, 0, "Fetch again what differs", 0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'd':
		request->deep = true;
		return 0;
	case 'r':
		request->repair = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: not expected", word);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "--profile FILE",
	"Hold the local database against the server: folders, UIDs, sizes, "
	"and with --deep every byte. Exit status 1 when they differ.",
	NULL, NULL, NULL};

static void note(const struct verify_finding *finding, void *context)
{
	struct repair *repair = context;

	print_cell(finding->folder, 0);
	if (finding->uid)
		printf(": message %" PRIu32, finding->uid);
	else if (finding->href)
		fputs(": ", stdout);
	print_cell(finding->href ? finding->href : "", 0);
	printf(": %s\n", finding->what);
	if (!finding->stale)
		return;
	repair->findings = xrealloc(
		repair->findings, repair->count + 1, sizeof *repair->findings);
	repair->findings[repair->count++] = (struct finding){
		finding->folder_id, finding->uid, xstrdup(finding->href)};
}

static void forget(struct repair *repair)
{
	for (size_t i = 0; i < repair->count; i++)
		free(repair->findings[i].href);
	free(repair->findings);
	*repair = (struct repair){NULL, 0};
}

static void damaged(const struct store_damage *damage, void *context)
{
	struct store_folder folder = {.path = NULL};

	if (store_folder_get(context, llabs(damage->folder), &folder, NULL) > 0)
		print_cell(folder.path, 0);
	store_folder_free(&folder);
	printf(": message %" PRIu32 ": the stored %s is damaged\n", damage->uid,
		damage->what);
}

/* The bytes on the disk against their own checksums. */
static int check_disk(const struct profile *profile, bool repair, uint64_t *bad,
	struct err *err)
{
	struct store *store = store_open(
		profile->store, repair ? STORE_WRITE : STORE_READ, err);
	int status;

	if (!store)
		return -1;
	status = store_check(store, repair, damaged, store, bad, err);
	store_close(store);
	return status;
}

static int remove_bad(
	struct store *store, const struct repair *repair, struct err *err)
{
	if (store_begin(store, err))
		return -1;
	for (size_t i = 0; i < repair->count; i++) {
		const struct finding *bad = &repair->findings[i];

		if (store_folder_doubt(store, bad->folder, err) ||
			(bad->href ? store_item_delete(
					     store, bad->folder, bad->href, err)
				   : store_message_delete(store, bad->folder,
					     bad->uid, err))) {
			store_rollback(store);
			return -1;
		}
	}
	return store_commit(store, err);
}

static int fetch_again(const struct profile *profile, struct sync_setup setup,
	const struct repair *repair, struct err *err)
{
	struct store *store = store_open(profile->store, STORE_WRITE, err);
	struct sync *sync;
	int status;

	if (!store)
		return -1;
	status = remove_bad(store, repair, err);
	store_close(store);
	setup.prove = true;
	setup.seed = (uint64_t)clock_wall_us();
	if (status || sync_new(&sync, &setup, err))
		return -1;
	status = sync_run(sync, err);
	sync_free(sync);
	return status;
}

static void summary(const struct verify_result *result, uint64_t bad)
{
	printf("compared %" PRIu64 " folders, %" PRIu64 " messages, %" PRIu64
	       " objects, %" PRIu64 " bodies byte for byte: %" PRIu64
	       " missing, %" PRIu64 " folders with bodies missing, %" PRIu64
	       " extra, %" PRIu64 " different, %" PRIu64
	       " damaged on the disk\n",
		result->folders, result->messages, result->objects,
		result->bodies, result->missing, result->missing_bodies,
		result->extra, result->different, bad);
	if (result->missized)
		printf("%" PRIu64 " messages are longer or shorter than the "
		       "server announces; what it sent is kept\n",
			result->missized);
}

/* 0 equal, 1 not, -1 with ERR. */
static int verify(const struct profile *profile, const struct sync_setup *setup,
	const struct request *request, struct repair *repair, struct err *err)
{
	struct verify_result result;
	uint64_t bad = 0;

	if (request->deep && check_disk(profile, request->repair, &bad, err))
		return -1;
	if (verify_run(setup, request->deep, note, repair, &result, err))
		return -1;
	summary(&result, bad);
	return verify_equal(&result) && !bad ? 0 : 1;
}

int verb_verify(const struct profile *profile, int argc, char **argv)
{
	struct request request = {false, false};
	struct repair repair = {NULL, 0};
	struct err err = ERR_INIT;
	struct sync_setup setup;
	struct policy *policy;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &request))
		return 2;
	policy = profile_make_policy(profile, &err);
	if (!policy)
		return verb_failed("verify", &err);
	setup = profile_make_setup(profile, policy);
	status = verify(profile, &setup, &request, &repair, &err);
	if (status == 1 && request.repair) {
		status = fetch_again(profile, setup, &repair, &err);
		forget(&repair);
		if (!status)
			status = verify(
				profile, &setup, &request, &repair, &err);
	}
	forget(&repair);
	policy_free(policy);
	if (status < 0)
		return verb_failed("verify", &err);
	return offline_end("verify") ? 1 : status;
}
