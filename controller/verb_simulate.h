/*
 * verb_simulate.h - what the parts of `sluice simulate` share. Private to
 * verb_simulate.c (options, laws), verb_outlook.c and verb_study.c (output).
 */
#ifndef SLUICE_VERB_SIMULATE_H
#define SLUICE_VERB_SIMULATE_H

#include <stdbool.h>

#include "forecast.h"
#include "study.h"

#define OUTLOOK_BATCH_MAX 500

/* A rollout that might be, under one law, at several batch sizes. */
struct outlook {
	struct forecast_law law;
	/* p95 of people who work online with n syncs, ms; NULL: unknown */
	double (*p95_ms)(const void *law, double n);
	const void *p95_law;
	struct forecast_plan plan;
	const char *batches; /* "5,10,auto" */
	unsigned advised;    /* what auto is within SLO_MS; 0: the knee */
	double slo_ms;	     /* 0: none */
	char source[256];    /* one sentence: where the law comes from */
};

/* Prints; the exit status. */
int outlook_print(const struct outlook *outlook, bool json);

/* The whole decision loop on random servers; the exit status. */
int study_print(struct study *study, bool json);

#endif
