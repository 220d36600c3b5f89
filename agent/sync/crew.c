/*
 * crew.c - one or several lanes on one piece of work, see crew.h.
 *
 * The first lane's thread runs crew_run() and, whenever its source asks for
 * a window, considers whether to take on a hand or let one go. A hand's
 * thread opens its session, unless it has one, and runs its lane.
 */
#include "crew.h"

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "hire.h"
#include "log.h"
#include "tried.h"
#include "wire.h"
#include "work.h"

#include <pthread.h>
#include <stdlib.h>

/* What a try has shown is made use of at once for so much. */
#define MUCH_BYTES (UINT64_C(8) << 20)

struct hand {
	struct crew *crew;
	struct lane *lane;	 /* NULL: not yet needed */
	struct source *source;	 /* NULL: no session */
	struct source_line line; /* the first one's, when it was taken on */
	pthread_t thread;
	bool running;	/* there is a thread to join */
	bool dismissed; /* under the mutex */
	uint64_t trips; /* of the session when the work began */
	int status;
	struct err err;
};

struct crew {
	struct crew_setup setup;
	struct lane *lane;
	struct hand hands[CREW_MAX - 1];
	struct source *first;
	struct work *work;
	struct hire hire;
	uint64_t bytes_before;
	unsigned proven; /* so many were worth it */
	bool in_vain;	 /* and one more was not */
	unsigned lost;
	uint64_t round_trips;
	pthread_mutex_t mutex; /* guards what follows */
	unsigned max, connecting, working, most;
	bool changed; /* working, or an attempt at it */
	bool stopping;
};

static bool first_held(void *context);
static bool hand_held(void *context);

static void first_bulk(void *context)
{
	const struct crew *crew = context;

	crew->setup.lane.bulk(crew->setup.lane.context);
}

int crew_new(struct crew **out, const struct crew_setup *setup, struct err *err)
{
	struct crew *crew = xcalloc(1, sizeof *crew);
	struct lane_setup lane = setup->lane;

	crew->setup = *setup;
	crew->max = setup->max < CREW_MAX ? setup->max : CREW_MAX;
	crew->most = 1;
	pthread_mutex_init(&crew->mutex, NULL);
	lane.tried = crew->setup.lane.tried = tried_new();
	lane.lists = true;
	lane.held = first_held;
	lane.bulk = setup->lane.bulk ? first_bulk : NULL;
	lane.context = crew;
	if (lane_new(&crew->lane, &lane, err)) {
		crew_free(crew);
		return -1;
	}
	*out = crew;
	return 0;
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	crew_hang_up(crew);
	for (unsigned i = 0; i < CREW_MAX - 1; i++)
		lane_free(crew->hands[i].lane);
	lane_free(crew->lane);
	tried_free(crew->setup.lane.tried);
	pthread_mutex_destroy(&crew->mutex);
	free(crew);
}

struct lane *crew_lane(struct crew *crew)
{
	return crew->lane;
}

unsigned crew_take_lost(struct crew *crew)
{
	unsigned lost = crew->lost;

	crew->lost = 0;
	return lost;
}

unsigned crew_most(const struct crew *crew)
{
	return crew->most;
}

uint64_t crew_take_round_trips(struct crew *crew)
{
	uint64_t trips = crew->round_trips;

	crew->round_trips = 0;
	return trips;
}

static void close_session(struct hand *hand)
{
	source_close(hand->source);
	hand->source = NULL;
	hand->trips = 0;
}

void crew_hang_up(struct crew *crew)
{
	for (unsigned i = 0; i < CREW_MAX - 1; i++)
		close_session(&crew->hands[i]);
}

/* ---------------------------------------------------------------- a hand */

/* The server bears no more than are at work now. Under the mutex. */
static void make_do(const struct hand *hand, const char *what)
{
	struct crew *crew = hand->crew;

	if (wire_cancelled(crew->setup.lane.wire))
		return;
	if (crew->working + 1 < crew->max)
		crew->max = crew->working + 1;
	log_info(crew->setup.subject, "%s, going on with %u: %s", what,
		crew->working + 1, hand->err.text);
}

