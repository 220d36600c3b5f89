/*
 * strategy.h - ways to choose how many syncs run, driven against a world.
 *
 * The recommended one is the product's own: recommend() at the gates and
 * brake_step() in between. The others are what people do instead. Pure;
 * one thread.
 */
#ifndef SLUICE_STRATEGY_H
#define SLUICE_STRATEGY_H

#include "world.h"

enum strategy_id {
	STRATEGY_SLUICE,       /* the product, longest first */
	STRATEGY_SLUICE_PLAIN, /* the product, clients in random order */
	STRATEGY_ORACLE,       /* the true optimum from the start */
	STRATEGY_ORACLE_LONGEST,
	STRATEGY_FIXED_5,
	STRATEGY_FIXED_10,
	STRATEGY_FIXED_20,
	STRATEGY_DOUBLING,  /* until ten per cent more is not gained */
	STRATEGY_AIMD,	    /* on the canary, once a minute */
	STRATEGY_N_MINUS_2, /* +1 until the rate falls, then keep n - 2 */
	STRATEGY_COUNT
};

#define STRATEGY_HIGH 1.5 /* times the optimum */

const char *strategy_name(enum strategy_id id);

struct strategy_result {
	struct world_result world;
	unsigned first; /* first advice that came from a fit; 0: none */
	unsigned last;
	double first_s; /* when, since the first start */
	/* All that came from a fit, and those above 1.5 x the optimum then. */
	unsigned advices, advices_high;
	bool gain_known; /* interval of the gain 5 -> 10 after pilot 5 */
	double gain_low, gain_high;
};

void strategy_run(enum strategy_id id, const struct server *server,
	unsigned clients, uint64_t seed, struct strategy_result *result);

#endif
