/*
 * study.c - runs every policy on every server and sums up.
 *
 * Called by the verb `simulate --study` and by the nightly checks. Pure but
 * for its progress callback; one thread.
 */
#include "study.h"

#include <math.h>
#include <stdlib.h>

#include "alloc.h"
#include "random.h"

#define OFTEN 0.05

/* Columns of results, one value a server. */
struct columns {
	double *regret, *above, *worst, *overload, *ratio;
	unsigned ratios, advices, advices_high;
};

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(double *values, unsigned count, double share)
{
	if (count == 0)
		return NAN;
	qsort(values, count, sizeof(*values), compare_doubles);
	double at = share * (count - 1);
	unsigned low = (unsigned)at;
	unsigned high = low + 1 < count ? low + 1 : low;
	return values[low] + (at - low) * (values[high] - values[low]);
}

static double mean(const double *values, unsigned count)
{
	double sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += values[i];
	return count ? sum / count : NAN;
}

static void sum_up(struct study_row *row, struct columns *c, unsigned count)
{
	unsigned often = 0;
	unsigned high = 0;

	for (unsigned i = 0; i < count; i++)
		often += c->above[i] > OFTEN;
	for (unsigned i = 0; i < c->ratios; i++)
		high += c->ratio[i] > STRATEGY_HIGH;
	row->regret_mean = mean(c->regret, count);
	row->regret_median = quantile(c->regret, count, 0.5);
	row->regret_p90 = quantile(c->regret, count, 0.9);
	row->above_slo = mean(c->above, count);
	row->runs_above_5 = (double)often / count;
	row->worst_95 = quantile(c->worst, count, 0.95);
	row->overload = mean(c->overload, count);
	row->first_high = c->ratios ? (double)high / c->ratios : NAN;
	row->advice_high = c->advices ? (double)c->advices_high / c->advices
				      : NAN;
}

static void note(struct columns *c, unsigned i, const struct server *server,
	const struct strategy_result *result, double reference_s)
{
	c->regret[i] = result->world.makespan_s / reference_s - 1;
	c->above[i] = result->world.above_slo;
	c->worst[i] = result->world.worst;
	c->overload[i] = result->world.overload;
	if (result->first)
		c->ratio[c->ratios++] = (double)result->first / server->n_opt;
	c->advices += result->advices;
	c->advices_high += result->advices_high;
}

static void keep(struct study *study, unsigned i, const struct server *server,
	const struct strategy_result *result, double regret)
{
	double truth =
		network_x(server->curve, 10) / network_x(server->curve, 5) - 1;

	study->server[i] = (struct study_server){
		.optimum = server->n_opt,
		.first = result->first,
		.last = result->last,
		.regret = regret,
		.above_slo = result->world.above_slo,
		.pilots = result->first_s / result->world.makespan_s,
		.gain = truth,
		.gain_low = result->gain_low,
		.gain_high = result->gain_high,
		.gain_known = result->gain_known,
	};
	if (!result->gain_known)
		return;
	study->gains++;
	study->coverage += truth >= result->gain_low &&
		truth <= result->gain_high;
}

bool study_has(const struct study *study, enum strategy_id id)
{
	return !study->product_only || id == STRATEGY_SLUICE;
}

static void run_server(struct study *study, struct columns *columns, unsigned i,
	uint64_t *random, double *opt)
{
	struct server server;
	struct strategy_result reference;
	struct strategy_result result;

	server_draw(&server, random);
	server_trouble(&server, study->trouble, study->clients);
	uint64_t seed = random_bits(random);
	*opt = server.n_opt;
	strategy_run(
		STRATEGY_ORACLE, &server, study->clients, seed, &reference);
	for (int p = 0; p < STRATEGY_COUNT; p++) {
		enum strategy_id id = (enum strategy_id)p;
		if (!study_has(study, id))
			continue;
		strategy_run(id, &server, study->clients, seed, &result);
		note(&columns[p], i, &server, &result,
			reference.world.makespan_s);
		if (id == STRATEGY_SLUICE)
			keep(study, i, &server, &result, columns[p].regret[i]);
	}
	server_free(&server);
}

void study_run(struct study *study, void (*progress)(unsigned done))
{
	struct columns columns[STRATEGY_COUNT];
	unsigned servers = study->servers;
	double *memory = xcalloc(
		(size_t)servers * (5 * STRATEGY_COUNT + 1), sizeof(double));
	double *opt = memory;
	uint64_t random = study->seed;

	study->coverage = study->gains = 0;
	study->server = xcalloc(servers, sizeof(*study->server));
	for (int p = 0; p < STRATEGY_COUNT; p++) {
		double *own = memory + servers * (size_t)(1 + 5 * p);
		columns[p] = (struct columns){own, own + servers,
			own + 2 * (size_t)servers, own + 3 * (size_t)servers,
			own + 4 * (size_t)servers, 0, 0, 0};
	}
	for (unsigned i = 0; i < servers; i++) {
		run_server(study, columns, i, &random, &opt[i]);
		if (progress)
			progress(i + 1);
	}
	for (int p = 0; p < STRATEGY_COUNT; p++)
		if (study_has(study, (enum strategy_id)p))
			sum_up(&study->row[p], &columns[p], servers);
	study->opt_median = quantile(opt, servers, 0.5);
	for (unsigned i = 0; i < servers; i++)
		opt[i] = study->server[i].pilots;
	study->pilots_median = quantile(opt, servers, 0.5);
	if (study->gains)
		study->coverage /= study->gains;
	free(memory);
}

void study_free(struct study *study)
{
	free(study->server);
	study->server = NULL;
}
