/*
 * strategy.c - the competing ways to choose a batch size.
 *
 * Between world.c and study.c. Each policy is asked after every step and
 * answers with the number of syncs to keep active. Pure; one thread.
 */
#include "strategy.h"

#include <limits.h>
#include <math.h>

#include "product.h"

#define STAGGER_S    20
#define MINUTE_STEPS (60 / WORLD_STEP_S)

static const char *const names[STRATEGY_COUNT] = {
	[STRATEGY_SLUICE] = "sluice, longest first",
	[STRATEGY_SLUICE_PLAIN] = "sluice, random order",
	[STRATEGY_ORACLE] = "true optimum, random order",
	[STRATEGY_ORACLE_LONGEST] = "true optimum, longest first",
	[STRATEGY_FIXED_5] = "fixed 5",
	[STRATEGY_FIXED_10] = "fixed 10",
	[STRATEGY_FIXED_20] = "fixed 20",
	[STRATEGY_DOUBLING] = "doubling until +10 % fails",
	[STRATEGY_AIMD] = "AIMD on the canary",
	[STRATEGY_N_MINUS_2] = "+1 until it falls, keep n-2",
};

const char *strategy_name(enum strategy_id id)
{
	return names[id];
}

struct simple {
	unsigned slots;
	unsigned steps; /* since slots changed */
	double sum, last_mean;
	bool settled;
	double slo_ms;
};

static void change(struct simple *s, unsigned slots, double mean)
{
	s->slots = slots ? slots : 1;
	s->last_mean = mean;
	s->steps = 0;
	s->sum = 0;
}

/* Mean over the last COUNT steps at full slots, NAN until there are enough.*/
static double plateau(
	struct simple *s, const struct world_view *view, unsigned count)
{
	if (view->active < s->slots) {
		s->steps = 0;
		s->sum = 0;
		return NAN;
	}
	s->sum += view->x_mb_min;
	return ++s->steps < count ? NAN : s->sum / s->steps;
}

static void doubling(struct simple *s, const struct world_view *view)
{
	double mean = plateau(s, view, 5 * MINUTE_STEPS);

	if (s->settled || isnan(mean))
		return;
	if (mean < 1.1 * s->last_mean)
		s->settled = true;
	else
		change(s, s->slots * 2, mean);
}

static void n_minus_2(struct simple *s, const struct world_view *view)
{
	double mean = plateau(s, view, 2 * MINUTE_STEPS);

	if (s->settled || isnan(mean))
		return;
	if (mean < s->last_mean) {
		s->settled = true;
		s->slots = s->slots > 3 ? s->slots - 2 : 1;
	} else {
		change(s, s->slots + 1, mean);
	}
}

static void aimd(struct simple *s, const struct world_view *view)
{
	if (++s->steps < MINUTE_STEPS)
		return;
	s->steps = 0;
	if (view->p95_recent_ms > s->slo_ms)
		s->slots = s->slots > 1 ? (unsigned)(s->slots * 0.75) : 1;
	else if (view->active >= s->slots)
		s->slots++;
}

static void run_simple(enum strategy_id id, struct world *world,
	const struct server *server, struct strategy_result *result)
{
	static const struct brake_order free_run = {0};
	static const unsigned fixed[STRATEGY_COUNT] = {
		[STRATEGY_FIXED_5] = 5,
		[STRATEGY_FIXED_10] = 10,
		[STRATEGY_FIXED_20] = 20,
	};
	struct simple s = {.slots = fixed[id], .slo_ms = server->slo_ms};
	struct world_view view;

	world_look(world, &view);
	if (s.slots == 0)
		s.slots = 1;
	do {
		if (id == STRATEGY_ORACLE || id == STRATEGY_ORACLE_LONGEST)
			s.slots = server_optimum(server, view.now_s);
		world_set(world, s.slots, STAGGER_S, 1, UINT_MAX, &free_run);
		if (!world_step(world))
			break;
		world_look(world, &view);
		if (id == STRATEGY_DOUBLING)
			doubling(&s, &view);
		else if (id == STRATEGY_N_MINUS_2)
			n_minus_2(&s, &view);
		else if (id == STRATEGY_AIMD)
			aimd(&s, &view);
	} while (1);
	result->last = s.slots;
}

void strategy_run(enum strategy_id id, const struct server *server,
	unsigned clients, uint64_t seed, struct strategy_result *result)
{
	enum world_order order = id == STRATEGY_SLUICE ||
			id == STRATEGY_ORACLE_LONGEST
		? WORLD_LONGEST
		: WORLD_RANDOM;
	struct world *world = world_new(server, clients, order, seed);

	*result = (struct strategy_result){.first = 0};
	if (id == STRATEGY_SLUICE || id == STRATEGY_SLUICE_PLAIN)
		product_run(world, server, result);
	else
		run_simple(id, world, server, result);
	world_result(world, &result->world);
	world_free(world);
}
