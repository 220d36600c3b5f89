/*
 * host.c - see host.h. The fleet's loop reads every other second.
 */
#include "host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "machine.h"

#define UNKNOWN (-1.0)

static const char *next_line(const char *text)
{
	const char *end = text ? strchr(text, '\n') : NULL;

	return end && end[1] ? end + 1 : NULL;
}

/* ---- CPU */

static void read_cpu(const char *root, struct host_counters *counters)
{
	char *text = machine_text(root, "/proc/stat");
	double hertz = (double)sysconf(_SC_CLK_TCK);
	double t[8] = {0}; /* user nice system idle iowait irq softirq steal */
	double sum = 0;

	if (text)
		(void)sscanf(text, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &t[0],
			&t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
	for (int i = 0; i < 8; i++)
		sum += t[i];
	counters->total_s = sum / hertz;
	counters->busy_s = (sum - t[3] - t[4]) / hertz;
	for (const char *line = text; line; line = next_line(line))
		counters->cpus += strncmp(line, "cpu", 3) == 0 &&
			line[3] >= '0' && line[3] <= '9';
	free(text);
	text = machine_text(root, "/proc/self/stat");
	if (text && strrchr(text, ')') &&
		sscanf(strrchr(text, ')'),
			") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf "
			"%lf",
			&t[0], &t[1]) == 2)
		counters->own_s = (t[0] + t[1]) / hertz;
	free(text);
}

static void least_quota_v2(const char *text, void *context)
{
	double *cpus = context;
	double quota, period;

	if (sscanf(text, "%lf %lf", &quota, &period) == 2 && period > 0 &&
		(!*cpus || quota / period < *cpus))
		*cpus = quota / period;
}

/* A quota of CPU time, and what of it was used. */
static void read_group_cpu(const char *root, struct host_counters *counters)
{
	static const struct machine_file quota_v2 = {"cpu", NULL, "cpu.max"};
	static const struct machine_file quota_v1 = {
		"cpu", "cpu.cfs_quota_us", NULL};
	static const struct machine_file period_v1 = {
		"cpu", "cpu.cfs_period_us", NULL};
	static const struct machine_file usage_v1 = {
		"cpuacct", "cpuacct.usage", NULL};
	static const struct machine_file usage_v2 = {"cpu", NULL, "cpu.stat"};
	char *period = machine_group_text(root, &period_v1);
	uint64_t quota_us = machine_group_left(root, &quota_v1, NULL);
	char *usage = machine_group_text(root, &usage_v1);
	uint64_t used_us;

	machine_groups(root, &quota_v2, least_quota_v2, &counters->group_cpus);
	if (quota_us != MACHINE_NO_LIMIT && period && strtod(period, NULL) > 0)
		counters->group_cpus = (double)quota_us / strtod(period, NULL);
	if (usage)
		counters->group_s = strtod(usage, NULL) / 1e9;
	free(usage);
	usage = machine_group_text(root, &usage_v2);
	if (machine_field(usage, "usage_usec", &used_us))
		counters->group_s = (double)used_us / US_PER_S;
	free(usage);
	free(period);
}

/* ---- memory */

static void read_memory(const char *root, struct host_counters *counters)
{
	static const struct machine_file limit = {
		"memory", "memory.limit_in_bytes", "memory.max"};
	static const struct machine_file used = {
		"memory", "memory.usage_in_bytes", "memory.current"};
	static const struct machine_file detail = {
		"memory", "memory.stat", "memory.stat"};
	char *text = machine_text(root, "/proc/meminfo");
	uint64_t total = 0, available = 0, kib, cached = 0, most, now;

	counters->memory_used = counters->group_memory_used = UNKNOWN;
	if (machine_field(text, "MemTotal", &total) && total &&
		machine_field(text, "MemAvailable", &available))
		counters->memory_used = 1 - (double)available / (double)total;
	free(text);
	text = machine_text(root, "/proc/self/status");
	if (machine_field(text, "VmRSS", &kib))
		counters->resident_bytes = kib * 1024;
	free(text);
	most = machine_group_left(root, &limit, NULL);
	text = machine_group_text(root, &used);
	now = text ? strtoull(text, NULL, 10) : 0;
	free(text);
	if (!most || most / 1024 >= total || !now)
		return;
	/* What was read once and can go at any time is not in use. */
	text = machine_group_text(root, &detail);
	if (!machine_field(text, "total_inactive_file", &cached))
		(void)machine_field(text, "inactive_file", &cached);
	free(text);
	counters->group_memory_used =
		(double)(now > cached ? now - cached : 0) / (double)most;
}

/* ---- disk */

void host_find_disk(struct host_place *place)
{
	struct stat st;

	place->disk_major = place->disk_minor = 0;
	if (!place->store || stat(place->store, &st) < 0)
		return;
	place->disk_major = major(st.st_dev);
	place->disk_minor = minor(st.st_dev);
}

static void read_disk(
	const struct host_place *place, struct host_counters *counters)
{
	char *text = machine_text(place->root, "/proc/diskstats");

	for (const char *line = text; line; line = next_line(line)) {
		double reads, read_ms, writes, write_ms, busy_ms;
		unsigned major_number, minor_number;

		if (sscanf(line,
			    "%u %u %*s %lf %*f %*f %lf %lf %*f %*f %lf %*f "
			    "%lf",
			    &major_number, &minor_number, &reads, &read_ms,
			    &writes, &write_ms, &busy_ms) != 7 ||
			major_number != place->disk_major ||
			minor_number != place->disk_minor)
			continue;
		counters->has_disk = true;
		counters->disk_ms = busy_ms;
		counters->wait_ms = read_ms + write_ms;
		counters->requests = reads + writes;
		break;
	}
	free(text);
}

/* ---- network */

/* Mbit/s that the link states, as bytes a second; 0: states none. */
static double link_speed(const char *root, const char *name)
{
	char *path = xasprintf("/sys/class/net/%s/speed", name);
	uint64_t mbit = machine_number(root, path, 0);

	free(path);
	return (double)mbit * 125000;
}

static void read_network(const char *root, struct host_counters *counters)
{
	char *text = machine_text(root, "/proc/net/dev");

	for (const char *line = text; line; line = next_line(line)) {
		char name[64];
		double in, out;

		if (sscanf(line,
			    " %63[^: ]: %lf %*f %*f %*f %*f %*f %*f %*f %lf",
			    name, &in, &out) != 3 ||
			strcmp(name, "lo") == 0)
			continue;
		counters->received += in;
		counters->sent += out;
		counters->link_bytes_s += link_speed(root, name);
	}
	free(text);
}

void host_read(const struct host_place *place, struct host_counters *counters)
{
	*counters = (struct host_counters){.at_us = clock_monotonic_us()};
	read_cpu(place->root, counters);
	read_group_cpu(place->root, counters);
	read_memory(place->root, counters);
	if (place->disk_major || place->disk_minor)
		read_disk(place, counters);
	read_network(place->root, counters);
}

static double bounded(double share)
{
	return share < 0 ? 0 : share > 1 ? 1 : share;
}

/* Of the machine, or of the group's quota when that is nearer. */
static double cpu_share(const struct host_counters *before,
	const struct host_counters *after, double seconds)
{
	double possible = after->total_s - before->total_s;
	double share = possible > 0
		? bounded((after->busy_s - before->busy_s) / possible)
		: UNKNOWN;

	if (after->group_cpus > 0)
		share = fmax(share,
			bounded((after->group_s - before->group_s) /
				(after->group_cpus * seconds)));
	return share;
}

bool host_between(const struct host_place *place,
	const struct host_counters *before, const struct host_counters *after,
	struct host_sample *sample)
{
	double seconds = (double)(after->at_us - before->at_us) / US_PER_S;
	double requests = after->requests - before->requests;
	double in = after->received - before->received;
	double out = after->sent - before->sent;
	double cpus = after->group_cpus > 0 && after->group_cpus < after->cpus
		? after->group_cpus
		: after->cpus;

	if (seconds <= 0)
		return false;
	*sample = (struct host_sample){
		.at_us = after->at_us,
		.span_us = after->at_us - before->at_us,
		.cpu = cpu_share(before, after, seconds),
		.cpu_own = cpus > 0 ? bounded((after->own_s - before->own_s) /
					      (cpus * seconds))
				    : UNKNOWN,
		.memory = fmax(after->memory_used, after->group_memory_used),
		.resident_bytes = after->resident_bytes,
		.disk_busy = UNKNOWN,
		.disk_await_ms = UNKNOWN,
		.net_mb_s = fmax(0, (in + out) / seconds / 1e6),
		.net_link = after->link_bytes_s > 0
			? bounded(fmax(in, out) / seconds / after->link_bytes_s)
			: UNKNOWN,
		.shared = place->shared,
	};
	if (before->has_disk && after->has_disk) {
		sample->disk_busy = bounded(
			(after->disk_ms - before->disk_ms) / (1000 * seconds));
		if (requests > 0)
			sample->disk_await_ms =
				(after->wait_ms - before->wait_ms) / requests;
	}
	return true;
}
