/*
 * main.c - sluice-agent: the program that syncs one client's account.
 *
 * Finds the verb and the profile, then hands over. Main thread.
 */
#include <assert.h>
#include <argp.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "offline.h"
#include "profile.h"
#include "verbs.h"

/* One table for dispatch and for --help. */
static const struct verb {
	const char *name;
	const char *text;
	int (*online)(const struct profile *profile, int argc, char **argv);
	int (*offline)(const char *store, int argc, char **argv);
	int (*alone)(int argc, char **argv);
} verbs[] = {
	{"sync", "one synchronisation, then exit", verb_sync, NULL, NULL},
	{"run", "stay and obey the controller", verb_run, NULL, NULL},
	{"policy", "show or set what is copied", verb_policy, NULL, NULL},
	{"verify", "prove the store against the server", verb_verify, NULL,
		NULL},
	{"ls", "folders, or what is in one", NULL, verb_ls, NULL},
	{"show", "one message or item", NULL, verb_show, NULL},
	{"search", "messages and items by words", NULL, verb_search, NULL},
	{"export", "mbox, Maildir, iCalendar, vCard", NULL, verb_export, NULL},
	{"status", "what the store holds", NULL, verb_status, NULL},
	{"fleet", "many virtual clients in one process", NULL, NULL,
		verb_fleet},
};

struct where {
	const char *profile;
	const char *store;
};

static void help(FILE *out)
{
	fputs("Usage: sluice-agent VERB [--profile FILE] [OPTION...]\n"
	      "Copies one mail account into a local database.\n\n",
		out);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].text);
	fputs("\n  --profile FILE  the client's profile; without it "
	      "$SLUICE_PROFILE\n"
	      "  --store DIR     its local database, for verbs that read only "
	      "that\n"
	      "  --help          also after a verb\n"
	      "  --version\n",
		out);
}

/* Takes "--NAME VALUE" or "--NAME=VALUE" out of the arguments. */
static const char *take_option(int *argc, char **argv, int at, const char *name)
{
	size_t length = strlen(name);
	const char *value = NULL;
	int used = 0;

	if (strcmp(argv[at], name) == 0 && at + 1 < *argc) {
		value = argv[at + 1];
		used = 2;
	} else if (strncmp(argv[at], name, length) == 0 &&
		argv[at][length] == '=') {
		value = argv[at] + length + 1;
		used = 1;
	}
	if (!used)
		return NULL;
	memmove(argv + at, argv + at + used,
		(size_t)(*argc - at - used + 1) * sizeof *argv);
	*argc -= used;
	return value;
}

static void take_where(int *argc, char **argv, struct where *where)
{
	const char *value;
	int at = 1;

	while (at < *argc && strcmp(argv[at], "--") != 0) {
		if ((value = take_option(argc, argv, at, "--profile")))
			where->profile = value;
		else if ((value = take_option(argc, argv, at, "--store")))
			where->store = value;
		else
			at++;
	}
	if (!where->profile)
		where->profile = getenv("SLUICE_PROFILE");
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
			strcmp(argv[i], "-?") == 0 ||
			strcmp(argv[i], "--usage") == 0)
			return true;
	return false;
}

static int with_profile(const struct verb *verb, const struct where *where,
	int argc, char **argv)
{
	struct profile profile;
	struct err err = ERR_INIT;
	int status;

	assert(verb->online || verb->offline);
	if (!where->profile) {
		err_set(&err, ERR_USAGE,
			"no profile; name one with --profile FILE");
		return verb_failed(verb->name, &err);
	}
	if (profile_load(&profile, where->profile, &err))
		return verb_failed(verb->name, &err);
	if (strcmp(profile.store, PROFILE_NO_STORE) == 0) {
		profile_free(&profile);
		err_set(&err, ERR_CONFIG,
			"%s: store: none is for `sluice-agent fleet`; name a "
			"directory",
			where->profile);
		return verb_failed(verb->name, &err);
	}
	status = verb->online ? verb->online(&profile, argc, argv)
			      : verb->offline(profile.store, argc, argv);
	profile_free(&profile);
	return status;
}

static int dispatch(const struct verb *verb, const struct where *where,
	int argc, char **argv)
{
	static const struct profile none;

	if (verb->alone)
		return verb->alone(argc, argv);
	if (verb->offline && (where->store || asks_for_help(argc, argv)))
		return verb->offline(where->store, argc, argv);
	if (asks_for_help(argc, argv))
		return verb->online(&none, argc, argv);
	return with_profile(verb, where, argc, argv);
}

/*
 * What grows with a folder (a plan of half a million messages) is mapped:
 * then it grows without a copy, and what is freed is the system's again. The
 * allocator would stop doing so after the first large block was freed.
 */
static void keep_memory_small(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

int main(int argc, char **argv)
{
	struct where where = {NULL, NULL};
	const struct verb *verb;
	char *name;
	int status;

	keep_memory_small();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* EFBIG says more */
	argp_err_exit_status = 2;
	take_where(&argc, argv, &where);
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		puts("sluice-agent " SLUICE_VERSION);
		return 0;
	}
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		help(argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	verb = find_verb(argv[1]);
	if (!verb) {
		fprintf(stderr,
			"sluice-agent: no verb \"%s\"; see sluice-agent "
			"--help\n",
			argv[1]);
		return 2;
	}
	name = xasprintf("sluice-agent %s", verb->name);
	argv[1] = name;
	status = dispatch(verb, &where, argc - 1, argv + 1);
	free(name);
	return status;
}
