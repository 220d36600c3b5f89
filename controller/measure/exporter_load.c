/*
 * exporter_load.c - what happened on the server between two snapshots.
 *
 * Last step before the slicer: differences of counters over the time between
 * them. Pure.
 */
#include <math.h>
#include <string.h>

#include "clock.h"
#include "exporter.h"

#define MB	    1e6
#define SMALL_MOUNT 100e6 /* bytes; smaller ones hold no mail */

static const struct disk_counters *disk_named(
	const struct exporter_snapshot *s, const char *name)
{
	for (unsigned i = 0; i < s->disks; i++)
		if (strcmp(s->disk[i].name, name) == 0)
			return &s->disk[i];
	return NULL;
}

static const struct link_counters *link_named(
	const struct exporter_snapshot *s, const char *name)
{
	for (unsigned i = 0; i < s->links; i++)
		if (strcmp(s->link[i].name, name) == 0)
			return &s->link[i];
	return NULL;
}

int exporter_device(const struct exporter_snapshot *first,
	const struct exporter_snapshot *last,
	const struct exporter_choice *choice)
{
	int busiest = -1;
	double most = -1;

	for (unsigned i = 0; i < last->disks; i++) {
		const struct disk_counters *disk = &last->disk[i];
		if (choice->device && *choice->device) {
			if (strcmp(disk->name, choice->device) == 0)
				return (int)i;
			continue;
		}
		const struct disk_counters *old = disk_named(first, disk->name);
		double busy = disk->busy_s - (old ? old->busy_s : 0);
		if (busy > most) {
			most = busy;
			busiest = (int)i;
		}
	}
	return busiest;
}

static void load_disk(const struct disk_counters *a,
	const struct disk_counters *b, double seconds, float *load)
{
	double reads = b->reads - a->reads;
	double writes = b->writes - a->writes;

	load[LOAD_DISK_UTIL] = (float)fmin(
		(b->busy_s - a->busy_s) / seconds, 1);
	if (reads > 0)
		load[LOAD_DISK_READ_AWAIT] = (float)((b->read_s - a->read_s) /
			reads * 1000);
	if (writes > 0)
		load[LOAD_DISK_WRITE_AWAIT] =
			(float)((b->write_s - a->write_s) / writes * 1000);
	load[LOAD_DISK_QUEUE] = (float)((b->weighted_s - a->weighted_s) /
		seconds);
	load[LOAD_DISK_READ_MB_S] = (float)((b->read_bytes - a->read_bytes) /
		MB / seconds);
	load[LOAD_DISK_WRITE_MB_S] =
		(float)((b->written_bytes - a->written_bytes) / MB / seconds);
	load[LOAD_DISK_READ_IOPS] = (float)(reads / seconds);
	load[LOAD_DISK_WRITE_IOPS] = (float)(writes / seconds);
}

static double speed_of(
	const struct link_counters *link, const struct exporter_choice *choice)
{
	if (choice->link_mb_s > 0)
		return choice->link_mb_s * MB;
	/* Virtual links say 0 or -1. */
	return link->speed > 0 ? link->speed : NAN;
}

static void load_links(const struct exporter_snapshot *a,
	const struct exporter_snapshot *b, const struct exporter_choice *choice,
	double seconds, float *load)
{
	double rx = 0;
	double tx = 0;
	double lo_rx = 0;
	double lo_tx = 0;
	bool any = false;

	for (unsigned i = 0; i < b->links; i++) {
		const struct link_counters *now = &b->link[i];
		const struct link_counters *old = link_named(a, now->name);
		bool chosen = choice->link && *choice->link;
		if (!old || (chosen && strcmp(now->name, choice->link) != 0))
			continue;
		double in = (now->rx_bytes - old->rx_bytes) / seconds;
		double out = (now->tx_bytes - old->tx_bytes) / seconds;
		if (!isfinite(in + out))
			continue;
		any = true;
		if (!chosen && strcmp(now->name, "lo") == 0) {
			lo_rx = in;
			lo_tx = out;
			continue;
		}
		rx += in;
		tx += out;
		double use = fmax(in, out) / speed_of(now, choice);
		if (use >= 0 && !(load[LOAD_NIC] > (float)use))
			load[LOAD_NIC] = (float)use;
	}
	if (!any)
		return;
	bool loopback = rx + tx < 0.01 * (lo_rx + lo_tx);
	load[LOAD_NET_RX_MB_S] = (float)((loopback ? lo_rx : rx) / MB);
	load[LOAD_NET_TX_MB_S] = (float)((loopback ? lo_tx : tx) / MB);
}

