/*
 * exporter.c - from named counters to rates.
 *
 * Between exposition.c and the slicer; knows node_exporter's names and
 * nothing about the network. Pure.
 */
#include "exporter.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "exposition.h"

struct name_row {
	const char *name;
	size_t offset;
};

#define OF(type, field) offsetof(struct type, field)

static const struct name_row plain_rows[] = {
	{"node_load1", OF(exporter_snapshot, load1)},
	{"node_memory_MemTotal_bytes", OF(exporter_snapshot, mem_total)},
	{"node_memory_MemAvailable_bytes",
		OF(exporter_snapshot, mem_available)},
	{"node_vmstat_pswpin", OF(exporter_snapshot, swap_in)},
	{"node_vmstat_pswpout", OF(exporter_snapshot, swap_out)},
	{"node_netstat_Tcp_CurrEstab", OF(exporter_snapshot, connections)},
	{"node_pressure_cpu_waiting_seconds_total",
		OF(exporter_snapshot, psi_cpu_s)},
	{"node_pressure_io_waiting_seconds_total",
		OF(exporter_snapshot, psi_io_s)},
	{"node_pressure_io_stalled_seconds_total",
		OF(exporter_snapshot, psi_io_full_s)},
	{"node_pressure_memory_waiting_seconds_total",
		OF(exporter_snapshot, psi_memory_s)},
};

static const struct name_row disk_rows[] = {
	{"node_disk_reads_completed_total", OF(disk_counters, reads)},
	{"node_disk_writes_completed_total", OF(disk_counters, writes)},
	{"node_disk_read_bytes_total", OF(disk_counters, read_bytes)},
	{"node_disk_written_bytes_total", OF(disk_counters, written_bytes)},
	{"node_disk_read_time_seconds_total", OF(disk_counters, read_s)},
	{"node_disk_write_time_seconds_total", OF(disk_counters, write_s)},
	{"node_disk_io_time_seconds_total", OF(disk_counters, busy_s)},
	{"node_disk_io_time_weighted_seconds_total",
		OF(disk_counters, weighted_s)},
};

static const struct name_row link_rows[] = {
	{"node_network_receive_bytes_total", OF(link_counters, rx_bytes)},
	{"node_network_transmit_bytes_total", OF(link_counters, tx_bytes)},
	{"node_network_speed_bytes", OF(link_counters, speed)},
};

static const struct name_row mount_rows[] = {
	{"node_filesystem_avail_bytes", OF(mount_space, free_bytes)},
	{"node_filesystem_size_bytes", OF(mount_space, size_bytes)},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool starts_with_any(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

static bool disk_ignored(const char *name)
{
	static const char *const prefixes[] = {
		"loop", "ram", "zram", "sr", "fd", NULL};

	return starts_with_any(name, prefixes);
}

static bool link_ignored(const char *name)
{
	static const char *const prefixes[] = {
		"veth", "docker", "br-", "virbr", "cni", NULL};

	return starts_with_any(name, prefixes);
}

static bool mount_ignored(const struct exposition_sample *sample)
{
	static const char *const types[] = {"tmpfs", "ramfs", "devtmpfs",
		"squashfs", "iso9660", "proc", "sysfs", "cgroup", NULL};
	static const char *const places[] = {
		"/boot", "/snap", "/run", "/sys", "/proc", "/dev", NULL};

	return starts_with_any(exposition_label(sample, "fstype"), types) ||
		starts_with_any(exposition_label(sample, "mountpoint"), places);
}

void exporter_clear(struct exporter_snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->cpu_total_s = s->cpu_idle_s = s->cpu_iowait_s = 0;
	for (size_t i = 0; i < COUNT(plain_rows); i++)
		*(double *)(void *)((char *)s + plain_rows[i].offset) = NAN;
}

/* Stores the value in the row's field of BASE when the name matches. */
static bool store(const struct name_row *rows, size_t count, void *base,
	const struct exposition_sample *sample)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].name, sample->name) != 0)
			continue;
		if (base)
			*(double *)(void *)((char *)base +
				rows[i].offset) = sample->value;
		return true;
	}
	return false;
}

