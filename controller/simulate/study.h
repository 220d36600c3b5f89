/*
 * study.h - the decision loop on many random servers, against the others.
 *
 * Regret is the makespan over that of the true optimum kept from the first
 * minute, clients in random order; the product pays for its pilots out of
 * its own pocket. Deterministic from the seed.
 */
#ifndef SLUICE_STUDY_H
#define SLUICE_STUDY_H

#include "strategy.h"

struct study_row {
	double regret_median, regret_mean, regret_p90;
	double above_slo;    /* mean share of the time */
	double runs_above_5; /* share of runs above for > 5 % of the time */
	double worst_95;     /* p95 over SLO, worst of 95 % of the runs */
	double overload;
	double first_high;  /* share of first advices > 1.5 x optimum */
	double advice_high; /* share of all advices > 1.5 x optimum */
};

/* What the product, longest first, did on one server. */
struct study_server {
	unsigned optimum, first, last;
	double regret, above_slo;
	double pilots; /* share of the makespan until the first advice */
	double gain, gain_low, gain_high; /* true 5 -> 10, and its interval */
	bool gain_known;
};

struct study {
	unsigned servers, clients;
	uint64_t seed;
	enum server_trouble trouble;
	bool product_only; /* leave the others out: a third of the time */
	struct study_row row[STRATEGY_COUNT];
	double coverage; /* of the 90 % interval of the gain 5 -> 10 */
	unsigned gains;
	double opt_median, pilots_median;
	struct study_server *server; /* so many as servers */
};

/* STUDY says how many servers and clients, which seed and trouble; the rest
 * is filled in. PROGRESS, unless NULL, is told how many servers are done. */
void study_run(struct study *study, void (*progress)(unsigned done));

/* Whether row[ID] is filled in. */
bool study_has(const struct study *study, enum strategy_id id);
void study_free(struct study *study);

#endif
