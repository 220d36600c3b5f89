/*
 * metrics.c - GET /metrics: the rollout for Prometheus, by one table.
 *
 * Base units, counters end in _total, no series per client (docs/metrics.md).
 */
#include "metrics.h"

#include <math.h>

#include "hub.h"

static double bytes_stored(const struct hub *hub)
{
	double sum = 0;

	for (size_t i = 0; i < hub->rollout.client_count; i++)
		sum += (double)hub->rollout.clients[i].app_bytes;
	return sum;
}

struct figures {
	const struct hub *hub;
	struct gauge_now now;
};

static double batch_size(const struct figures *f)
{
	return f->hub->rollout.row.batch_size;
}

static double active(const struct figures *f)
{
	return rollout_active(&f->hub->rollout);
}

static double bulk(const struct figures *f)
{
	return f->now.n;
}

static double rate(const struct figures *f)
{
	return f->now.mb_min * 1e6 / 60;
}

static double stored(const struct figures *f)
{
	return bytes_stored(f->hub);
}

static double waves(const struct figures *f)
{
	return (double)f->hub->rollout.wave_count;
}

static double p95(const struct figures *f)
{
	return f->now.p95_ms / 1000;
}

static double slo(const struct figures *f)
{
	return f->now.slo_ms / 1000;
}

static double generator(const struct figures *f)
{
	return f->now.generator ? 1 : 0;
}

static double reports(const struct figures *f)
{
	return (double)f->hub->reports;
}

static double doubled(const struct figures *f)
{
	return (double)f->hub->doubled;
}

static double refused(const struct figures *f)
{
	return (double)f->hub->refused;
}

static const struct metric {
	const char *name, *type, *help;
	double (*value)(const struct figures *f); /* NaN: left out */
} metrics[] = {
	{"sluice_batch_size", "gauge",
		"Syncs that the current wave keeps active.", batch_size},
	{"sluice_syncs_active", "gauge", "Clients that hold a slot.", active},
	{"sluice_syncs_bulk", "gauge", "Clients in their bulk phase, n(t).",
		bulk},
	{"sluice_payload_bytes_per_second", "gauge",
		"Payload stored by all agents over the last 10 s.", rate},
	{"sluice_payload_stored_bytes", "gauge",
		"Payload stored by all agents so far.", stored},
	{"sluice_waves_total", "counter", "Waves begun.", waves},
	{"sluice_canary_p95_seconds", "gauge",
		"p95 of the last 60 online probes, from their intended start.",
		p95},
	{"sluice_canary_slo_seconds", "gauge", "What that must stay below.",
		slo},
	{"sluice_load_generator_limited", "gauge",
		"1 while a fleet's own host is the bottleneck: the other "
		"figures are then a lower bound.",
		generator},
	{"sluice_reports_total", "counter",
		"Agents' reports counted since the controller started.",
		reports},
	{"sluice_reports_doubled_total", "counter",
		"Reports that came again and were not counted.", doubled},
	{"sluice_requests_refused_total", "counter",
		"Requests with a wrong token or secret.", refused},
};

void metrics_document(struct buf *out)
{
	(void)buf_append_text(out,
		"# Metrics\n\n## What the controller exposes\n\n"
		"`GET /metrics`, with an operator token. No series per client: "
		"the report has those.\n\n| name | type | meaning |\n"
		"|---|---|---|\n");
	for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++)
		(void)buf_printf(out, "| `%s` | %s | %s |\n", metrics[i].name,
			metrics[i].type, metrics[i].help);
	(void)buf_append_text(out,
		"| `sluice_clients{state}` | gauge | Clients by state. |\n"
		"| `sluice_rollout_state{state}` | gauge | 1 for the state the "
		"rollout is in. |\n\n"
		"## What it reads from the server's exporter\n\n"
		"Names are those of buckets in CSV, JSON and the archive; each "
		"is the mean of its bucket.\n\n| name | unit | meaning |\n"
		"|---|---|---|\n");
	for (int i = 0; i < LOAD_COUNT; i++)
		(void)buf_printf(out, "| `%s` | %s | %s |\n",
			load_metric_table[i].name, load_metric_table[i].unit,
			load_metric_table[i].text);
}

static void write_states(const struct hub *hub, struct buf *out)
{
	(void)buf_append_text(out,
		"# HELP sluice_clients Clients by state.\n"
		"# TYPE sluice_clients gauge\n");
	for (int s = 0; s < CLIENT_STATE_COUNT; s++)
		(void)buf_printf(out, "sluice_clients{state=\"%s\"} %u\n",
			client_state_name((enum client_state)s),
			rollout_count(&hub->rollout, (enum client_state)s));
	(void)buf_append_text(out,
		"# HELP sluice_rollout_state 1 for the state the rollout is "
		"in.\n# TYPE sluice_rollout_state gauge\n");
	for (int s = 0; s < ROLLOUT_STATE_COUNT; s++)
		(void)buf_printf(out, "sluice_rollout_state{state=\"%s\"} %d\n",
			rollout_state_name((enum rollout_state)s),
			hub->rollout.row.state == (enum rollout_state)s);
}

void metrics_answer(struct hub *hub, struct web_request *request)
{
	struct figures figures = {.hub = hub};
	struct buf out = BUF_INIT(0);

	gauge_now(hub->gauge, &figures.now);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++) {
		const struct metric *m = &metrics[i];
		double value = m->value(&figures);

		if (!isfinite(value))
			continue;
		(void)buf_printf(&out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n",
			m->name, m->help, m->name, m->type, m->name, value);
	}
	write_states(hub, &out);
	web_answer(request, 200, "text/plain; version=0.0.4", buf_text(&out));
	buf_free(&out);
}
