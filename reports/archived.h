/*
 * archived.h - a rollout as the archive holds it, in memory.
 *
 * Reading is apart from judging: archived_read() does all the I/O of a
 * report, findings_gather() is pure and needs no database. One thread.
 */
#ifndef SLUICE_ARCHIVED_H
#define SLUICE_ARCHIVED_H

#include <stddef.h>

#include "rows.h"

struct err;
struct findings;

struct archived {
	struct rollout_row rollout;
	char *scenario; /* the YAML text */
	struct client_row *clients;
	size_t client_count;
	struct wave_row *waves;
	size_t wave_count;
	struct transition_row *transitions;
	size_t transition_count;
	struct event_row *events;
	size_t event_count;
	struct bucket *buckets;
	size_t bucket_count;
	struct load_row *loads;
	size_t load_count;
	struct probe_row *probes;
	size_t probe_count;
	struct recommendation_row *advice;
	size_t advice_count;
};

/* Opens the archive in DIR for reading and closes it again. */
int archived_read(struct archived *archived, const char *dir, struct err *err);
void archived_free(struct archived *archived);

/* WAVE 0: the whole rollout; else what happened in that wave, with the
 * recommendation that followed it. NOW_US ends what has not ended yet.
 * ERR_USAGE when there is no such wave. */
int findings_gather(struct findings *findings, const struct archived *archived,
	unsigned wave, int64_t now_us, struct err *err);

#endif
