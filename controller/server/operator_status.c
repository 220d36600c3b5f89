/*
 * operator_status.c - where everything stands, for a person and as JSON.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "counsel.h"
#include "reply.h"
#include "units.h"
#include "waves.h"

static json_t *real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *seconds(int64_t at_us)
{
	return at_us ? json_real((double)at_us / US_PER_S) : json_null();
}

/* MB per minute of active time. */
static double client_speed(const struct client_row *c)
{
	return c->progress.seconds > 0
		? (double)c->app_bytes / 1e6 * 60 / c->progress.seconds
		: NAN;
}

static json_t *client_json(const struct hub *hub, const struct client_row *c)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:I, s:I, "
			 "s:I, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:f}",
		"name", c->name, "state", client_state_name(c->state), "reason",
		c->reason, "mailbox", c->mailbox, "wave", (int)c->wave,
		"attempts", (int)c->attempts, "host", c->host, "version",
		c->version, "app_bytes", (json_int_t)c->app_bytes,
		"total_bytes", (json_int_t)c->progress.total_bytes, "messages",
		(json_int_t)c->progress.messages, "seconds",
		real(c->progress.seconds), "mb_per_min", real(client_speed(c)),
		"verified", c->progress.verified, "accepted", c->accepted,
		"admitted", seconds(c->admitted_us), "bulk",
		seconds(c->bulk_us), "finished", seconds(c->finished_us),
		"seen", seconds(c->seen_us), "clock_error_seconds",
		(double)gauge_clock_error_us(hub->gauge, c->id) / US_PER_S);
}

static json_t *wave_json(struct hub *hub, const struct wave_row *w)
{
	struct rollout *r = &hub->rollout;
	struct judge_counts counts;
	unsigned queued, active;
	json_t *gates = json_loads(w->gates, 0, NULL);

	wave_count(r, w, &counts, &queued, &active);
	return json_pack("{s:i, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, "
			 "s:i, s:b, s:b, s:b, s:s, s:s, s:o, s:o, s:o}",
		"number", (int)w->number, "kind", wave_kind_name(w->kind),
		"state", wave_state_name(w->state), "reason", w->reason,
		"batch_size", (int)w->batch_size, "clients", (int)w->clients,
		"admitted", (int)w->admitted, "queued", (int)queued, "active",
		(int)active, "done", (int)counts.done, "failed",
		(int)counts.failed, "barrier", w->barrier, "explore",
		w->explore, "stuck", hub->stuck && w == rollout_wave(r),
		"verdict", w->verdict, "skipped", w->skipped, "gates",
		gates ? gates : json_array(), "started", seconds(w->started_us),
		"ended", seconds(w->ended_us));
}

static json_t *now_json(const struct gauge_now *now)
{
	return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s?, "
			 "s:s?, s:s?, s:s?}",
		"n", (int)now->n, "active", (int)now->active, "mb_per_min",
		real(now->mb_min), "cpu", real((double)now->load[LOAD_CPU]),
		"disk_await_ms", real((double)now->load[LOAD_DISK_READ_AWAIT]),
		"disk_queue", real((double)now->load[LOAD_DISK_QUEUE]),
		"canary_p95_ms", real(now->p95_ms), "slo_ms", real(now->slo_ms),
		"brake", now->brake, "brake_why", now->brake_why,
		"exporter_problem", now->exporter_problem, "canary_problem",
		now->canary_problem, "generator_problem", now->generator);
}

static json_t *counts_json(const struct rollout *r)
{
	json_t *counts = json_object();

	for (int s = 0; s < CLIENT_STATE_COUNT; s++) {
		unsigned n = rollout_count(r, (enum client_state)s);

		if (n)
			json_object_set_new(counts,
				client_state_name((enum client_state)s),
				json_integer(n));
	}
	return counts;
}

static void fill_data(struct hub *hub, const struct gauge_now *now,
	bool clients, json_t *data)
{
	struct rollout *r = &hub->rollout;
	json_t *list = json_array(), *waves = json_array();

	for (size_t i = 0; clients && i < r->client_count; i++)
		json_array_append_new(list, client_json(hub, &r->clients[i]));
	for (size_t i = 0; i < r->wave_count; i++)
		json_array_append_new(waves, wave_json(hub, &r->waves[i]));
	json_object_set_new(data, "rollout",
		json_pack("{s:s, s:s, s:s, s:i, s:b}", "name", r->row.name,
			"state", rollout_state_name(r->row.state), "reason",
			r->row.reason, "batch_size", (int)r->row.batch_size,
			"automatic", r->row.automatic));
	json_object_set_new(data, "counts", counts_json(r));
	json_object_set_new(data, "now", now_json(now));
	json_object_set_new(data, "mb_left", real(counsel_mb_left(hub)));
	json_object_set_new(data, "wave",
		r->wave_count ? wave_json(hub, &r->waves[r->wave_count - 1])
			      : json_null());
	json_object_set_new(data, "waves", waves);
	json_object_set_new(data, "clients", list);
}

