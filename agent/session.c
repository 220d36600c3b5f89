/*
 * session.c - from a profile to what the engine takes; shared by the verbs.
 *
 * Main thread.
 */
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>

#include "err.h"
#include "policy.h"
#include "profile.h"
#include "store_rules.h"
#include "sync.h"

int verb_failed(const char *verb, const struct err *err)
{
	fprintf(stderr, "sluice-agent %s: %s\n", verb, err->text);
	return err_exit_status(err);
}

static enum store_mode mode_of(enum profile_mode mode)
{
	return mode == PROFILE_FULL ? STORE_MODE_FULL : STORE_MODE_HEADERS;
}

int policy_add_stored(
	struct policy *policy, const char *directory, struct err *err)
{
	char *text = store_rules_read(directory, err);
	int status = -1;

	if (text) {
		status = policy_rules_parse(policy, text, err);
		if (status)
			err_context(err, "%s/rules", directory);
	}
	free(text);
	return status;
}

struct policy *profile_make_policy(
	const struct profile *profile, struct err *err)
{
	struct policy *policy = policy_new();

	policy_set_inbox(policy, mode_of(profile->policy.inbox));
	policy_set_mail(policy, mode_of(profile->policy.mail));
	for (size_t i = 0; i < profile->policy.folder_count; i++) {
		const struct profile_folder *rule = &profile->policy.folders[i];

		policy_add(policy, rule->path, mode_of(rule->mode),
			rule->recursive);
	}
	if (policy_add_stored(policy, profile->store, err) == 0)
		return policy;
	policy_free(policy);
	return NULL;
}

static struct policy *renew(const void *profile, struct err *err)
{
	return profile_make_policy(profile, err);
}

struct sync_setup profile_make_setup(
	const struct profile *profile, const struct policy *policy)
{
	static const enum compress compress[] = {
		[PROFILE_COMPRESS_AUTO] = COMPRESS_AUTO,
		[PROFILE_COMPRESS_ON] = COMPRESS_ON,
		[PROFILE_COMPRESS_OFF] = COMPRESS_OFF,
	};

	return (struct sync_setup){
		.account = &profile->account,
		.directory = profile->store,
		.policy = policy,
		.renew_policy = renew,
		.renew_context = profile,
		.compress = compress[profile->compress],
		.connections = profile->connections,
		.rate_bytes_s = profile->link_bytes_s,
	};
}
