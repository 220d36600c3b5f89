/*
 * offline_ls.c - `sluice-agent ls [FOLDER]`: the folder tree, or what is in
 * one folder. Reads the store only.
 */
#include "offline.h"

#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "offline_print.h"
#include "store.h"
#include "units.h"

struct request {
	const char *folder;
	uint64_t limit;
	bool json;
	struct store *store;
};

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "One JSON object a line", 0},
	{"limit", 'n', "N", 0, "At most N messages, the newest (default: all)",
		0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

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
		if (request->folder)
			argp_error(state, "one folder, not %s", word);
		request->folder = word;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FOLDER]",
	.doc = "List the folders of the local database, or what is in FOLDER."
	       "\vWhere two kinds have a folder of one name, write kind:FOLDER, as "
	       "in calendar:Notes. Marks: N new, ! flagged, R answered; F complete, h header "
	       "only; S signed, E encrypted; @ attachment.",
};

static int folder_json(const struct store_folder *folder, void *arg)
{
	uint64_t bytes = folder->body_bytes + folder->header_bytes;
	json_t *line = json_pack("{s:s s:s s:s s:I s:I s:I s:I s:I s:b}",
		"path", folder->path, "kind", store_kind_name(folder->kind),
		"mode", store_mode_name(folder->mode), "messages",
		(json_int_t)folder->messages, "complete",
		(json_int_t)folder->bodies, "protected",
		(json_int_t)folder->protected_messages, "items",
		(json_int_t)folder->items, "bytes", (json_int_t)bytes,
		"verified", folder->verified);

	(void)arg;
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
	return 0;
}

/* The tree shows by indenting the last part of each path. */
static int folder_line(const struct store_folder *folder, void *arg)
{
	const char *name = strrchr(folder->path, '/');
	char size[UNITS_TEXT_BYTES];
	unsigned depth = 0;
	bool mail = folder->kind == STORE_KIND_MAIL ||
		folder->kind == STORE_KIND_NOTES;

	(void)arg;
	for (const char *c = folder->path; *c; c++)
		depth += *c == '/' && c[1];
	if (!mail || !name || !name[1]) {
		name = folder->path;
		depth = 0;
	} else {
		name++;
	}
	if (depth > 10)
		depth = 10;
	printf("%*s", (int)depth * 2, "");
	print_cell(name, 40 - depth * 2);
	units_format_bytes(folder->body_bytes + folder->header_bytes, size);
	if (mail)
		printf("  %-8s  %-7s  %8" PRIu64 "  %8" PRIu64 "  %8s\n",
			store_kind_name(folder->kind),
			store_mode_name(folder->mode), folder->messages,
			folder->bodies, size);
	else
		printf("  %-8s  %-7s  %8" PRIu64 "\n",
			store_kind_name(folder->kind),
			store_mode_name(folder->mode), folder->items);
	return 0;
}

static int list_folders(const struct request *request, struct err *err)
{
	if (!request->json)
		printf("%-40s  %-8s  %-7s  %8s  %8s  %8s\n", "folder", "kind",
			"mode", "items", "complete", "size");
	return store_folder_each(request->store,
		request->json ? folder_json : folder_line, NULL, err);
}

static int row(const struct store_row *row, void *arg)
{
	const struct request *request = arg;

	if (request->json)
		print_row_json(row, request->folder);
	else
		print_row(row, NULL);
	return 0;
}

static int item(const struct store_item *item, void *arg)
{
	const struct request *request = arg;

	if (request->json)
		print_item_json(item, request->folder);
	else
		print_item(item, NULL);
	return 0;
}

static int list_one(struct request *request, struct err *err)
{
	struct store_folder folder;
	int status;

	if (offline_folder(request->store, request->folder, &folder, err) < 0)
		return -1;
	if (folder.kind == STORE_KIND_MAIL || folder.kind == STORE_KIND_NOTES)
		status = store_rows(request->store, folder.id, request->limit,
			row, request, err);
	else
		status = store_items(
			request->store, folder.id, -1, item, request, err);
	store_folder_free(&folder);
	return status;
}

static int list(struct store *store, void *context, struct err *err)
{
	struct request *request = context;

	request->store = store;
	return request->folder ? list_one(request, err)
			       : list_folders(request, err);
}

int verb_ls(const char *directory, int argc, char **argv)
{
	struct request request = {0};

	argp_parse(&argp, argc, argv, 0, NULL, &request);
	return offline_run("ls", directory, list, &request);
}
