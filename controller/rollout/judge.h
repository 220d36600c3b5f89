/*
 * judge.h - the gate between two waves: PASS, FAIL or INCONCLUSIVE.
 *
 * Pure: figures in, one row per rule out. No data is never a pass. An
 * advisory rule is reported and does not judge. Any thread.
 */
#ifndef SLUICE_JUDGE_H
#define SLUICE_JUDGE_H

#include <stdbool.h>

#include "standing.h"

struct scenario_steps;

enum judgement {
	JUDGE_PASS,
	JUDGE_FAIL,
	JUDGE_INCONCLUSIVE,
};

/* What the measuring side knows of a wave; NaN: not known. */
struct judge_measured {
	bool exporter, canary; /* expected to speak */
	double seconds;	       /* the wave has run for so long */
	double exporter_share; /* of its seconds with server load */
	double canary_share;   /* of its probes that took place */
	double slo_ms;
	unsigned windows;	/* of 30 s; 0: none was measured */
	unsigned windows_above; /* the SLO, by more than chance */
	double probe_failures;	/* share */
	/* Share of the wave in which a fleet's own host was the bottleneck,
	 * and what was short; NaN: no fleet. */
	double generator_share;
	const char *generator;
};

/* Counts of the wave and of the rollout. */
struct judge_counts {
	bool pilot;
	unsigned clients, admitted, done, failed;
	unsigned rollout_clients, rollout_failed;
	bool acceptance; /* the wave ends with one */
	bool accepted, refused;
	const char *cut; /* ended before its clients because; NULL: no */
};

#define JUDGE_RULES	 9
#define JUDGE_TEXT_BYTES 96

struct judge_rule {
	char rule[JUDGE_TEXT_BYTES];
	char measured[JUDGE_TEXT_BYTES];
	char limit[JUDGE_TEXT_BYTES];
	enum judgement verdict;
	bool advisory;
};

struct judge_result {
	enum judgement verdict;
	struct judge_rule rules[JUDGE_RULES];
	unsigned rule_count;
	char reason[ROW_REASON_BYTES]; /* the first rule that did not pass */
};

void judge_wave(struct judge_result *result, const struct judge_counts *counts,
	const struct judge_measured *measured,
	const struct scenario_steps *steps);

/* More failures than any gate would pass: stop before the wave's end. */
bool judge_is_lost(
	const struct judge_counts *counts, const struct scenario_steps *steps);

const char *judgement_name(enum judgement verdict); /* "PASS" */

/* The rules as a JSON array for free(). */
char *judge_encode(const struct judge_result *result);

#endif
