/*
 * capacity.c - see capacity.h. One table: what a client takes, what the
 * fleet itself takes, and what to do where there is less.
 */
#include "capacity.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "err.h"
#include "machine.h"
#include "units.h"

#define MB UINT64_C(1000000)

static const struct {
	const char *what;
	size_t offset;
	uint64_t each, own; /* measured; rounded up */
	bool bytes;
	const char *remedy;
} needs[] = {
	{"open files", offsetof(struct capacity, files), 24, 64, false,
		"raise them with `ulimit -n` or LimitNOFILE="},
	{"threads of this user", offsetof(struct capacity, user_threads), 3, 8,
		false, "raise them with `ulimit -u` or LimitNPROC="},
	{"threads of this machine", offsetof(struct capacity, machine_threads),
		3, 8, false, "raise kernel.threads-max with sysctl"},
	{"threads of the control group",
		offsetof(struct capacity, group_threads), 3, 8, false,
		"raise pids.max, TasksMax= or --pids-limit"},
	{"memory mappings", offsetof(struct capacity, mappings), 24, 512, false,
		"raise vm.max_map_count with sysctl"},
	{"memory", offsetof(struct capacity, memory_bytes), 4 * MB, 50 * MB,
		true, "end other programs or take a larger machine"},
	{"memory of the control group",
		offsetof(struct capacity, group_memory_bytes), 4 * MB, 50 * MB,
		true, "raise memory.max, MemoryMax= or --memory"},
	{"room in memory for stores", offsetof(struct capacity, scratch_bytes),
		MB, 0, true,
		"enlarge /dev/shm, as with --shm-size, or name directories "
		"with store:"},
};

static uint64_t raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return MACHINE_NO_LIMIT;
	if (limit.rlim_cur != limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur == RLIM_INFINITY ? MACHINE_NO_LIMIT
					       : limit.rlim_cur;
}

/* The kernel does not hold root to it. */
static uint64_t user_threads(void)
{
	struct rlimit limit;

	if (geteuid() == 0 || getrlimit(RLIMIT_NPROC, &limit) < 0 ||
		limit.rlim_cur == RLIM_INFINITY)
		return MACHINE_NO_LIMIT;
	return limit.rlim_cur;
}

static uint64_t free_bytes(const char *directory)
{
	struct statvfs fs;

	if (!directory || statvfs(directory, &fs) < 0)
		return MACHINE_NO_LIMIT;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

void capacity_read(
	struct capacity *capacity, const char *root, const char *scratch)
{
	static const struct machine_file pids_max = {
		"pids", "pids.max", "pids.max"};
	static const struct machine_file pids_now = {
		"pids", "pids.current", "pids.current"};
	static const struct machine_file memory_max = {
		"memory", "memory.limit_in_bytes", "memory.max"};
	static const struct machine_file memory_now = {
		"memory", "memory.usage_in_bytes", "memory.current"};
	char *memory = machine_text(root, "/proc/meminfo");
	uint64_t kib;

	*capacity = (struct capacity){
		.files = raise_files(),
		.user_threads = user_threads(),
		.machine_threads = machine_number(
			root, "/proc/sys/kernel/threads-max", MACHINE_NO_LIMIT),
		.group_threads = machine_group_left(root, &pids_max, &pids_now),
		.mappings = machine_number(
			root, "/proc/sys/vm/max_map_count", MACHINE_NO_LIMIT),
		.memory_bytes = machine_field(memory, "MemAvailable", &kib)
			? kib * 1024
			: MACHINE_NO_LIMIT,
		.group_memory_bytes = machine_group_left(
			root, &memory_max, &memory_now),
		.scratch_bytes = free_bytes(scratch),
	};
	free(memory);
}

static void format(bool bytes, uint64_t value, char text[UNITS_TEXT_BYTES])
{
	if (bytes)
		units_format_bytes(value, text);
	else
		(void)snprintf(text, UNITS_TEXT_BYTES, "%llu",
			(unsigned long long)value);
}

int capacity_check(
	const struct capacity *capacity, size_t clients, struct err *err)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
		uint64_t need = clients * needs[i].each + needs[i].own;
		char wanted[UNITS_TEXT_BYTES], found[UNITS_TEXT_BYTES];
		uint64_t have;

		memcpy(&have, (const char *)capacity + needs[i].offset,
			sizeof(have));
		if (have >= need)
			continue;
		format(needs[i].bytes, need, wanted);
		format(needs[i].bytes, have, found);
		return err_set(err, ERR_CONFIG,
			"%zu clients need %s: %s, and there are %s; %s, or "
			"take at most %llu clients",
			clients, needs[i].what, wanted, found, needs[i].remedy,
			(unsigned long long)(have > needs[i].own
					? (have - needs[i].own) / needs[i].each
					: 0));
	}
	return 0;
}
