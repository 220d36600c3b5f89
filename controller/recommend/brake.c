/*
 * brake.c - rules, times and the state machine of the brake.
 *
 * Stepped once a second by the controller with the newest evidence; obeyed
 * by the scheduler and, through it, by the agents. Pure; one thread.
 */
#include "brake.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "brake_rules.h"
#include "clock.h"

/* Where the policy names no time. */
#define CAP_US	 (30 * US_PER_S)
#define PAUSE_US (60 * US_PER_S)
#define AGAIN_US (20 * US_PER_S)

#define RATE_SHARE 0.7 /* of what moves now */
#define RATE_FLOOR 0.1 /* of what moved when it began */

struct watch {
	int64_t over_us, worse_us, stop_us; /* since; 0: not */
	bool braking; /* was over for its time, not yet below its release */
};

struct brake {
	struct brake_policy policy;
	enum brake_state state;
	int64_t since_us; /* of the state, or of its last strengthening */
	int64_t calm_us;  /* no rule brakes since; 0: one does */
	int64_t unreachable_us;
	struct watch watch[RULE_COUNT];
	struct brake_order order;
	double x_begin; /* MB/min when the cap began */
	double calm_s;	/* needed by the rules that braked */
};

/* Legal transitions: up to any stronger state, down one at a time. */
static const bool legal[BRAKE_STATES][BRAKE_STATES] = {
	[BRAKE_RELEASED] = {[BRAKE_HOLDING] = true, [BRAKE_STOPPED] = true},
	[BRAKE_HOLDING] = {[BRAKE_RELEASED] = true,
		[BRAKE_LIMITING] = true,
		[BRAKE_STOPPED] = true},
	[BRAKE_LIMITING] = {[BRAKE_HOLDING] = true,
		[BRAKE_PAUSING] = true,
		[BRAKE_STOPPED] = true},
	[BRAKE_PAUSING] = {[BRAKE_LIMITING] = true, [BRAKE_STOPPED] = true},
	[BRAKE_STOPPED] = {[BRAKE_RELEASED] = true},
};

static bool beyond(
	const struct brake_rule_row *row, double figure, double ceiling)
{
	return row->below ? figure < ceiling : figure > ceiling;
}

static void since(int64_t *at_us, bool is, int64_t now_us)
{
	if (!is)
		*at_us = 0;
	else if (*at_us == 0)
		*at_us = now_us;
}

static int64_t or_standard(int64_t us, int64_t standard_us)
{
	return us > 0 ? us : standard_us;
}

/* True when it has been so for SECONDS. */
static bool lasted(int64_t at_us, int64_t now_us, int64_t seconds)
{
	return at_us && now_us - at_us >= seconds * US_PER_S;
}

struct brake *brake_new(const struct brake_policy *policy)
{
	struct brake *brake = xcalloc(1, sizeof(*brake));

	brake->policy = *policy;
	return brake;
}

void brake_free(struct brake *brake)
{
	free(brake);
}

void brake_set_policy(struct brake *brake, const struct brake_policy *policy)
{
	brake->policy = *policy;
}

enum brake_state brake_state(const struct brake *brake)
{
	return brake->state;
}

const char *brake_state_name(enum brake_state state)
{
	static const char *const names[BRAKE_STATES] = {
		[BRAKE_RELEASED] = "released",
		[BRAKE_HOLDING] = "holding",
		[BRAKE_LIMITING] = "limiting",
		[BRAKE_PAUSING] = "pausing",
		[BRAKE_STOPPED] = "stopped",
	};

	return state < BRAKE_STATES ? names[state] : "unknown";
}

/* Where the events of one step go. */
struct events {
	struct brake_event *event;
	size_t *count;
	int64_t now_us;
};

static void say(struct brake_event *event, const char *action,
	const struct brake_rule_row *row, double ceiling)
{
	snprintf(event->text, sizeof(event->text),
		"%s: %s %.4g%s%s, the bound is %.4g%s%s", action, row->what,
		event->figure * row->scale, *row->unit ? " " : "", row->unit,
		ceiling * row->scale, *row->unit ? " " : "", row->unit);
}

/* RULE_COUNT stands for: everything has been calm for FIGURE seconds. */
static void record(struct events *events, enum brake_state from,
	enum brake_state to, const char *action, enum brake_rule rule,
	double figure, double ceiling)
{
	if (*events->count == BRAKE_EVENTS)
		return;
	struct brake_event *event = &events->event[(*events->count)++];
	*event = (struct brake_event){.at_us = events->now_us,
		.from = from,
		.to = to,
		.rule = rule < RULE_COUNT ? brake_rules[rule].key : "calm",
		.figure = figure,
		.ceiling = ceiling};
	if (rule < RULE_COUNT)
		say(event, action, &brake_rules[rule], ceiling);
	else
		snprintf(event->text, sizeof(event->text),
			"%s: what braked is below its release value for %.0f s",
			action, figure);
}

