/*
 * slicer.c - agents' samples become intervals, intervals fall into buckets.
 *
 * Between the control link and the archive. Each agent's samples make one
 * unbroken chain of intervals on the controller's clock; an interval carries
 * the phase of its first sample and the bytes up to its second. Everything
 * is counted in whole bytes and microseconds, so that nothing is lost at the
 * cuts. No I/O; the controller's loop owns it.
 */
#include "slicer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "message.h"
#include "slot.h"

#define BOOT_BYTES 64
#define DELAYS	   15 /* reports the clock is judged by */
#define JUMP_US	   (5 * US_PER_S)
#define JUMP_SAME  (1 * US_PER_S) /* how alike three late reports must be */
#define MAX_AGENTS 1000000U
#define CLOCK_MAX  (INT64_C(1) << 60) /* no machine is up for longer */
/* No client moves more: 100 Gbit/s, and what it may have moved in a second. */
#define RATE_MAX  12500ULL /* bytes a microsecond */
#define BURST_MAX (RATE_MAX * US_PER_S)

struct agent {
	bool known;
	char boot[BOOT_BYTES];
	int64_t offset_us;	  /* controller's clock minus the agent's */
	int64_t delay_us[DELAYS]; /* received - sent of recent reports */
	int64_t received_us[DELAYS];
	unsigned delays;
	int64_t last_at_us; /* agent's clock of the newest sample */
	int64_t last_us;    /* the same on ours, never going back */
	uint64_t last_bytes;
	enum phase phase;
};

struct slicer {
	struct slicer_policy policy;
	struct agent *agents;
	size_t agent_count;
	struct slots *slots;
	uint64_t bytes;
};

const struct slicer_policy slicer_policy_default = {
	.bucket_us = 5 * US_PER_S,
	.settle_us = 10 * US_PER_S,
	.gap_us = 3 * US_PER_S,
	.grace_us = 3 * US_PER_S,
	.keep_us = 600 * US_PER_S,
	.other_phases = 0.2,
};

static bool phase_active(enum phase phase)
{
	return phase == PHASE_STARTING || phase == PHASE_LISTING ||
		phase == PHASE_SYNCING || phase == PHASE_VERIFYING;
}

struct slicer *slicer_new(const struct slicer_policy *policy)
{
	struct slicer *slicer = xcalloc(1, sizeof(*slicer));

	slicer->policy = *policy;
	slicer->slots = slots_new(policy->bucket_us, policy->keep_us);
	return slicer;
}

void slicer_free(struct slicer *slicer)
{
	if (!slicer)
		return;
	slots_free(slicer->slots);
	free(slicer->agents);
	free(slicer);
}

static struct agent *agent_for(struct slicer *slicer, unsigned number)
{
	if (number >= MAX_AGENTS)
		return NULL;
	if (number >= slicer->agent_count) {
		size_t count = (size_t)number + 64;
		slicer->agents = xrealloc(
			slicer->agents, count, sizeof(*slicer->agents));
		memset(slicer->agents + slicer->agent_count, 0,
			(count - slicer->agent_count) *
				sizeof(*slicer->agents));
		slicer->agent_count = count;
	}
	return &slicer->agents[number];
}

/* The agent's clock stood still (suspend): three late reports in a row, as
 * late as each other. Reports kept in an outbox are late by falling amounts
 * and arrive together, which is how they are told apart. */
static bool clock_jumped(const struct agent *agent)
{
	int64_t least = INT64_MAX;
	int64_t most = INT64_MIN;

	if (agent->delays < 3)
		return false;
	for (unsigned back = 1; back <= 3; back++) {
		int64_t delay =
			agent->delay_us[(agent->delays - back) % DELAYS];
		if (delay < agent->offset_us + JUMP_US)
			return false;
		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
	}
	int64_t span = agent->received_us[(agent->delays - 1) % DELAYS] -
		agent->received_us[(agent->delays - 3) % DELAYS];
	return most - least < JUMP_SAME && span >= JUMP_SAME;
}