static void write_wave(
	const struct rollout *r, const struct wave_row *w, struct buf *text)
{
	struct judge_counts counts;
	unsigned queued, active;

	wave_count(r, w, &counts, &queued, &active);
	(void)buf_printf(text,
		"wave %u (%s): %s%s%s%s; %u at once, %u done, %u running, %u "
		"waiting, %u failed%s%s%s%s%s\n",
		w->number, wave_kind_name(w->kind), wave_state_name(w->state),
		w->reason[0] ? " (" : "", w->reason, w->reason[0] ? ")" : "",
		w->batch_size, counts.done, active, queued, counts.failed,
		w->verdict[0] ? "; gate " : "", w->verdict,
		w->skipped[0] ? ", skipped: " : "", w->skipped, "");
}

/* The exporter's figures, as far as it gave any. */
static void write_load(const struct gauge_now *now, struct buf *text)
{
	static const struct {
		enum load_metric metric;
		double scale;
		const char *name, *unit;
	} figures[] = {
		{LOAD_CPU, 100, "CPU", "%"},
		{LOAD_DISK_READ_AWAIT, 1, "disk await", " ms"},
		{LOAD_DISK_QUEUE, 1, "queue", ""},
		{LOAD_DISK_READ_MB_S, 1, "reads", " MB/s"},
		{LOAD_NET_TX_MB_S, 1, "sends", " MB/s"},
	};
	const char *comma = "server: ";

	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
		double value = (double)now->load[figures[i].metric];

		if (!isfinite(value))
			continue;
		(void)buf_printf(text, "%s%s %.3g%s", comma, figures[i].name,
			value * figures[i].scale, figures[i].unit);
		comma = ", ";
	}
	if (*comma == ',')
		(void)buf_append_text(text, "\n");
}

static void write_now(
	struct hub *hub, const struct gauge_now *now, struct buf *text)
{
	double left = counsel_mb_left(hub);
	char span[UNITS_TEXT_BYTES];

	(void)buf_printf(text, "now: %u syncs, %u in bulk, %.0f MB/min",
		rollout_active(&hub->rollout), now->n,
		isfinite(now->mb_min) ? now->mb_min : 0);
	if (now->mb_min > 1 && left > 0)
		(void)buf_printf(text, ", %.0f MB left, about %s", left,
			units_format_duration(
				(int64_t)(left / now->mb_min * 60e6), span));
	(void)buf_append_text(text, "\n");
	write_load(now, text);
	if (isfinite(now->p95_ms))
		(void)buf_printf(text, "waiting users: p95 %.0f ms of %.0f\n",
			now->p95_ms, now->slo_ms);
	if (now->generator)
		(void)buf_printf(text,
			"load generator is the bottleneck (%s): figures are a "
			"lower bound\n",
			now->generator);
	if (now->exporter_problem)
		(void)buf_printf(text, "exporter: %s\n", now->exporter_problem);
	if (now->canary_problem)
		(void)buf_printf(text, "canary: %s\n", now->canary_problem);
	if (now->brake_why)
		(void)buf_printf(
			text, "brake: %s (%s)\n", now->brake, now->brake_why);
}

static void write_clocks(const struct hub *hub, struct buf *text)
{
	for (size_t i = 0; i < hub->rollout.client_count; i++) {
		const struct client_row *c = &hub->rollout.clients[i];
		int64_t error_us = gauge_clock_error_us(hub->gauge, c->id);

		if (client_state_active(c->state) &&
			error_us > GAUGE_CLOCK_WARN_US)
			(void)buf_printf(text,
				"clock: times of %s may be wrong by %.1f s\n",
				c->name, (double)error_us / US_PER_S);
	}
}

static void write_clients(const struct rollout *r, struct buf *text)
{
	(void)buf_append_text(text, "clients:");
	for (int s = 0; s < CLIENT_STATE_COUNT; s++) {
		unsigned n = rollout_count(r, (enum client_state)s);

		if (n)
			(void)buf_printf(text, " %u %s", n,
				client_state_name((enum client_state)s));
	}
	(void)buf_append_text(text, "\n");
	for (size_t i = 0; i < r->client_count; i++) {
		const struct client_row *c = &r->clients[i];

		if (client_state_active(c->state))
			(void)buf_printf(text,
				"  %-12s %-9s %5.1f%%  %.1f MB\n", c->name,
				client_state_name(c->state),
				c->progress.total_bytes
					? 100.0 * (double)c->app_bytes /
						(double)c->progress.total_bytes
					: 0,
				(double)c->app_bytes / 1e6);
		else if (c->state == CLIENT_FAILED ||
			c->state == CLIENT_GAVE_UP ||
			c->state == CLIENT_OUTDATED)
			(void)buf_printf(text, "  %-12s %-9s %s\n", c->name,
				client_state_name(c->state), c->reason);
	}
}