/* Index of NAME among COUNT names STRIDE apart, or the next free one, or -1
 * when the table is full or the name too long. */
static int place(
	const void *table, unsigned count, size_t stride, const char *name)
{
	const char *at = table;

	if (strlen(name) >= EXPORTER_NAME)
		return -1;
	for (unsigned i = 0; i < count; i++, at += stride)
		if (strcmp(at, name) == 0)
			return (int)i;
	return count < EXPORTER_DEVICES ? (int)count : -1;
}

static struct disk_counters *disk_of(
	struct exporter_snapshot *s, const char *name)
{
	int i = disk_ignored(name)
		? -1
		: place(s->disk, s->disks, sizeof(*s->disk), name);

	if (i < 0)
		return NULL;
	struct disk_counters *disk = &s->disk[i];
	if ((unsigned)i == s->disks) {
		s->disks++;
		memcpy(disk->name, name, strlen(name) + 1);
		disk->reads = disk->writes = disk->read_bytes = NAN;
		disk->written_bytes = disk->read_s = disk->write_s = NAN;
		disk->busy_s = disk->weighted_s = NAN;
		disk->rotational = -1;
	}
	return disk;
}

static struct link_counters *link_of(
	struct exporter_snapshot *s, const char *name)
{
	int i = link_ignored(name)
		? -1
		: place(s->link, s->links, sizeof(*s->link), name);

	if (i < 0)
		return NULL;
	struct link_counters *link = &s->link[i];
	if ((unsigned)i == s->links) {
		s->links++;
		memcpy(link->name, name, strlen(name) + 1);
		link->rx_bytes = link->tx_bytes = link->speed = NAN;
	}
	return link;
}

static struct mount_space *mount_of(
	struct exporter_snapshot *s, const struct exposition_sample *sample)
{
	const char *name = exposition_label(sample, "mountpoint");
	int i = mount_ignored(sample)
		? -1
		: place(s->mount, s->mounts, sizeof(*s->mount), name);

	if (i < 0)
		return NULL;
	struct mount_space *mount = &s->mount[i];
	if ((unsigned)i == s->mounts) {
		s->mounts++;
		memcpy(mount->name, name, strlen(name) + 1);
		mount->free_bytes = mount->size_bytes = NAN;
	}
	return mount;
}

/* A guest's time is in user time already; "steal" is not ours to use, but
 * the core is as busy as seen from in here. */
static void add_cpu(
	struct exporter_snapshot *s, const struct exposition_sample *sample)
{
	const char *mode = exposition_label(sample, "mode");

	s->cpu_total_s += sample->value;
	if (strcmp(mode, "idle") == 0)
		s->cpu_idle_s += sample->value;
	else if (strcmp(mode, "iowait") == 0)
		s->cpu_iowait_s += sample->value;
}

void exporter_sample(void *context, const struct exposition_sample *sample)
{
	struct exporter_snapshot *s = context;
	const char *device = exposition_label(sample, "device");
	bool known = true;

	if (strcmp(sample->name, "node_cpu_seconds_total") == 0) {
		add_cpu(s, sample);
	} else if (strcmp(sample->name, "node_disk_info") == 0) {
		const char *spins = exposition_label(sample, "rotational");
		struct disk_counters *disk = disk_of(s, device);
		if (disk && *spins)
			disk->rotational = strcmp(spins, "1") == 0;
	} else if (strncmp(sample->name, "node_disk_", 10) == 0) {
		known = store(disk_rows, COUNT(disk_rows), NULL, sample) &&
			store(disk_rows, COUNT(disk_rows), disk_of(s, device),
				sample);
	} else if (strncmp(sample->name, "node_network_", 13) == 0) {
		known = store(link_rows, COUNT(link_rows), NULL, sample) &&
			store(link_rows, COUNT(link_rows), link_of(s, device),
				sample);
	} else if (strncmp(sample->name, "node_filesystem_", 16) == 0) {
		known = store(mount_rows, COUNT(mount_rows), NULL, sample) &&
			store(mount_rows, COUNT(mount_rows),
				mount_of(s, sample), sample);
	} else {
		known = store(plain_rows, COUNT(plain_rows), s, sample);
	}
	s->recognised += known;
}