static void read_clock(struct agent *agent, const char *boot, int64_t sent_us,
	int64_t received_us)
{
	int64_t delay = received_us - sent_us;

	if (!agent->known || strncmp(agent->boot, boot, BOOT_BYTES - 1) != 0) {
		strncpy(agent->boot, boot, BOOT_BYTES - 1);
		agent->offset_us = delay;
		agent->delays = 0;
		agent->last_at_us = INT64_MIN;
	}
	agent->delay_us[agent->delays % DELAYS] = delay;
	agent->received_us[agent->delays % DELAYS] = received_us;
	agent->delays++;
	if (delay < agent->offset_us || clock_jumped(agent))
		agent->offset_us = delay;
}

/* One link of the chain: the agent was in its phase until TO_US, and by then
 * had moved BYTES more. */
static void add_interval(struct slicer *slicer, struct agent *agent,
	int64_t to_us, uint64_t bytes, unsigned flags)
{
	int64_t from_us = agent->last_us;

	if (phase_active(agent->phase) &&
		to_us - from_us > slicer->policy.gap_us)
		flags |= BUCKET_NO_DATA;
	slots_spread(slicer->slots, from_us, to_us, bytes,
		agent->phase == PHASE_SYNCING, phase_active(agent->phase),
		flags);
	slicer->bytes += bytes;
	agent->last_us = to_us;
}

static void set_phase(
	struct slicer *slicer, struct agent *agent, enum phase phase)
{
	bool was = agent->phase == PHASE_SYNCING;
	bool is = phase == PHASE_SYNCING;

	agent->phase = phase;
	if (was == is)
		return;
	slots_mark_change(slicer->slots, agent->last_us);
	if (is)
		slots_mark_settling(slicer->slots, agent->last_us,
			agent->last_us + slicer->policy.settle_us);
}

/* What the agent can have moved since its last sample, by its own clock; after
 * a boot nobody knows how long that was. */
static uint64_t most_bytes(const struct agent *agent, int64_t at_us)
{
	uint64_t span_us = agent->last_at_us == INT64_MIN
		? (uint64_t)US_PER_S * 86400
		: (uint64_t)(at_us - agent->last_at_us);

	return span_us > UINT64_MAX / RATE_MAX - BURST_MAX
		? UINT64_MAX
		: span_us * RATE_MAX + BURST_MAX;
}

static void add_sample(
	struct slicer *slicer, struct agent *agent, const struct sample *sample)
{
	int64_t at_us = sample->at_us + agent->offset_us;

	if (!agent->known) {
		/* The first sample opens the chain: what the store already
		 * held was moved before anybody measured. */
		agent->known = true;
		agent->last_us = at_us;
		agent->last_bytes = sample->app_bytes;
		agent->phase = PHASE_IDLE;
	} else {
		uint64_t bytes = 0;
		unsigned flags = 0;
		if (sample->app_bytes > agent->last_bytes)
			bytes = sample->app_bytes - agent->last_bytes;
		if (bytes > most_bytes(agent, sample->at_us)) {
			bytes = 0;
			flags = BUCKET_INVALID;
		}
		if (at_us < agent->last_us)
			at_us = agent->last_us;
		add_interval(slicer, agent, at_us, bytes, flags);
		agent->last_bytes = sample->app_bytes;
	}
	agent->last_at_us = sample->at_us;
	set_phase(slicer, agent, sample->phase);
}

