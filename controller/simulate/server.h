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
};

void server_draw(struct server *server, uint64_t *random);
void server_free(struct server *server);

#endif
