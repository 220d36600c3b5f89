/*
 * product.c - recommend() at the gates, brake_step() in between.
 *
 * What `sluice run --auto` does with a real server, with a person who lets
 * every gate pass at the advised size. Pure; one thread.
 */
#include "product.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "alloc.h"
#include "clock.h"
#include "ramp.h"
#include "recommend.h"

#define BASELINE_STEPS 360 /* 30 min, 1800 probes */
#define STAGGER_S      20
#define STAGGER_NEW_S  50 /* beyond what was observed */
#define WAVE_TIMES     3
#define GATE_SHARE     0.67
#define READVISE_S     300 /* inside a wave that does not explore */
#define SEEN_S	       120 /* ends a wave that tries a larger size */
#define PAST_MAX       64
#define PILOTS	       2

struct loop {
	struct world *world;
	const struct server *server;
	struct strategy_result *result;
	struct brake *brake;
	struct recommendation *rec;
	struct recommend_past past[PAST_MAX];
	size_t past_count;
	unsigned wave, slots;
	unsigned admitted;	 /* in this wave */
	unsigned started_before; /* when it began */
	unsigned n_obs;
	double asked_s;
	bool explore; /* pilots, and waves that try a larger size */
};

static void begin_wave(struct loop *l, unsigned slots, unsigned clients,
	const struct world_view *view)
{
	l->wave++;
	l->slots = slots;
	l->started_before = view->started;
	l->admitted = clients;
	if (l->admitted > view->total - view->started)
		l->admitted = view->total - view->started;
}

/* Syncs to keep active now: the wave's clients only. */
static unsigned slots_now(const struct loop *l, const struct world_view *view)
{
	unsigned started = view->started - l->started_before;
	unsigned waiting = l->admitted > started ? l->admitted - started : 0;
	unsigned running = view->started - view->done;

	return running + waiting < l->slots ? running + waiting : l->slots;
}

/* So many syncs are no trial. Pilots take typical mailboxes, and so does a wave
 * that tries a size: if that is too large it must be left again soon, and
 * nobody can be told to stop. Where the largest mailbox decides when all is
 * done, it takes a slot that is no trial. */
static unsigned known_ground(const struct loop *l)
{
	double mb_left;
	double largest;

	if (l->wave <= PILOTS)
		return 0;
	if (!l->explore)
		return UINT_MAX;
	world_left(l->world, &mb_left, &largest);
	return ramp_tail_is_long(mb_left, largest, l->slots) ? l->n_obs : 0;
}

/* Buckets of this wave in which its size was reached. */
static bool seen(const struct loop *l, const struct world_view *view)
{
	double seconds = 0;

	for (size_t i = view->bucket_count; i-- > 0;) {
		const struct bucket *bucket = &view->buckets[i];
		if (bucket->wave != l->wave)
			break;
		if (bucket_usable(bucket) && bucket->n >= (float)l->slots)
			seconds += (double)bucket->seconds;
	}
	return seconds >= SEEN_S;
}

/* Two thirds of the wave done; those of earlier waves are done first. A wave
 * that explores, the pilots aside, has its answer sooner. */
static bool gate_due(const struct loop *l, const struct world_view *view)
{
	unsigned started = view->started - l->started_before;
	unsigned running = view->started - view->done;
	unsigned done = started > running ? started - running : 0;

	if (l->explore && l->wave > PILOTS && seen(l, view))
		return true;
	return started >= l->admitted &&
		done >= (unsigned)ceil(GATE_SHARE * l->admitted);
}

static void judge_gain(struct loop *l, const struct world_view *view)
{
	struct levels *levels = levels_new(view->buckets, view->bucket_count,
		&recommend_policy_default.levels);
	struct fit_band *band = xcalloc(1, sizeof(*band));

	if (l->rec->fit.points) {
		fit_bootstrap(band, levels, recommend_policy_default.seed);
		struct fit_gain gain = fit_gain(&l->rec->fit, band, 5, 10,
			l->rec->n_obs, recommend_policy_default.gain_delta);
		l->result->gain_known = true;
		l->result->gain_low = gain.low;
		l->result->gain_high = gain.high;
	}
	free(band);
	levels_free(levels);
}

