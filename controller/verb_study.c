/*
 * verb_study.c - `sluice simulate --study`: the product against other ways.
 *
 * Runs study.h and prints its table, or JSON with every server. One thread.
 */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include <jansson.h>

#include "study.h"
#include "verb_simulate.h"

static void study_text(const struct study *s)
{
	double high = s->row[STRATEGY_SLUICE].advice_high;

	printf("%u servers, %u clients each, seed %llu, trouble %s; median "
	       "optimum %.0f\n",
		s->servers, s->clients, (unsigned long long)s->seed,
		server_trouble_names[s->trouble], s->opt_median);
	if (s->gains)
		printf("The 90 %% interval of the gain 5 -> 10 held the truth "
		       "in %.0f %% of %u.\n",
			100 * s->coverage, s->gains);
	printf("The pilots took %.0f %% of the makespan in the median.\n",
		100 * s->pilots_median);
	if (isfinite(high))
		printf("Of all advices after the pilots %.1f %% were above "
		       "1.5 x the optimum.\n",
			100 * high);
	puts("\n                                  makespan regret, %   above SLO"
	     "  runs    worst  over-  first advice\n"
	     "policy                           median   mean    90th  % of "
	     "time >5 %   p95/SLO   load  >1.5x opt, %");
	for (int p = 0; p < STRATEGY_COUNT; p++) {
		const struct study_row *r = &s->row[p];
		if (!study_has(s, (enum strategy_id)p))
			continue;
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
			json_pack("{s:i,s:i,s:i,s:f,s:f,s:f,s:f,s:o,s:o}",
				"optimum", (int)v->optimum, "first",
				(int)v->first, "last", (int)v->last, "regret",
				v->regret, "above_slo", v->above_slo, "pilots",
				v->pilots, "gain", v->gain, "gain_low",
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
		if (!study_has(s, (enum strategy_id)p))
			continue;
		json_array_append_new(list,
			json_pack("{s:s,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:o}",
				"policy", strategy_name((enum strategy_id)p),
				"regret_median", r->regret_median,
				"regret_mean", r->regret_mean, "regret_p90",
				r->regret_p90, "above_slo", r->above_slo,
				"runs_above_5", r->runs_above_5, "worst_95",
				r->worst_95, "overload", r->overload,
				"first_high",
				number_or_null(true, r->first_high),
				"advice_high",
				number_or_null(true, r->advice_high)));
	}
	json_t *json = json_pack("{s:i,s:i,s:I,s:s,s:f,s:f,s:o,s:i,s:o,s:o}",
		"servers", (int)s->servers, "clients", (int)s->clients, "seed",
		(json_int_t)s->seed, "trouble",
		server_trouble_names[s->trouble], "optimum_median",
		s->opt_median, "pilots_median", s->pilots_median, "coverage",
		number_or_null(s->gains > 0, s->coverage), "gains",
		(int)s->gains, "policies", list, "each", servers_json(s));
	json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(json);
}

static void show_progress(unsigned done)
{
	fprintf(stderr, "\r%u servers", done);
}

int study_print(struct study *study, bool json)
{
	bool watched = isatty(STDERR_FILENO);

	study_run(study, watched ? show_progress : NULL);
	if (watched)
		fputs("\r                    \r", stderr);
	if (json)
		study_json(study);
	else
		study_text(study);
	study_free(study);
	return 0;
}