/* How a hand's attempt to get in has ended. */
static void connected(struct hand *hand, bool in)
{
	struct crew *crew = hand->crew;

	pthread_mutex_lock(&crew->mutex);
	crew->connecting--;
	crew->changed = true;
	if (in) {
		crew->working++;
		if (crew->working + 1 > crew->most)
			crew->most = crew->working + 1;
	} else {
		make_do(hand, "no further connection");
	}
	pthread_mutex_unlock(&crew->mutex);
}

static void ended(struct hand *hand)
{
	struct crew *crew = hand->crew;

	pthread_mutex_lock(&crew->mutex);
	crew->working--;
	crew->changed = true;
	if (hand->status)
		make_do(hand, "a connection is lost");
	pthread_mutex_unlock(&crew->mutex);
}

static void *hand_thread(void *argument)
{
	struct hand *hand = argument;
	struct crew *crew = hand->crew;

	if (!hand->source &&
		crew->setup.open(crew->setup.context, &hand->line,
			&hand->source, &hand->err)) {
		connected(hand, false);
		return NULL;
	}
	connected(hand, true);
	hand->status = lane_run(
		hand->lane, hand->source, crew->work, &hand->err);
	ended(hand);
	return NULL;
}

static bool hand_held(void *context)
{
	struct hand *hand = context;
	struct crew *crew = hand->crew;
	bool held;

	pthread_mutex_lock(&crew->mutex);
	held = hand->dismissed || crew->stopping;
	pthread_mutex_unlock(&crew->mutex);
	return held || crew->setup.lane.held(crew->setup.lane.context);
}

static int give_lane(struct hand *hand, struct err *err)
{
	struct lane_setup lane = hand->crew->setup.lane;

	if (hand->lane)
		return 0;
	lane.held = hand_held;
	/* Only the first lane's thread changes the state of the sync. */
	lane.bulk = NULL;
	lane.context = hand;
	return lane_new(&hand->lane, &lane, err);
}

static void count_connecting(struct crew *crew, int change)
{
	pthread_mutex_lock(&crew->mutex);
	crew->connecting += (unsigned)change;
	pthread_mutex_unlock(&crew->mutex);
}

/* Another hand, one with a session if there is one. False: there is none. */
static bool take_on(struct crew *crew)
{
	struct hand *chosen = NULL;

	for (unsigned i = 0; i < CREW_MAX - 1; i++) {
		struct hand *hand = &crew->hands[i];

		if (!hand->running && (!chosen || !chosen->source))
			chosen = hand->source || !chosen ? hand : chosen;
	}
	if (!chosen)
		return false;
	chosen->crew = crew;
	chosen->dismissed = false;
	chosen->status = 0;
	chosen->err = ERR_INIT;
	chosen->line = source_line(crew->first);
	chosen->trips = chosen->source ? source_round_trips(chosen->source) : 0;
	if (give_lane(chosen, NULL))
		return false;
	count_connecting(crew, 1);
	chosen->running = !pthread_create(
		&chosen->thread, NULL, hand_thread, chosen);
	if (!chosen->running)
		count_connecting(crew, -1);
	return chosen->running;
}

static void dismiss_newest(struct crew *crew)
{
	unsigned i = CREW_MAX - 1;

	while (i && !crew->hands[i - 1].running)
		i--;
	pthread_mutex_lock(&crew->mutex);
	if (i)
		crew->hands[i - 1].dismissed = true;
	pthread_mutex_unlock(&crew->mutex);
}

/* ---------------------------------------------------------- the number */

static struct hire_look look(const struct crew *crew)
{
	struct wire *wire = crew->setup.lane.wire;
	struct hire_look now = {
		.now_us = clock_monotonic_us(),
		.bytes = wire_counts(wire).plain_in,
		.limit_bytes_s = wire_rate(wire),
	};
	uint64_t all = work_size(crew->work).bytes;

	now.bytes_left = all > now.bytes - crew->bytes_before
		? all - (now.bytes - crew->bytes_before)
		: 0;
	return now;
}

