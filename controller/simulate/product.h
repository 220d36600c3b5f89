/*
 * product.h - the product's own decision loop on a simulated server.
 * Private to simulate/.
 */
#ifndef SLUICE_PRODUCT_H
#define SLUICE_PRODUCT_H

#include "strategy.h"

/* Baseline, pilots of 1 and 5, then waves of three times the batch size with
 * a gate at two thirds, the brake always on. */
void product_run(struct world *world, const struct server *server,
	struct strategy_result *result);

#endif
