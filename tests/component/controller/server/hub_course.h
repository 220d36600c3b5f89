/*
 * hub_course.h - what a second brings to a hub_world: agents obey, synchronise
 * at the server's law and report, then the controller has its turn.
 */
#ifndef SLUICE_HUB_COURSE_H
#define SLUICE_HUB_COURSE_H

#include "hub_world.h"

static inline unsigned world_running(const struct hub_world *w)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->hub.rollout.client_count; i++)
		n += w->agents[i].phase == PHASE_STARTING ||
			w->agents[i].phase == PHASE_SYNCING;
	return n;
}

static inline void world_obey(const struct hub_world *w,
	struct world_agent *agent, const struct client_row *client)
{
	agent->rate_bytes_s = client->rate_bytes_s;
	if (agent->phase == PHASE_STARTING && !w->dead)
		agent->phase = PHASE_SYNCING;
	if (client->command_id <= agent->obeyed)
		return;
	agent->obeyed = client->command_id;
	switch (client->command) {
	case COMMAND_START:
	case COMMAND_RESUME:
		agent->phase = PHASE_STARTING;
		break;
	case COMMAND_PAUSE:
		agent->phase = PHASE_PAUSED;
		break;
	case COMMAND_CANCEL:
		agent->phase = PHASE_IDLE;
		break;
	default:
		break;
	}
}

static inline void world_report(struct hub_world *w, size_t i)
{
	struct world_agent *agent = &w->agents[i];
	struct client_row *client = &w->hub.rollout.clients[i];
	char boot[] = "boot", version[] = "1.0";
	struct sample sample = {.at_us = w->now_us - agent->late_us,
		.phase = agent->phase,
		.app_bytes = (uint64_t)agent->bytes,
		.wire_bytes = (uint64_t)agent->bytes};
	struct report report = {.seq = ++agent->seq,
		.boot = boot,
		.sent_us = w->now_us - agent->late_us,
		.phase = agent->phase,
		.command = agent->obeyed,
		.version = version,
		.progress = {.total_bytes = (uint64_t)agent->total_bytes,
			.seconds = agent->seconds,
			.verified = agent->phase == PHASE_DONE},
		.samples = &sample,
		.sample_count = 1};
	struct err err = ERR_INIT;

	world_must(gauge_report(w->hub.gauge, client, &report, w->now_us, &err),
		&err);
	client->seq = report.seq;
	rollout_report(&w->hub.rollout, client, &report, w->now_us);
}

/* One second: agents obey, sync at the server's law, report; then the
 * controller has its turn. */
static inline void world_second(struct hub_world *w)
{
	double n = world_running(w);
	double each = n > 0
		? 1e6 / 60 / (w->c0 + w->c1 * (n - 1) + w->c2 * n * (n - 1))
		: 0;

	w->now_us += US_PER_S;
	assert_true(hub_begin(&w->hub));
	for (size_t i = 0; i < w->hub.rollout.client_count; i++) {
		struct world_agent *agent = &w->agents[i];
		bool was = agent->phase == PHASE_SYNCING;
		double cap = (double)agent->rate_bytes_s;

		w->hub.rollout.clients[i].seen_us = w->now_us;
		if (was && !w->dead)
			agent->bytes += cap > 0 && cap < each ? cap : each;
		if (was && agent->bytes >= agent->total_bytes)
			agent->phase = PHASE_DONE;
		world_obey(w, agent, &w->hub.rollout.clients[i]);
		if (was || agent->phase != PHASE_IDLE)
			world_report(w, i);
	}
	hub_tick(&w->hub, w->now_us);
	assert_false(w->hub.failed);
}

static inline const struct wave_row *world_wave(const struct hub_world *w)
{
	const struct rollout *r = &w->hub.rollout;

	return r->wave_count ? &r->waves[r->wave_count - 1] : NULL;
}

/* Seconds until wave NUMBER exists; fails after LIMIT. */
static inline int world_until_wave(
	struct hub_world *w, unsigned number, int limit)
{
	for (int s = 0; s < limit; s++) {
		world_second(w);
		if (w->hub.rollout.wave_count >= number)
			return s + 1;
	}
	fail_msg("no wave %u after %d s: %s", number, limit,
		w->hub.rollout.row.reason);
	return limit;
}

/* The newest event of SUBJECT whose text has PART; NULL: none. A copy for
 * free(). */
static inline char *world_event(
	struct hub_world *w, const char *subject, const char *part)
{
	struct event_row *rows;
	struct err err = ERR_INIT;
	size_t count;
	char *found = NULL;

	world_must(archive_events(w->hub.archive, &rows, &count, &err), &err);
	for (size_t i = count; i-- > 0 && !found;)
		if (strcmp(rows[i].subject, subject) == 0 &&
			strstr(rows[i].text, part))
			found = xstrdup(rows[i].text);
	free(rows);
	return found;
}

#endif
