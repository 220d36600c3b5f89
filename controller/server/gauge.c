/*
 * gauge.c - see gauge.h. Ticked by the server after the reports of a second
 * and before the rollout.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "gauge_private.h"
#include "hist.h"
#include "log.h"
#include "recommend.h"
#include "refill.h"

#define TAKE_MAX     64
#define SETTLED_US   (30e6)
#define AWAIT_S	     10	 /* of reads make the latency that brakes */
#define IDLE_AWAIT_S 120 /* the same with nobody syncing */

int64_t gauge_clock_us(void)
{
	static _Atomic int64_t offset_us;
	int64_t offset = atomic_load(&offset_us), unset = 0;

	if (!offset) {
		offset = clock_wall_us() - clock_monotonic_us();
		if (!atomic_compare_exchange_strong(&offset_us, &unset, offset))
			offset = unset;
	}
	return clock_monotonic_us() + offset;
}

/* ---- start */

/* The baseline of what was idle before the controller ended. */
static void take_idle(struct gauge *gauge, const struct bucket *bucket)
{
	for (uint32_t i = 0; i < bucket->probes_kept; i++)
		probes_add_idle(
			&gauge->probes, (int64_t)hist_bin_us(bucket->probe[i]));
	await_add(&gauge->idle_await, IDLE_AWAIT_S,
		(double)bucket->load[LOAD_DISK_READ_AWAIT],
		(double)bucket->load[LOAD_DISK_READ_IOPS],
		(double)bucket->seconds);
}