/* Now and then, on the first lane's thread: is the number still right? */
static void consider(struct crew *crew)
{
	struct hire_look now;
	unsigned count;
	bool changed;

	pthread_mutex_lock(&crew->mutex);
	changed = crew->changed;
	count = crew->connecting ? 0 : crew->working + 1;
	crew->hire.max = crew->max;
	if (count)
		crew->changed = false;
	pthread_mutex_unlock(&crew->mutex);
	if (!count || crew->hire.settled)
		return;
	now = look(crew);
	if (changed)
		hire_changed(&crew->hire, count, &now);
	switch (hire_consider(&crew->hire, &now)) {
	case HIRE_MORE:
		take_on(crew);
		break;
	case HIRE_FEWER:
		crew->in_vain = true;
		dismiss_newest(crew);
		break;
	case HIRE_NONE:
		if (!crew->hire.trying && !crew->hire.settled)
			crew->proven = count;
		break;
	}
}

static bool first_held(void *context)
{
	struct crew *crew = context;

	consider(crew);
	return crew->setup.lane.held(crew->setup.lane.context);
}

static unsigned hands_at_first(struct crew *crew)
{
	struct source_line line = source_line(crew->first);
	struct work_size size = work_size(crew->work);
	struct hire_look now = look(crew);
	unsigned count = hire_for_commands(&size, &line, crew->max);

	if (size.bytes > MUCH_BYTES && crew->proven > count)
		count = crew->proven < crew->max ? crew->proven : crew->max;
	hire_start(&crew->hire, &line, 1, crew->max, &now);
	if (crew->in_vain || crew->max < 2)
		crew->hire.settled = true;
	return count - 1;
}

/* -------------------------------------------------------------- the work */

/* Trouble of our own, which another session would not be spared. */
static bool is_ours(const struct err *err)
{
	switch (err->kind) {
	case ERR_IO:
	case ERR_DISK_FULL:
	case ERR_LOCKED:
	case ERR_DATABASE:
	case ERR_CANCELLED:
		return true;
	default:
		return false;
	}
}

/* Waits for a hand; 0 when the others' work is as good without it. */
static int join_hand(struct hand *hand, uint64_t *longest, struct err *err)
{
	struct crew *crew = hand->crew;
	uint64_t trips = 0;
	int status = 0;

	pthread_join(hand->thread, NULL);
	hand->running = false;
	if (hand->source)
		trips = source_round_trips(hand->source) - hand->trips;
	*longest = trips > *longest ? trips : *longest;
	if (hand->status) {
		crew->lost++;
		work_give_up(crew->work, hand->lane);
		if (is_ours(&hand->err)) {
			status = -1;
			if (err)
				*err = hand->err;
		}
	}
	if (hand->status || hand->dismissed)
		close_session(hand);
	return status;
}

/* The first lane is through after TRIPS. */
static int join_all(struct crew *crew, uint64_t trips, struct err *err)
{
	uint64_t longest = trips;
	int status = 0;

	for (unsigned i = 0; i < CREW_MAX - 1; i++)
		if (crew->hands[i].running &&
			join_hand(
				&crew->hands[i], &longest, status ? NULL : err))
			status = -1;
	crew->round_trips += longest - trips;
	return status;
}

int crew_run(struct crew *crew, struct source *first, struct work *work,
	struct err *err)
{
	uint64_t trips = source_round_trips(first);
	unsigned hands;
	int status;

	crew->first = first;
	crew->work = work;
	crew->stopping = crew->changed = false;
	crew->bytes_before = wire_counts(crew->setup.lane.wire).plain_in;
	hands = hands_at_first(crew);
	while (hands && take_on(crew))
		hands--;
	status = lane_run(crew->lane, first, work, err);
	pthread_mutex_lock(&crew->mutex);
	crew->stopping = status != 0;
	pthread_mutex_unlock(&crew->mutex);
	trips = source_round_trips(first) - trips;
	if (join_all(crew, trips, status ? NULL : err))
		status = -1;
	if (!status)
		status = work_done(work, lane_reader(crew->lane));
	work_free(work);
	crew->work = NULL;
	return status;
}
