/*
 * verb_check.c - `sluice check`, step 0: is everything in place that the
 * scenario's baseline asks for?
 *
 * Looks at the server itself (greeting, ID, DAV, exporter) and at what the
 * agents said of themselves; tells the daemon what it found.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "archive.h"
#include "clock.h"
#include "command.h"
#include "err.h"
#include "imap_client.h"
#include "reach.h"
#include "reply.h"
#include "scenario.h"
#include "version.h"
#include "wire.h"

#define LOOK_US (20 * US_PER_S)

struct check {
	struct common common;
	struct scenario scenario;
	char server[256]; /* name and version as it says itself */
	unsigned failures;
	json_t *lines;
};

static void line(
	struct check *check, bool good, const char *what, const char *text)
{
	check->failures += !good;
	json_array_append_new(check->lines,
		json_pack("{s:b, s:s, s:s}", "good", good, "what", what, "text",
			text));
	if (!check->common.json)
		(void)printf("%-4s %s: %s\n", good ? "ok" : "FAIL", what, text);
}

/* ---- the server */

/* The next quoted string of an ID answer into OUT; NULL at the end. */
static const char *next_quoted(const char *at, char *out, size_t size)
{
	size_t length = 0;

	while (*at && *at != '"')
		at++;
	if (!*at++)
		return NULL;
	for (; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		if (length + 1 < size)
			out[length++] = *at;
	}
	out[length] = '\0';
	return *at ? at + 1 : NULL;
}

/* * ID ("name" "Cyrus IMAPD" "version" "3.6.1" …) (RFC 2971) */
static void on_untagged(void *context, const char *text, size_t length)
{
	struct check *check = context;
	char *copy, key[64], value[96], name[96] = "", version[96] = "";
	const char *at;

	if (length < 4 || strncasecmp(text, "ID (", 4) != 0)
		return;
	copy = xstrndup(text, length);
	at = copy + 3;
	while ((at = next_quoted(at, key, sizeof(key))) &&
		(at = next_quoted(at, value, sizeof(value)))) {
		if (strcasecmp(key, "name") == 0)
			(void)snprintf(name, sizeof(name), "%s", value);
		else if (strcasecmp(key, "version") == 0)
			(void)snprintf(version, sizeof(version), "%s", value);
	}
	(void)snprintf(
		check->server, sizeof(check->server), "%s %s", name, version);
	free(copy);
}

static int ask_server(struct check *check, struct err *err)
{
	const struct scenario_server *server = &check->scenario.server;
	struct stream_options options = {
		.endpoint = server->imap, .ca_file = server->ca_file};
	struct imap_client *client = NULL;
	struct wire *wire = wire_new();

	if (imap_client_open(&client, &options, wire, err) < 0) {
		wire_free(wire);
		return -1;
	}
	imap_client_set_deadline(client, clock_monotonic_us() + LOOK_US);
	imap_client_on_untagged(client, on_untagged, check, 8192);
	/* A server without ID says BAD; then its name stays unknown. */
	(void)imap_client_run(client, "ID NIL", NULL);
	imap_client_close(client);
	wire_free(wire);
	return 0;
}

/* The version is the first word that begins with a digit. */
static const char *version_in(const char *text)
{
	for (const char *p = text; *p; p++)
		if (isdigit((unsigned char)*p) && (p == text || p[-1] == ' '))
			return p;
	return "";
}

static void check_server(struct check *check)
{
	const struct scenario_baseline *baseline = &check->scenario.baseline;
	struct err err = ERR_INIT;
	char text[512];

	if (ask_server(check, &err) < 0) {
		line(check, false, "IMAP server", err.text);
		return;
	}
	if (!baseline->server_name && !baseline->server_min) {
		line(check, true, "IMAP server",
			check->server[0] ? check->server : "answers");
		return;
	}
	(void)snprintf(text, sizeof(text), "%s; the baseline is %s%s%s",
		check->server[0] ? check->server : "does not say what it is",
		baseline->server_name ? baseline->server_name : "any",
		baseline->server_min ? " from " : "",
		baseline->server_min ? baseline->server_min : "");
	line(check,
		(!baseline->server_name ||
			strcasestr(check->server, baseline->server_name)) &&
			version_at_least(version_in(check->server),
				baseline->server_min),
		"IMAP server", text);
}