int verb_status(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	struct rollout *r = &hub->rollout;
	struct gauge_now now;

	(void)who;
	(void)err;
	gauge_now(hub->gauge, &now);
	fill_data(hub, &now, !arg_flag(args, "brief"), reply->data);
	(void)buf_printf(&reply->text, "rollout %s: %s%s%s%s\n", r->row.name,
		rollout_state_name(r->row.state), r->row.reason[0] ? " (" : "",
		r->row.reason, r->row.reason[0] ? ")" : "");
	for (size_t i = 0; i < r->wave_count; i++)
		if (!wave_state_final(r->waves[i].state) ||
			i + 1 == r->wave_count)
			write_wave(r, &r->waves[i], &reply->text);
	write_now(hub, &now, &reply->text);
	write_clocks(hub, &reply->text);
	write_clients(r, &reply->text);
	reply->exit = hub_exit(hub);
	return 0;
}

static int show_wave(
	struct hub *hub, unsigned number, struct reply *reply, struct err *err)
{
	struct rollout *r = &hub->rollout;
	const struct wave_row *wave;
	json_t *clients = json_array();
	size_t i;
	json_t *gate;

	if (number == 0 || number > r->wave_count) {
		json_decref(clients);
		return err_set(err, ERR_USAGE,
			"there is no wave %u; there are %zu", number,
			r->wave_count);
	}
	wave = &r->waves[number - 1];
	json_object_update_new(reply->data, wave_json(hub, wave));
	write_wave(r, wave, &reply->text);
	json_array_foreach(json_object_get(reply->data, "gates"), i, gate)(void)
		buf_printf(&reply->text, "  %-12s %s: %s, expected %s\n",
			arg_text(gate, "verdict"), arg_text(gate, "rule"),
			arg_text(gate, "measured"), arg_text(gate, "limit"));
	for (i = 0; i < r->client_count; i++) {
		const struct client_row *c = &r->clients[i];

		if (c->wave != number)
			continue;
		json_array_append_new(clients, client_json(hub, c));
		(void)buf_printf(&reply->text, "  %-12s %-9s %8.1f MB %s\n",
			c->name, client_state_name(c->state),
			(double)c->app_bytes / 1e6, c->reason);
	}
	json_object_set_new(reply->data, "members", clients);
	return 0;
}

static int show_client(
	struct hub *hub, const char *name, struct reply *reply, struct err *err)
{
	const struct client_row *c = rollout_client(&hub->rollout, name);
	const struct progress *p;

	if (!c)
		return err_set(err, ERR_USAGE,
			"no client is called %.80s; see sluice status", name);
	p = &c->progress;
	json_object_update_new(reply->data, client_json(hub, c));
	(void)buf_printf(&reply->text,
		"%s: %s%s%s\n  agent %s on %s, wave %u, attempt %u\n"
		"  %llu messages in %llu folders, %llu bodies, %llu protected, "
		"%llu contacts, %llu events, %llu tasks, %llu notes, %llu in "
		"quarantine\n  %.1f MB of %.1f in %.1f s%s%s\n",
		c->name, client_state_name(c->state), c->reason[0] ? ": " : "",
		c->reason, c->version, c->host, c->wave, c->attempts,
		(unsigned long long)p->messages, (unsigned long long)p->folders,
		(unsigned long long)p->bodies,
		(unsigned long long)p->protected_messages,
		(unsigned long long)p->contacts, (unsigned long long)p->events,
		(unsigned long long)p->tasks, (unsigned long long)p->notes,
		(unsigned long long)p->quarantined, (double)c->app_bytes / 1e6,
		(double)p->total_bytes / 1e6, p->seconds,
		p->verified ? ", verified" : "",
		c->accepted ? ", accepted" : "");
	return 0;
}

int verb_show(struct hub *hub, const json_t *args, const char *who,
	struct reply *reply, struct err *err)
{
	const char *client = arg_text(args, "client");

	(void)who;
	if (client)
		return show_client(hub, client, reply, err);
	return show_wave(hub, arg_count(args, "wave"), reply, err);
}
