/*
 * verb_wait.c - looking until something has ended: --wait and --watch.
 *
 * Asks the daemon twice a second; one that is being restarted is waited for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "command.h"
#include "err.h"
#include "reply.h"

#define LOOK_US	 (US_PER_S / 2)
#define WATCH_US US_PER_S
#define AWAY_US	 (60 * US_PER_S)

/* Ask for the status, with patience for a restart. */
static int look(const struct common *common, bool brief, struct said *said,
	struct err *err)
{
	json_t *args = json_pack("{s:b}", "brief", brief);
	int64_t begin_us = clock_monotonic_us();
	int result;

	while ((result = ask(common, "status", args, said, err)) < 0 &&
		err->kind == ERR_NETWORK &&
		clock_monotonic_us() - begin_us < AWAY_US) {
		*err = ERR_INIT;
		clock_sleep_us(LOOK_US);
	}
	json_decref(args);
	return result;
}

/* One line when anything in it has changed. */
static void print_line(
	const struct common *common, const char *line, char **last)
{
	if (common->json || (*last && strcmp(*last, line) == 0))
		return;
	(void)puts(line);
	(void)fflush(stdout);
	free(*last);
	*last = xstrdup(line);
}

static char *wave_line(const json_t *wave)
{
	return xasprintf("wave %d: %s, %d done, %d running, %d waiting, %d "
			 "failed%s%s",
		(int)arg_count(wave, "number"), arg_text(wave, "state"),
		(int)arg_count(wave, "done"), (int)arg_count(wave, "active"),
		(int)arg_count(wave, "queued"), (int)arg_count(wave, "failed"),
		*arg_text(wave, "reason") ? ": " : "",
		arg_text(wave, "reason"));
}

/* -1: goes on. */
static int wave_end(const json_t *wave, const char *rollout)
{
	const char *state = arg_text(wave, "state");
	const char *verdict = arg_text(wave, "verdict");

	if (strcmp(state, "closed") == 0)
		return strcmp(verdict, "PASS") == 0 ||
				*arg_text(wave, "skipped")
			? EXIT_DONE
			: EXIT_FAILED;
	if (strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0)
		return EXIT_FAILED;
	if (strcmp(state, "inconclusive") == 0)
		return EXIT_WAITS;
	if (strcmp(rollout, "paused") == 0 && arg_count(wave, "active") == 0)
		return EXIT_WAITS;
	return arg_flag(wave, "stuck") ? EXIT_WAITS : -1;
}

static void print_gates(const struct common *common, const json_t *wave)
{
	const json_t *gate;
	size_t i;

	if (common->json)
		return;
	json_array_foreach(json_object_get(wave, "gates"), i, gate)(void)
		printf("  %-12s %s: %s, expected %s\n",
			arg_text(gate, "verdict"), arg_text(gate, "rule"),
			arg_text(gate, "measured"), arg_text(gate, "limit"));
}

static int wave_step(const struct common *common, const json_t *data,
	unsigned number, char **last)
{
	const json_t *rollout = json_object_get(data, "rollout");
	const json_t *wave = json_array_get(
		json_object_get(data, "waves"), number - 1);
	char *line;
	int end;

	if (!wave)
		return EXIT_FAILED;
	line = wave_line(wave);
	print_line(common, line, last);
	free(line);
	end = wave_end(wave, arg_text(rollout, "state"));
	if (end >= 0)
		print_gates(common, wave);
	if (end == EXIT_WAITS)
		(void)fprintf(stderr,
			"sluice: waits for a person: %s; see sluice status\n",
			arg_flag(wave, "stuck") ? arg_text(wave, "reason")
						: arg_text(rollout, "reason"));
	return end;
}

static int rollout_step(
	const struct common *common, const struct said *said, char **last)
{
	const json_t *wave = json_object_get(said->data, "wave");
	char *line = json_is_object(wave)
		? wave_line(wave)
		: xasprintf("rollout: %s",
			  arg_text(json_object_get(said->data, "rollout"),
				  "state"));

	print_line(common, line, last);
	free(line);
	return said->exit == EXIT_RUNNING ? -1 : said->exit;
}

int command_wait(const struct common *common, unsigned number)
{
	struct err err = ERR_INIT;
	char *last = NULL;
	int end = -1;

	while (end < 0) {
		struct said said;

		if (look(common, true, &said, &err) < 0) {
			free(last);
			return command_failed(&err);
		}
		end = number ? wave_step(common, said.data, number, &last)
			     : rollout_step(common, &said, &last);
		if (end >= 0 && common->json)
			said_print(common, &said);
		said_free(&said);
		if (end < 0)
			clock_sleep_us(LOOK_US);
	}
	free(last);
	return end;
}

int command_watch(const struct common *common)
{
	struct err err = ERR_INIT;
	bool terminal = isatty(STDOUT_FILENO);

	for (;;) {
		struct said said;
		int exit;

		if (look(common, false, &said, &err) < 0)
			return command_failed(&err);
		if (terminal && !common->json)
			(void)fputs("\033[H\033[2J", stdout);
		said_print(common, &said);
		(void)fflush(stdout);
		exit = said.exit;
		said_free(&said);
		if (exit == EXIT_DONE || exit == EXIT_FAILED)
			return exit;
		clock_sleep_us(WATCH_US);
	}
}
