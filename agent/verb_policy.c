/*
 * verb_policy.c - `sluice-agent policy show|set`: what is copied.
 *
 * Rules are kept in the store; the next sync fetches what is then missing.
 * Main thread.
 */
#include "verbs.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "policy.h"
#include "profile.h"
#include "store.h"
#include "store_folder.h"
#include "store_message.h"

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

	printf("%-8s %s\n", store_mode_name(policy_mode(policy, &one)),
		folder->path);
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

struct change {
	struct store *store;
	const struct policy *policy;
	const char *path; /* without slashes around it */
	enum store_mode mode;
	bool prune;
	uint64_t pruned;
	struct err *err;
};

static int apply_change(const struct store_folder *folder, void *arg)
{
	struct change *change = arg;
	struct policy_folder one = {
		folder->path, is_pim(folder), folder->mode == STORE_MODE_OFF};
	enum store_mode mode = policy_mode(change->policy, &one);
	struct store_folder row;
	int status;

	if (strcmp(folder->path, change->path) == 0 &&
		policy_check(&one, change->mode, change->err))
		return -1;
	if (mode == folder->mode)
		return 0;
	if (store_folder_get(change->store, folder->id, &row, change->err) < 1)
		return -1;
	row.mode = mode;
	status = store_folder_put(change->store, &row, change->err);
	store_folder_free(&row);
	if (!status && change->prune) {
		uint64_t pruned = 0;

		status = store_body_prune(
			change->store, folder->id, &pruned, change->err);
		change->pruned += pruned;
	}
	return status;
}

static int keep(struct change *change, const struct policy *rules)
{
	char *text = policy_rules_format(rules);
	int status = -1;

	if (!store_begin(change->store, change->err) &&
		!store_folder_each(
			change->store, apply_change, change, change->err) &&
		!store_meta_put(change->store, "policy", text, change->err) &&
		!store_commit(change->store, change->err))
		status = 0;
	else
		store_rollback(change->store);
	free(text);
	return status;
}

/* The rules in the store, and the new one behind them. */
static struct policy *stored_rules(struct store *store,
	const struct request *request, enum store_mode mode, struct err *err)
{
	struct policy *rules = policy_new();
	char *text = store_meta_get(store, "policy");

	if (text && policy_rules_parse(rules, text, err)) {
		policy_free(rules);
		rules = NULL;
	} else {
		policy_add(rules, request->words[1], mode, request->recursive);
	}
	free(text);
	return rules;
}

static int set(const struct profile *profile, struct policy *policy,
	const struct request *request, struct err *err)
{
	struct change change = {
		.policy = policy, .prune = request->prune, .err = err};
	struct policy *rules;
	int status = -1;

	if (policy_mode_parse(request->words[2], &change.mode, err))
		return -1;
	policy_add(policy, request->words[1], change.mode, request->recursive);
	change.path = request->words[1] + strspn(request->words[1], "/");
	change.store = store_open(profile->store, STORE_WRITE, err);
	if (!change.store)
		return -1;
	rules = stored_rules(change.store, request, change.mode, err);
	if (rules)
		status = keep(&change, rules);
	policy_free(rules);
	store_close(change.store);
	if (!status && change.pruned)
		printf("%llu messages are headers only now\n",
			(unsigned long long)change.pruned);
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
	return status ? verb_failed("policy", &err) : 0;
}
