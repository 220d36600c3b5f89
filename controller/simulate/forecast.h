/*
 * forecast.h - how long will so many clients take, and what do users see.
 *
 * Event-driven: all running syncs share X(n), so that one virtual clock of
 * work per sync orders their ends; 100,000 clients cost a heap, not a loop
 * over time. The throughput law comes from a fit or from a network. Repeated
 * runs with other sizes, speeds and a common error of the law give the cone.
 * Pure, deterministic; one thread.
 */
#ifndef SLUICE_FORECAST_H
#define SLUICE_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#define FORECAST_POINTS 41 /* of the burn-down, start and end included */
#define FORECAST_RUNS	25

struct forecast_law {
	double (*x_mb_min)(const void *law, double n);
	const void *law;
	double sd_ln; /* how uncertain X is, in ln */
};

struct forecast_plan {
	unsigned clients, batch;
	double median_mb, sigma_mb;	   /* log-normal sizes, sigma in ln */
	double sigma_speed;		   /* of clients, in ln */
	double window_from_h, window_to_h; /* starts only then; equal: always */
	double start_h;			   /* time of day of the first start */
	uint64_t seed;
};

struct forecast {
	double hours, hours_low, hours_high;   /* median, 5 %, 95 % */
	double user_minutes, user_minutes_p90; /* one sync */
	double user_mb_min;
	double waits_h; /* median time from the rollout's start to done */
	double x_mb_min;
	/* Clients left over time: median and 5-95 %, at hours_high * i /
	 * (FORECAST_POINTS - 1). */
	double left[FORECAST_POINTS], left_low[FORECAST_POINTS],
		left_high[FORECAST_POINTS];
};

void forecast_run(struct forecast *forecast, const struct forecast_law *law,
	const struct forecast_plan *plan);

#endif