static void remember(struct loop *l, unsigned before)
{
	if (l->past_count == PAST_MAX || !isfinite(l->rec->x_batch_low))
		return;
	l->past[l->past_count++] = (struct recommend_past){
		l->wave + 1, l->rec->batch_size, before, l->rec->x_batch_low};
}

static void ask(struct loop *l, const struct world_view *view)
{
	struct recommend_facts facts = {
		.wave = l->wave,
		.wave_slots = l->slots,
		.admitted = l->admitted,
		.done = view->done < l->admitted ? view->done : l->admitted,
		.rollout_clients = view->total,
		.clients_left = view->total - view->done,
		.slo_ms = l->server->slo_ms,
		.canary = true,
		.past = l->past,
		.past_count = l->past_count,
	};

	world_left(l->world, &facts.mb_left, &facts.mb_left_max);
	recommend(l->rec, view->buckets, view->bucket_count, &facts,
		&recommend_policy_default);
}

/* Asks again inside a wave; true when another size is called for. */
static bool readvise(struct loop *l, const struct world_view *view)
{
	if (l->explore || view->now_s - l->asked_s < READVISE_S)
		return false;
	l->asked_s = view->now_s;
	ask(l, view);
	return l->rec->verdict != VERDICT_INCONCLUSIVE &&
		l->rec->batch_size != l->slots;
}

static void gate(struct loop *l, const struct world_view *view)
{
	unsigned before = l->slots;

	if (view->started == view->total)
		return;
	ask(l, view);
	if (l->wave == PILOTS)
		judge_gain(l, view);
	if (l->rec->fit.points) {
		double optimum = server_optimum(l->server, view->now_s);
		if (l->result->first == 0) {
			l->result->first = l->rec->batch_size;
			l->result->first_s = view->now_s -
				(double)BASELINE_STEPS * WORLD_STEP_S;
		}
		l->result->advices++;
		l->result->advices_high += l->rec->batch_size >
			STRATEGY_HIGH * optimum;
	}
	l->result->last = l->rec->batch_size;
	l->n_obs = l->rec->n_obs;
	remember(l, before);
	unsigned slots = l->rec->batch_size;
	l->explore = l->rec->explore;
	unsigned clients = l->explore ? slots : slots * WAVE_TIMES;
	begin_wave(l, slots, clients, view);
}

static struct brake_order brake_now(
	struct loop *l, const struct world_view *view)
{
	struct brake_evidence evidence = {
		.now_us = (int64_t)((view->now_s + 1) * 1e6),
		.p95_ms = (float)view->p95_recent_ms,
		.failure_share = 0,
		.server_reachable = true,
		.x_mb_min = view->x_mb_min,
		.n = view->active,
	};
	struct brake_event event[BRAKE_EVENTS];
	size_t count;

	for (int i = 0; i < LOAD_COUNT; i++)
		evidence.load[i] = NAN;
	struct brake_order order = brake_step(
		l->brake, &evidence, event, &count);
	/* The person looks and lets it go on, when it is calm again. */
	if (order.stop && view->p95_recent_ms < 0.8 * l->server->slo_ms)
		brake_reset(l->brake, evidence.now_us);
	return order;
}

void product_run(struct world *world, const struct server *server,
	struct strategy_result *result)
{
	struct brake_policy policy = {.slo_ms = server->slo_ms};
	struct loop loop = {.world = world, .server = server, .result = result};
	struct world_view view;

	loop.brake = brake_new(&policy);
	loop.rec = xcalloc(1, sizeof(*loop.rec));
	world_idle(world, BASELINE_STEPS);
	world_look(world, &view);
	loop.explore = true;
	begin_wave(&loop, 1, 1, &view);
	do {
		struct brake_order order = brake_now(&loop, &view);
		unsigned slots = slots_now(&loop, &view);
		bool new_ground = view.active >= loop.n_obs &&
			loop.wave > PILOTS;
		world_set(world, slots, new_ground ? STAGGER_NEW_S : STAGGER_S,
			loop.wave, known_ground(&loop), &order);
		if (!world_step(world))
			break;
		world_look(world, &view);
		if (gate_due(&loop, &view) || readvise(&loop, &view))
			gate(&loop, &view);
	} while (1);
	free(loop.rec);
	brake_free(loop.brake);
}
