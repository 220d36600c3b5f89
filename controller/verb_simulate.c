/*
 * verb_simulate.c - `sluice simulate`: what if, and the study.
 *
 * The throughput law comes from the command line, from the last fit in an
 * archive, or from a network of stations; simulate/ does the rest. Prints a
 * table and a burn-down, or JSON. One thread.
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
#include "forecast.h"
#include "study.h"
#include "verb_model.h"

#define BATCHES_MAX 16
#define CLIENTS_MAX 1000000
#define BATCH_MAX   500
#define KNEE	    0.95
#define BAR	    50 /* columns of the burn-down */

struct options {
	const char *state, *batches;
	double x1, alpha, beta;
	bool law_given;
	unsigned study;
	int json;
	struct forecast_plan plan;
	bool clients_given;
	/* the law in force */
	struct fit fit;
	double sd_ln;
	unsigned advised; /* by the archive; 0: take the knee */
};

enum key {
	KEY_CLIENTS = 256,
	KEY_BATCH,
	KEY_MEDIAN,
	KEY_SIGMA,
	KEY_WINDOW,
	KEY_START,
	KEY_X1,
	KEY_ALPHA,
	KEY_BETA,
	KEY_STUDY,
	KEY_SEED
};

static const struct argp_option option_table[] = {
	{"clients", KEY_CLIENTS, "N", 0, "clients to do (500)", 0},
	{"batch", KEY_BATCH, "LIST", 0,
		"batch sizes to compare (5,10,auto); auto is what was recommended, or the knee of the law",
		0},
	{"median", KEY_MEDIAN, "MB", 0, "median mailbox (300)", 0},
	{"spread", KEY_SIGMA, "S", 0, "log-normal sigma of sizes (0.8)", 0},
	{"window", KEY_WINDOW, "FROM-TO", 0,
		"start syncs only then, as 20:00-06:00", 0},
	{"at", KEY_START, "HH:MM", 0, "time of the first start (20:00)", 0},
	{"state", 's', "DIR", 0,
		"take the law from the last recommendation of this archive", 0},
	{"x1", KEY_X1, "MB", 0, "law: one sync alone moves so many MB/min", 0},
	{"alpha", KEY_ALPHA, "A", 0, "law: contention (0.02)", 0},
	{"beta", KEY_BETA, "B", 0, "law: crosstalk (0.002)", 0},
	{"study", KEY_STUDY, "N", 0,
		"the whole decision loop on N random servers, against other ways",
		0},
	{"seed", KEY_SEED, "S", 0, "of everything random (1)", 0},
	{"json", 'j', NULL, 0, "as JSON", 0},
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

static double hour(const char *text, char stop, struct argp_state *state)
{
	char *end;
	long h = strtol(text, &end, 10);
	long m = 0;

	if (*end == ':')
		m = strtol(end + 1, &end, 10);
	if (end == text || *end != stop || h < 0 || h > 24 || m < 0 || m > 59)
		argp_error(state, "\"%s\" is not a time of day", text);
	return (double)h + (double)m / 60;
}

static void window(
	struct options *o, const char *text, struct argp_state *state)
{
	const char *dash = strchr(text, '-');

	if (!dash)
		argp_error(
			state, "\"%s\" is not a window as 20:00-06:00", text);
	else {
		o->plan.window_from_h = hour(text, '-', state);
		o->plan.window_to_h = hour(dash + 1, '\0', state);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_CLIENTS:
		o->plan.clients = (unsigned)number(arg, CLIENTS_MAX, state);
		o->clients_given = true;
		if (o->plan.clients == 0)
			argp_error(state, "there must be a client");
		break;
	case KEY_BATCH:
		o->batches = arg;
		break;
	case KEY_MEDIAN:
		o->plan.median_mb = number(arg, 1e9, state);
		break;
	case KEY_SIGMA:
		o->plan.sigma_mb = number(arg, 4, state);
		break;
	case KEY_WINDOW:
		window(o, arg, state);
		break;
	case KEY_START:
		o->plan.start_h = hour(arg, '\0', state);
		break;
	case 's':
		o->state = arg;
		break;
	case KEY_X1:
		o->x1 = number(arg, 1e9, state);
		o->law_given = o->x1 > 0;
		break;
	case KEY_ALPHA:
		o->alpha = number(arg, 10, state);
		break;
	case KEY_BETA:
		o->beta = number(arg, 10, state);
		break;
	case KEY_STUDY:
		o->study = (unsigned)number(arg, 100000, state);
		break;
	case KEY_SEED:
		o->plan.seed = (uint64_t)number(arg, 9e15, state);
		break;
	case 'j':
		o->json = 1;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static double law_x(const void *law, double n)
{
	return fit_x(law, n);
}

/* The last recommendation with a fit. */
static int fit_from_json(struct options *o, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	json_t *fit = json_object_get(json, "fit");
	json_t *c = json_object_get(fit, "c");
	json_t *sd = json_object_get(json, "sd_ln");
	int rc = json_array_size(c) == 3 ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < 3; i++)
		o->fit.c[i] = json_number_value(json_array_get(c, i));
	o->fit.ceiling = json_number_value(json_object_get(fit, "ceiling"));
	o->advised = (unsigned)json_integer_value(
		json_object_get(json, "batch_size"));
	if (rc == 0 && json_is_number(sd))
		o->sd_ln = json_number_value(sd);
	json_decref(json);
	return rc == 0 && o->fit.c[0] > 0 ? 0 : -1;
}

static int law_from_archive(struct options *o, struct err *err)
{
	struct archive *archive;
	struct recommendation_row *rows;
	size_t count;
	int found = -1;

	if (archive_open(&archive, o->state, ARCHIVE_READ, err) < 0)
		return -1;
	int rc = archive_recommendations(archive, &rows, &count, err);
	archive_close(&archive);
	if (rc < 0)
		return -1;
	for (size_t i = count; i-- > 0 && found < 0;)
		found = fit_from_json(o, rows[i].result_json);
	archive_recommendations_free(rows, count);
	if (found < 0)
		return err_set(err, ERR_CONFIG,
			"%s: no recommendation with a fit yet; run the "
			"pilots, or give --x1",
			o->state);
	return 0;
}

static int choose_law(struct options *o, struct err *err)
{
	if (o->state)
		return law_from_archive(o, err);
	o->fit.c[0] = 1 / o->x1;
	o->fit.c[1] = o->alpha / o->x1;
	o->fit.c[2] = o->beta / o->x1;
	return 0;
}

static int read_batches(
	const struct options *o, unsigned *batch, unsigned *count)
{
	const char *at = o->batches;

	for (*count = 0; *at && *count < BATCHES_MAX;) {
		char *end;
		unsigned long n = strtoul(at, &end, 10);
		if (strncmp(at, "auto", 4) == 0) {
			n = o->advised ? o->advised
				       : fit_knee(&o->fit, BATCH_MAX, KNEE);
			end = (char *)at + 4;
		}
		if (n == 0 || n > BATCH_MAX || end == at ||
			(*end && *end != ','))
			return -1;
		batch[(*count)++] = (unsigned)n;
		at = *end ? end + 1 : end;
	}
	return *count && !*at ? 0 : -1;
}

static void print_burn_down(const struct forecast *f, unsigned clients)
{
	puts("\nClients left over time (#: median; -: 90 % cone)");
	for (int p = 0; p < FORECAST_POINTS; p += 2) {
		char bar[BAR + 1];
		int low = (int)lround(f->left_low[p] * BAR / clients);
		int mid = (int)lround(f->left[p] * BAR / clients);
		int high = (int)lround(f->left_high[p] * BAR / clients);
		for (int i = 0; i < BAR; i++)
			bar[i] = (char)(i < mid		       ? '#'
					: i >= low && i < high ? '-'
							       : ' ');
		bar[BAR] = '\0';
		printf("%8.1f h |%s| %.0f\n",
			f->hours_high * p / (FORECAST_POINTS - 1), bar,
			f->left[p]);
	}
}

static json_t *forecast_json(unsigned batch, const struct forecast *f)
{
	json_t *points = json_array();

	for (int p = 0; p < FORECAST_POINTS; p++)
		json_array_append_new(points,
			json_pack("[f,f,f,f]",
				f->hours_high * p / (FORECAST_POINTS - 1),
				f->left_low[p], f->left[p], f->left_high[p]));
	return json_pack("{s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:o}", "batch",
		(int)batch, "mb_min", f->x_mb_min, "user_mb_min",
		f->user_mb_min, "user_minutes", f->user_minutes,
		"user_minutes_p90", f->user_minutes_p90, "median_done_hours",
		f->waits_h, "hours", f->hours, "hours_low", f->hours_low,
		"hours_high", f->hours_high, "left", points);
}

static int what_if(const struct options *o)
{
	struct forecast_law law = {law_x, &o->fit, o->sd_ln};
	struct forecast_plan plan = o->plan;
	struct forecast f;
	unsigned batch[BATCHES_MAX];
	unsigned count;
	json_t *list = json_array();

	if (read_batches(o, batch, &count) < 0) {
		fprintf(stderr,
			"sluice: simulate: --batch \"%s\": sizes from "
			"1 to %d or auto, with commas\n",
			o->batches, BATCH_MAX);
		json_decref(list);
		return 2;
	}
	if (!o->json)
		printf("%u clients, median %.0f MB\n\nbatch    MB/min  a "
		       "user's    one sync, min   median user      all done, "
		       "h\n                  MB/min   median    90 %%      "
		       "done, h   median (90 %% range)\n",
			plan.clients, plan.median_mb);
	for (unsigned i = 0; i < count; i++) {
		plan.batch = batch[i];
		forecast_run(&f, &law, &plan);
		if (o->json)
			json_array_append_new(
				list, forecast_json(batch[i], &f));
		else
			printf("%5u %9.0f %9.1f %8.1f %7.1f %12.1f %8.1f "
			       "(%.1f..%.1f)\n",
				batch[i], f.x_mb_min, f.user_mb_min,
				f.user_minutes, f.user_minutes_p90, f.waits_h,
				f.hours, f.hours_low, f.hours_high);
	}
	if (o->json) {
		json_dumpf(
			list, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else {
		print_burn_down(&f, plan.clients);
	}
	json_decref(list);
	return 0;
}

static void study_text(const struct study *s)
{
	printf("%u servers, %u clients each, seed %llu; median optimum "
	       "%.0f\nThe 90 %% interval of the gain 5 -> 10 held the truth "
	       "in %.0f %% of %u.\n\n",
		s->servers, s->clients, (unsigned long long)s->seed,
		s->opt_median, 100 * s->coverage, s->gains);
	puts("                                  makespan regret, %   above SLO"
	     "  runs    worst  over-  first advice\n"
	     "policy                           median   mean    90th  % of "
	     "time >5 %   p95/SLO   load  >1.5x opt, %");
	for (int p = 0; p < STRATEGY_COUNT; p++) {
		const struct study_row *r = &s->row[p];
		char first[16] = "-";
		if (isfinite(r->first_high))
			snprintf(first, sizeof(first), "%.1f",
				100 * r->first_high);
		printf("%-32s %+6.1f %+6.1f %+7.1f %8.2f %6.0f %9.2f %6.2f "
		       "%8s\n",
			strategy_name((enum strategy_id)p),
			100 * r->regret_median, 100 * r->regret_mean,
			100 * r->regret_p90, 100 * r->above_slo,
			100 * r->runs_above_5, r->worst_95, r->overload, first);
	}
}

static json_t *number_or_null(bool known, double value)
{
	return known && isfinite(value) ? json_real(value) : json_null();
}

static json_t *servers_json(const struct study *s)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < s->servers; i++) {
		const struct study_server *v = &s->server[i];
		json_array_append_new(list,
			json_pack("{s:i,s:i,s:i,s:f,s:f,s:f,s:o,s:o}",
				"optimum", (int)v->optimum, "first",
				(int)v->first, "last", (int)v->last, "regret",
				v->regret, "above_slo", v->above_slo, "gain",
				v->gain, "gain_low",
				number_or_null(v->gain_known, v->gain_low),
				"gain_high",
				number_or_null(v->gain_known, v->gain_high)));
	}
	return list;
}

static void study_json(const struct study *s)
{
	json_t *list = json_array();

	for (int p = 0; p < STRATEGY_COUNT; p++) {
		const struct study_row *r = &s->row[p];
		json_array_append_new(list,
			json_pack("{s:s,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:o}",
				"policy", strategy_name((enum strategy_id)p),
				"regret_median", r->regret_median,
				"regret_mean", r->regret_mean, "regret_p90",
				r->regret_p90, "above_slo", r->above_slo,
				"runs_above_5", r->runs_above_5, "worst_95",
				r->worst_95, "overload", r->overload,
				"first_high",
				number_or_null(true, r->first_high)));
	}
	json_t *json = json_pack("{s:i,s:i,s:I,s:f,s:f,s:i,s:o,s:o}", "servers",
		(int)s->servers, "clients", (int)s->clients, "seed",
		(json_int_t)s->seed, "optimum_median", s->opt_median,
		"coverage", s->coverage, "gains", (int)s->gains, "policies",
		list, "each", servers_json(s));
	json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(json);
}

static void show_progress(unsigned done)
{
	fprintf(stderr, "\r%u servers", done);
}

static int study(const struct options *o)
{
	struct study result;

	study_run(&result, o->study, o->plan.clients, o->plan.seed,
		o->json ? NULL : show_progress);
	if (o->json) {
		study_json(&result);
	} else {
		fputs("\r                    \r", stderr);
		study_text(&result);
	}
	study_free(&result);
	return 0;
}

int simulate_main(int argc, char **argv)
{
	static const struct argp argp = {option_table, parse, NULL,
		"Say how long a rollout will take, before or after the "
		"pilots.",
		NULL, NULL, NULL};
	struct options o = {.batches = "5,10,auto",
		.alpha = 0.02,
		.beta = 0.002,
		.sd_ln = 0.1,
		.plan = {.clients = 500,
			.median_mb = 300,
			.sigma_mb = 0.8,
			.sigma_speed = 0.3,
			.start_h = 20,
			.seed = 1}};
	struct err err = ERR_INIT;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.study)
		return study(&o);
	if (!o.state && !o.law_given) {
		fputs("sluice: simulate: give a law: --state DIR (the last "
		      "fit), or --x1 MB/min with --alpha and --beta\n",
			stderr);
		return 2;
	}
	if (choose_law(&o, &err) < 0) {
		fprintf(stderr, "sluice: simulate: %s\n", err.text);
		return err_exit_status(&err);
	}
	return what_if(&o);
}
