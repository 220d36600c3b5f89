/*
 * host.h - how busy the machine of a fleet is.
 *
 * host_read() takes the counters of a moment, host_between() makes rates of
 * two of them (pure). What the machine does not tell is -1. Any thread.
 */
#ifndef SLUICE_HOST_H
#define SLUICE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"

/* Where to look. */
struct host_place {
	const char *root;  /* as in machine.h */
	const char *store; /* a directory on the disk of interest */
	unsigned disk_major, disk_minor; /* host_find_disk(); 0, 0: none */
	bool shared; /* the mail server runs on this machine as well */
};

struct host_counters {
	int64_t at_us; /* monotonic */
	double cpus;   /* of the machine, online */
	double busy_s, own_s,
		total_s;	    /* CPU time: all, this process, possible */
	double group_s, group_cpus; /* of the control group; 0: no limit */
	double memory_used, group_memory_used; /* shares; -1 */
	uint64_t resident_bytes;
	bool has_disk;
	double disk_ms, wait_ms, requests;
	double received, sent; /* bytes, all links but loopback */
	double link_bytes_s;   /* the sum of what they state; 0: none does */
};

/* The device below place->store; a memory file system has none. */
void host_find_disk(struct host_place *place);

void host_read(const struct host_place *place, struct host_counters *counters);

/* False when no time has passed. */
bool host_between(const struct host_place *place,
	const struct host_counters *before, const struct host_counters *after,
	struct host_sample *sample);

#endif
