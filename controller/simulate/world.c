/*
 * world.c - clients that move bytes, and the noise around them.
 *
 * Driven by policy.c; the truth comes from network.c. A client's rate is its
 * share of X(n), times its own speed and noise; noise is autoregressive in
 * its logarithm. Pure; one thread.
 */
#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "ramp.h"
#include "random.h"

#define NOISE_CLIENT  0.84 /* correlation of neighbouring steps */
#define NOISE_SERVER  0.95
#define SETTLE_STEPS  2
#define RECENT_PROBES 60
#define STEPS_MAX     400000 /* 23 days; a policy that never ends */

enum state {
	WAITING,
	RUNNING,
	PAUSED,
	DONE
};

struct client {
	double mb, left_mb, speed, noise;
	enum state state;
};

struct world {
	const struct server *server;
	struct client *client; /* in order of their start */
	unsigned *live;	       /* running or paused, in that order */
	unsigned live_count;
	enum world_order order;
	unsigned known; /* beyond so many active ones sizes are typical */
	unsigned peak;	/* most at once in this wave */
	unsigned clients, started, done, active;
	unsigned slots, wave;
	double stagger_s;
	int64_t grown_us; /* when more than ever before ran; 0: never */
	struct brake_order brake;
	double server_noise;
	uint64_t random;
	unsigned step, settle; /* steps left in which buckets do not count */
	double x_mb_min;
	struct bucket *bucket;
	size_t bucket_count, bucket_room;
	int64_t recent_us[RECENT_PROBES];
	unsigned recents;
	struct world_result sum;
	unsigned busy_steps; /* since the first start */
};

static int longest_first(const void *a, const void *b)
{
	double x = ((const struct client *)a)->mb;
	double y = ((const struct client *)b)->mb;

	return (x < y) - (x > y);
}

/* The next client to start goes to place w->started: the largest that is
 * left, or on new ground the one in the middle of the sizes. */
static void choose_next(struct world *w)
{
	unsigned left = w->clients - w->started;
	struct client *first = w->client + w->started;
	bool typical = w->order == WORLD_LONGEST && w->active >= w->known;
	unsigned at = typical ? left / 2 : 0;
	struct client chosen = first[at];

	memmove(first + 1, first, at * sizeof(*first));
	*first = chosen;
}

struct world *world_new(const struct server *server, unsigned clients,
	enum world_order order, uint64_t seed)
{
	struct world *w = xcalloc(1, sizeof(*w));
	double shift = server->sigma_mb * server->sigma_mb / 2;

	w->server = server;
	w->clients = clients;
	w->client = xcalloc(clients, sizeof(*w->client));
	w->live = xcalloc(clients, sizeof(*w->live));
	w->random = seed;
	w->order = order;
	for (unsigned i = 0; i < clients; i++) {
		struct client *c = &w->client[i];
		double z = random_normal(&w->random);
		double speed = server->sigma_speed * random_normal(&w->random);
		c->mb = server->mean_mb * exp(server->sigma_mb * z - shift);
		c->left_mb = c->mb;
		c->speed = exp(
			speed - server->sigma_speed * server->sigma_speed / 2);
		c->noise = server->noise_client * random_normal(&w->random);
	}
	if (order == WORLD_LONGEST)
		qsort(w->client, clients, sizeof(*w->client), longest_first);
	return w;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	free(w->client);
	free(w->live);
	free(w->bucket);
	free(w);
}

static double now_s(const struct world *w)
{
	return (double)w->step * WORLD_STEP_S;
}

static const struct network_curve *curve_now(const struct world *w)
{
	return server_curve(w->server, now_s(w));
}

/* The largest few hold the 95 % quantile: no need to sort them all, at every
 * step of every policy. */
