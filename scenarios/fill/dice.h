/*
 * dice.h - numbers that look random and are the same on every machine.
 *
 * Each thing that is generated has dice of its own, seeded by what it is, so
 * that it does not depend on what was made before it. SplitMix64 (Steele,
 * Lea, Flood 2014). Pure; owned by one thread.
 */
#ifndef SLUICE_DICE_H
#define SLUICE_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct dice {
	uint64_t state;
};

/* NAME, KIND and INDEX say what is to be generated. */
struct dice dice_for(
	uint64_t seed, const char *name, unsigned kind, unsigned index);

uint64_t dice_next(struct dice *dice);

/* 0 to N - 1; N is at least 1. */
unsigned dice_below(struct dice *dice, unsigned n);

/* 0 <= x < 1. */
double dice_unit(struct dice *dice);
bool dice_chance(struct dice *dice, double share);

/* A size whose logarithm is normal, between 1 and MAX. */
uint64_t dice_size(
	struct dice *dice, double median, double sigma, uint64_t max);

/* Append about BYTES bytes of base64 text in lines of 76 characters. */
void dice_base64(struct dice *dice, uint64_t bytes, struct buf *out);

#endif
