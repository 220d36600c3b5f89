/*
 * policy.h - how much of each folder is copied.
 *
 * The defaults are the deployment guide's: the Inbox whole, other mail folders
 * as headers, contacts, calendar, tasks and notes always whole. Rules change
 * mail folders, and the last rule that covers a folder wins, so that "apply
 * to all subfolders" overrides what was set below it before. Folders of other
 * users and shared ones are left out unless a rule names them. Signed and
 * encrypted messages are whole whatever the mode: that is decided message by
 * message. Pure; any thread.
 */
#ifndef SLUICE_POLICY_H
#define SLUICE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "store_folder.h"

struct err;

/* What decides about a folder. */
struct policy_folder {
	const char *path; /* UTF-8, '/' between levels (collection.h) */
	bool pim;	  /* contacts, calendar, tasks or notes */
	bool foreign;	  /* of another user or shared */
};

struct policy;

/* The guide's defaults, for policy_free(). */
struct policy *policy_new(void);
void policy_free(struct policy *policy);

void policy_set_inbox(struct policy *policy, enum store_mode mode);
void policy_set_mail(struct policy *policy, enum store_mode mode);

/* "/A/B/" as folders are named, "A/B"; "" is the root. For free(). */
char *policy_path(const char *path);

/* A new last rule for the folder PATH, and with RECURSIVE for all below it;
 * "/" is the root of the mailbox. Earlier rules that it covers are dropped. */
void policy_add(struct policy *policy, const char *path, enum store_mode mode,
	bool recursive);

/* Refuses to lower a folder that is always whole. */
int policy_check(const struct policy_folder *folder, enum store_mode mode,
	struct err *err);

enum store_mode policy_mode(
	const struct policy *policy, const struct policy_folder *folder);

/* "full" or "headers". */
int policy_mode_parse(const char *text, enum store_mode *mode, struct err *);

/* Rules one a line, "full recursive PATH", for keeping in the store. The
 * text is for free(). */
char *policy_rules_format(const struct policy *policy);

/* Adds the rules of TEXT, as policy_rules_format() wrote it. */
int policy_rules_parse(struct policy *policy, const char *text, struct err *);

#endif
