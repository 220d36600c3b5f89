/*
 * common.c - the options that every verb has, and how a verb fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "reply.h"

enum {
	KEY_STATE = 's',
	KEY_CONTROLLER = 0x100,
	KEY_TOKEN_FILE,
	KEY_CA_FILE,
	KEY_JSON,
};

static const struct argp_option options[] = {
	{"state", KEY_STATE, "DIR", 0,
		"State directory of the rollout ($SLUICE_STATE, else "
		"./sluice-state)",
		90},
	{"controller", KEY_CONTROLLER, "URL", 0,
		"Ask a controller on another machine over HTTPS", 90},
	{"token-file", KEY_TOKEN_FILE, "FILE", 0,
		"Operator token for --controller", 90},
	{"ca-file", KEY_CA_FILE, "FILE", 0,
		"Authority of that controller (its ca.pem)", 90},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 90},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct common *common = state->input;

	switch (key) {
	case KEY_STATE:
		common->dir = arg;
		return 0;
	case KEY_CONTROLLER:
		common->url = arg;
		return 0;
	case KEY_TOKEN_FILE:
		common->token_file = arg;
		return 0;
	case KEY_CA_FILE:
		common->ca_file = arg;
		return 0;
	case KEY_JSON:
		common->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp common_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

void common_init(struct common *common)
{
	const char *dir = getenv("SLUICE_STATE");

	*common = (struct common){.dir = dir && *dir ? dir : "sluice-state"};
}

const char *command_verb(const char *name)
{
	const char *space = strrchr(name, ' ');

	return space ? space + 1 : name;
}

int command_failed(const struct err *err)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "sluice: %s\n", err->text);
	return err_exit_status(err);
}