static int load_buckets(struct gauge *gauge, struct err *err)
{
	struct bucket *rows;
	size_t count;

	if (archive_buckets(gauge->archive, &rows, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		kept_put(&gauge->kept, &rows[i]);
		if (bucket_usable(&rows[i]) && rows[i].active == 0)
			take_idle(gauge, &rows[i]);
	}
	free(rows);
	return 0;
}

static int start_scrape(struct gauge *gauge, struct err *err)
{
	const struct scenario_server *server = &gauge->scenario->server;
	struct scrape_options options = {
		.url = server->exporter,
		.ca_file = server->ca_file,
		.device = server->disk,
		.link = server->network,
		.link_mb_s = (double)gauge->scenario->limits.network_bytes_s /
			1e6,
	};

	if (!server->exporter)
		return 0;
	return scrape_start(&gauge->scrape, &options, gauge_clock_us, err);
}

static int start_canary(struct gauge *gauge, struct err *err)
{
	const struct scenario *s = gauge->scenario;
	struct account account = {
		.user = s->canary.user,
		.password_file = s->canary.password_file,
		.password_command = s->canary.password_command,
		.imap = s->server.imap,
		.dav_url = s->server.dav_url,
		.ca_file = s->server.ca_file,
	};
	struct canary_options options = {
		.account = &account,
		.interval_us = s->canary.interval_us,
	};

	if (!s->canary.user)
		return 0;
	if (canary_start(&gauge->canary, &options, gauge_clock_us, err) < 0)
		return err_context(err, "canary %s", s->canary.user);
	return 0;
}

int gauge_start(struct gauge **out, const struct scenario *scenario,
	struct archive *archive, struct err *err)
{
	struct gauge *gauge = xcalloc(1, sizeof(*gauge));
	struct slicer_policy slicer;

	gauge->scenario = scenario;
	gauge->archive = archive;
	slicer = slicer_policy_default;
	slicer.bucket_us = scenario->measure.bucket_us;
	slicer.settle_us = scenario->measure.settle_us;
	gauge->slicer = slicer_new(&slicer);
	gauge->generator = generator_new();
	gauge->started_us = gauge->idle_since_us = gauge->wave_us =
		gauge->probe_us = gauge_clock_us();
	for (int i = 0; i < LOAD_COUNT; i++)
		gauge->load.load[i] = NAN;
	gauge->again_us = gauge->started_us - slicer_policy_default.keep_us;
	if (load_buckets(gauge, err) < 0 ||
		refill_slicer(gauge->slicer, gauge->generator, archive,
			gauge->again_us, err) < 0 ||
		start_scrape(gauge, err) < 0 || start_canary(gauge, err) < 0) {
		gauge_stop(&gauge);
		return -1;
	}
	gauge_make_policy(gauge);
	gauge->brake = brake_new(&gauge->policy);
	if (gauge_restore_brake(gauge, err) < 0) {
		gauge_stop(&gauge);
		return -1;
	}
	*out = gauge;
	return 0;
}

void gauge_stop(struct gauge **handle)
{
	struct gauge *gauge = *handle;

	if (!gauge)
		return;
	if (gauge->scrape)
		scrape_stop(&gauge->scrape);
	if (gauge->canary)
		canary_stop(&gauge->canary);
	if (gauge->brake)
		brake_free(gauge->brake);
	slicer_free(gauge->slicer);
	generator_free(gauge->generator);
	kept_free(&gauge->kept);
	free(gauge->clock_said);
	free(gauge);
	*handle = NULL;
}

/* ---- agents */

static double known(double value)
{
	return value < 0 ? NAN : value;
}

/* What a fleet says of its machine. */
static int take_hosts(struct gauge *gauge, const struct client_row *client,
	const struct report *report, struct err *err)
{
	for (size_t i = 0; i < report->host_count; i++) {
		struct host_row row = {.sample = report->hosts[i]};
		struct host_sample *s = &row.sample;

		(void)snprintf(row.host, sizeof(row.host), "%s", client->host);
		row.at_us = slicer_time(gauge->slicer, client->id, s->at_us);
		s->cpu = known(s->cpu);
		s->cpu_own = known(s->cpu_own);
		s->memory = known(s->memory);
		s->disk_busy = known(s->disk_busy);
		s->disk_await_ms = known(s->disk_await_ms);
		s->net_link = known(s->net_link);
		if (archive_add_host(gauge->archive, &row, err) < 0)
			return -1;
		if (generator_add(gauge->generator, row.host, s, row.at_us))
			slicer_mark(gauge->slicer, BUCKET_GENERATOR,
				row.at_us - s->span_us, row.at_us);
	}
	return 0;
}

int64_t gauge_clock_error_us(const struct gauge *gauge, unsigned client)
{
	return slicer_clock_error_us(gauge->slicer, client);
}

/* An uncertain clock is an event; so is the next one after it was good. */
static int watch_clock(struct gauge *gauge, const struct client_row *client,
	int64_t now_us, struct err *err)
{
	int64_t error_us = gauge_clock_error_us(gauge, client->id);
	struct event_row row = {.at_us = now_us, .subject = "clock"};

	if (client->id >= gauge->clock_count) {
		size_t count = client->id + 64;

		gauge->clock_said = xrealloc(
			gauge->clock_said, count, sizeof(*gauge->clock_said));
		memset(gauge->clock_said + gauge->clock_count, 0,
			count - gauge->clock_count);
		gauge->clock_count = count;
	}
	bool *said = &gauge->clock_said[client->id];
	if (error_us < GAUGE_CLOCK_WARN_US / 2)
		*said = false;
	if (*said || error_us <= GAUGE_CLOCK_WARN_US)
		return 0;
	*said = true;
	(void)snprintf(row.text, sizeof(row.text),
		"times of %s may be wrong by %.1f s (more than %.1f): its "
		"reports come late, or its machine sleeps",
		client->name, (double)error_us / US_PER_S,
		(double)GAUGE_CLOCK_WARN_US / US_PER_S);
	log_warn(row.subject, "%s", row.text);
	return archive_add_event(gauge->archive, &row, err);
}

int gauge_report(struct gauge *gauge, const struct client_row *client,
	const struct report *report, int64_t now_us, struct err *err)
{
	uint32_t boot = refill_boot(report->boot);
	char text[REFILL_BOOT_BYTES];

	for (size_t i = 0; i < report->sample_count; i++) {
		const struct sample *s = &report->samples[i];
		struct sample_row row = {
			.client = client->id,
			.boot = boot,
			.agent_us = s->at_us,
			.at_us = now_us - (report->sent_us - s->at_us),
			.received_us = now_us,
			.phase = s->phase,
			.app_bytes = s->app_bytes,
			.wire_bytes = s->wire_bytes,
			.messages = s->messages,
		};

		if (archive_add_sample(gauge->archive, &row, err) < 0)
			return -1;
	}
	(void)slicer_report(gauge->slicer, client->id,
		refill_boot_text(boot, text), report->sent_us, now_us,
		report->samples, report->sample_count);
	return watch_clock(gauge, client, now_us, err) < 0
		? -1
		: take_hosts(gauge, client, report, err);
}

void gauge_lost(struct gauge *gauge, unsigned client, int64_t now_us)
{
	slicer_lost(gauge->slicer, client, now_us);
}

/* ---- one second */

static void add_await(
	struct await *await, double memory_s, const struct scrape_point *point)
{
	await_add(await, memory_s, (double)point->load[LOAD_DISK_READ_AWAIT],
		(double)point->load[LOAD_DISK_READ_IOPS],
		(double)point->span_us / US_PER_S);
}

static int take_loads(struct gauge *gauge, bool idle, struct err *err)
{
	struct scrape_point points[TAKE_MAX];
	size_t count;

	if (!gauge->scrape)
		return 0;
	scrape_status(gauge->scrape, &gauge->scrape_status);
	count = scrape_take(gauge->scrape, points, TAKE_MAX);
	for (size_t i = 0; i < count; i++) {
		struct load_row row = {
			.at_us = points[i].at_us, .span_us = points[i].span_us};

		memcpy(row.load, points[i].load, sizeof(row.load));
		if (archive_add_load(gauge->archive, &row, err) < 0)
			return -1;
		slicer_load(gauge->slicer, points[i].at_us, points[i].span_us,
			points[i].load);
		add_await(&gauge->await, AWAIT_S, &points[i]);
		if (idle)
			add_await(&gauge->idle_await, IDLE_AWAIT_S, &points[i]);
		gauge->loads++;
		gauge->load = points[i];
	}
	return 0;
}

static int take_probes(
	struct gauge *gauge, bool idle, int64_t now_us, struct err *err)
{
	struct canary_probe probes[TAKE_MAX];
	size_t count;

	if (!gauge->canary)
		return 0;
	canary_status(gauge->canary, &gauge->canary_status);
	count = canary_take(gauge->canary, probes, TAKE_MAX);
	for (size_t i = 0; i < count; i++) {
		struct probe_row row = {.start_us = probes[i].start_us,
			.latency_us = probes[i].latency_us};

		for (int step = 0; step < ROW_PROBE_STEPS; step++)
			row.step_us[step] = step < CANARY_STEPS
				? probes[i].step_us[step]
				: -1;
		if (archive_add_probe(gauge->archive, &row, err) < 0)
			return -1;
		slicer_probe(gauge->slicer, row.start_us, row.latency_us);
		probes_add(&gauge->probes, row.start_us, row.latency_us, idle,
			gauge->policy.slo_ms);
		gauge->probe_us = now_us;
	}
	return 0;
}

static int take_buckets(struct gauge *gauge, int64_t now_us, struct err *err)
{
	struct bucket buckets[TAKE_MAX];
	size_t count;

	do {
		count = slicer_take(gauge->slicer, now_us, buckets, TAKE_MAX);
		for (size_t i = 0; i < count; i++) {
			/* The first ones lack what came before them. */
			if (buckets[i].start_s * 1e6 <
				(double)gauge->again_us + SETTLED_US)
				continue;
			kept_put(&gauge->kept, &buckets[i]);
			if (archive_put_bucket(
				    gauge->archive, &buckets[i], err) < 0)
				return -1;
		}
	} while (count == TAKE_MAX);
	return 0;
}

static void follow_wave(struct gauge *gauge, struct rollout *r, int64_t now_us)
{
	const struct wave_row *wave = rollout_wave(r);
	unsigned number = wave ? wave->number : 0;
	int64_t at_us = now_us;

	if (rollout_active(r))
		gauge->idle_since_us = now_us;
	if (number == gauge->wave)
		return;
	gauge->wave = number;
	gauge->wave_us = now_us;
	gauge->loads = 0;
	probes_wave(&gauge->probes, now_us);
	generator_wave(gauge->generator);
	/* The times of record, so that a restart finds the same buckets. */
	if (wave)
		at_us = wave->started_us;
	else if (r->wave_count)
		at_us = r->waves[r->wave_count - 1].ended_us;
	slicer_wave(gauge->slicer, number, at_us);
}

static double share(double have, double want)
{
	return want < 1 ? NAN : fmin(have / want, 1);
}

static void fill_measured(
	const struct gauge *gauge, int64_t now_us, struct judge_measured *m)
{
	double seconds = (double)(now_us - gauge->wave_us) / US_PER_S;
	double interval_s = (double)gauge->scenario->canary.interval_us /
		US_PER_S;

	*m = (struct judge_measured){
		.exporter = gauge->scrape != NULL,
		.canary = gauge->canary != NULL,
		.seconds = seconds,
		.exporter_share = share(gauge->loads, floor(seconds)),
		.canary_share = share(gauge->probes.count,
			interval_s > 0 ? floor(seconds / interval_s) : 0),
		.slo_ms = gauge->policy.slo_ms,
		.probe_failures = probes_wave_failures(&gauge->probes),
		.generator_share = generator_share(gauge->generator),
		.generator = generator_text(gauge->generator),
	};
	m->windows = probes_windows(&gauge->probes, &m->windows_above);
}

int gauge_tick(struct gauge *gauge, struct rollout *r,
	struct rollout_inputs *in, struct err *err)
{
	int64_t now_us = in->now_us;
	bool idle = rollout_active(r) == 0;

	follow_wave(gauge, r, now_us);
	if (take_loads(gauge, idle, err) < 0 ||
		take_probes(gauge, idle, now_us, err) < 0 ||
		take_buckets(gauge, now_us, err) < 0)
		return -1;
	gauge_make_policy(gauge);
	in->n_observed = kept_observed(&gauge->kept,
		(double)gauge->scenario->measure.observed_us / US_PER_S);
	in->sync_bytes_s = kept_sync_mb_min(&gauge->kept) * 1e6 / 60;
	fill_measured(gauge, now_us, &in->measured);
	return gauge_brake(gauge, r, in, err);
}

void gauge_now(const struct gauge *gauge, struct gauge_now *now)
{
	*now = (struct gauge_now){
		.p95_ms = probes_p95_ms(&gauge->probes),
		.slo_ms = gauge->policy.slo_ms,
		.idle_p95_ms = probes_idle_p95_ms(&gauge->probes),
		.brake = brake_state_name(brake_state(gauge->brake)),
		.brake_why = brake_state(gauge->brake) == BRAKE_RELEASED
			? NULL
			: gauge->hold,
		.generator = generator_now(gauge->generator, gauge_clock_us()),
	};
	memcpy(now->load, gauge->load.load, sizeof(now->load));
	slicer_now(gauge->slicer, gauge_clock_us(), &now->n, &now->active,
		&now->mb_min);
	if (gauge->scrape && !gauge->scrape_status.up)
		now->exporter_problem = gauge->scrape_status.text;
	if (gauge->canary && !gauge->canary_status.up)
		now->canary_problem = gauge->canary_status.text;
}

const struct bucket *gauge_buckets(const struct gauge *gauge, size_t *count)
{
	*count = gauge->kept.count;
	return gauge->kept.rows;
}

double gauge_seen_s(const struct gauge *gauge, unsigned wave, unsigned batch)
{
	return kept_seen_s(&gauge->kept, wave, batch);
}

void gauge_policy(const struct gauge *gauge, struct recommend_policy *policy)
{
	const struct scenario *s = gauge->scenario;

	*policy = recommend_policy_default;
	policy->levels.observed_s = (double)s->measure.observed_us / 1e6;
	/* Long enough for the correlation between buckets: twelve of them. */
	policy->levels.block_s = 12 * (double)s->measure.bucket_us / 1e6;
	policy->max_step = s->steps.max_step;
	policy->cpu_max = s->limits.cpu;
	policy->nic_max = s->limits.network;
	policy->disk_util_max = s->limits.disk_busy;
	policy->mem_available_min = s->limits.memory_available;
	policy->failed_wave = s->steps.failed_wave;
	policy->failed_rollout = s->steps.failed_rollout;
	if (s->limits.disk_await_us)
		policy->disk_await_hdd_ms = policy->disk_await_ssd_ms =
			(double)s->limits.disk_await_us / US_PER_MS;
	for (size_t i = 0; i < s->steps.pilot_count; i++)
		if (s->steps.pilots[i] > policy->plan_batch)
			policy->plan_batch = s->steps.pilots[i];
}
