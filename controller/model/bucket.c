/*
 * bucket.c - the one table of server metrics, and a bucket's small rules.
 *
 * First stage of the model: filled by measure/ or from the archive, read by
 * levels.c. Pure; any thread.
 */
#include "bucket.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"

const struct load_metric_row load_metric_table[LOAD_COUNT] = {
	[LOAD_CPU] = {"cpu", "ratio", "CPU busy",
		"Share of all cores not idle and not waiting for I/O."},
	[LOAD_NIC] = {"nic", "ratio", "network link in use",
		"The busier direction against the link's speed; "
		"unknown where the link states none."},
	[LOAD_DISK_UTIL] = {"disk_util", "ratio", "disk busy",
		"Share of time with a request in the device; a "
		"limit on one rotational disk only."},
	[LOAD_DISK_READ_AWAIT] = {"disk_await_ms", "ms", "disk read latency",
		"Time of one read in queue and device; "
		"unknown in a bucket without reads."},
	[LOAD_MEM_AVAILABLE] = {"mem_available", "ratio", "memory available",
		"Memory obtainable without swapping, of all."},
	[LOAD_CONNECTIONS] = {"connections", "1", "TCP connections",
		"Established connections of the machine."},
	[LOAD_DISK_WRITE_AWAIT] = {"disk_write_await_ms", "ms",
		"disk write latency", "Time of one write in queue and device."},
	[LOAD_DISK_QUEUE] = {"disk_queue", "1", "disk queue",
		"Mean number of requests queued or in service."},
	[LOAD_DISK_READ_MB_S] = {"disk_read_mb_s", "MB/s", "disk reads",
		"Bytes read from the device."},
	[LOAD_DISK_WRITE_MB_S] = {"disk_write_mb_s", "MB/s", "disk writes",
		"Bytes written to the device."},
	[LOAD_DISK_READ_IOPS] = {"disk_read_iops", "1/s", "disk reads",
		"Reads completed."},
	[LOAD_DISK_WRITE_IOPS] = {"disk_write_iops", "1/s", "disk writes",
		"Writes completed."},
	[LOAD_DISK_FREE] = {"disk_free", "ratio", "disk space free",
		"Space available on the fullest real file "
		"system."},
	[LOAD_CPU_IOWAIT] = {"cpu_iowait", "ratio", "CPU waiting for I/O",
		"Share of all cores idle with I/O outstanding; "
		"advisory."},
	[LOAD_LOAD1] = {"load1", "1", "load average",
		"Runnable and blocked tasks, one-minute mean; "
		"advisory."},
	[LOAD_SWAP_IN] = {"swap_in", "1/s", "swap-in", "Pages swapped in."},
	[LOAD_SWAP_OUT] = {"swap_out", "1/s", "swap-out", "Pages swapped out."},
	[LOAD_NET_RX_MB_S] = {"net_rx_mb_s", "MB/s", "network in",
		"Bytes received on all links but loopback; on "
		"loopback when there is no other traffic."},
	[LOAD_NET_TX_MB_S] = {"net_tx_mb_s", "MB/s", "network out",
		"Bytes sent, as above."},
	[LOAD_PSI_CPU] = {"psi_cpu", "ratio", "tasks waiting for CPU",
		"Share of time with a task stalled on CPU; names "
		"the bottleneck, never gates."},
	[LOAD_PSI_IO] = {"psi_io", "ratio", "tasks waiting for I/O",
		"Share of time with a task stalled on I/O; the "
		"syncs themselves are such tasks."},
	[LOAD_PSI_IO_FULL] = {"psi_io_full", "ratio", "all waiting for I/O",
		"Share of time with every busy task stalled on "
		"I/O."},
	[LOAD_PSI_MEMORY] = {"psi_memory", "ratio", "tasks waiting for memory",
		"Share of time with a task stalled on memory."},
};

void bucket_init(struct bucket *bucket, double start_s, double seconds)
{
	memset(bucket, 0, sizeof(*bucket));
	bucket->start_s = start_s;
	bucket->seconds = (float)seconds;
	bucket->p50_ms = bucket->p95_ms = bucket->p99_ms = NAN;
	for (int i = 0; i < LOAD_COUNT; i++)
		bucket->load[i] = NAN;
}

static int compare_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Smallest value with at least SHARE of all at or below it. */
static float quantile_ms(const int64_t *sorted, size_t count, double share)
{
	size_t rank = (size_t)ceil(share * (double)count);

	return (float)((double)sorted[rank ? rank - 1 : 0] / 1000.0);
}

void bucket_set_probes(struct bucket *bucket, int64_t *latency_us, size_t count,
	unsigned failures)
{
	bucket->probes = (uint32_t)count + failures;
	bucket->failures = failures;
	bucket->probes_kept = 0;
	bucket->p50_ms = bucket->p95_ms = bucket->p99_ms = NAN;
	if (count == 0)
		return;
	qsort(latency_us, count, sizeof(*latency_us), compare_i64);
	bucket->p50_ms = quantile_ms(latency_us, count, 0.50);
	bucket->p95_ms = quantile_ms(latency_us, count, 0.95);
	bucket->p99_ms = quantile_ms(latency_us, count, 0.99);
	size_t kept = count < BUCKET_PROBES ? count : BUCKET_PROBES;
	for (size_t i = 0; i < kept; i++) {
		size_t rank = (2 * i + 1) * count / (2 * kept);
		bucket->probe[i] = (uint16_t)hist_bin(latency_us[rank]);
	}
	bucket->probes_kept = (uint32_t)kept;
}

bool bucket_usable(const struct bucket *bucket)
{
	return bucket->flags == 0 && bucket->n >= 0 &&
		isfinite(bucket->x_mb_min) && bucket->x_mb_min >= 0 &&
		bucket->seconds > 0;
}

const char *bucket_flag_name(enum bucket_flag flag)
{
	switch (flag) {
	case BUCKET_N_CHANGED:
		return "n changed";
	case BUCKET_SETTLING:
		return "settling after a start";
	case BUCKET_PHASES:
		return "too many syncs in another phase";
	case BUCKET_NO_DATA:
		return "an active agent sent nothing";
	case BUCKET_INVALID:
		return "not a number";
	case BUCKET_GENERATOR:
		return "the agents' own host was the limit";
	case BUCKET_BRAKED:
		return "braked";
	}
	return "unknown";
}