static void set_state(
	struct brake *brake, enum brake_state state, int64_t now_us)
{
	if (!legal[brake->state][state])
		abort();
	brake->state = state;
	brake->since_us = now_us;
	brake->calm_us = 0;
	brake->order.hold = state != BRAKE_RELEASED;
	brake->order.stop = state == BRAKE_STOPPED;
	if (state < BRAKE_LIMITING)
		brake->order.rate_mb_min = 0;
	if (state < BRAKE_PAUSING)
		brake->order.pause = 0;
}

/* The worst rule of each kind in this second. */
struct findings {
	enum brake_rule hold, escalate, stop; /* RULE_COUNT: none */
	struct brake_reading reading[RULE_COUNT];
	bool calm; /* all that braked are below their release value */
};

static void need_calm(struct brake *brake, const struct brake_rule_row *row)
{
	int64_t us = or_standard(
		brake->policy.release_us, row->calm_s * US_PER_S);

	brake->calm_s = fmax(brake->calm_s, (double)us / US_PER_S);
}

static void look_at(struct brake *brake, enum brake_rule rule,
	const struct brake_evidence *e, struct findings *found)
{
	const struct brake_rule_row *row = &brake_rules[rule];
	struct watch *watch = &brake->watch[rule];
	struct brake_reading r = brake_read(
		&brake->policy, e, rule, brake->unreachable_us);

	found->reading[rule] = r;
	if (!isfinite(r.figure)) {
		*watch = (struct watch){0};
		return;
	}
	since(&watch->over_us, beyond(row, r.figure, r.hold), e->now_us);
	/* Noise around the bound does not start the time anew. */
	double worse = watch->worse_us ? r.hold : r.escalate;
	since(&watch->worse_us, row->escalates && beyond(row, r.figure, worse),
		e->now_us);
	since(&watch->stop_us,
		isfinite(r.stop) && beyond(row, r.figure, r.stop), e->now_us);
	if (lasted(watch->over_us, e->now_us, row->hold_s))
		watch->braking = true;
	else if (!beyond(row, r.figure, r.release))
		watch->braking = false;
	if (watch->braking) {
		found->calm = false;
		need_calm(brake, row);
	}
	if (found->hold == RULE_COUNT &&
		lasted(watch->over_us, e->now_us, row->hold_s))
		found->hold = rule;
	if (found->escalate == RULE_COUNT && watch->worse_us)
		found->escalate = rule;
	if (found->stop == RULE_COUNT &&
		lasted(watch->stop_us, e->now_us, row->stop_s))
		found->stop = rule;
}

static struct findings look(struct brake *brake, const struct brake_evidence *e)
{
	struct findings found = {
		RULE_COUNT, RULE_COUNT, RULE_COUNT, .calm = true};

	since(&brake->unreachable_us, !e->server_reachable, e->now_us);
	for (int rule = 0; rule < RULE_COUNT; rule++)
		look_at(brake, (enum brake_rule)rule, e, &found);
	since(&brake->calm_us, found.calm, e->now_us);
	return found;
}

static void cap_rate(struct brake *brake, const struct brake_evidence *e)
{
	double now = e->x_mb_min;
	double cap = brake->order.rate_mb_min;

	/* What moves now may already be the cap's doing. */
	if (cap > 0)
		now = fmin(now, cap);
	else
		brake->x_begin = now;
	brake->order.rate_mb_min = fmax(
		RATE_SHARE * now, RATE_FLOOR * brake->x_begin);
}

/* Holding was not enough: cap the rate, then pause the newest. */
static void press(struct brake *brake, const struct brake_evidence *e,
	const struct findings *found, struct events *events)
{
	enum brake_rule rule = found->escalate;
	enum brake_state from = brake->state;
	int64_t in_state_us = e->now_us - brake->since_us;
	int64_t cap_us = or_standard(brake->policy.cap_us, CAP_US);
	int64_t pause_us = or_standard(brake->policy.pause_us, PAUSE_US);
	int64_t again_us = or_standard(brake->policy.again_us, AGAIN_US);
	const char *action;

	if (rule == RULE_COUNT)
		return;
	int64_t worse_us = e->now_us - brake->watch[rule].worse_us;
	if (from == BRAKE_HOLDING && worse_us >= cap_us &&
		in_state_us >= cap_us) {
		set_state(brake, BRAKE_LIMITING, e->now_us);
		cap_rate(brake, e);
		action = "the fleet's rate is capped";
	} else if (from == BRAKE_LIMITING && worse_us >= pause_us &&
		in_state_us >= again_us) {
		set_state(brake, BRAKE_PAUSING, e->now_us);
		brake->order.pause = 1;
		action = "the newest sync is paused";
	} else if (from == BRAKE_PAUSING && in_state_us >= again_us &&
		e->n > 1) {
		brake->order.pause++;
		brake->since_us = e->now_us;
		action = "one more sync is paused";
	} else {
		return;
	}
	/* Once worse, it is so until the figure is below the holding bound. */
	record(events, from, brake->state, action, rule,
		found->reading[rule].figure, found->reading[rule].hold);
}

