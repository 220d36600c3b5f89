/*
 * exporter.h - node_exporter's counters, and the load between two of them.
 *
 * A snapshot is filled from one scrape; two of the same machine give rates
 * (kernel: admin-guide/iostats, accounting/psi). A load whose counters are
 * missing, or fell, or of which nothing happened (await of no reads) is NAN.
 * Pure; one thread per snapshot.
 */
#ifndef SLUICE_EXPORTER_H
#define SLUICE_EXPORTER_H

#include "bucket.h"

#define EXPORTER_DEVICES 64
#define EXPORTER_NAME	 64

struct exposition_sample;

struct disk_counters {
	char name[EXPORTER_NAME];
	double reads, writes; /* completed */
	double read_bytes, written_bytes;
	double read_s, write_s; /* summed over requests */
	double busy_s, weighted_s;
	int rotational; /* 1 yes, 0 no, -1 the exporter does not say */
};

struct link_counters {
	char name[EXPORTER_NAME];
	double rx_bytes, tx_bytes;
	double speed; /* bytes/s; NAN: not said */
};

struct mount_space {
	char name[EXPORTER_NAME]; /* mount point */
	double free_bytes, size_bytes;
};

struct exporter_snapshot {
	int64_t at_us;
	uint64_t recognised; /* samples that meant something */
	double cpu_total_s, cpu_idle_s, cpu_iowait_s;
	double load1;
	double mem_total, mem_available;
	double swap_in, swap_out; /* pages */
	double connections;
	double psi_cpu_s, psi_io_s, psi_io_full_s, psi_memory_s;
	struct disk_counters disk[EXPORTER_DEVICES];
	struct link_counters link[EXPORTER_DEVICES];
	struct mount_space mount[EXPORTER_DEVICES];
	unsigned disks, links, mounts;
};

void exporter_clear(struct exporter_snapshot *snapshot);

/* For exposition_init(); CONTEXT is the snapshot. */
void exporter_sample(void *context, const struct exposition_sample *sample);

struct exporter_choice {
	const char *device; /* NULL or "": the busiest since the first */
	const char *link;   /* NULL or "": all but loopback */
	double link_mb_s;   /* 0: as the exporter says */
};

/* The device meant by CHOICE: index in LAST->disk, or -1. FIRST is an old
 * snapshot, so that a short burst elsewhere does not move the choice. */
int exporter_device(const struct exporter_snapshot *first,
	const struct exporter_snapshot *last,
	const struct exporter_choice *choice);

/* Load from BEFORE to AFTER; DEVICE names the disk ("": none). False when no
 * time passed or a counter fell: the exporter or the machine restarted. */
bool exporter_load(const struct exporter_snapshot *before,
	const struct exporter_snapshot *after, const char *device,
	const struct exporter_choice *choice, float load[LOAD_COUNT]);

#endif
