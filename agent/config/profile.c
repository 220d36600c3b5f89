/*
 * profile.c - the keys of a profile.
 *
 * Read by every verb of sluice-agent before anything else. Any thread.
 */
#include "profile.h"

#include "conf.h"

static const char *const modes[] = {"headers", "full", NULL};
static const char *const compressions[] = {"auto", "on", "off", NULL};

static const char *const no_store[] = {PROFILE_NO_STORE, NULL};

static const struct conf_field folder_fields[] = {
	{CONF_AT(struct profile_folder, path), "path", CONF_STRING,
		"the folder, with `/` between levels; `/` alone is the root",
		.required = true},
	{CONF_AT(struct profile_folder, mode), "mode", CONF_ENUM,
		"`full`: whole messages; `headers`: headers only",
		.required = true, .words = modes},
	{CONF_AT(struct profile_folder, recursive), "recursive", CONF_BOOL,
		"apply it to all subfolders as well", .fallback = "false"},
	CONF_END,
};

static const struct conf_table folder_table = {
	.name = "folder",
	.text = "One rule; the last that covers a folder wins. Contacts, "
		"calendars, tasks and notes are whole whatever it says.",
	.size = sizeof(struct profile_folder),
	.fields = folder_fields,
};

static const struct conf_field folder_element = {
	.type = CONF_TABLE,
	.size = sizeof(struct profile_folder),
	.table = &folder_table,
};

static const struct conf_field policy_fields[] = {
	{CONF_AT(struct profile_policy, inbox), "inbox", CONF_ENUM,
		"how much of the Inbox is copied", .fallback = "full",
		.words = modes},
	{CONF_AT(struct profile_policy, mail), "mail", CONF_ENUM,
		"how much of the other mail folders is copied",
		.fallback = "headers", .words = modes},
	{CONF_AT(struct profile_policy, folders), "folders", CONF_LIST,
		"rules for single folders", .element = &folder_element,
		.element_size = sizeof(struct profile_folder),
		.count_offset = offsetof(struct profile_policy, folder_count)},
	CONF_END,
};

static const struct conf_table policy_table = {
	.name = "policy",
	.text = "What is copied. Signed and encrypted messages are always "
		"whole.",
	.size = sizeof(struct profile_policy),
	.fields = policy_fields,
};

static const struct conf_field controller_fields[] = {
	{CONF_AT(struct profile_controller, url), "url", CONF_STRING,
		"of the controller, as in https://sluice.example.org:8443",
		.required = true},
	{CONF_AT(struct profile_controller, token_file), "token_file",
		CONF_PATH, "file with the enrolment token", .required = true},
	{CONF_AT(struct profile_controller, ca_file), "ca_file", CONF_PATH,
		"PEM file with the authority of the controller's certificate; "
		"without it the system's"},
	{CONF_AT(struct profile_controller, client), "client", CONF_STRING,
		"our name in the scenario; without it the user"},
	CONF_END,
};

static const struct conf_table controller_table = {
	.name = "controller",
	.text = "Who commands `sluice-agent run`.",
	.size = sizeof(struct profile_controller),
	.fields = controller_fields,
};

static const struct conf_field profile_fields[] = {
	{CONF_AT(struct profile, account), "account", CONF_TABLE,
		"where the mail is", .required = true, .table = &account_table},
	{CONF_AT(struct profile, store), "store", CONF_PATH,
		"directory of the local database; `none`, for a fleet: the "
		"engine runs as ever, what it stores is counted and dropped",
		.required = true, .words = no_store},
	{CONF_AT(struct profile, link_bytes_s), "link", CONF_RATE,
		"cap on what this client uses of the network, as in "
		"1.5MB/s; without it none"},
	{CONF_AT(struct profile, compress), "compress", CONF_ENUM,
		"COMPRESS=DEFLATE; `auto` where the link gains by it",
		.fallback = "auto", .words = compressions},
	{CONF_AT(struct profile, connections), "connections", CONF_INT,
		"to the mail server at once, at most; more than one only "
		"over a long line and where they pay",
		.fallback = "4", .min = 1, .max = 16},
	{CONF_AT(struct profile, policy), "policy", CONF_TABLE,
		"what is copied", .table = &policy_table},
	{CONF_AT(struct profile, controller), "controller", CONF_TABLE,
		"who commands this agent", .table = &controller_table},
	CONF_END,
};

const struct conf_table profile_table = {
	.name = "profile",
	.text = "One client of an organisation: its account, its local "
		"database, and what is copied.",
	.size = sizeof(struct profile),
	.fields = profile_fields,
};

int profile_load(struct profile *profile, const char *path, struct err *err)
{
	return conf_load(&profile_table, profile, path, err);
}

void profile_free(struct profile *profile)
{
	conf_free(&profile_table, profile);
}
