/*
 * summary.h - what follows from the findings: sums, medians, groups. Pure.
 */
#ifndef SLUICE_SUMMARY_H
#define SLUICE_SUMMARY_H

#include <stddef.h>

#include "findings.h"

struct findings_summary {
	size_t clients; /* who are to be done */
	size_t verified, failed, started;
	double mb;	      /* of all clients */
	double best_mb_min;   /* of the levels; 0: none */
	double median_mb_min; /* of the clients; NAN: none */
};

struct findings_summary findings_summary(const struct findings *findings);

/* Clients that have a speed, the fastest first: pointers into FINDINGS, for
 * free(). */
size_t findings_by_speed(
	const struct findings *, const struct finding_client ***sorted);

/* How many of COUNT sorted clients make the slowest tenth; none below 5. */
size_t findings_slow_tenth(size_t count);

/* What share of the wave the load generator was the bottleneck; 0: never. */
double findings_generator_share(const struct finding_wave *wave);

/* Failed clients that failed alike. */
struct finding_cause {
	const char *kind;
	size_t clients;
	const struct finding_client *first;
};

/* The most frequent first; *CAUSES is for free(), and NULL when there is
 * none. */
size_t findings_causes(const struct findings *, struct finding_cause **causes);

#endif
