/*
 * verbs.h - the verbs of sluice-agent that know a profile.
 *
 * argv[0] is the program and the verb, the rest the verb's own options. Each
 * returns the exit status: 0 done, 1 failed, 2 usage. Main thread.
 */
#ifndef SLUICE_VERBS_H
#define SLUICE_VERBS_H

#include <stdbool.h>
#include <stdint.h>

#include "source.h"

struct err;
struct policy;
struct profile;
struct sync_setup;

int verb_sync(const struct profile *profile, int argc, char **argv);
int verb_verify(const struct profile *profile, int argc, char **argv);
int verb_fleet(int argc, char **argv);
int verb_run(const struct profile *profile, int argc, char **argv);
int verb_policy(const struct profile *profile, int argc, char **argv);

/* Prints the error as all verbs do and returns the exit status. */
int verb_failed(const char *verb, const struct err *err);

/* The profile's policy with the rules that `policy set` left in the store on
 * top, for policy_free(); NULL with ERR. */
struct policy *profile_make_policy(
	const struct profile *profile, struct err *err);

/* Adds the rules that `policy set` left in the store DIRECTORY. */
int policy_add_stored(
	struct policy *policy, const char *directory, struct err *err);

/* What a sync of the profile needs; POLICY from profile_make_policy(), or NULL
 * when that is asked later. */
struct sync_setup profile_make_setup(
	const struct profile *profile, const struct policy *policy);

#endif
