/*
 * gather.h - the parts of findings_gather(), each in its own file. Pure.
 */
#ifndef SLUICE_GATHER_H
#define SLUICE_GATHER_H

struct archived;
struct err;
struct findings;

/* advice.c: the recommendation, its curve and the levels it rests on.
 * Fails when the archived JSON is damaged. */
int gather_advice(struct findings *findings, const struct archived *archived,
	struct err *err);

/* moments.c: load, throughput and probes over time. */
void gather_moments(struct findings *findings, const struct archived *archived);

/* history.c: gates and what was done by whom. */
void gather_history(struct findings *findings, const struct archived *archived);

/* advice.c: the words for the key of a limit, for free(). */
char *gather_limit(const char *key);

/* compare.c: the figures of each wave beside the others'. */
void gather_comparison(
	struct findings *findings, const struct archived *archived);

#endif
