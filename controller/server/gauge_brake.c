/*
 * gauge_brake.c - from what is measured to the brake, and to the question
 * whether a wave may begin.
 *
 * Part of the gauge's second; see gauge.h.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "err.h"
#include "gauge_private.h"
#include "log.h"
#include "recommend.h"

#define FRESH_LOAD_US (5 * US_PER_S)
#define PROGRESS_US   (10 * US_PER_S)
#define LATE_US	      (10 * US_PER_S) /* for probes that failed */

void gauge_make_policy(struct gauge *gauge)
{
	const struct scenario *s = gauge->scenario;
	double idle_ms = await_ms(&gauge->idle_await);

	gauge->policy = (struct brake_policy){
		.slo_ms = recommend_slo_ms(s->canary.slo_us
				? (double)s->canary.slo_us / US_PER_MS
				: NAN,
			probes_idle_p95_ms(&gauge->probes)),
		.idle_await_ms = isfinite(idle_ms) ? idle_ms : 0,
		.await_max_ms = (double)s->limits.disk_await_us / US_PER_MS,
		.rotational = s->server.rotational ||
			gauge->scrape_status.rotational,
		.connections_limit = s->limits.connections,
		.exporter = gauge->scrape != NULL,
		.canary = gauge->canary != NULL,
		.cpu_max = s->limits.cpu,
		.nic_max = s->limits.network,
		.mem_available_min = s->limits.memory_available,
		.cap_us = s->brake.cap_us,
		.pause_us = s->brake.pause_us,
		.again_us = s->brake.again_us,
		.release_us = s->brake.release_us,
	};
}

/* Somebody got an answer from the server lately. */
static bool is_reachable(
	const struct gauge *gauge, const struct rollout *r, int64_t now_us)
{
	unsigned active = 0;

	if (gauge->canary && gauge->canary_status.up)
		return true;
	for (size_t i = 0; i < r->client_count; i++) {
		const struct client_row *client = &r->clients[i];

		bool begins = client->state == CLIENT_STARTING;

		if (!client_state_active(client->state) ||
			client->state == CLIENT_PAUSED ||
			(begins && now_us - client->admitted_us < PROGRESS_US))
			continue;
		active++;
		if (!begins && now_us - client->progress_us < PROGRESS_US)
			return true;
	}
	if (gauge->canary)
		return gauge->canary_status.refused ||
			!gauge->canary_status.probes;
	return active == 0 || gauge->scrape_status.up;
}

static void fill_evidence(struct gauge *gauge, const struct rollout *r,
	int64_t now_us, struct brake_evidence *e)
{
	unsigned active;
	int64_t good_us = gauge->scrape_status.last_good_us;

	*e = (struct brake_evidence){
		.now_us = now_us,
		.load_age_us = now_us - (good_us ? good_us : gauge->started_us),
		.p95_ms = (float)probes_p95_ms(&gauge->probes),
		.failure_share = (float)probes_failure_share(
			&gauge->probes, now_us),
		.canary_age_us = now_us - gauge->probe_us,
		.server_reachable = is_reachable(gauge, r, now_us),
	};
	for (int i = 0; i < LOAD_COUNT; i++)
		e->load[i] = now_us - gauge->load.at_us < FRESH_LOAD_US
			? gauge->load.load[i]
			: NAN;
	/* One second's reads are few: a quiet second is no end of trouble. */
	if (now_us - gauge->load.at_us < FRESH_LOAD_US)
		e->load[LOAD_DISK_READ_AWAIT] = (float)await_ms(&gauge->await);
	slicer_now(gauge->slicer, now_us, &e->n, &active, &e->x_mb_min);
}

/* Its state, how many it pauses, its cap, why: a controller that was killed
 * must not let go what it had stopped. */
static int keep_brake(struct gauge *gauge, struct err *err)
{
	const struct brake_order *order = &gauge->order;
	char text[GAUGE_BRAKE_BYTES];

	(void)snprintf(text, sizeof(text), "%d %u %.17g %s",
		(int)brake_state(gauge->brake), order->pause,
		order->rate_mb_min, gauge->hold);
	if (strcmp(text, gauge->brake_kept) == 0)
		return 0;
	memcpy(gauge->brake_kept, text, sizeof(text));
	return archive_set(gauge->archive, "brake", text, err);
}

int gauge_restore_brake(struct gauge *gauge, struct err *err)
{
	struct brake_order *order = &gauge->order;
	char *text = NULL;
	int state, at = 0;

	if (archive_get(gauge->archive, "brake", &text, err) < 0)
		return -1;
	if (text &&
		sscanf(text, "%d %u %lf %n", &state, &order->pause,
			&order->rate_mb_min, &at) == 3 &&
		state > BRAKE_RELEASED && state < BRAKE_STATES) {
		order->hold = true;
		order->stop = state == BRAKE_STOPPED;
		(void)snprintf(
			gauge->hold, sizeof(gauge->hold), "%s", text + at);
		(void)snprintf(gauge->brake_kept, sizeof(gauge->brake_kept),
			"%s", text);
		brake_restore(gauge->brake, (enum brake_state)state, order,
			gauge_clock_us());
	}
	free(text);
	return 0;
}

static int record_brake(
	struct gauge *gauge, const struct brake_event *event, struct err *err)
{
	struct event_row row = {.at_us = event->at_us};

	(void)snprintf(row.subject, sizeof(row.subject), "brake");
	(void)snprintf(row.text, sizeof(row.text), "%s -> %s: %s",
		brake_state_name(event->from), brake_state_name(event->to),
		event->text);
	log_info("brake", "%s", row.text);
	(void)snprintf(gauge->hold, sizeof(gauge->hold), "%s: %s", event->rule,
		event->text);
	return archive_add_event(gauge->archive, &row, err);
}

