/*
 * offline_search.c - `sluice-agent search TERMS`: messages and items with
 * all of the words. Reads the store only.
 */
#include "offline.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "err.h"
#include "offline_print.h"
#include "store.h"

#define TERM_BYTES 4000
#define STEP_BYTES (1024 * 1024)

/* A slice of indexing, and the pause in which others get the store. */
#define SLICE_US (500 * US_PER_MS)
#define GAP_US	 (50 * US_PER_MS)

struct request {
	struct buf terms;
	uint64_t limit;
	bool json;
	struct store *store;
	struct err *err;
	int64_t folder; /* the one whose path is known */
	char *path;
	uint64_t hits;
};

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "One JSON object a line", 0},
	{"limit", 'n', "N", 0, "At most N hits (default 100; 0: all)", 0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;
	bool phrase;

	switch (key) {
	case 'j':
		request->json = true;
		return 0;
	case 'n':
		if (!offline_limit(word, &request->limit))
			argp_error(state, "--limit: expected a number, got %s",
				word);
		return 0;
	case ARGP_KEY_ARG:
		phrase = strchr(word, ' ') && !strchr(word, '"');
		if (buf_printf(&request->terms, phrase ? "\"%s\" " : "%s ",
			    word) < 0)
			argp_error(state, "more than %d bytes of words",
				TERM_BYTES);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "give one word or more");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "WORD...",
	.doc = "Search the local database. All words are required; an argument "
	       "with blanks is a phrase; a trailing * matches a beginning.",
};

static const char *path_of(struct request *request, int64_t id)
{
	struct store_folder folder;

	if (request->folder == id && request->path)
		return request->path;
	free(request->path);
	request->path = NULL;
	if (store_folder_get(request->store, id, &folder, request->err) <= 0)
		return "";
	request->folder = id;
	request->path = folder.path;
	folder.path = NULL;
	store_folder_free(&folder);
	return request->path;
}

static int row(const struct store_row *row, void *arg)
{
	struct request *request = arg;

	if (request->json)
		print_row_json(row, path_of(request, row->folder));
	else
		print_row(row, path_of(request, row->folder));
	return 0;
}

static int item(const struct store_item *item, void *arg)
{
	struct request *request = arg;

	if (request->json)
		print_item_json(item, path_of(request, item->folder));
	else
		print_item(item, path_of(request, item->folder));
	return 0;
}

static int hit(const struct store_hit *hit, void *arg)
{
	struct request *request = arg;
	int status;

	request->hits++;
	status = hit->is_item ? store_item(request->store, hit->id, item,
					request, request->err)
			      : store_row(request->store, hit->id, row, request,
					request->err);
	return status < 0 ? -1 : 0;
}

static uint64_t index_left(const char *directory)
{
	struct store *store = store_open(directory, STORE_READ, NULL);
	uint64_t left = 0;

	if (store && store_index_left(store, &left, NULL) < 0)
		left = 0;
	store_close(store);
	return left;
}

/* As far as a slice of time goes; false when there is nothing left to do or
 * no way to do it. */
static bool index_slice(const char *directory)
{
	struct store *store = store_open(directory, STORE_UPKEEP, NULL);
	int64_t until_us = clock_monotonic_us() + SLICE_US;
	bool more = store != NULL;

	while (more && clock_monotonic_us() < until_us) {
		if (store_index_step(store, STEP_BYTES, &more, NULL) < 0)
			more = false;
	}
	store_close(store);
	return more;
}

/* The daemon indexes when it is idle; after a single sync the first search
 * does it, in slices, so that a sync that wants to start can. */
static void catch_up(const char *directory)
{
	uint64_t left = index_left(directory);

	if (left && isatty(STDERR_FILENO))
		fprintf(stderr, "indexing %" PRIu64 " messages and items...\n",
			left);
	while (left && index_slice(directory))
		clock_sleep_us(GAP_US);
	if (left)
		left = index_left(directory);
	if (left)
		fprintf(stderr,
			"sluice-agent search: %" PRIu64
			" messages and items are not indexed yet\n",
			left);
}

static int find(struct store *store, void *context, struct err *err)
{
	struct request *request = context;

	request->store = store;
	request->err = err;
	return store_search(store, buf_text(&request->terms), request->limit,
		hit, request, err);
}

int verb_search(const char *directory, int argc, char **argv)
{
	struct request request = {.terms = BUF_INIT(TERM_BYTES), .limit = 100};
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &request);
	catch_up(directory);
	status = offline_run("search", directory, find, &request);
	buf_free(&request.terms);
	free(request.path);
	return status;
}
