/*
 * main.c - sluice: the controller and its command line, one table of verbs.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "command.h"
#include "fill.h"
#include "reply.h"
#include "verb_model.h"

/* In the order in which a rollout needs them. */
static const struct entry {
	const char *name; /* NULL: TEXT is a heading */
	command_fn *run;
	const char *text; /* NULL: not for people */
} commands[] = {
	{NULL, NULL, "Prepare"},
	{"init", command_init, "read a scenario and make the state directory"},
	{"serve", command_serve, "run the controller"},
	{"token", command_operator, ""},
	{"check", command_check,
		"step 0: versions, reachability, agents, room on disk"},
	{"plan", command_operator, ""},
	{NULL, NULL, "Roll out"},
	{"pilot", command_operator, ""},
	{"recommend", command_operator, ""},
	{"wave", command_operator, ""},
	{"run", command_operator, ""},
	{"report", command_report, "write the report of a wave or of all"},
	{NULL, NULL, "Watch"},
	{"status", command_operator, ""},
	{"show", command_operator, ""},
	{"log", command_operator, ""},
	{NULL, NULL, "Steer"},
	{"pause", command_operator, ""},
	{"resume", command_operator, ""},
	{"promote", command_operator, ""},
	{"retry", command_operator, ""},
	{"exclude", command_operator, ""},
	{"include", command_operator, ""},
	{"set", command_operator, ""},
	{"abort", command_operator, ""},
	{NULL, NULL, "Try and prove"},
	{"simulate", simulate_main, "say how long a rollout would take"},
	{"fill", fill_main, "make the mailboxes of a scenario on a server"},
	{"replay", replay_main,
		"compute every stored recommendation again and compare"},
	{"scenario-reference", command_reference, NULL},
	{"metrics-reference", command_reference, NULL},
};

#define COUNT (sizeof(commands) / sizeof(*commands))

static void print_help(FILE *out)
{
	(void)fputs("Usage: sluice VERB [OPTION...]\n"
		    "Rolls an offline mail client out to an organisation, as "
		    "many at once as the server bears.\n",
		out);
	for (unsigned i = 0; i < COUNT; i++) {
		const struct entry *entry = &commands[i];

		if (!entry->name)
			(void)fprintf(out, "\n%s:\n", entry->text);
		else if (entry->text)
			(void)fprintf(out, "  %-10s %s\n", entry->name,
				*entry->text ? entry->text
					     : operator_verb_text(entry->name));
	}
	(void)fputs("\nsluice VERB --help says more, sluice --version which "
		    "one this is.\nExit status: 0 done, 1 failed, 2 usage, "
		    "3 still running, 4 waits for a person.\n",
		out);
}

/* Runs it as "sluice VERB": so argp names it in its texts. */
static int run(const struct entry *entry, int argc, char **argv)
{
	char *name = xasprintf("sluice %s", entry->name);
	int status;

	argv[0] = name;
	if (strcmp(entry->name, "recommend") == 0 &&
		recommend_wants_csv(argc, argv))
		status = recommend_csv_main(argc, argv);
	else
		status = entry->run(argc, argv);
	free(name);
	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	argp_err_exit_status = EXIT_USAGE;
	if (!name) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0) {
		(void)puts("sluice " SLUICE_VERSION);
		return EXIT_DONE;
	}
	for (unsigned i = 0; i < COUNT; i++)
		if (commands[i].name && strcmp(commands[i].name, name) == 0)
			return run(&commands[i], argc - 1, argv + 1);
	(void)fprintf(stderr, "sluice: there is no verb '%s'\n\n", name);
	print_help(stderr);
	return EXIT_USAGE;
}