static void check_url(struct check *check, const char *what, const char *url,
	bool (*reach)(const char *url, const char *ca_file, char **text))
{
	char *text;
	bool good;

	if (!url)
		return;
	good = reach(url, check->scenario.server.ca_file, &text);
	line(check, good, what, text);
	free(text);
}

/* ---- the agents */

static void check_agents(struct check *check, const json_t *status)
{
	const json_t *client, *clients = json_object_get(status, "clients");
	unsigned total = 0, good = 0, wanted;
	char text[160];
	size_t i;

	json_array_foreach(clients, i, client)
	{
		const char *state = arg_text(client, "state");

		if (strcmp(state, "excluded") == 0)
			continue;
		total++;
		if (strcmp(state, "unknown") != 0 &&
			strcmp(state, "outdated") != 0 &&
			strcmp(state, "unreachable") != 0)
			good++;
		else if (!check->common.json)
			(void)printf("     %s: %s%s%s\n",
				arg_text(client, "name"),
				strcmp(state, "unknown") == 0
					? "no agent has enrolled"
					: state,
				*arg_text(client, "reason") ? ": " : "",
				arg_text(client, "reason"));
	}
	wanted = (unsigned)ceil(check->scenario.baseline.usable * total - 1e-9);
	(void)snprintf(text, sizeof(text),
		"%u of %u are ready (agent from %s, room on disk), at least "
		"%u must be",
		good, total, check->scenario.baseline.agent_min, wanted);
	line(check, good >= wanted && good > 0, "agents", text);
}

/* ---- all */

static int load_scenario(struct check *check, struct err *err)
{
	struct archive *archive = NULL;
	char *text = NULL, *folder = NULL;
	int result = -1;

	if (archive_open(&archive, check->common.dir, ARCHIVE_READ, err) < 0)
		return -1;
	if (archive_scenario(archive, &text, err) == 0 &&
		archive_get(archive, "scenario_folder", &folder, err) == 0)
		result = scenario_parse(&check->scenario, text, strlen(text),
			"scenario in the archive", folder, err);
	free(text);
	free(folder);
	archive_close(&archive);
	return result;
}

static int tell_daemon(struct check *check, struct err *err)
{
	char text[64];
	json_t *args;
	struct said said;
	int result;

	(void)snprintf(text, sizeof(text), "%s: %u of %zu failed",
		check->failures ? "FAIL" : "PASS", check->failures,
		json_array_size(check->lines));
	args = json_pack("{s:s, s:s}", "text", text, "server",
		check->server[0] ? check->server : "unknown");
	result = ask(&check->common, "checked", args, &said, err);
	json_decref(args);
	if (result == 0)
		said_free(&said);
	return result;
}

static int run(struct check *check, struct err *err)
{
	json_t *args = json_object();
	struct said said;
	char *text;
	int result = ask(&check->common, "status", args, &said, err);

	json_decref(args);
	if (result < 0 || load_scenario(check, err) < 0) {
		if (result == 0)
			said_free(&said);
		return -1;
	}
	check_server(check);
	check_url(
		check, "DAV server", check->scenario.server.dav_url, reach_dav);
	check_url(check, "exporter", check->scenario.server.exporter,
		reach_exporter);
	check_agents(check, said.data);
	said_free(&said);
	scenario_free(&check->scenario);
	if (check->common.json) {
		text = json_dumps(check->lines, JSON_INDENT(2));
		(void)puts(text ? text : "[]");
		free(text);
	}
	return tell_daemon(check, err);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check *check = state->input;

	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = &check->common;
	return 0;
}

int command_check(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&common_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {NULL, parse, "",
		"Step 0: the server's version and reachability, the agents' "
		"versions and their room on disk, against the scenario's "
		"baseline.",
		children, NULL, NULL};
	struct check check = {.lines = json_array()};
	struct err err = ERR_INIT;
	int exit = EXIT_USAGE;

	common_init(&check.common);
	if (argp_parse(&argp, argc, argv, 0, NULL, &check) == 0) {
		if (run(&check, &err) < 0)
			exit = command_failed(&err);
		else
			exit = check.failures ? EXIT_FAILED : EXIT_DONE;
	}
	json_decref(check.lines);
	return exit;
}
