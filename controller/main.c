/*
 * main.c - sluice: the controller and its command line, one table of verbs.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "fill.h"
#include "reply.h"
#include "verb_model.h"

static const struct entry {
	const char *name;
	command_fn *run;
	const char *text; /* NULL: not for people */
} commands[] = {
	{"init", command_init, "read a scenario and make the state directory"},
	{"serve", command_serve, "run the controller"},
	{"check", command_check,
		"step 0: versions, reachability, agents, room on disk"},
	{"report", command_report, "write the report of a wave or of all"},
	{"fill", fill_main, "make the mailboxes of a scenario on a server"},
	{"simulate", simulate_main, "say how long a rollout would take"},
	{"replay", replay_main,
		"compute every stored recommendation again and compare"},
	{"scenario-reference", command_reference, NULL},
	{"metrics-reference", command_reference, NULL},
};

#define COUNT (sizeof(commands) / sizeof(*commands))

static void print_help(FILE *out)
{
	(void)fputs("Usage: sluice VERB [OPTION…]\n"
		    "Rolls an offline mail client out to an organisation, as "
		    "many at once as the server bears.\n\n",
		out);
	for (unsigned i = 0; i < COUNT; i++)
		if (commands[i].text)
			(void)fprintf(out, "  %-10s %s\n", commands[i].name,
				commands[i].text);
	for (unsigned i = 0; operator_verb_name(i); i++)
		(void)fprintf(out, "  %-10s %s\n", operator_verb_name(i),
			operator_verb_text(i));
	(void)fputs("\nsluice VERB --help says more. Exit status: 0 done, 1 "
		    "failed, 2 usage, 3 still running, 4 waits for a "
		    "person.\n",
		out);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	argp_err_exit_status = EXIT_USAGE;
	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
		print_help(argc > 1 ? stdout : stderr);
		return argc > 1 ? EXIT_DONE : EXIT_USAGE;
	}
	if (strcmp(name, "--version") == 0) {
		(void)puts("sluice " SLUICE_VERSION);
		return EXIT_DONE;
	}
	if (recommend_wants_csv(argc - 1, argv + 1))
		return recommend_csv_main(argc - 1, argv + 1);
	for (unsigned i = 0; i < COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	for (unsigned i = 0; operator_verb_name(i); i++)
		if (strcmp(operator_verb_name(i), name) == 0)
			return command_operator(argc - 1, argv + 1);
	(void)fprintf(
		stderr, "sluice: unknown verb %s; see sluice --help\n", name);
	return EXIT_USAGE;
}
