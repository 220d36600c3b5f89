/*
 * probes.h - the online probes of the last minute and of the current wave.
 *
 * Pure: latencies in, percentiles and shares out. Owned by the gauge.
 */
#ifndef SLUICE_PROBES_H
#define SLUICE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBES_RECENT 60
#define PROBES_IDLE   600

struct probes {
	int64_t recent_us[PROBES_RECENT]; /* -1: failed; a ring */
	int64_t recent_at_us[PROBES_RECENT];
	size_t recent_count, recent_next;
	int64_t idle_us[PROBES_IDLE]; /* good ones with nobody syncing */
	size_t idle_count, idle_next;

	/* of the wave */
	int64_t wave_us, window_us;
	unsigned window_count, window_above; /* good ones of the last 30 s */
	unsigned windows, windows_above;     /* whole ones, with 5 probes */
	unsigned count, failed;
};

/* Starts the counts of a wave. */
void probes_wave(struct probes *probes, int64_t now_us);
void probes_add(struct probes *probes, int64_t start_us, int64_t latency_us,
	bool idle, double slo_ms);

/* One of the idle baseline that was measured before. */
void probes_add_idle(struct probes *probes, int64_t latency_us);

/* Of the last 60 that did not fail; NaN: fewer than 5. */
double probes_p95_ms(const struct probes *probes);

/* NaN: fewer than 10. */
double probes_idle_p95_ms(const struct probes *probes);

/* Of those in the minute before NOW_US; NaN: none. */
double probes_failure_share(const struct probes *probes, int64_t now_us);

/* Whole windows of the wave and how many of them were above the SLO; of a wave
 * shorter than one, the probes that there are count as its window. */
unsigned probes_windows(const struct probes *probes, unsigned *above);

/* Share of the wave's probes; NaN: none. */
double probes_wave_failures(const struct probes *probes);

#endif
