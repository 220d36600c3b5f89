/*
 * command.c - the verb `sluice report`: options in, exit status out.
 *
 * Without an option both forms for people are written into the state
 * directory, where the archive is, and their names printed.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "report.h"

enum {
	KEY_HTML = 256,
	KEY_TEXT,
	KEY_CSV,
	KEY_JSON
};

static const struct argp_option options[] = {
	{"state", 's', "DIR", 0,
		"State directory of the rollout ($SLUICE_STATE, else "
		"./sluice-state)",
		0},
	{"html", KEY_HTML, "FILE", 0,
		"write one self-contained HTML page; - is standard output", 0},
	{"text", KEY_TEXT, NULL, 0, "print the report as plain text", 0},
	{"csv", KEY_CSV, "DIR", 0,
		"write clients.csv, buckets.csv, fit.json and report.json", 0},
	{"json", KEY_JSON, NULL, 0, "print the report as one JSON object", 0},
	{0},
};

static int take_wave(
	struct report_request *request, char *word, struct argp_state *state)
{
	char *end;
	unsigned long wave;

	errno = 0;
	wave = strtoul(word, &end, 10);
	if (errno || *end || end == word || !wave || wave > 1000000)
		argp_error(state, "%s: expected the number of a wave, from 1",
			word);
	request->wave = (unsigned)wave;
	return 0;
}

static int parse(int key, char *word, struct argp_state *state)
{
	struct report_request *request = state->input;

	switch (key) {
	case 's':
		request->dir = word;
		return 0;
	case KEY_HTML:
		request->html = word;
		return 0;
	case KEY_TEXT:
		request->text = true;
		return 0;
	case KEY_CSV:
		request->csv = word;
		return 0;
	case KEY_JSON:
		request->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (request->wave)
			argp_error(state, "%s: one wave at a time", word);
		return take_wave(request, word, state);
	case ARGP_KEY_END:
		if (request->text && request->json)
			argp_error(state, "--text or --json, not both");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "[WAVE]",
	"What was measured, what was decided and why: of the whole rollout, or "
	"of one wave.\vWithout an option report.html and report.txt are "
	"written into the state directory.",
	NULL, NULL, NULL};

static int write_both(struct report_request *request, struct err *err)
{
	char *html = xasprintf("%s/report.html", request->dir);
	char *text = xasprintf("%s/report.txt", request->dir);
	FILE *file = fopen(text, "w");
	int result = -1;

	request->html = html;
	request->text = true;
	request->out = file;
	if (!file) {
		err_set_errno(err, "%s", text);
		goto done;
	}
	result = report_write(request, err);
	if (fclose(file) == EOF && result == 0)
		result = err_set_errno(err, "%s", text);
	if (result == 0)
		printf("%s\n%s\n", html, text);
done:
	free(html);
	free(text);
	return result;
}

int report_command(const char *dir, int argc, char **argv)
{
	struct report_request request = {.dir = dir, .out = stdout};
	struct err err = ERR_INIT;
	int result;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &request);
	if (request.html || request.text || request.csv || request.json)
		result = report_write(&request, &err);
	else
		result = write_both(&request, &err);
	if (result == 0)
		return 0;
	fprintf(stderr, "sluice: %s\n", err.text);
	return err_exit_status(&err);
}
