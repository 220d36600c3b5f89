/*
 * verb_init.c - `sluice init SCENARIO.yaml`: from a file to a state directory
 * with archive and authority; and the references printed from tables.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "archive.h"
#include "clock.h"
#include "command.h"
#include "err.h"
#include "metrics.h"
#include "reply.h"
#include "scenario.h"
#include "secret.h"

struct init {
	struct common common;
	const char *file;
	bool dry;
};

static const struct argp_option options[] = {
	{"dry-run", 'n', NULL, 0, "Only read and check the scenario", 1},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct init *init = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &init->common;
		return 0;
	case 'n':
		init->dry = true;
		return 0;
	case ARGP_KEY_ARG:
		if (init->file)
			return ARGP_ERR_UNKNOWN;
		init->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name a scenario file");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The folder that the scenario's paths are relative to, for free(). */
static char *folder_of(const char *file)
{
	char path[PATH_MAX];
	char *slash;

	if (!realpath(file, path))
		return xstrdup(".");
	slash = strrchr(path, '/');
	if (slash == path)
		slash++;
	*slash = '\0';
	return xstrdup(path);
}

static struct client_row *client_rows(const struct scenario *scenario)
{
	struct client_row *rows = xcalloc(
		scenario->client_count, sizeof(*rows));

	for (size_t i = 0; i < scenario->client_count; i++) {
		const struct scenario_client *client = &scenario->client[i];

		rows[i].id = (unsigned)i + 1;
		rows[i].link_bytes_s = client->link_bytes_s;
		rows[i].rate_bytes_s = client->link_bytes_s;
		rows[i].expected_bytes = client->expected_bytes;
		(void)snprintf(
			rows[i].name, sizeof(rows[i].name), "%s", client->name);
		(void)snprintf(rows[i].mailbox, sizeof(rows[i].mailbox), "%s",
			client->mailbox ? client->mailbox : "");
	}
	return rows;
}

static int keep_folder(const char *dir, const char *folder, struct err *err)
{
	struct archive *archive = NULL;
	int result;

	if (archive_open(&archive, dir, ARCHIVE_OWN, err) < 0)
		return -1;
	result = archive_set(archive, "scenario_folder", folder, err);
	archive_close(&archive);
	return result;
}

static int create(const struct init *init, const struct scenario *scenario,
	const char *text, struct err *err)
{
	struct rollout_row row = {
		.state = ROLLOUT_PLANNED,
		.created_us = clock_wall_us(),
		.automatic = false,
	};
	struct client_row *clients = client_rows(scenario);
	char *folder = folder_of(init->file);
	const char *dir = init->common.dir;
	int result;

	(void)snprintf(row.name, sizeof(row.name), "%s", scenario->rollout);
	result = archive_create(
		dir, &row, text, clients, scenario->client_count, err);
	if (result == 0)
		result = keep_folder(dir, folder, err);
	if (result == 0)
		result = secret_make_authority(dir, err);
	free(folder);
	free(clients);
	return result;
}

int command_init(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&common_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {options, parse, "SCENARIO.yaml",
		"Reads a scenario, checks it, and makes the state directory "
		"that holds the rollout.",
		children, NULL, NULL};
	struct init init = {.file = NULL};
	struct scenario scenario;
	struct err err = ERR_INIT;
	char *text = NULL;
	int result;

	common_init(&init.common);
	if (argp_parse(&argp, argc, argv, 0, NULL, &init) != 0)
		return EXIT_USAGE;
	if (scenario_load(&scenario, init.file, &err) < 0)
		return command_failed(&err);
	result = secret_read_file(init.file, &text, &err);
	if (result == 0 && !init.dry)
		result = create(&init, &scenario, text, &err);
	if (result == 0)
		(void)printf("rollout %s: %zu client%s%s%s\n"
			     "next: sluice serve --state %s\n",
			scenario.rollout, scenario.client_count,
			scenario.client_count == 1 ? "" : "s",
			init.dry ? " (dry run)" : ", state in ",
			init.dry ? "" : init.common.dir, init.common.dir);
	free(text);
	scenario_free(&scenario);
	return result < 0 ? command_failed(&err) : EXIT_DONE;
}

int command_reference(int argc, char **argv)
{
	struct buf out = BUF_INIT(0);

	(void)argc;
	if (strcmp(command_verb(argv[0]), "metrics-reference") == 0)
		metrics_document(&out);
	else
		scenario_document(&out);
	(void)fputs(buf_text(&out), stdout);
	buf_free(&out);
	return EXIT_DONE;
}