static void load_space(const struct exporter_snapshot *s, float *load)
{
	for (unsigned i = 0; i < s->mounts; i++) {
		const struct mount_space *mount = &s->mount[i];
		double share = mount->free_bytes / mount->size_bytes;
		if (mount->size_bytes >= SMALL_MOUNT && share >= 0 &&
			!(load[LOAD_DISK_FREE] <= (float)share))
			load[LOAD_DISK_FREE] = (float)share;
	}
}

static bool fell(double before, double after)
{
	return after < before;
}

/* A restarted exporter keeps the kernel's counters; a restarted machine
 * starts all of them over. */
static bool restarted(const struct exporter_snapshot *a,
	const struct exporter_snapshot *b, const struct disk_counters *da,
	const struct disk_counters *db)
{
	return fell(a->cpu_total_s, b->cpu_total_s) ||
		fell(a->swap_in, b->swap_in) ||
		fell(a->psi_io_s, b->psi_io_s) ||
		(da && db &&
			(fell(da->reads, db->reads) ||
				fell(da->writes, db->writes) ||
				fell(da->busy_s, db->busy_s) ||
				fell(da->read_bytes, db->read_bytes)));
}

bool exporter_load(const struct exporter_snapshot *a,
	const struct exporter_snapshot *b, const char *device,
	const struct exporter_choice *choice, float load[LOAD_COUNT])
{
	double seconds = (double)(b->at_us - a->at_us) / US_PER_S;
	const struct disk_counters *da = disk_named(a, device);
	const struct disk_counters *db = disk_named(b, device);

	for (int i = 0; i < LOAD_COUNT; i++)
		load[i] = NAN;
	if (!(seconds > 0) || restarted(a, b, da, db))
		return false;
	double total = b->cpu_total_s - a->cpu_total_s;
	double idle = b->cpu_idle_s - a->cpu_idle_s;
	double iowait = b->cpu_iowait_s - a->cpu_iowait_s;
	if (total > 0) {
		/* iowait may run backwards by a tick. */
		load[LOAD_CPU_IOWAIT] = (float)fmax(iowait / total, 0);
		load[LOAD_CPU] = (float)fmin(
			fmax(1 - (idle + iowait) / total, 0), 1);
	}
	load[LOAD_LOAD1] = (float)b->load1;
	load[LOAD_MEM_AVAILABLE] = (float)(b->mem_available / b->mem_total);
	load[LOAD_SWAP_IN] = (float)((b->swap_in - a->swap_in) / seconds);
	load[LOAD_SWAP_OUT] = (float)((b->swap_out - a->swap_out) / seconds);
	load[LOAD_CONNECTIONS] = (float)b->connections;
	load[LOAD_PSI_CPU] = (float)((b->psi_cpu_s - a->psi_cpu_s) / seconds);
	load[LOAD_PSI_IO] = (float)((b->psi_io_s - a->psi_io_s) / seconds);
	load[LOAD_PSI_IO_FULL] = (float)((b->psi_io_full_s - a->psi_io_full_s) /
		seconds);
	load[LOAD_PSI_MEMORY] = (float)((b->psi_memory_s - a->psi_memory_s) /
		seconds);
	if (da && db)
		load_disk(da, db, seconds, load);
	load_links(a, b, choice, seconds, load);
	load_space(b, load);
	return true;
}
