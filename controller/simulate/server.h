/*
 * server.h - random mail servers for the study.
 *
 * A third each spinning disk, array and flash; client, CPU and link demands,
 * online load and service objective drawn over the ranges met in practice
 * (docs/capacity.md). Only servers with a true optimum of 2 to 40 syncs are
 * kept: elsewhere there is nothing to find. Pure, deterministic.
 */
#ifndef SLUICE_SERVER_H
#define SLUICE_SERVER_H

#include "network.h"

#define SERVER_N_MAX 96

/* What may go wrong with a server, or its users, in the course of a rollout.
 * Rows of server_trouble_names. */
enum server_trouble {
	TROUBLE_NONE,
	TROUBLE_DRIFT,	/* throughput sinks slowly, to half */
	TROUBLE_CHANGE, /* from some hour on CPU and disk are slower */
	TROUBLE_SIZES,	/* a few huge mailboxes: sigma 1.6 */
	TROUBLE_SPEEDS, /* clients of very different speed: sigma 0.8 */
	TROUBLE_COUNT
};
extern const char *const server_trouble_names[TROUBLE_COUNT];

struct server {
	struct network network;
	struct network_curve *curve;
	double slo_ms;
	double idle_p95_ms; /* true */
	unsigned n_opt;	    /* least n with 95 % of the best X within the SLO */
	unsigned n_best;    /* the best X within the SLO */
	/* The population of clients. */
	double mean_mb, sigma_mb;	   /* log-normal sizes */
	double sigma_speed;		   /* between clients, in ln */
	double noise_client, noise_server; /* sd in ln, autocorrelated */
	/* Trouble: half the throughput is gone at drift_s; from change_s on
	 * the curve and the optimum are the later ones. 0: never. */
	double drift_s, change_s;
	struct network_curve *later;
	unsigned n_opt_later;
};

void server_draw(struct server *server, uint64_t *random);

/* Makes it hard for a rollout of so many clients. */
void server_trouble(
	struct server *server, enum server_trouble trouble, unsigned clients);

/* What is true at a time. */
const struct network_curve *server_curve(
	const struct server *server, double now_s);
unsigned server_optimum(const struct server *server, double now_s);
double server_share(const struct server *server, double now_s);

void server_free(struct server *server);

#endif