/* Calm for long enough: one step back. */
static void ease(struct brake *brake, int64_t now_us, struct events *events)
{
	enum brake_state from = brake->state;
	const char *action;
	double calm_s = brake->calm_s;

	if (from == BRAKE_RELEASED || from == BRAKE_STOPPED ||
		!lasted(brake->calm_us, now_us, (int64_t)calm_s))
		return;
	if (from == BRAKE_PAUSING && brake->order.pause > 1) {
		brake->order.pause--;
		brake->calm_us = now_us;
		action = "one paused sync goes on";
	} else {
		action = from == BRAKE_PAUSING ? "the last paused sync goes on"
			: from == BRAKE_LIMITING ? "the rate is free again"
						 : "new starts are released";
		set_state(brake, (enum brake_state)(from - 1), now_us);
		/* The next step back needs its own time of calm. */
		brake->calm_us = now_us;
	}
	if (brake->state == BRAKE_RELEASED)
		brake->calm_s = 0;
	record(events, from, brake->state, action, RULE_COUNT, calm_s, calm_s);
}

struct brake_order brake_step(struct brake *brake,
	const struct brake_evidence *e, struct brake_event event[BRAKE_EVENTS],
	size_t *count)
{
	struct events events = {event, count, e->now_us};
	enum brake_state from = brake->state;

	*count = 0;
	struct findings found = look(brake, e);
	if (from == BRAKE_STOPPED)
		return brake->order;
	if (found.stop != RULE_COUNT) {
		set_state(brake, BRAKE_STOPPED, e->now_us);
		brake->order.pause = UINT32_MAX;
		record(&events, from, BRAKE_STOPPED,
			"all syncs are paused and the rollout with them",
			found.stop, found.reading[found.stop].figure,
			found.reading[found.stop].stop);
	} else if (from == BRAKE_RELEASED && found.hold != RULE_COUNT) {
		set_state(brake, BRAKE_HOLDING, e->now_us);
		record(&events, from, BRAKE_HOLDING, "new starts are held",
			found.hold, found.reading[found.hold].figure,
			found.reading[found.hold].hold);
	} else if (found.calm) {
		ease(brake, e->now_us, &events);
	} else {
		press(brake, e, &found, &events);
	}
	return brake->order;
}

bool brake_may_start(const struct brake_policy *policy,
	const struct brake_evidence *e, char *text, size_t size)
{
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		const struct brake_rule_row *row = &brake_rules[rule];
		struct brake_reading r = brake_read(policy, e,
			(enum brake_rule)rule,
			e->server_reachable ? 0 : e->now_us - 3600 * US_PER_S);
		if (!isfinite(r.figure) || !beyond(row, r.figure, r.hold))
			continue;
		if (rule == RULE_UNREACHABLE)
			snprintf(text, size,
				"the server cannot be reached before the "
				"wave starts; nothing was started");
		else
			snprintf(text, size,
				"the server is distressed before the wave "
				"starts: %s %.4g%s%s, the bound is %.4g%s%s; "
				"nothing was started",
				row->what, r.figure * row->scale,
				*row->unit ? " " : "", row->unit,
				r.hold * row->scale, *row->unit ? " " : "",
				row->unit);
		return false;
	}
	return true;
}

void brake_reset(struct brake *brake, int64_t now_us)
{
	if (brake->state != BRAKE_STOPPED)
		return;
	set_state(brake, BRAKE_RELEASED, now_us);
	brake_rest(brake);
}

void brake_rest(struct brake *brake)
{
	memset(brake->watch, 0, sizeof(brake->watch));
	brake->unreachable_us = 0;
	brake->calm_s = 0;
}

void brake_restore(struct brake *brake, enum brake_state state,
	const struct brake_order *order, int64_t now_us)
{
	brake->state = state;
	brake->since_us = now_us;
	brake->order = *order;
	brake->x_begin = order->rate_mb_min;
	/* Which rules braked is not known: the longest calm of them all. */
	for (int rule = 0; rule < RULE_COUNT; rule++)
		need_calm(brake, &brake_rules[rule]);
}
