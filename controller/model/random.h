/*
 * random.h - a small deterministic generator (splitmix64, Steele 2014).
 *
 * One 64-bit state, owned by the caller: the same seed gives the same
 * stream on every machine, which is what makes a recommendation and a study
 * repeatable. Not for secrets.
 */
#ifndef SLUICE_RANDOM_H
#define SLUICE_RANDOM_H

#include <stdint.h>

uint64_t random_bits(uint64_t *state);

/* In [0, 1). */
double random_unit(uint64_t *state);

/* In 0 .. below-1; below > 0. */
uint32_t random_below(uint64_t *state, uint32_t below);

/* Mean 0, standard deviation 1. */
double random_normal(uint64_t *state);

/* Mean 1. */
double random_exponential(uint64_t *state);

#endif
