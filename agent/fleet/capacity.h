/*
 * capacity.h - can this machine host so many clients? Asked before the first
 * one starts: a limit met in the middle would look like a slow server.
 *
 * capacity_read() asks the kernel, capacity_check() is pure. Any thread.
 */
#ifndef SLUICE_CAPACITY_H
#define SLUICE_CAPACITY_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* What is to be had, MACHINE_NO_LIMIT (machine.h) where nothing limits. */
struct capacity {
	uint64_t files;	       /* descriptors of this process */
	uint64_t user_threads; /* of this user: ulimit -u */
	uint64_t machine_threads;
	uint64_t group_threads; /* of the control group: pids.max */
	uint64_t mappings;	/* of this process */
	uint64_t memory_bytes;	/* free or freed at once */
	uint64_t group_memory_bytes;
	uint64_t scratch_bytes; /* where stores that keep nothing live */
};

/* Raises the limit of open files as far as it may. SCRATCH: directory of the
 * stores that keep nothing, or NULL. ROOT as in machine.h. */
void capacity_read(
	struct capacity *capacity, const char *root, const char *scratch);

/* Refuses, with what is short, how much of it there is, how many clients
 * would fit and what to do. */
int capacity_check(
	const struct capacity *capacity, size_t clients, struct err *err);

#endif
