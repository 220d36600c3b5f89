/* guess.c - see guess.h. Used by the verb `simulate`. Pure; any thread. */
#include "guess.h"

#include <math.h>

#include "err.h"

/* One look of an online user, where nothing is known of it. */
#define PROBE_RTT_MS  5
#define PROBE_CPU_MS  3
#define PROBE_SPIN_MS 8 /* one read of a spinning disk */
#define PROBE_READ_MS 1 /* of anything else */

static double seconds_per_mb(double mb_min)
{
	return mb_min > 0 ? 60 / mb_min : 0;
}

int guess_network(
	struct network *network, const struct guess *guess, struct err *err)
{
	double mb_min = guess->nic_mbit / 8 * 60;
	double free = 1 - guess->online;
	bool spindle = guess->disk_parallel <= 1;
	struct network net = {
		.cpu_s = seconds_per_mb(guess->core_mb_min),
		.cores = fmax(guess->cores, 1),
		.link_s = seconds_per_mb(mb_min),
		.disk_s = seconds_per_mb(guess->disk_mb_min),
		.disk_parallel = fmax(guess->disk_parallel, 1),
		.disk_thrash = guess->disk_thrash,
		.online_cpu = guess->online,
		.online_disk = guess->online,
		.probe_rtt_ms = PROBE_RTT_MS,
		.probe_cpu_ms = PROBE_CPU_MS,
		.probe_disk_ms = spindle ? PROBE_SPIN_MS : PROBE_READ_MS,
		.probe_reads = 1,
	};
	double stations = (net.cpu_s + net.disk_s) / free + net.link_s;

	net.z_s = seconds_per_mb(guess->x1_mb_min) - stations;
	if (net.z_s < 0)
		return err_set(err, ERR_CONFIG,
			"one sync alone cannot move %.0f MB/min: CPU, link "
			"and disk one after another let %.0f through",
			guess->x1_mb_min, 60 / stations);
	*network = net;
	return 0;
}
