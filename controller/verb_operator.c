/*
 * verb_operator.c - every verb that is a question to the daemon: one table of
 * verbs with their options, one parser that makes the question's JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "reply.h"

#define OPTIONS_MAX 7
#define KEY_FIRST   0x300
#define KEY_WAIT    0x400
#define KEY_WATCH   0x401

enum kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_COUNT, /* a number from 1 */
};

struct verb_option {
	const char *name; /* NULL ends the list */
	const char *key;
	enum kind kind;
	const char *arg, *text;
};

static const struct verb {
	const char *name, *text;
	const char *usage;	/* of what is no option */
	const char *positional; /* its key; NULL: none */
	enum kind kind;
	bool needed;
	bool waits, watches;
	struct verb_option options[OPTIONS_MAX];
} verbs[] = {
	{"token", "make a token with which agents enrol", "", NULL, 0, false,
		false, false,
		{{"uses", "uses", KIND_COUNT, "N", "How often (any number)"},
			{"expires", "expires", KIND_TEXT, "DURATION",
				"For how long (1d; 0: for ever)"},
			{"operator", "operator", KIND_FLAG, NULL,
				"One for remote operators and /metrics"}}},
	{"plan", "who will be synchronised, in which steps; changes nothing",
		"", NULL, 0, false, false, false, {{NULL}}},
	{"pilot", "steps 1 and 2: a wave of N before any model exists", "N",
		"size", KIND_COUNT, true, true, false,
		{{"dry-run", "dry_run", KIND_FLAG, NULL, "Change nothing"}}},
	{"recommend", "step 3: how many at once, and why", "\n--from-csv FILE",
		NULL, 0, false, false, false, {{NULL}}},
	{"wave", "step 4: the next clients, as many at once as recommended", "",
		NULL, 0, false, true, false,
		{{"size", "size", KIND_TEXT, "N|auto", "Batch size (auto)"},
			{"clients", "clients", KIND_COUNT, "M",
				"Clients of the wave (steps.wave x size)"},
			{"barrier", "barrier", KIND_FLAG, NULL,
				"All start together; the next wave waits for "
				"the last. Slower"},
			{"retry", "retry", KIND_FLAG, NULL,
				"Call it a wave of retries"},
			{"dry-run", "dry_run", KIND_FLAG, NULL,
				"Change nothing"}}},
	{"run", "go on by itself: pilots, recommendations, waves", "", NULL, 0,
		false, true, false,
		{{"auto", "auto", KIND_FLAG, NULL,
			"Without a person, as long as gates pass"}}},
	{"status", "where everything stands", "", NULL, 0, false, false, true,
		{{"brief", "brief", KIND_FLAG, NULL,
			"With --json: without the clients"}}},
	{"show", "one wave with its gate, or one client", "wave N|client NAME",
		"", KIND_TEXT, true, false, false, {{NULL}}},
	{"pause", "start nothing new; running syncs go on", "", NULL, 0, false,
		false, false,
		{{"reason", "reason", KIND_TEXT, "TEXT", "Is recorded"}}},
	{"resume", "go on after a pause", "", NULL, 0, false, false, false,
		{{"force", "force", KIND_FLAG, NULL, "Even after an abort"}}},
	{"promote", "open the gate", "", NULL, 0, false, false, false,
		{{"skip-gate", "skip_gate", KIND_TEXT, "REASON",
			"Although it did not pass; the reason is recorded"}}},
	{"abort", "end the rollout; running syncs finish", "", NULL, 0, false,
		false, false,
		{{"kill", "kill", KIND_FLAG, NULL,
			"Cancel running syncs; their data is kept"}}},
	{"retry", "give clients that failed all their tries again", "[CLIENT]",
		"client", KIND_TEXT, false, false, false,
		{{"failed", "failed", KIND_FLAG, NULL,
			"All that failed (the default)"}}},
	{"exclude", "leave a client out", "CLIENT", "client", KIND_TEXT, true,
		false, false,
		{{"reason", "reason", KIND_TEXT, "TEXT", "Is recorded"}}},
	{"include", "take an excluded client in again", "CLIENT", "client",
		KIND_TEXT, true, false, false, {{NULL}}},
	{"set", "change slo, rate, stagger, window or batch_max", "KEY=VALUE",
		"key", KIND_TEXT, true, false, false, {{NULL}}},
	{"log", "every transition and event, or those of one object",
		"[OBJECT]", "object", KIND_TEXT, false, false, false, {{NULL}}},
};

#define COUNT (sizeof(verbs) / sizeof(*verbs))

