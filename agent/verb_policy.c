/*
 * verb_policy.c - `sluice-agent policy show|set`: what is copied.
 *
 * Rules are kept beside the database; a synchronisation looks at them before
 * each of its rounds and fetches what is then missing. Main thread.
 */
#include "verbs.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"
#include "offline_print.h"
#include "policy.h"
#include "profile.h"
#include "store.h"
#include "store_folder.h"
#include "store_message.h"
#include "store_rules.h"

struct request {
	const char *words[3];
	int count;
	bool recursive, prune;
};

static const struct argp_option options[] = {
	{"recursive", 'R', NULL, 0, "Apply it to all subfolders", 0},
	{"prune", 'P', NULL, 0,
		"Forget the messages that are then no longer asked for", 0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'R':
		request->recursive = true;
		return 0;
	case 'P':
		request->prune = true;
		return 0;
	case ARGP_KEY_ARG:
		if (request->count == 3)
			argp_error(state, "%s: not expected", word);
		request->words[request->count++] = word;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse,
	"--profile FILE show\n--profile FILE set PATH full|headers",
	"Show how much of each folder is copied, or change it. / is the root "
	"of the mailbox.",
	NULL, NULL, NULL};

static bool is_pim(const struct store_folder *folder)
{
	return folder->kind != STORE_KIND_MAIL;
}

static int print_folder(const struct store_folder *folder, void *arg)
{
	const struct policy *policy = arg;
	struct policy_folder one = {
		folder->path, is_pim(folder), folder->mode == STORE_MODE_OFF};

	printf("%-8s ", store_mode_name(policy_mode(policy, &one)));
	print_cell(folder->path, 0);
	putchar('\n');
	return 0;
}

static int show(
	const struct profile *profile, struct policy *policy, struct err *err)
{
	struct store *store = store_open(profile->store, STORE_READ, err);
	int status;

	if (!store)
		return -1;
	status = store_folder_each(store, print_folder, policy, err);
	store_close(store);
	return status;
}

/* The Inbox has five letters without case. */
static bool same_path(const char *a, const char *b)
{
	return strcmp(a, b) == 0 ||
		(strcasecmp(a, "INBOX") == 0 && strcasecmp(b, "INBOX") == 0);
}

struct change {
	struct store *store;
	const struct policy *policy;
	const struct policy *only; /* everything off but what is named */
	const char *path;	   /* without slashes around it */
	enum store_mode mode;
	uint64_t pruned;
	bool known; /* the rule covers a folder that is there */
	struct err *err;
};

static bool is_meant(
	const struct change *change, const struct store_folder *folder)
{
	const struct policy_folder one = {folder->path, false, false};

	return policy_mode(change->only, &one) != STORE_MODE_OFF;
}

static int check_folder(const struct store_folder *folder, void *arg)
{
	struct change *change = arg;
	const struct policy_folder one = {folder->path, is_pim(folder), false};

	change->known |= is_meant(change, folder);
	return same_path(folder->path, change->path)
		? policy_check(&one, change->mode, change->err)
		: 0;
}

/* Refuses what cannot be, as far as the folders are known already. */
static int check(struct change *change, const char *directory)
{
	struct store *store = store_open(directory, STORE_READ, NULL);
	int status = store
		? store_folder_each(store, check_folder, change, change->err)
		: 0;

	if (store && !status && !change->known)
		fprintf(stderr,
			"sluice-agent policy: no folder of this name is stored; "
			"the rule is kept for one that comes\n");
	store_close(store);
	return status;
}

/* The rule goes behind those that were set before. */
static int keep_rule(
	const struct change *change, const char *directory, bool recursive)
{
	struct policy *rules = policy_new();
	int lock = store_rules_lock(directory, change->err);
	int status = -1;

	if (lock >= 0 && !policy_add_stored(rules, directory, change->err)) {
		char *text;

		policy_add(rules, change->path, change->mode, recursive);
		text = policy_rules_format(rules);
		status = store_rules_write(directory, text, change->err);
		free(text);
	}
	if (lock >= 0)
		close(lock);
	policy_free(rules);
	return status;
}

static int prune_folder(const struct store_folder *folder, void *arg)
{
	struct change *change = arg;
	struct policy_folder one = {
		folder->path, is_pim(folder), folder->mode == STORE_MODE_OFF};
	struct store_folder row;
	uint64_t pruned = 0;
	int status;

	if (one.pim || one.foreign || !is_meant(change, folder))
		return 0;
	if (store_folder_get(change->store, folder->id, &row, change->err) < 1)
		return -1;
	row.mode = policy_mode(change->policy, &one);
	status = store_folder_put(change->store, &row, change->err);
	store_folder_free(&row);
	if (!status)
		status = store_body_prune(
			change->store, folder->id, &pruned, change->err);
	change->pruned += pruned;
	return status;
}

static int prune(struct change *change, const char *directory)
{
	int status = -1;

	change->store = store_open(directory, STORE_WRITE, change->err);
	if (!change->store) {
		err_hint(change->err,
			"the rule itself is kept; prune again when it is done");
	} else if (!store_begin(change->store, change->err) &&
		!store_folder_each(
			change->store, prune_folder, change, change->err) &&
		!store_commit(change->store, change->err)) {
		status = 0;
		printf("%llu messages are headers only now\n",
			(unsigned long long)change->pruned);
	}
	store_close(change->store);
	return status;
}

/* Rules are kept one a line; the root is no folder, what is below it is. */
static int check_path(const char *path, bool recursive, struct err *err)
{
	if (strpbrk(path, "\r\n"))
		return err_set(err, ERR_USAGE,
			"a folder with a line break in its name cannot have a "
			"rule of its own; set the folder above it, with "
			"--recursive");
	if (!path[strspn(path, "/")] && !recursive)
		return err_set(err, ERR_USAGE,
			"\"%s\" has no messages of its own; add --recursive "
			"for all folders",
			path);
	return 0;
}

/* Says which folders a rule covers. */
static struct policy *only_rule(
	const char *path, enum store_mode mode, bool recursive)
{
	struct policy *only = policy_new();

	policy_set_inbox(only, STORE_MODE_OFF);
	policy_set_mail(only, STORE_MODE_OFF);
	policy_add(only, path, mode, recursive);
	return only;
}

static int set(const struct profile *profile, struct policy *policy,
	const struct request *request, struct err *err)
{
	struct change change = {.policy = policy, .err = err};
	bool recursive = request->recursive;
	struct policy *only;
	int status = -1;
	char *path;

	if (policy_mode_parse(request->words[2], &change.mode, err) ||
		check_path(request->words[1], recursive, err))
		return -1;
	path = policy_path(request->words[1]);
	only = only_rule(path, change.mode, recursive);
	change.path = path;
	change.only = only;
	policy_add(policy, path, change.mode, recursive);
	if (!check(&change, profile->store) &&
		!keep_rule(&change, profile->store, recursive))
		status = request->prune ? prune(&change, profile->store) : 0;
	policy_free(only);
	free(path);
	return status;
}

int verb_policy(const struct profile *profile, int argc, char **argv)
{
	struct request request = {.count = 0};
	struct err err = ERR_INIT;
	struct policy *policy;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &request))
		return 2;
	if (!request.count ||
		(strcmp(request.words[0], "show") == 0
				? request.count != 1
				: strcmp(request.words[0], "set") != 0 ||
					request.count != 3)) {
		err_set(&err, ERR_USAGE,
			"expected \"show\" or \"set PATH full|headers\"");
		return verb_failed("policy", &err);
	}
	policy = profile_make_policy(profile, &err);
	if (!policy)
		return verb_failed("policy", &err);
	status = request.count == 1 ? show(profile, policy, &err)
				    : set(profile, policy, &request, &err);
	policy_free(policy);
	return status ? verb_failed("policy", &err) : offline_end("policy");
}
