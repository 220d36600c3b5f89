/*
 * policy.c - which folders are copied whole: defaults, then rules in order.
 *
 * Asked by the plan for every folder, changed by `policy set`. Pure, no
 * thread of its own.
 */
#include "policy.h"

#include "alloc.h"
#include "buf.h"
#include "err.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct rule {
	char *path;
	enum store_mode mode;
	bool recursive;
};

struct policy {
	enum store_mode inbox;
	enum store_mode mail;
	struct rule *rules;
	size_t count;
};

struct policy *policy_new(void)
{
	struct policy *policy = xcalloc(1, sizeof *policy);

	policy->inbox = STORE_MODE_FULL;
	policy->mail = STORE_MODE_HEADERS;
	return policy;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->count; i++)
		free(policy->rules[i].path);
	free(policy->rules);
	free(policy);
}

void policy_set_inbox(struct policy *policy, enum store_mode mode)
{
	policy->inbox = mode;
}

void policy_set_mail(struct policy *policy, enum store_mode mode)
{
	policy->mail = mode;
}

static bool is_inbox(const char *path)
{
	return strcasecmp(path, "INBOX") == 0;
}

/* True when PATH is INBOX or below it: those five letters have no case. */
static bool in_inbox(const char *path)
{
	return strncasecmp(path, "INBOX", 5) == 0 &&
		(!path[5] || path[5] == '/');
}

static bool covers(const struct rule *rule, const char *path)
{
	const char *spelt = rule->path;
	size_t length;

	if (!*spelt)
		return rule->recursive;
	if (in_inbox(spelt) && in_inbox(path)) {
		spelt += 5;
		path += 5;
	}
	length = strlen(spelt);
	if (strncmp(spelt, path, length) != 0)
		return false;
	return !path[length] || (rule->recursive && path[length] == '/');
}

static const struct rule *last_rule(
	const struct policy *policy, const struct policy_folder *folder)
{
	for (size_t i = policy->count; i-- > 0;)
		if (covers(&policy->rules[i], folder->path))
			return &policy->rules[i];
	return NULL;
}

char *policy_path(const char *path)
{
	size_t length;

	while (*path == '/')
		path++;
	length = strlen(path);
	while (length && path[length - 1] == '/')
		length--;
	return xstrndup(path, length);
}

void policy_add(struct policy *policy, const char *path, enum store_mode mode,
	bool recursive)
{
	struct rule rule = {policy_path(path), mode, recursive};
	size_t kept = 0;

	for (size_t i = 0; i < policy->count; i++) {
		struct rule *old = &policy->rules[i];
		bool same = strcmp(old->path, rule.path) == 0;

		if (same ? recursive || !old->recursive
			 : covers(&rule, old->path))
			free(old->path);
		else
			policy->rules[kept++] = *old;
	}
	policy->rules = xrealloc(policy->rules, kept + 1, sizeof rule);
	policy->rules[kept] = rule;
	policy->count = kept + 1;
}

int policy_check(const struct policy_folder *folder, enum store_mode mode,
	struct err *err)
{
	if (!folder->pim || mode == STORE_MODE_FULL)
		return 0;
	return err_set(err, ERR_USAGE,
		"folder %s: contacts, calendar, tasks and notes are always "
		"copied whole; only mail folders can be set to headers",
		folder->path);
}

enum store_mode policy_mode(
	const struct policy *policy, const struct policy_folder *folder)
{
	const struct rule *rule = last_rule(policy, folder);

	if (folder->foreign && !(rule && *rule->path))
		return STORE_MODE_OFF;
	if (folder->pim)
		return STORE_MODE_FULL;
	if (rule)
		return rule->mode;
	return is_inbox(folder->path) ? policy->inbox : policy->mail;
}

int policy_mode_parse(const char *text, enum store_mode *mode, struct err *err)
{
	if (strcmp(text, "full") == 0)
		*mode = STORE_MODE_FULL;
	else if (strcmp(text, "headers") == 0)
		*mode = STORE_MODE_HEADERS;
	else
		return err_set(err, ERR_USAGE,
			"mode \"%s\": expected \"full\" or \"headers\"", text);
	return 0;
}

char *policy_rules_format(const struct policy *policy)
{
	struct buf text = BUF_INIT(0);

	buf_append_text(&text, "");
	for (size_t i = 0; i < policy->count; i++)
		buf_printf(&text, "%s %s %s\n",
			store_mode_name(policy->rules[i].mode),
			policy->rules[i].recursive ? "recursive" : "single",
			policy->rules[i].path);
	return text.data ? text.data : xstrdup("");
}

static int parse_rule(struct policy *policy, char *line, struct err *err)
{
	char *scope = strchr(line, ' ');
	char *path = scope ? strchr(scope + 1, ' ') : NULL;
	enum store_mode mode = STORE_MODE_FULL;
	bool recursive;

	if (!path)
		goto nonsense;
	*scope = *path = '\0';
	recursive = strcmp(scope + 1, "recursive") == 0;
	if ((recursive || strcmp(scope + 1, "single") == 0) &&
		!policy_mode_parse(line, &mode, NULL)) {
		policy_add(policy, path + 1, mode, recursive);
		return 0;
	}
	*scope = *path = ' ';
nonsense:
	return err_set(err, ERR_DATABASE,
		"the rule \"%s\" makes no sense; correct or remove it", line);
}

int policy_rules_parse(struct policy *policy, const char *text, struct err *err)
{
	char *copy = xstrdup(text);
	char *rest = copy;
	char *line;
	int status = 0;

	while (!status && (line = strsep(&rest, "\n")))
		if (*line)
			status = parse_rule(policy, line, err);
	free(copy);
	return status;
}
