/*
 * verb_simulate.c - `sluice simulate`: what if, and the study.
 *
 * The throughput law comes from the last fit in an archive, from the law's
 * own numbers, or from what is known of a server nobody has measured;
 * verb_outlook.c and verb_study.c do the rest. One thread.
 */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "archive.h"
#include "err.h"
#include "fit.h"
#include "guess.h"
#include "record.h"
#include "units.h"
#include "verb_model.h"
#include "verb_simulate.h"

#define CLIENTS_MAX 1000000
#define X1_LEAST    0.001

struct options {
	const char *state;
	bool clients_given, median_given, law_given, server_given;
	double x1, alpha, beta;
	struct guess guess;
	struct study study;
	bool json;
	struct outlook outlook;
	/* the law in force: one of them */
	struct fit fit;
	struct fit_quad canary;
	struct network_curve *curve;
};

enum key {
	KEY_CLIENTS = 256,
	KEY_BATCH,
	KEY_MEDIAN,
	KEY_SIGMA,
	KEY_WINDOW,
	KEY_START,
	KEY_SLO,
	KEY_X1,
	KEY_ALPHA,
	KEY_BETA,
	KEY_CORES,
	KEY_CORE,
	KEY_NIC,
	KEY_DISK,
	KEY_PARALLEL,
	KEY_THRASH,
	KEY_ONLINE,
	KEY_STUDY,
	KEY_TROUBLE,
	KEY_ALONE,
	KEY_SEED
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "The rollout:", 1},
	{"clients", KEY_CLIENTS, "N", 0,
		"clients to do (those left in the archive, else 500)", 1},
	{"batch", KEY_BATCH, "LIST", 0,
		"batch sizes to compare (5,10,auto); auto is what was recommended, or the knee of the law; within the SLO",
		1},
	{"median", KEY_MEDIAN, "MB", 0,
		"median mailbox (by what is left in the archive, else 300)", 1},
	{"spread", KEY_SIGMA, "S", 0, "log-normal sigma of sizes (0.8)", 1},
	{"window", KEY_WINDOW, "FROM-TO", 0,
		"start syncs only then, as 20:00-06:00", 1},
	{"at", KEY_START, "HH:MM", 0, "time of the first start (20:00)", 1},
	{"slo", KEY_SLO, "MS", 0,
		"largest p95 of people who work online, for auto", 1},
	{NULL, 0, NULL, 0, "The server, measured:", 2},
	{"state", 's', "DIR", 0,
		"take the law from the last recommendation of this archive ($SLUICE_STATE)",
		2},
	{NULL, 0, NULL, 0, "The server, by its law:", 3},
	{"x1", KEY_X1, "MB", 0, "one sync alone moves so many MB/min", 3},
	{"alpha", KEY_ALPHA, "A", 0, "contention (0.02)", 3},
	{"beta", KEY_BETA, "B", 0, "crosstalk (0.002)", 3},
	{NULL, 0, NULL, 0,
		"The server, by its parts, with --x1 (a part not named is never short):",
		4},
	{"nic", KEY_NIC, "MBIT", 0, "network link, Mbit/s", 4},
	{"cores", KEY_CORES, "N", 0, "CPU cores (4), with --core", 4},
	{"core", KEY_CORE, "MB", 0, "one core serves so many MB/min", 4},
	{"disk", KEY_DISK, "MB", 0,
		"the disk reads so many MB/min for one sync alone", 4},
	{"parallel", KEY_PARALLEL, "P", 0,
		"requests it serves at once: 1 a spinning disk, 4-8 an array, 8-32 flash (1)",
		4},
	{"thrash", KEY_THRASH, "T", 0,
		"what each further request in its queue costs (0.02)", 4},
	{"online", KEY_ONLINE, "SHARE", 0,
		"share of CPU and disk taken by people who work online (0.1)",
		4},
	{NULL, 0, NULL, 0, "The study:", 5},
	{"study", KEY_STUDY, "N", 0,
		"the whole decision loop on N random servers, against other ways",
		5},
	{"trouble", KEY_TROUBLE, "KIND", 0,
		"its servers do not keep still: drift, change, sizes or speeds",
		5},
	{"product-only", KEY_ALONE, NULL, 0,
		"leave the other ways out, for a third of the time", 5},
	{"seed", KEY_SEED, "S", 0, "of everything random (1)", 5},
	{"json", 'j', NULL, 0, "as JSON", 6},
	{0},
};

