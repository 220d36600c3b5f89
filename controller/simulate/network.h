/*
 * network.h - a mail server under n syncs, as a closed queueing network.
 *
 * Stations a megabyte visits: the client itself (a delay of z_s), CPU cores,
 * the network link, the disk. Product form with load-dependent rates, solved
 * exactly by convolution (Buzen 1973):
 *
 *   X(n) = G(n-1) / G(n),   G = f_client * f_cpu * f_link * f_disk
 *   disk: mu(k) = min(k, p)^0.9 / (D (1 + thrash(k)))
 *
 * p = 1 and thrash > 0 is one spinning disk, p = 4..8 an array, p = 8..32
 * flash. People who work online take shares of CPU and disk; what they see
 * comes from the queue lengths they find (arrival theorem). This is not the
 * law of fit.h: a fit to these curves is honestly misspecified. Pure.
 */
#ifndef SLUICE_NETWORK_H
#define SLUICE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

struct network {
	double z_s;   /* client: seconds per MB */
	double cpu_s; /* core seconds per MB */
	double cores;
	double link_s;	      /* seconds per MB */
	double disk_s;	      /* seconds per MB, alone */
	double disk_parallel; /* p */
	double disk_thrash;   /* added per further request in the queue */
	double thrash_span;   /* requests over which it saturates; 0: never */
	double online_cpu, online_disk; /* shares taken by online users */
	double probe_rtt_ms, probe_cpu_ms, probe_disk_ms;
	unsigned probe_reads;
};

struct network_curve; /* opaque */

/* Solves for n = 0 .. N_MAX. Never fails. */
struct network_curve *network_solve(
	const struct network *network, unsigned n_max);
void network_free(struct network_curve *curve);

/* MB/min; 0 for n = 0, the last value beyond n_max. */
double network_x(const struct network_curve *curve, unsigned n);

/* One latency an online user sees with N syncs running, ms. */
double network_probe_ms(
	const struct network_curve *curve, unsigned n, uint64_t *random);

/* Their 95 % quantile, from 4000 draws with a fixed seed. */
double network_p95_ms(const struct network_curve *curve, unsigned n);

/* Shares of CPU and link in use, and of time the disk is busy. */
void network_utilisation(const struct network_curve *curve, unsigned n,
	double *cpu, double *link, double *disk);

#endif
