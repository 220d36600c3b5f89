/*
 * decision.h - what the parts of recommend() share. Private to recommend/.
 *
 * One recommendation passes: levels and fit (recommend.c), limits (limit.c),
 * gate (gate.c), sentences (reason.c). Each fills its part of OUT.
 */
#ifndef SLUICE_DECISION_H
#define SLUICE_DECISION_H

#include "recommend.h"

struct decision {
	const struct bucket *buckets;
	size_t count;
	const struct recommend_facts *facts;
	const struct recommend_policy *policy;
	struct levels *levels;
	const struct level *rows;
	size_t row_count;
	struct fit_band band;
	struct recommendation *out;
	bool shrink; /* waiting users suffered */
	/* what their bound allows, and what it is worth trying beyond it */
	unsigned bound, tried;
	/* utilisation law over X: u0 + d X; d NAN when not measured */
	double u0[LOAD_CONNECTIONS + 1], d[LOAD_CONNECTIONS + 1];
};

/* Utilisation law U = u0 + d X of CPU, link and disk. */
void decision_lines(struct decision *decision);

/* What is full at U = 1 gives no more: caps fit and band there. */
void decision_capacity(struct decision *decision);

/* Fills out->limit, canary, slo_ms; needs out->fit and n_cap. */
void decision_limits(struct decision *decision);

/* The smallest limit but IGNORED; its id in *ID. */
unsigned decision_smallest(const struct recommendation *out,
	enum limit_id ignored, enum limit_id *id);

/* Judges the last wave: verdict, with a reason for each objection. */
void decision_gate(struct decision *decision);

/* The sentences, after everything else is known. */
void decision_explain(struct decision *decision);

/* Adds a sentence; beyond RECOMMEND_REASONS it is dropped. */
void decision_say(struct recommendation *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Mean load of METRIC at the largest level up to N; NAN: never measured. */
double decision_load_at(
	const struct decision *decision, enum load_metric metric, unsigned n);

#endif
