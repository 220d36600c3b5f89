/*
 * brake_rules.c - each rule of the brake read against one second's evidence.
 *
 * Used by brake.c only. The kernel's pressure figures, the load average and
 * disk utilisation are no rules: the syncs themselves cause them. Pure.
 */
#include "brake_rules.h"

#include <math.h>

#include "clock.h"

#define RELEASE		 0.8 /* of the ceiling */
#define SLO_HOLD	 0.95
#define SLO_RELEASE	 0.80
#define SLO_STOP	 3
#define EXPORTER_AGE_S	 15
#define CANARY_AGE_S	 30
#define CPU_MAX		 0.85
#define NIC_MAX		 0.85
#define MEM_MIN		 0.10
#define AWAIT_HDD_MS	 20
#define AWAIT_SSD_MS	 5
#define AWAIT_IDLE_TIMES 3
#define AWAIT_STOP_MS	 100

const struct brake_rule_row brake_rules[RULE_COUNT] = {
	[RULE_CANARY] = {"canary", "waiting users' p95", "ms", 1, false, true,
		0, 60, 30},
	[RULE_CANARY_ERRORS] = {"canary_errors", "failed canary probes", "%",
		100, false, true, 10, 60, 60},
	[RULE_MEMORY] = {"memory", "memory available", "%", 100, true, true, 60,
		0, 60},
	[RULE_SWAP] = {"swap", "pages swapped in", "/s", 1, false, true, 60, 0,
		60},
	[RULE_DISK_LATENCY] = {"disk_latency", "disk read latency", "ms", 1,
		false, false, 60, 60, 60},
	[RULE_CPU] = {"cpu", "CPU busy", "%", 100, false, false, 3, 0, 60},
	[RULE_NIC] = {"nic", "network link in use", "%", 100, false, false, 3,
		0, 60},
	[RULE_CONNECTIONS] = {"connections", "connections", "", 1, false, false,
		0, 0, 60},
	[RULE_DISK_FULL] = {"disk_full", "disk space free", "%", 100, true,
		false, 0, 0, 60},
	[RULE_EXPORTER_SILENT] = {"exporter_silent", "silence of the exporter",
		"s", 1, false, false, 0, 0, 5},
	[RULE_CANARY_SILENT] = {"canary_silent", "silence of the canary", "s",
		1, false, false, 0, 0, 5},
	[RULE_UNREACHABLE] = {"unreachable", "server unreachable for", "s", 1,
		false, false, 0, 0, 60},
};

static double or_default(double value, double standard)
{
	return value > 0 ? value : standard;
}

static struct brake_reading read_canary(
	const struct brake_policy *p, const struct brake_evidence *e)
{
	struct brake_reading r = {.figure = (double)e->p95_ms,
		.hold = SLO_HOLD * p->slo_ms,
		.release = SLO_RELEASE * p->slo_ms,
		.escalate = p->slo_ms,
		.stop = SLO_STOP * p->slo_ms};

	if (!(p->slo_ms > 0))
		r.figure = NAN;
	return r;
}

static struct brake_reading read_disk(
	const struct brake_policy *p, const struct brake_evidence *e)
{
	double ceiling = or_default(
		p->await_max_ms, p->rotational ? AWAIT_HDD_MS : AWAIT_SSD_MS);

	ceiling = fmax(ceiling, AWAIT_IDLE_TIMES * p->idle_await_ms);
	return (struct brake_reading){(double)e->load[LOAD_DISK_READ_AWAIT],
		ceiling, RELEASE * ceiling, ceiling,
		fmax(AWAIT_STOP_MS, ceiling)};
}

static struct brake_reading read_silence(
	bool expected, int64_t age_us, int max_s)
{
	double age_s = (double)age_us / US_PER_S;

	return (struct brake_reading){
		expected ? age_s : NAN, max_s, max_s, max_s, NAN};
}

static struct brake_reading read_load(
	const struct brake_evidence *e, enum load_metric metric, double max)
{
	return (struct brake_reading){
		(double)e->load[metric], max, RELEASE * max, max, NAN};
}

/* Fewer than one swapped-in page a second is noise. */
struct brake_reading brake_read(const struct brake_policy *p,
	const struct brake_evidence *e, enum brake_rule id,
	int64_t unreachable_us)
{
	double limit;

	switch (id) {
	case RULE_CANARY:
		return read_canary(p, e);
	case RULE_CANARY_ERRORS:
		return (struct brake_reading){
			(double)e->failure_share, 0.05, 0.01, 0.10, 0.20};
	case RULE_MEMORY:
		limit = or_default(p->mem_available_min, MEM_MIN);
		return (struct brake_reading){
			(double)e->load[LOAD_MEM_AVAILABLE], limit,
			limit / RELEASE, limit, NAN};
	case RULE_SWAP:
		return read_load(e, LOAD_SWAP_IN, 1);
	case RULE_DISK_LATENCY:
		return read_disk(p, e);
	case RULE_CPU:
		return read_load(e, LOAD_CPU, or_default(p->cpu_max, CPU_MAX));
	case RULE_NIC:
		return read_load(e, LOAD_NIC, or_default(p->nic_max, NIC_MAX));
	case RULE_CONNECTIONS:
		limit = RELEASE * p->connections_limit;
		return read_load(e, LOAD_CONNECTIONS, limit > 0 ? limit : NAN);
	case RULE_DISK_FULL:
		return (struct brake_reading){(double)e->load[LOAD_DISK_FREE],
			0.05, 0.05 / RELEASE, 0.05, 0.05};
	case RULE_EXPORTER_SILENT:
		return read_silence(
			p->exporter, e->load_age_us, EXPORTER_AGE_S);
	case RULE_CANARY_SILENT:
		return read_silence(p->canary, e->canary_age_us, CANARY_AGE_S);
	default:
		return (struct brake_reading){unreachable_us
				? (double)(e->now_us - unreachable_us) /
					US_PER_S
				: 0,
			5, 1, 5, 30};
	}
}