static double number(const char *text, double most, struct argp_state *state)
{
	char *end;
	double value = strtod(text, &end);

	if (*end || end == text || !(value >= 0) || value > most)
		argp_error(state, "\"%s\" is not a number from 0 to %.0f", text,
			most);
	return value;
}

static unsigned whole(const char *text, double most, struct argp_state *state)
{
	double value = number(text, most, state);

	if (value != floor(value))
		argp_error(state, "\"%s\" is not a whole number", text);
	return (unsigned)value;
}

static void window(
	struct forecast_plan *plan, const char *text, struct argp_state *state)
{
	struct err err = ERR_INIT;
	int from, to;

	if (units_parse_window(text, &from, &to, &err) < 0)
		argp_error(state, "--window: %s", err.text);
	plan->window_from_h = from / 60.0;
	plan->window_to_h = to / 60.0;
}

static void start(
	struct forecast_plan *plan, const char *text, struct argp_state *state)
{
	struct err err = ERR_INIT;
	int minute;

	if (units_parse_time(text, &minute, &err) < 0)
		argp_error(state, "--at: %s", err.text);
	plan->start_h = minute / 60.0;
}

static void trouble(
	struct study *study, const char *name, struct argp_state *state)
{
	for (int i = 0; i < TROUBLE_COUNT; i++) {
		if (strcmp(name, server_trouble_names[i]) == 0) {
			study->trouble = (enum server_trouble)i;
			return;
		}
	}
	argp_error(state,
		"\"%s\" is no trouble; there are drift, change, sizes and "
		"speeds",
		name);
}

/* What the rollout is, and how it is printed. */
static bool parse_rollout(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct forecast_plan *plan = &o->outlook.plan;

	switch (key) {
	case KEY_CLIENTS:
		plan->clients = whole(arg, CLIENTS_MAX, state);
		o->clients_given = true;
		if (plan->clients == 0)
			argp_error(state, "there must be a client");
		return true;
	case KEY_BATCH:
		o->outlook.batches = arg;
		return true;
	case KEY_MEDIAN:
		plan->median_mb = number(arg, 1e9, state);
		o->median_given = true;
		return true;
	case KEY_SIGMA:
		plan->sigma_mb = number(arg, 4, state);
		return true;
	case KEY_WINDOW:
		window(plan, arg, state);
		return true;
	case KEY_START:
		start(plan, arg, state);
		return true;
	case KEY_SLO:
		o->outlook.slo_ms = number(arg, 1e9, state);
		return true;
	case KEY_STUDY:
		o->study.servers = whole(arg, 100000, state);
		return true;
	case KEY_TROUBLE:
		trouble(&o->study, arg, state);
		return true;
	case KEY_ALONE:
		o->study.product_only = true;
		return true;
	case KEY_SEED:
		plan->seed = (uint64_t)number(arg, 9e15, state);
		return true;
	case 'j':
		o->json = true;
		return true;
	default:
		return false;
	}
}

/* A part of a server, the first of which makes it one by its parts. */
static bool parse_part(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct guess *guess = &o->guess;
	const struct {
		int key;
		double *value;
		double most;
	} parts[] = {
		{KEY_NIC, &guess->nic_mbit, 1e9},
		{KEY_CORES, &guess->cores, 4096},
		{KEY_CORE, &guess->core_mb_min, 1e9},
		{KEY_DISK, &guess->disk_mb_min, 1e9},
		{KEY_PARALLEL, &guess->disk_parallel, 1024},
		{KEY_THRASH, &guess->disk_thrash, 10},
		{KEY_ONLINE, &guess->online, 0.9},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i].key != key)
			continue;
		*parts[i].value = number(arg, parts[i].most, state);
		o->server_given = true;
		return true;
	}
	return false;
}

