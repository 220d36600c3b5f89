/*
 * verb_serve.c - `sluice serve`: options of the daemon; and `sluice report`,
 * which needs the state directory alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "command.h"
#include "err.h"
#include "log.h"
#include "reply.h"
#include "report.h"
#include "serve.h"

#define DEFAULT_LISTEN "0.0.0.0:7443"

struct serve {
	struct common common;
	const char *listen;
	struct serve_options options;
};

enum {
	KEY_CERT = 0x200,
	KEY_KEY,
	KEY_NAME,
};

static const struct argp_option options[] = {
	{"listen", 'l', "ADDR:PORT", 0,
		"For agents and remote operators (" DEFAULT_LISTEN
		"; port 0: any free one, written to DIR/url)",
		1},
	{"cert", KEY_CERT, "FILE", 0,
		"Certificate chain, PEM; without it one is made by the "
		"authority in DIR/ca.pem",
		1},
	{"key", KEY_KEY, "FILE", 0, "Private key of --cert, PEM", 1},
	{"name", KEY_NAME, "HOST", 0,
		"Name or address that agents use, for the certificate", 1},
	{"verbose", 'v', NULL, 0, "Log more", 1},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct serve *serve = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &serve->common;
		return 0;
	case 'l':
		serve->listen = arg;
		return 0;
	case 'v':
		log_set_level(LOG_LEVEL_DEBUG);
		return 0;
	case KEY_CERT:
		serve->options.cert_file = arg;
		return 0;
	case KEY_KEY:
		serve->options.key_file = arg;
		return 0;
	case KEY_NAME:
		serve->options.name = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* "[::1]:7443" and "127.0.0.1:7443"; HOST for free(). */
static int split_listen(
	const char *listen, char **host, uint16_t *port, struct err *err)
{
	const char *colon = strrchr(listen, ':');
	char *end = NULL;
	unsigned long number = colon ? strtoul(colon + 1, &end, 10) : 0;

	if (!colon || colon == listen || end == colon + 1 || *end ||
		number > 65535)
		return err_set(err, ERR_USAGE,
			"--listen: expected ADDR:PORT, found '%.80s'", listen);
	*host = listen[0] == '[' && colon[-1] == ']'
		? xstrndup(listen + 1, (size_t)(colon - listen) - 2)
		: xstrndup(listen, (size_t)(colon - listen));
	*port = (uint16_t)number;
	return 0;
}

int command_serve(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&common_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {options, parse, "",
		"Runs the controller until SIGTERM or SIGINT. Agents finish "
		"what they do without it and start nothing new.",
		children, NULL, NULL};
	struct serve serve = {.listen = DEFAULT_LISTEN};
	struct err err = ERR_INIT;
	char *host = NULL;
	int result;

	common_init(&serve.common);
	if (argp_parse(&argp, argc, argv, 0, NULL, &serve) != 0)
		return EXIT_USAGE;
	result = split_listen(serve.listen, &host, &serve.options.port, &err);
	if (result == 0) {
		serve.options.dir = serve.common.dir;
		serve.options.host = host;
		if (!serve.options.name)
			serve.options.name = host;
		result = serve_run(&serve.options, &err);
	}
	free(host);
	return result < 0 ? command_failed(&err) : EXIT_DONE;
}

int command_report(int argc, char **argv)
{
	struct common common;

	common_init(&common);
	return report_command(common.dir, argc, argv);
}