static int step_brake(struct gauge *gauge, const struct brake_evidence *e,
	struct rollout_inputs *in, struct err *err)
{
	struct brake_event events[BRAKE_EVENTS];
	size_t count = 0;
	int64_t now_us = e->now_us;

	brake_set_policy(gauge->brake, &gauge->policy);
	gauge->order = brake_step(gauge->brake, e, events, &count);
	for (size_t i = 0; i < count; i++)
		if (record_brake(gauge, &events[i], err) < 0)
			return -1;
	if (keep_brake(gauge, err) < 0)
		return -1;
	if (gauge->order.rate_mb_min > 0 || gauge->order.pause)
		slicer_mark(gauge->slicer, BUCKET_BRAKED, now_us - US_PER_S,
			now_us);
	in->pause_newest = gauge->order.stop ? UINT32_MAX : gauge->order.pause;
	if (gauge->order.hold)
		in->hold = gauge->hold;
	if (gauge->order.stop) {
		(void)snprintf(gauge->stop, sizeof(gauge->stop),
			"server_distressed: %.200s", gauge->hold);
		in->stop = gauge->stop;
	}
	return 0;
}

/* The idle baseline is as long as it should be, or as it can get. */
static bool has_baseline(
	const struct gauge *gauge, unsigned n_observed, int64_t now_us)
{
	const struct scenario_canary *canary = &gauge->scenario->canary;
	int64_t interval_us = canary->interval_us ? canary->interval_us
						  : US_PER_S;
	int64_t wanted = canary->idle_us / interval_us;

	if (wanted > PROBES_IDLE)
		wanted = PROBES_IDLE;
	return n_observed > 0 || (int64_t)gauge->probes.idle_count >= wanted ||
		now_us - gauge->idle_since_us >= canary->idle_us + LATE_US;
}

/* Why no batch size could be right; false: nothing of the kind. */
static bool is_refused(const struct gauge *gauge, char *text, size_t size)
{
	const struct canary_status *canary = &gauge->canary_status;
	double slo_ms = (double)gauge->scenario->canary.slo_us / US_PER_MS;
	double idle_ms = probes_idle_p95_ms(&gauge->probes);

	if (gauge->scrape && !gauge->scrape_status.good &&
		gauge->scrape_status.failed) {
		(void)snprintf(text, size,
			"the exporter is of no use: %.170s; mend "
			"server.exporter or leave it out",
			gauge->scrape_status.text);
		return true;
	}
	if (!gauge->canary)
		return false;
	if (canary->probes && canary->failed == canary->probes)
		(void)snprintf(text, size,
			"the online probe never succeeded: %.150s; mend "
			"canary: or leave it out",
			canary->text);
	else if (slo_ms > 0 && idle_ms > slo_ms)
		(void)snprintf(text, size,
			"the SLO of %.0f ms is below the idle p95 of %.0f ms: "
			"no batch size can keep it; raise canary.slo",
			slo_ms, idle_ms);
	else
		return false;
	return true;
}

/* Before a wave: is there a baseline, and may the server be loaded? */
static void check_ready(struct gauge *gauge, const struct brake_evidence *e,
	struct rollout_inputs *in)
{
	char *text = gauge->not_ready;
	size_t size = sizeof(gauge->not_ready);

	in->preflight_ready = in->refused = in->hopeless = false;
	in->not_ready = text;
	if (gauge->scrape && !gauge->scrape_status.good &&
		(!gauge->scrape_status.failed ||
			in->now_us - gauge->started_us < FRESH_LOAD_US)) {
		(void)snprintf(text, size, "waits for the exporter");
	} else if (is_refused(gauge, text, size)) {
		in->refused = in->hopeless = true;
	} else if (gauge->canary &&
		!has_baseline(gauge, in->n_observed, in->now_us)) {
		(void)snprintf(text, size,
			"measures the idle baseline of the online probe");
	} else {
		in->preflight_ready = brake_may_start(
			&gauge->policy, e, text, size);
		in->refused = !in->preflight_ready;
	}
}

int gauge_brake(struct gauge *gauge, const struct rollout *r,
	struct rollout_inputs *in, struct err *err)
{
	struct brake_evidence evidence;

	fill_evidence(gauge, r, in->now_us, &evidence);
	check_ready(gauge, &evidence, in);
	/* The brake acts on a wave; an idle server's troubles are its own. */
	if (rollout_active(r) == 0 &&
		brake_state(gauge->brake) == BRAKE_RELEASED) {
		brake_rest(gauge->brake);
		return 0;
	}
	return step_brake(gauge, &evidence, in, err);
}

uint64_t gauge_rate(const struct gauge *gauge)
{
	double bytes_s = gauge->order.rate_mb_min * 1e6 / 60;

	return bytes_s > 0 ? (uint64_t)fmax(bytes_s, 1) : 0;
}

int gauge_release(struct gauge *gauge, struct err *err)
{
	struct event_row row = {.at_us = gauge_clock_us(),
		.subject = "brake",
		.text = "stopped -> released: a person lets the syncs go on"};

	if (brake_state(gauge->brake) != BRAKE_STOPPED)
		return 0;
	brake_reset(gauge->brake, row.at_us);
	gauge->order = (struct brake_order){.stop = false};
	gauge->hold[0] = '\0';
	log_info(row.subject, "%s", row.text);
	if (archive_add_event(gauge->archive, &row, err) < 0)
		return -1;
	return keep_brake(gauge, err);
}

bool gauge_stopped(const struct gauge *gauge)
{
	return gauge->order.stop;
}
