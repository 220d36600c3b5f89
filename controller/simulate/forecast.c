/*
 * forecast.c - see forecast.h. Used by the verb `simulate`.
 *
 * A sync of size s on a client of speed v ends when the work done per sync,
 * W(t) = integral of X(n)/n dt, has grown by s / v since its start; the heap
 * holds that W. Pure; one thread.
 */
#include "forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "random.h"

#define DAY_MIN	     1440.0
#define ENOUGH_RUNS  5 /* for very many clients, who average by themselves */
#define MANY	     20000
#define CALENDAR_MIN 1e12 /* beyond it a double has no minutes any more */

struct running {
	double until; /* W at its end */
	double begun_min;
};

struct run {
	const struct forecast_plan *plan;
	const struct forecast_law *law;
	double scale; /* this run's error of the law */
	uint64_t random;
	struct running *heap;
	unsigned active, started;
	double now_min, work;
	double *end_min;  /* of each client, in order of end */
	double *sync_min; /* how long each took */
	unsigned done;
};

static void heap_push(struct run *run, struct running item)
{
	unsigned at = run->active++;

	while (at && run->heap[(at - 1) / 2].until > item.until) {
		run->heap[at] = run->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	run->heap[at] = item;
}

static struct running heap_pop(struct run *run)
{
	struct running top = run->heap[0];
	struct running last = run->heap[--run->active];
	unsigned at = 0;

	for (;;) {
		unsigned child = 2 * at + 1;
		if (child >= run->active)
			break;
		if (child + 1 < run->active &&
			run->heap[child + 1].until < run->heap[child].until)
			child++;
		if (last.until <= run->heap[child].until)
			break;
		run->heap[at] = run->heap[child];
		at = child;
	}
	run->heap[at] = last;
	return top;
}

/* Minutes until starts are allowed; 0: now. */
static double closed_for(const struct run *run)
{
	const struct forecast_plan *plan = run->plan;
	double from = plan->window_from_h * 60;
	double to = plan->window_to_h * 60;
	double day = fmod(plan->start_h * 60 + run->now_min, DAY_MIN);

	if (from == to || run->now_min > CALENDAR_MIN)
		return 0;
	bool open = from < to ? day >= from && day < to
			      : day >= from || day < to;
	if (open)
		return 0;
	return fmod(from - day + DAY_MIN, DAY_MIN);
}

static void start_one(struct run *run)
{
	const struct forecast_plan *plan = run->plan;
	double size = plan->median_mb *
		exp(plan->sigma_mb * random_normal(&run->random));
	double speed = exp(plan->sigma_speed * random_normal(&run->random));

	run->started++;
	heap_push(
		run, (struct running){run->work + size / speed, run->now_min});
}

/* Lets the running syncs work until the first of them ends, or for at most
 * LIMIT minutes. */
static void work_on(struct run *run, double limit_min)
{
	double rate = run->scale *
		run->law->x_mb_min(run->law->law, run->active) / run->active;
	double needed = (run->heap[0].until - run->work) / rate;

	if (needed > limit_min) {
		run->now_min += limit_min;
		run->work += limit_min * rate;
		return;
	}
	run->now_min += needed;
	run->work = run->heap[0].until;
	struct running ended = heap_pop(run);
	run->sync_min[run->done] = run->now_min - ended.begun_min;
	run->end_min[run->done++] = run->now_min;
}

static void run_once(struct run *run)
{
	const struct forecast_plan *plan = run->plan;

	while (run->done < plan->clients) {
		double closed = closed_for(run);
		while (closed <= 0 && run->active < plan->batch &&
			run->started < plan->clients)
			start_one(run);
		if (run->active)
			work_on(run, closed > 0 ? closed : INFINITY);
		else
			run->now_min += fmax(closed, 1e-6);
	}
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(double *sorted, unsigned count, double share)
{
	return sorted[(unsigned)lround(share * (count - 1))];
}

/* Clients not done at MINUTE. */
static unsigned left_at(const struct run *run, double minute)
{
	unsigned low = 0;
	unsigned high = run->done;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (run->end_min[middle] <= minute)
			low = middle + 1;
		else
			high = middle;
	}
	return run->plan->clients - low;
}

static void burn_down(
	struct forecast *f, const struct run *runs, unsigned count)
{
	double left[FORECAST_RUNS] = {0};

	for (unsigned p = 0; p < FORECAST_POINTS; p++) {
		/* A little later, so that rounding leaves nobody at the end. */
		double minute = f->hours_high * 60 * (1 + 1e-12) * p /
			(FORECAST_POINTS - 1);
		for (unsigned r = 0; r < count; r++)
			left[r] = left_at(&runs[r], minute);
		qsort(left, count, sizeof(*left), compare_doubles);
		f->left_low[p] = quantile(left, count, 0.05);
		f->left[p] = quantile(left, count, 0.5);
		f->left_high[p] = quantile(left, count, 0.95);
	}
}

static void sum_up(struct forecast *f, struct run *runs, unsigned count)
{
	double hours[FORECAST_RUNS] = {0};
	struct run *middle = &runs[0];
	unsigned clients = middle->plan->clients;

	for (unsigned r = 0; r < count; r++)
		hours[r] = runs[r].now_min / 60;
	qsort(hours, count, sizeof(*hours), compare_doubles);
	f->hours_low = quantile(hours, count, 0.05);
	f->hours = quantile(hours, count, 0.5);
	f->hours_high = quantile(hours, count, 0.95);
	f->waits_h = middle->end_min[clients / 2] / 60;
	burn_down(f, runs, count);
	qsort(middle->sync_min, clients, sizeof(double), compare_doubles);
	f->user_minutes = quantile(middle->sync_min, clients, 0.5);
	f->user_minutes_p90 = quantile(middle->sync_min, clients, 0.9);
}

void forecast_run(struct forecast *forecast, const struct forecast_law *law,
	const struct forecast_plan *plan)
{
	unsigned count = plan->clients > MANY ? ENOUGH_RUNS : FORECAST_RUNS;
	struct run *runs = xcalloc(count, sizeof(*runs));

	memset(forecast, 0, sizeof(*forecast));
	for (unsigned r = 0; r < count; r++) {
		struct run *run = &runs[r];
		uint64_t seed = plan->seed + r;
		*run = (struct run){.plan = plan, .law = law, .random = seed};
		/* The middle run has no error, so that the median is the
		 * law's own. */
		run->scale = r ? exp(law->sd_ln * random_normal(&run->random))
			       : 1;
		run->heap = xcalloc(
			(size_t)plan->batch + 1, sizeof(*run->heap));
		run->end_min = xcalloc(plan->clients, sizeof(double));
		run->sync_min = xcalloc(plan->clients, sizeof(double));
		run_once(run);
	}
	forecast->x_mb_min = law->x_mb_min(law->law, plan->batch);
	forecast->user_mb_min = forecast->x_mb_min / plan->batch;
	sum_up(forecast, runs, count);
	for (unsigned r = 0; r < count; r++) {
		free(runs[r].heap);
		free(runs[r].end_min);
		free(runs[r].sync_min);
	}
	free(runs);
}
