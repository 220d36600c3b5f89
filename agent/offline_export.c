/*
 * offline_export.c - `sluice-agent export`: the store in formats that other
 * programs read. Folders are written one after another, messages streamed
 * from the packs; a file appears under its name when it is complete. What is
 * stored as a header only is not exported, and counted. Reads the store only.
 */
#include "offline.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "offline_export.h"
#include "offline_print.h"
#include "store.h"

enum {
	KEY_MBOX = 256,
	KEY_MAILDIR,
	KEY_ICS,
	KEY_VCF,
	KEY_DIGESTS
};

static const struct argp_option options[] = {
	{"mbox", KEY_MBOX, NULL, 0, "Mail, one mboxrd file a folder", 0},
	{"maildir", KEY_MAILDIR, NULL, 0, "Mail, one Maildir a folder", 0},
	{"ics", KEY_ICS, NULL, 0,
		"Events, tasks and notes, one iCalendar file a folder", 0},
	{"vcf", KEY_VCF, NULL, 0, "Contacts, one vCard file a folder", 0},
	{"digests", KEY_DIGESTS, NULL, 0,
		"SHA-256 of everything stored, JSON lines on standard output; "
		"DEST is not given",
		0},
	{0},
};

struct arguments {
	struct export export;
	const char *word[2];
	unsigned words;
	bool chosen;
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	bool digests = arguments->export.format == EXPORT_DIGESTS;

	switch (key) {
	case KEY_MBOX:
	case KEY_MAILDIR:
	case KEY_ICS:
	case KEY_VCF:
	case KEY_DIGESTS:
		if (arguments->chosen)
			argp_error(state, "one format at a time");
		arguments->chosen = true;
		arguments->export.format = (enum export_format)(key - KEY_MBOX);
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->words == 2)
			argp_error(state, "too many arguments: %s", word);
		arguments->word[arguments->words++] = word;
		return 0;
	case ARGP_KEY_END:
		if (!arguments->chosen)
			argp_error(state,
				"say which: --mbox, --maildir, "
				"--ics, --vcf or --digests");
		if (digests ? arguments->words > 1 : !arguments->words)
			argp_error(state,
				digests ? "--digests takes a folder at most"
					: "say where to: [FOLDER] DEST");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FOLDER] DEST",
	.doc = "Write mail, calendars or contacts of the local database into "
	       "the directory DEST, one file or Maildir a folder.",
};

static bool wanted(const struct store_folder *folder, enum export_format format)
{
	bool mail = folder->kind == STORE_KIND_MAIL ||
		folder->kind == STORE_KIND_NOTES;

	switch (format) {
	case EXPORT_MBOX:
	case EXPORT_MAILDIR:
		return mail;
	case EXPORT_ICS:
		return folder->kind == STORE_KIND_CALENDAR;
	case EXPORT_VCF:
		return folder->kind == STORE_KIND_CONTACTS;
	default:
		return true;
	}
}

static int export_folder(const struct store_folder *folder, void *arg)
{
	struct export *export = arg;
	int status;

	if (!wanted(folder, export->format))
		return 0;
	switch (export->format) {
	case EXPORT_MBOX:
		status = export_mbox(export, folder);
		break;
	case EXPORT_MAILDIR:
		status = export_maildir(export, folder);
		break;
	case EXPORT_DIGESTS:
		status = export_digests(export, folder);
		break;
	default:
		status = export_items(export, folder);
	}
	return status < 0 ? -1 : 0;
}

static int export_all(struct export *export, const char *path, struct err *err)
{
	struct store_folder folder;
	int status;

	if (!path)
		return store_folder_each(
			export->store, export_folder, export, err);
	if (offline_folder(export->store, path, &folder, err) < 0)
		return -1;
	if (wanted(&folder, export->format))
		status = export_folder(&folder, export);
	else
		status = err_set(err, ERR_USAGE,
			"%s: a folder of kind %s has nothing for this format",
			path, store_kind_name(folder.kind));
	store_folder_free(&folder);
	return status;
}

static void say_what_was_done(const struct export *export)
{
	if (export->format == EXPORT_DIGESTS)
		return;
	printf("%" PRIu64 " exported to %s\n", export->count,
		export->directory);
	if (export->skipped)
		printf("%" PRIu64 " left out: only their headers are stored "
		       "(set their folders to full and sync)\n",
			export->skipped);
}

int verb_export(const char *directory, int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct arguments arguments = {.export = {.err = &err}};
	struct export *export = &arguments.export;
	const char *folder;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (export->format == EXPORT_DIGESTS) {
		folder = arguments.word[0];
	} else {
		folder = arguments.words == 2 ? arguments.word[0] : NULL;
		export->directory = arguments.word[arguments.words - 1];
	}
	export->store = store_open(directory, STORE_READ, &err);
	if (!export->store)
		return offline_fail("export", &err);
	status = export_prepare(export) < 0 ? -1
					    : export_all(export, folder, &err);
	store_close(export->store);
	export_end(export);
	if (status < 0)
		return offline_fail("export", &err);
	say_what_was_done(export);
	return offline_end("export");
}
