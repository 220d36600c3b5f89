/*
 * gauge_private.h - what the parts of the gauge share. Private to gauge*.c.
 */
#ifndef SLUICE_GAUGE_PRIVATE_H
#define SLUICE_GAUGE_PRIVATE_H

#include "await.h"
#include "brake.h"
#include "canary.h"
#include "gauge.h"
#include "generator.h"
#include "kept.h"
#include "probes.h"
#include "scrape.h"
#include "slicer.h"

#define GAUGE_BRAKE_BYTES 320

struct gauge {
	const struct scenario *scenario;
	struct archive *archive;
	struct slicer *slicer;
	struct scrape *scrape; /* NULL: no exporter */
	struct canary *canary; /* NULL: none */
	struct brake *brake;
	struct brake_policy policy;
	struct brake_order order;

	struct kept kept;
	struct probes probes;
	struct generator *generator;
	struct scrape_point load; /* newest */
	int64_t started_us, idle_since_us, probe_us;
	int64_t again_us;     /* from here on buckets are made again */
	unsigned wave, loads; /* the wave the counts belong to */
	int64_t wave_us;
	struct await await, idle_await;	    /* of the disk's reads */
	char brake_kept[GAUGE_BRAKE_BYTES]; /* as it is in the archive */
	bool *clock_said; /* by client: its clock's error is an event */
	size_t clock_count;
	char not_ready[256], hold[256], stop[256];
	struct scrape_status scrape_status;
	struct canary_status canary_status;
};

/* Ceilings and baselines of the brake as they are known now. */
void gauge_make_policy(struct gauge *gauge);

/* The brake as it was when the controller ended. */
int gauge_restore_brake(struct gauge *gauge, struct err *err);

/* One second of the brake, and whether a wave may begin. */
int gauge_brake(struct gauge *gauge, const struct rollout *rollout,
	struct rollout_inputs *inputs, struct err *err);

#endif
