/*
 * policy.h - ways to choose how many syncs run, driven against a world.
 *
 * The recommended one is the product's own: recommend() at the gates and
 * brake_step() in between. The others are what people do instead. Pure;
 * one thread.
 */
#ifndef SLUICE_POLICY_H
#define SLUICE_POLICY_H

#include "world.h"

enum policy_id {
	POLICY_SLUICE,	     /* the product, longest first */
	POLICY_SLUICE_PLAIN, /* the product, clients in random order */
	POLICY_ORACLE,	     /* the true optimum from the start */
	POLICY_ORACLE_LONGEST,
	POLICY_FIXED_5,
	POLICY_FIXED_10,
	POLICY_FIXED_20,
	POLICY_DOUBLING,  /* until ten per cent more is not gained */
	POLICY_AIMD,	  /* on the canary, once a minute */
	POLICY_N_MINUS_2, /* +1 until the rate falls, then keep n - 2 */
	POLICY_COUNT
};

const char *policy_name(enum policy_id id);

struct policy_result {
	struct world_result world;
	unsigned first; /* first advice that came from a fit; 0: none */
	unsigned last;
	bool gain_known; /* interval of the gain 5 -> 10 after pilot 5 */
	double gain_low, gain_high;
};

void policy_run(enum policy_id id, const struct server *server,
	unsigned clients, uint64_t seed, struct policy_result *result);

#endif
