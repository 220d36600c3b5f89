/*
 * automatic.h - `sluice run --auto`: the next step of the rollout, and the
 * early end of waves.
 *
 * On the loop's thread, inside a turn's transaction.
 */
#ifndef SLUICE_AUTOMATIC_H
#define SLUICE_AUTOMATIC_H

#include <stdint.h>

#include "standing.h"

struct hub;

struct automatic {
	int64_t asked_us; /* the recommendation, inside a wave */
	char cut[ROW_REASON_BYTES];
};

/* Why the wave under way should end now, or NULL. A wave that tries a size
 * ends once that was seen for measure.explored, whoever began it; others of
 * an automatic rollout when the recommendation, asked every measure.again,
 * names another size. The text lives until the next call. */
const char *automatic_cut(struct hub *hub, int64_t now_us);

/* Begins what comes next when an automatic rollout has nothing under way. */
void automatic_step(struct hub *hub, int64_t now_us);

#endif
