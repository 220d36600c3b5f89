/*
 * offline_status.c - `sluice-agent status`: what the local database holds,
 * when it was last brought up to date, what could not be taken. Reads the
 * store only.
 */
#include "offline.h"

#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "offline_print.h"
#include "store.h"
#include "store_message.h"
#include "store_quarantine.h"
#include "units.h"

struct request {
	bool json;
	struct store *store;
	struct store_totals totals;
	uint64_t unverified; /* folders that are */
	uint64_t missing;
	uint64_t missing_bytes;
	json_t *quarantine;
	struct err *err;
};

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "One JSON object", 0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

	if (key == ARGP_KEY_ARG)
		argp_error(state, "no arguments, not %s", word);
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	request->json = true;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Say what the local database holds and how complete it is.",
};

static int folder(const struct store_folder *folder, void *arg)
{
	struct request *request = arg;
	uint64_t count = 0;
	uint64_t bytes = 0;

	request->unverified += !folder->verified;
	if (folder->mode == STORE_MODE_OFF ||
		folder->messages == folder->bodies)
		return 0;
	if (store_missing(request->store, folder->id, &count, &bytes,
		    request->err) < 0)
		return -1;
	request->missing += count;
	request->missing_bytes += bytes;
	return 0;
}

static int quarantined(const struct store_quarantine *object, void *arg)
{
	struct request *request = arg;
	struct store_folder in = {0};
	const char *path = "?";

	if (store_folder_get(request->store, object->folder, &in, NULL) > 0)
		path = in.path;
	if (request->json) {
		json_array_append_new(request->quarantine,
			json_pack("{s:s s:I s:s s:s s:I s:I}", "folder", path,
				"uid", (json_int_t)object->uid, "href",
				object->href ? object->href : "", "reason",
				object->reason, "tries",
				(json_int_t)object->tries, "bytes",
				(json_int_t)object->raw_length));
	} else {
		fputs("  ", stdout);
		print_cell(path, 0);
		if (object->href)
			printf(" %s: ", object->href);
		else
			printf(" UID %u: ", object->uid);
		print_cell(object->reason, 0);
		printf(" (%u tries)\n", object->tries);
	}
	store_folder_free(&in);
	return 0;
}

static int print_text(struct request *request, struct err *err)
{
	const struct store_totals *totals = &request->totals;
	int64_t synced_us = store_counter_get(request->store, "last_sync_us");
	char text[UNITS_TEXT_BYTES];
	char date[32] = "never finished";

	if (synced_us)
		print_date(synced_us / US_PER_S, date);
	printf("%-14s %s\n", "store", store_directory(request->store));
	printf("%-14s %s\n", "last sync", date);
	printf("%-14s %" PRIu64 " (%" PRIu64 " not verified)\n", "folders",
		totals->folders, request->unverified);
	printf("%-14s %" PRIu64 " (%" PRIu64 " complete, %" PRIu64
	       " signed or encrypted)\n",
		"messages", totals->messages, totals->bodies,
		totals->protected_messages);
	printf("%-14s %" PRIu64, "missing", request->missing);
	printf(" (%s)\n", units_format_bytes(request->missing_bytes, text));
	printf("%-14s %" PRIu64 "\n%-14s %" PRIu64 "\n%-14s %" PRIu64
	       "\n%-14s %" PRIu64 "\n",
		"contacts", totals->contacts, "events", totals->events, "tasks",
		totals->tasks, "notes", totals->notes);
	printf("%-14s %s\n", "size",
		units_format_bytes(totals->stored_bytes, text));
	printf("%-14s %" PRIu64 "\n", "quarantined", totals->quarantined);
	return store_quarantine_each(
		request->store, 0, quarantined, request, err);
}

static int print_json(struct request *request, struct err *err)
{
	const struct store_totals *totals = &request->totals;
	json_t *object;
	int status;

	request->quarantine = json_array();
	status = store_quarantine_each(
		request->store, 0, quarantined, request, err);
	object = json_pack(
		"{s:s s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I "
		"s:o}",
		"store", store_directory(request->store), "last_sync_us",
		(json_int_t)store_counter_get(request->store, "last_sync_us"),
		"folders", (json_int_t)totals->folders, "folders_unverified",
		(json_int_t)request->unverified, "messages",
		(json_int_t)totals->messages, "bodies",
		(json_int_t)totals->bodies, "signed_or_encrypted",
		(json_int_t)totals->protected_messages, "missing",
		(json_int_t)request->missing, "missing_bytes",
		(json_int_t)request->missing_bytes, "contacts",
		(json_int_t)totals->contacts, "events",
		(json_int_t)totals->events, "tasks", (json_int_t)totals->tasks,
		"notes", (json_int_t)totals->notes, "stored_bytes",
		(json_int_t)totals->stored_bytes, "quarantined",
		(json_int_t)totals->quarantined, "quarantine",
		request->quarantine);
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
	return status;
}

static int look(struct store *store, void *context, struct err *err)
{
	struct request *request = context;

	request->store = store;
	request->err = err;
	if (store_totals(store, &request->totals, err) < 0 ||
		store_folder_each(store, folder, request, err) < 0)
		return -1;
	return request->json ? print_json(request, err)
			     : print_text(request, err);
}

int verb_status(const char *directory, int argc, char **argv)
{
	struct request request = {.json = false};

	argp_parse(&argp, argc, argv, 0, NULL, &request);
	return offline_run("status", directory, look, &request);
}