static double recent_p95_ms(const struct world *w)
{
	int64_t top[RECENT_PROBES / 20 + 1] = {0};
	unsigned count = w->recents < RECENT_PROBES ? w->recents
						    : RECENT_PROBES;
	unsigned rank = (unsigned)ceil(0.95 * count);
	unsigned keep = count - rank + 1;

	if (count == 0)
		return NAN;
	for (unsigned i = 0; i < count; i++) {
		int64_t us = w->recent_us[i];
		unsigned at = keep;
		if (us <= top[keep - 1])
			continue;
		for (; at > 1 && top[at - 2] < us; at--)
			top[at - 1] = top[at - 2];
		top[at - 1] = us;
	}
	return (double)top[keep - 1] / 1000;
}

void world_look(const struct world *w, struct world_view *view)
{
	*view = (struct world_view){
		.now_s = now_s(w),
		.active = w->active,
		.started = w->started,
		.done = w->done,
		.total = w->clients,
		.x_mb_min = w->x_mb_min,
		.buckets = w->bucket,
		.bucket_count = w->bucket_count,
		.p95_recent_ms = recent_p95_ms(w),
	};
}

void world_left(const struct world *w, double *mb_left, double *largest)
{
	*mb_left = *largest = 0;
	for (unsigned i = 0; i < w->clients; i++) {
		*mb_left += w->client[i].left_mb;
		*largest = fmax(*largest, w->client[i].left_mb);
	}
}

void world_set(struct world *w, unsigned slots, double stagger_s, unsigned wave,
	unsigned known, const struct brake_order *brake)
{
	if (wave != w->wave) {
		w->peak = w->started - w->done;
		w->grown_us = 0;
	}
	w->known = known;
	w->slots = slots;
	w->stagger_s = stagger_s;
	w->wave = wave;
	w->brake = *brake;
}

/* The newest PAUSE syncs stand still; the others run. */
static void obey_pause(struct world *w)
{
	unsigned paused = 0;

	for (unsigned i = w->live_count; i-- > 0;) {
		bool pause = paused < w->brake.pause;
		w->client[w->live[i]].state = pause ? PAUSED : RUNNING;
		paused += pause;
	}
	w->active = w->live_count - paused;
}

/* Slots are counted with the paused ones, which hold theirs. */
static void start_some(struct world *w)
{
	/* Never 0, which says that none has started. */
	int64_t now_us = ((int64_t)w->step + 1) * WORLD_STEP_S * US_PER_S;
	int64_t stagger_us = (int64_t)(w->stagger_s * US_PER_S);

	for (;;) {
		unsigned running = w->started - w->done;

		if (w->started == w->clients || w->brake.hold ||
			running >= w->slots ||
			!ramp_is_due(running, w->peak, w->grown_us, stagger_us,
				now_us))
			break;
		choose_next(w);
		w->live[w->live_count++] = w->started;
		w->client[w->started++].state = RUNNING;
		w->active++;
		ramp_started(running + 1, &w->peak, &w->grown_us, now_us);
	}
	if (w->peak > w->slots)
		w->peak = w->slots;
}

/* How many uncapped syncs would load the server like this. */
static unsigned effective_n(const struct world *w, double cap)
{
	unsigned n = w->active;

	if (cap > 0)
		while (n > 1 && network_x(curve_now(w), n - 1) >= cap)
			n--;
	return n;
}