static void check_law(struct options *o, struct argp_state *state)
{
	bool given = o->x1 > 0 || o->law_given || o->server_given;

	if (!o->state && !given)
		o->state = getenv("SLUICE_STATE");
	if (o->x1 > 0 && o->x1 < X1_LEAST)
		argp_error(state, "--x1: less than %g MB/min is no sync",
			X1_LEAST);
	if (!o->state && !(o->x1 > 0))
		argp_error(state,
			"give a law: --state DIR (the last fit), or --x1 "
			"MB/min with --alpha and --beta, or with --nic, "
			"--core, --disk");
	if ((o->state && given) || (o->law_given && o->server_given))
		argp_error(state,
			"one law only: --state, or --x1 with --alpha and "
			"--beta, or --x1 with the server's parts");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (parse_rollout(key, arg, state) || parse_part(key, arg, state))
		return 0;
	switch (key) {
	case 's':
		o->state = arg;
		return 0;
	case KEY_X1:
		o->x1 = number(arg, 1e9, state);
		return 0;
	case KEY_ALPHA:
		o->alpha = number(arg, 10, state);
		o->law_given = true;
		return 0;
	case KEY_BETA:
		o->beta = number(arg, 10, state);
		o->law_given = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->study.servers)
			check_law(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static double law_x(const void *law, double n)
{
	return fit_x(law, n);
}

static double canary_ms(const void *law, double n)
{
	return fit_quad_y(law, n);
}

static double curve_x(const void *law, double n)
{
	return network_x(law, (unsigned)n);
}

static double curve_ms(const void *law, double n)
{
	return network_p95_ms(law, (unsigned)n);
}

static void three(double value[3], const json_t *array)
{
	for (size_t i = 0; i < 3; i++)
		value[i] = json_number_value(json_array_get(array, i));
}

/* The law of a recommendation; false when it has no fit. */
static bool fit_from_json(struct options *o, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	json_t *fit = json_object_get(json, "fit");
	json_t *canary = json_object_get(json, "canary");
	json_t *sd = json_object_get(json, "sd_ln");

	three(o->fit.c, json_object_get(fit, "c"));
	o->fit.ceiling = json_number_value(json_object_get(fit, "ceiling"));
	three(o->canary.l, json_object_get(canary, "l"));
	o->canary.points = (unsigned)json_integer_value(
		json_object_get(canary, "points"));
	o->outlook.advised = (unsigned)json_integer_value(
		json_object_get(json, "batch_size"));
	if (json_is_number(sd))
		o->outlook.law.sd_ln = json_number_value(sd);
	json_decref(json);
	return o->fit.c[0] > 0;
}

/* Clients and sizes that the options leave open are those still to do. */
static int take_rest(struct options *o, const struct recommendation_row *row,
	struct err *err)
{
	struct recommend_facts facts;
	struct recommend_policy policy;
	struct recommend_data data;
	struct forecast_plan *plan = &o->outlook.plan;

	if (recommend_input_decode(
		    &facts, &policy, &data, row->inputs_json, err) < 0)
		return err_context(err, "recommendation %u", row->id);
	if (!o->clients_given && facts.clients_left)
		plan->clients = facts.clients_left;
	/* The mean of a log-normal is above its median. */
	if (!o->median_given && facts.clients_left && facts.mb_left > 0)
		plan->median_mb = facts.mb_left / facts.clients_left /
			exp(plan->sigma_mb * plan->sigma_mb / 2);
	free((void *)facts.past);
	return 0;
}

static int law_from_archive(struct options *o, struct err *err)
{
	struct archive *archive;
	struct recommendation_row *rows;
	size_t count;
	bool found = false;

	if (archive_open(&archive, o->state, ARCHIVE_READ, err) < 0)
		return -1;
	int rc = archive_recommendations(archive, &rows, &count, err);
	archive_close(&archive);
	if (rc < 0)
		return -1;
	for (size_t i = count; rc == 0 && i-- > 0 && !found;) {
		found = fit_from_json(o, rows[i].result_json);
		if (!found)
			continue;
		rc = take_rest(o, &rows[i], err);
		snprintf(o->outlook.source, sizeof(o->outlook.source),
			"By recommendation %u of %s: batch %u, one sync alone "
			"%.0f MB/min",
			rows[i].id, o->state, o->outlook.advised,
			fit_x(&o->fit, 1));
	}
	archive_recommendations_free(rows, count);
	if (rc == 0 && !found)
		rc = err_set(err, ERR_CONFIG,
			"%s: no recommendation with a fit yet; run the "
			"pilots, or give --x1",
			o->state);
	return rc;
}

static int law_from_parts(struct options *o, struct err *err)
{
	struct network network;

	o->guess.x1_mb_min = o->x1;
	if (guess_network(&network, &o->guess, err) < 0)
		return -1;
	o->curve = network_solve(&network, OUTLOOK_BATCH_MAX);
	snprintf(o->outlook.source, sizeof(o->outlook.source),
		"Guessed from the server's parts: one sync alone %.0f MB/min",
		o->x1);
	return 0;
}

static int choose_law(struct options *o, struct err *err)
{
	struct outlook *outlook = &o->outlook;

	if (o->server_given) {
		if (law_from_parts(o, err) < 0)
			return -1;
		outlook->law.x_mb_min = curve_x;
		outlook->law.law = outlook->p95_law = o->curve;
		outlook->p95_ms = curve_ms;
		return 0;
	}
	outlook->law.x_mb_min = law_x;
	outlook->law.law = &o->fit;
	if (o->state) {
		if (law_from_archive(o, err) < 0)
			return -1;
		outlook->p95_law = &o->canary;
		outlook->p95_ms = o->canary.points ? canary_ms : NULL;
		return 0;
	}
	o->fit.c[0] = 1 / o->x1;
	o->fit.c[1] = o->alpha / o->x1;
	o->fit.c[2] = o->beta / o->x1;
	snprintf(outlook->source, sizeof(outlook->source),
		"By the law given: one sync alone %.0f MB/min, alpha %g, "
		"beta %g",
		o->x1, o->alpha, o->beta);
	return 0;
}

/* Who asks for an SLO must not be shown a size that knows of none. */
static int check_slo(const struct outlook *outlook, struct err *err)
{
	if (!(outlook->slo_ms > 0) || outlook->p95_ms)
		return 0;
	return err_set(err, ERR_CONFIG,
		"--slo: nothing is known of people who work online; describe "
		"the server by its parts (--nic, --core, --disk), or give "
		"--state of a rollout with a canary");
}

int simulate_main(int argc, char **argv)
{
	static const struct argp argp = {option_table, parse, NULL,
		"Say how long a rollout will take, before or after the "
		"pilots.",
		NULL, NULL, NULL};
	struct options o = {.alpha = 0.02,
		.beta = 0.002,
		.guess = {.cores = 4,
			.disk_parallel = 1,
			.disk_thrash = 0.02,
			.online = 0.1},
		.outlook = {.batches = "5,10,auto",
			.law.sd_ln = 0.1,
			.plan = {.clients = 500,
				.median_mb = 300,
				.sigma_mb = 0.8,
				.sigma_speed = 0.3,
				.start_h = 20,
				.seed = 1}}};
	struct err err = ERR_INIT;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.study.servers) {
		o.study.clients = o.outlook.plan.clients;
		o.study.seed = o.outlook.plan.seed;
		return study_print(&o.study, o.json);
	}
	if (choose_law(&o, &err) < 0 || check_slo(&o.outlook, &err) < 0) {
		fprintf(stderr, "sluice: simulate: %s\n", err.text);
		return err_exit_status(&err);
	}
	int rc = outlook_print(&o.outlook, o.json);
	network_free(o.curve);
	return rc;
}
