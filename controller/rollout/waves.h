/*
 * waves.h - the inside of waves, for the parts of rollout and their tests.
 */
#ifndef SLUICE_WAVES_H
#define SLUICE_WAVES_H

#include "rollout.h"

/* Why nobody may start now; NULL: go on. */
const char *wave_hold(const struct rollout *r, const struct wave_row *wave,
	const struct rollout_inputs *in);

/* Start as many queued clients as the batch and the stagger allow. Returns
 * how many. */
unsigned wave_admit(struct rollout *r, struct wave_row *wave,
	const struct rollout_inputs *in);

void wave_count(const struct rollout *r, const struct wave_row *wave,
	struct judge_counts *counts, unsigned *queued, unsigned *active);

/* Clients that were not admitted wait for another wave. */
void wave_return_queue(struct rollout *r, const struct wave_row *wave,
	int64_t now_us, const char *why);

#endif