static bool move_bytes(struct world *w)
{
	double seconds = WORLD_STEP_S;
	double x = network_x(curve_now(w), w->active) *
		server_share(w->server, now_s(w)) * exp(w->server_noise);
	double moved = 0;
	bool ended = false;

	if (w->brake.rate_mb_min > 0 && x > w->brake.rate_mb_min)
		x = w->brake.rate_mb_min;
	unsigned kept = 0;
	for (unsigned i = 0; i < w->live_count; i++) {
		unsigned at = w->live[i];
		struct client *c = &w->client[at];
		w->live[kept++] = at;
		if (c->state != RUNNING)
			continue;
		double sd = w->server->noise_client;
		double mb = x / w->active * seconds / 60 * c->speed *
			exp(c->noise - sd * sd / 2);
		mb = fmin(mb, c->left_mb);
		c->left_mb -= mb;
		moved += mb;
		c->noise = NOISE_CLIENT * c->noise +
			sd * sqrt(1 - NOISE_CLIENT * NOISE_CLIENT) *
				random_normal(&w->random);
		if (c->left_mb > 1e-9)
			continue;
		c->left_mb = 0;
		c->state = DONE;
		w->done++;
		kept--;
		ended = true;
	}
	w->live_count = kept;
	w->server_noise = NOISE_SERVER * w->server_noise +
		w->server->noise_server *
			sqrt(1 - NOISE_SERVER * NOISE_SERVER) *
			random_normal(&w->random);
	w->x_mb_min = moved * 60 / seconds;
	return ended;
}

static void probe(struct world *w, struct bucket *bucket, unsigned n)
{
	int64_t us[WORLD_STEP_PROBES];

	for (int i = 0; i < WORLD_STEP_PROBES; i++) {
		us[i] = (int64_t)(1000 *
			network_probe_ms(curve_now(w), n, &w->random));
		w->recent_us[w->recents++ % RECENT_PROBES] = us[i];
	}
	bucket_set_probes(bucket, us, WORLD_STEP_PROBES, 0);
}

static struct bucket *new_bucket(struct world *w)
{
	if (w->bucket_count == w->bucket_room) {
		w->bucket_room = w->bucket_room ? w->bucket_room * 2 : 1024;
		w->bucket = xrealloc(
			w->bucket, w->bucket_room, sizeof(*w->bucket));
	}
	struct bucket *bucket = &w->bucket[w->bucket_count++];
	bucket_init(bucket, (double)w->step * WORLD_STEP_S, WORLD_STEP_S);
	return bucket;
}

static void count_truth(struct world *w, unsigned n)
{
	double p95 = network_p95_ms(curve_now(w), n);
	double over = (double)w->active / server_optimum(w->server, now_s(w)) -
		1;

	w->sum.above_slo += p95 > w->server->slo_ms;
	w->sum.worst = fmax(w->sum.worst, p95 / w->server->slo_ms);
	w->sum.overload += fmax(0, over);
	w->busy_steps++;
}

void world_idle(struct world *w, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++) {
		struct bucket *bucket = new_bucket(w);
		probe(w, bucket, 0);
		w->step++;
	}
}

bool world_step(struct world *w)
{
	unsigned yesterday = w->active;

	start_some(w);
	obey_pause(w);
	unsigned before = w->active;
	unsigned n = effective_n(w, w->brake.rate_mb_min);
	unsigned done = w->done;
	bool ended = w->active && move_bytes(w);
	struct bucket *bucket = new_bucket(w);
	bucket->n = bucket->active = (float)before;
	bucket->x_mb_min = before ? (float)w->x_mb_min : 0;
	bucket->wave = w->wave;
	unsigned changes = (before > yesterday ? before - yesterday
					       : yesterday - before) +
		(w->done - done);
	if (changes > BUCKET_CHANGE_SHARE * before) {
		bucket->flags |= BUCKET_N_CHANGED;
		if (before > yesterday)
			w->settle = SETTLE_STEPS;
	}
	if (w->settle) {
		bucket->flags |= BUCKET_SETTLING;
		w->settle--;
	}
	if (w->brake.rate_mb_min > 0 || w->brake.pause)
		bucket->flags |= BUCKET_BRAKED;
	probe(w, bucket, n);
	count_truth(w, n);
	if (ended)
		obey_pause(w);
	w->step++;
	w->sum.makespan_s = (double)w->busy_steps * WORLD_STEP_S;
	return w->done < w->clients && w->step < STEPS_MAX;
}

void world_result(const struct world *w, struct world_result *result)
{
	double steps = fmax(w->busy_steps, 1);

	*result = w->sum;
	result->above_slo /= steps;
	result->overload /= steps;
}
