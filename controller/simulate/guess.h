/*
 * guess.h - a server nobody has measured yet, in an administrator's words.
 *
 * What is known beforehand is on the invoice: cores, the network link, the
 * kind of disk. It becomes a network of stations (network.h) that one sync
 * alone crosses in the time it is known, or guessed, to take. Pure.
 */
#ifndef SLUICE_GUESS_H
#define SLUICE_GUESS_H

#include "network.h"

struct err;

/* 0 where a station is not known: it is never short. */
struct guess {
	double x1_mb_min;     /* one sync alone */
	double cores;	      /* of the server */
	double core_mb_min;   /* what one of them serves */
	double nic_mbit;      /* network link, Mbit/s */
	double disk_mb_min;   /* what the disk reads for one sync alone */
	double disk_parallel; /* requests served at once; 1: one spindle */
	double disk_thrash;   /* cost of each further request in the queue */
	double online;	      /* share of CPU and disk that users take */
};

/* -1 when one sync alone would be faster than a station it must pass. */
int guess_network(
	struct network *network, const struct guess *guess, struct err *err);

#endif