static const struct verb *find_verb(const char *name)
{
	for (unsigned i = 0; i < COUNT; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

const char *operator_verb_text(const char *name)
{
	const struct verb *verb = find_verb(name);

	return verb ? verb->text : "";
}

struct call {
	struct common common;
	const struct verb *verb;
	json_t *args;
	unsigned positionals;
	bool wait, watch;
};

static int put_value(
	struct call *call, const char *key, enum kind kind, const char *text)
{
	char *end;
	long number;

	if (kind == KIND_FLAG)
		return json_object_set_new(call->args, key, json_true());
	if (kind == KIND_TEXT)
		return json_object_set_new(call->args, key, json_string(text));
	number = strtol(text, &end, 10);
	if (end == text || *end || number < 1 || number > 1000000)
		return -1;
	return json_object_set_new(call->args, key, json_integer(number));
}

/* "show wave 3", "show client u007", "set slo=300ms". */
static int put_pair(struct call *call, const char *text)
{
	const char *equals = strchr(text, '=');

	if (strcmp(call->verb->name, "set") == 0) {
		if (!equals)
			return -1;
		json_object_set_new(call->args, "key",
			json_stringn(text, (size_t)(equals - text)));
		return json_object_set_new(
			call->args, "value", json_string(equals + 1));
	}
	if (call->positionals == 0) {
		call->positionals++;
		return json_object_set_new(
			call->args, "what", json_string(text));
	}
	if (strcmp(arg_text(call->args, "what"), "wave") == 0)
		return put_value(call, "wave", KIND_COUNT, text);
	if (strcmp(arg_text(call->args, "what"), "client") == 0)
		return put_value(call, "client", KIND_TEXT, text);
	return -1;
}

static int put_positional(struct call *call, const char *text)
{
	const struct verb *verb = call->verb;

	if (!verb->positional)
		return -1;
	if (strcmp(verb->name, "set") == 0 || strcmp(verb->name, "show") == 0)
		return put_pair(call, text);
	if (call->positionals++)
		return -1;
	return put_value(call, verb->positional, verb->kind, text);
}

static bool is_complete(const struct call *call)
{
	if (strcmp(call->verb->name, "show") == 0)
		return json_object_get(call->args, "wave") ||
			json_object_get(call->args, "client");
	return !call->verb->needed || json_object_size(call->args) > 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct call *call = state->input;
	const struct verb_option *option;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &call->common;
		return 0;
	case KEY_WAIT:
		call->wait = true;
		return 0;
	case KEY_WATCH:
		call->watch = true;
		return 0;
	case ARGP_KEY_ARG:
		if (put_positional(call, arg) < 0)
			argp_error(state, "unexpected '%s'; expected %s", arg,
				*call->verb->usage ? call->verb->usage
						   : "options only");
		return 0;
	case ARGP_KEY_END:
		if (!is_complete(call))
			argp_error(state, "expected %s", call->verb->usage);
		return 0;
	default:
		if (key < KEY_FIRST || key >= KEY_FIRST + OPTIONS_MAX)
			return ARGP_ERR_UNKNOWN;
		option = &call->verb->options[key - KEY_FIRST];
		if (put_value(call, option->key, option->kind, arg) < 0)
			argp_error(state,
				"--%s: expected a number from 1, found '%s'",
				option->name, arg);
		return 0;
	}
}

/* The verb's options in argp's form; OUT has room for all of them. */
static void make_options(const struct verb *verb, struct argp_option *out)
{
	for (int i = 0; i < OPTIONS_MAX && verb->options[i].name; i++)
		*out++ = (struct argp_option){verb->options[i].name,
			KEY_FIRST + i, verb->options[i].arg, 0,
			verb->options[i].text, 1};
	if (verb->waits)
		*out++ = (struct argp_option){
			"wait", KEY_WAIT, NULL, 0, "Wait for its end", 2};
	if (verb->watches)
		*out++ = (struct argp_option){"watch", KEY_WATCH, NULL, 0,
			"Look again every second until the rollout has ended",
			2};
	*out = (struct argp_option){0};
}

static int run_call(struct call *call)
{
	struct said said;
	struct err err = ERR_INIT;
	unsigned wave;
	int exit;

	if (call->watch)
		return command_watch(&call->common);
	if (ask(&call->common, call->verb->name, call->args, &said, &err) < 0)
		return command_failed(&err);
	wave = arg_count(said.data, "wave");
	exit = said.exit;
	if (!call->wait || !call->common.json)
		said_print(&call->common, &said);
	said_free(&said);
	(void)fflush(stdout);
	if (call->wait && exit == EXIT_RUNNING)
		return command_wait(&call->common, wave);
	return exit;
}

int command_operator(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&common_argp, 0, NULL, 0}, {0}};
	struct argp_option options[OPTIONS_MAX + 3];
	struct call call = {.args = json_object()};
	struct argp argp = {options, parse, NULL, NULL, children, NULL, NULL};
	int exit = EXIT_USAGE;

	call.verb = find_verb(command_verb(argv[0]));
	if (!call.verb) {
		json_decref(call.args);
		return EXIT_USAGE;
	}
	make_options(call.verb, options);
	argp.args_doc = call.verb->usage;
	argp.doc = call.verb->text;
	common_init(&call.common);
	if (argp_parse(&argp, argc, argv, 0, NULL, &call) == 0)
		exit = run_call(&call);
	json_decref(call.args);
	return exit;
}