static int compare_samples(const void *a, const void *b)
{
	const struct sample *x = a;
	const struct sample *y = b;

	return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

size_t slicer_report(struct slicer *slicer, unsigned number, const char *boot,
	int64_t sent_us, int64_t received_us, const struct sample *samples,
	size_t count)
{
	struct agent *agent = agent_for(slicer, number);
	size_t added = 0;

	if (!agent || count == 0 || sent_us < 0 || sent_us > CLOCK_MAX)
		return 0;
	slots_reach(slicer->slots, received_us);
	read_clock(agent, boot, sent_us, received_us);
	struct sample *sorted = xcalloc(count, sizeof(*sorted));
	memcpy(sorted, samples, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_samples);
	for (size_t i = 0; i < count; i++) {
		/* Doubled, late, or from a future the agent cannot know. */
		if ((agent->known && sorted[i].at_us <= agent->last_at_us) ||
			sorted[i].at_us < 0 || sorted[i].at_us > sent_us)
			continue;
		add_sample(slicer, agent, &sorted[i]);
		added++;
	}
	free(sorted);
	return added;
}

void slicer_lost(struct slicer *slicer, unsigned number, int64_t at_us)
{
	if (number >= slicer->agent_count || !slicer->agents[number].known)
		return;
	struct agent *agent = &slicer->agents[number];
	if (at_us > agent->last_us)
		add_interval(slicer, agent, at_us, 0, 0);
	set_phase(slicer, agent, PHASE_IDLE);
}

static int compare_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t slicer_clock_error_us(const struct slicer *slicer, unsigned number)
{
	int64_t sorted[DELAYS];

	if (number >= slicer->agent_count)
		return 0;
	const struct agent *agent = &slicer->agents[number];
	unsigned count = agent->delays < DELAYS ? agent->delays : DELAYS;
	if (count == 0)
		return 0;
	memcpy(sorted, agent->delay_us, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_i64);
	return sorted[count / 2] - agent->offset_us;
}

int64_t slicer_time(const struct slicer *slicer, unsigned number, int64_t at_us)
{
	return number < slicer->agent_count
		? at_us + slicer->agents[number].offset_us
		: at_us;
}

void slicer_load(struct slicer *slicer, int64_t at_us, int64_t span_us,
	const float load[LOAD_COUNT])
{
	slots_load(slicer->slots, at_us - span_us / 2, span_us, load);
}

void slicer_probe(struct slicer *slicer, int64_t start_us, int64_t latency_us)
{
	slots_probe(slicer->slots, start_us, latency_us);
}

void slicer_wave(struct slicer *slicer, unsigned wave, int64_t at_us)
{
	slots_wave(slicer->slots, wave, at_us);
}

void slicer_mark(struct slicer *slicer, enum bucket_flag flag, int64_t from_us,
	int64_t to_us)
{
	slots_mark(slicer->slots, flag, from_us, to_us);
}

/* An active agent has not spoken up to END_US: what it did is unknown yet. */
static bool somebody_silent(const struct slicer *slicer, int64_t end_us)
{
	for (size_t i = 0; i < slicer->agent_count; i++) {
		const struct agent *agent = &slicer->agents[i];
		if (agent->known && phase_active(agent->phase) &&
			agent->last_us + slicer->policy.gap_us < end_us)
			return true;
	}
	return false;
}

size_t slicer_take(
	struct slicer *slicer, int64_t now_us, struct bucket *out, size_t max)
{
	const struct slicer_policy *policy = &slicer->policy;
	size_t taken = 0;

	slots_reach(slicer->slots, now_us);
	while (taken < max &&
		slots_next(slicer->slots, now_us - policy->grace_us,
			policy->other_phases, &out[taken])) {
		struct bucket *bucket = &out[taken++];
		double end = bucket->start_s + (double)bucket->seconds;
		if (somebody_silent(slicer, (int64_t)(end * 1e6)))
			bucket->flags |= BUCKET_NO_DATA;
	}
	return taken;
}

uint64_t slicer_bytes(const struct slicer *slicer)
{
	return slicer->bytes;
}

void slicer_now(const struct slicer *slicer, int64_t now_us, unsigned *n,
	unsigned *active, double *x_mb_min)
{
	*n = *active = 0;
	for (size_t i = 0; i < slicer->agent_count; i++) {
		const struct agent *agent = &slicer->agents[i];
		if (!agent->known)
			continue;
		*n += agent->phase == PHASE_SYNCING;
		*active += phase_active(agent->phase);
	}
	*x_mb_min = slots_recent_mb_min(slicer->slots, now_us, 10 * US_PER_S);
}
