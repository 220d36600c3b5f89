/*
 * host_test.c - a machine made of files: its figures, its control groups of
 * both versions, and whether a fleet fits on it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "alloc.h"
#include "capacity.h"
#include "clock.h"
#include "err.h"
#include "host.h"
#include "machine.h"
#include "temp_dir.h"

static char root[TEMP_DIR_SIZE];

/* Writes ROOT/PATH with the folders above it. */
static void put(const char *path, const char *text)
{
	char *full = xasprintf("%s%s", root, path);
	FILE *file;

	for (char *c = full + strlen(root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(full, 0700);
		*c = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	free(full);
}

static void put_stat(unsigned user, unsigned idle)
{
	char *text = xasprintf("cpu  %u 0 0 %u 10 0 0 0 0 0\n"
			       "cpu0 1 2 3 4 5 6 7 8 0 0\n"
			       "cpu1 1 2 3 4 5 6 7 8 0 0\nintr 1\n",
		user, idle);

	put("/proc/stat", text);
	free(text);
}

static int setup(void **state)
{
	(void)state;
	temp_dir_make(root);
	put_stat(1000, 9000);
	put("/proc/self/stat",
		"7 (a) b) S 1 1 1 0 -1 4194560 1 2 3 4 100 50 0 0 20 0\n");
	put("/proc/self/status", "Name:\tagent\nVmRSS:\t  2048 kB\n");
	put("/proc/self/cgroup", "0::/\n");
	put("/proc/meminfo",
		"MemTotal:       1000000 kB\nMemFree: 1 kB\n"
		"MemAvailable:    400000 kB\n");
	put("/proc/diskstats",
		"   8       0 sda 1 0 0 0 1 0 0 0 0 0 0\n"
		" 254       0 vda 100 0 8 500 300 0 8 1500 0 4000 9\n");
	put("/proc/net/dev",
		"Inter-|   Receive  |  Transmit\n"
		" face |bytes packets errs drop fifo frame compressed multicast"
		"|bytes packets\n"
		"    lo: 999999999 0 0 0 0 0 0 0 999999999 0 0\n"
		"  eth0: 1000000 9 0 0 0 0 0 0 2000000 9 0 0\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	temp_dir_remove(root);
	return 0;
}

/* Two looks, a second apart; CHANGE comes between them. */
static struct host_sample measure(
	const struct host_place *place, void (*change)(void))
{
	struct host_counters before, after;
	struct host_sample sample;

	host_read(place, &before);
	change();
	host_read(place, &after);
	after.at_us = before.at_us + US_PER_S;
	assert_true(host_between(place, &before, &after, &sample));
	assert_true(host_between(place, &before, &after, &sample));
	return sample;
}

static void busy_second(void)
{
	long hertz = sysconf(_SC_CLK_TCK);

	/* Two cores for a second: 150 of 200 ticks at 100 Hz busy. */
	put_stat(
		(unsigned)(1000 + 3 * hertz / 2), (unsigned)(9000 + hertz / 2));
	put("/proc/self/stat",
		hertz == 100 ? "7 (a) b) S 1 1 1 0 -1 4 1 2 3 4 150 100 0 0\n"
			     : "7 (a) b) S 1 1 1 0 -1 4 1 2 3 4 100 50 0 0\n");
	put("/proc/diskstats",
		" 254       0 vda 110 0 8 700 310 0 8 1700 0 4980 9\n");
	put("/proc/net/dev", "  eth0: 3000000 9 0 0 0 0 0 0 2500000 9 0 0\n");
}

static bool near(double value, double expected)
{
	if (fabs(value - expected) < 1e-6)
		return true;
	print_message("%g instead of %g\n", value, expected);
	return false;
}

static void figures_of_a_machine(void **state)
{
	const struct host_place place = {
		.root = root, .disk_major = 254, .shared = true};
	struct host_sample sample = measure(&place, busy_second);

	(void)state;
	assert_true(near(sample.cpu, 0.75));
	assert_true(
		near(sample.cpu_own, sysconf(_SC_CLK_TCK) == 100 ? 0.5 : 0));
	assert_true(near(sample.memory, 0.6));
	assert_int_equal(sample.resident_bytes, 2048 * 1024);
	assert_true(near(sample.disk_busy, 0.98));
	assert_true(near(sample.disk_await_ms, 20));
	assert_true(near(sample.net_mb_s, 2.5));
	assert_true(near(sample.net_link, -1)); /* no link states a speed */
	assert_int_equal(sample.span_us, US_PER_S);
	assert_true(sample.shared);
}

static void a_link_that_states_its_speed(void **state)
{
	const struct host_place place = {.root = root};
	struct host_sample sample;

	(void)state;
	put("/sys/class/net/eth0/speed", "32\n"); /* 4 MB/s */
	sample = measure(&place, busy_second);
	assert_true(near(sample.net_link, 0.5));
	assert_true(near(sample.disk_busy, -1));
	assert_true(near(sample.disk_await_ms, -1));
}

static void use_group_v2(void)
{
	busy_second();
	put("/sys/fs/cgroup/a/b/cpu.stat", "usage_usec 1450000\nuser_usec 1\n");
}

static void limits_of_a_group_v2(void **state)
{
	const struct host_place place = {.root = root};
	struct host_sample sample;

	(void)state;
	put("/proc/self/cgroup", "0::/a/b\n");
	put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	put("/sys/fs/cgroup/a/cpu.max", "50000 100000\n"); /* half a core */
	put("/sys/fs/cgroup/a/b/cpu.stat", "usage_usec 1000000\n");
	put("/sys/fs/cgroup/a/b/memory.max", "102400000\n");
	put("/sys/fs/cgroup/a/b/memory.current", "97280000\n");
	put("/sys/fs/cgroup/a/b/memory.stat",
		"anon 5\ninactive_file 5120000\n");
	sample = measure(&place, use_group_v2);
	assert_true(near(sample.cpu, 0.9)); /* 0.45 s of 0.5 */
	assert_true(near(sample.memory, 0.9));
}

static void use_group_v1(void)
{
	busy_second();
	put("/sys/fs/cgroup/cpuacct/box/cpuacct.usage", "6970000000\n");
}

static void limits_of_a_group_v1(void **state)
{
	const struct host_place place = {.root = root};
	struct host_sample sample;

	(void)state;
	put("/proc/self/cgroup",
		"5:cpuset:/\n4:memory:/box\n3:cpu,cpuacct:/box\n0::/\n");
	put("/sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "100000\n");
	put("/sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	put("/sys/fs/cgroup/cpuacct/box/cpuacct.usage", "6000000000\n");
	put("/sys/fs/cgroup/memory/box/memory.limit_in_bytes",
		"9223372036854771712\n");
	put("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "1000\n");
	sample = measure(&place, use_group_v1);
	assert_true(near(sample.cpu, 0.97));
	assert_true(near(sample.memory, 0.6));
}

static void a_machine_that_tells_nothing(void **state)
{
	const struct host_place place = {.root = "/nowhere", .disk_major = 1};
	struct host_counters before, after;
	struct host_sample sample;

	(void)state;
	host_read(&place, &before);
	after = before;
	after.at_us += US_PER_S;
	assert_true(host_between(&place, &before, &after, &sample));
	assert_true(near(sample.cpu, -1));
	assert_true(near(sample.cpu_own, -1));
	assert_true(near(sample.memory, -1));
	assert_true(near(sample.disk_busy, -1));
}

/* -------------------------------------------------------------- capacity */

static const struct capacity endless = {
	MACHINE_NO_LIMIT,
	MACHINE_NO_LIMIT,
	MACHINE_NO_LIMIT,
	MACHINE_NO_LIMIT,
	MACHINE_NO_LIMIT,
	MACHINE_NO_LIMIT,
	MACHINE_NO_LIMIT,
	MACHINE_NO_LIMIT,
};

static void what_is_short_is_said(void **state)
{
	static const struct {
		size_t offset;
		uint64_t have;
		const char *words[3];
	} rows[] = {
		{offsetof(struct capacity, files), 1024,
			{"500 clients need open files", "there are 1024",
				"ulimit -n"}},
		{offsetof(struct capacity, user_threads), 500,
			{"threads of this user", "ulimit -u", "at most"}},
		{offsetof(struct capacity, machine_threads), 900,
			{"threads of this machine", "threads-max", "900"}},
		{offsetof(struct capacity, group_threads), 64,
			{"control group", "pids.max", "at most 18 clients"}},
		{offsetof(struct capacity, mappings), 5000,
			{"memory mappings", "vm.max_map_count", "5000"}},
		{offsetof(struct capacity, memory_bytes), 100000000,
			{"need memory", "100 MB", "at most 12 clients"}},
		{offsetof(struct capacity, group_memory_bytes), 40000000,
			{"memory of the control group", "memory.max",
				"at most 0 clients"}},
		{offsetof(struct capacity, scratch_bytes), 64000000,
			{"room in memory", "/dev/shm", "at most 64 clients"}},
	};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(capacity_check(&endless, 2000, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct capacity short_of = endless;

		memcpy((char *)&short_of + rows[i].offset, &rows[i].have,
			sizeof(rows[i].have));
		assert_int_equal(capacity_check(&short_of, 500, &err), -1);
		assert_int_equal(err_exit_status(&err), 2);
		for (size_t w = 0; w < 3; w++)
			if (!strstr(err.text, rows[i].words[w]))
				fail_msg("%s: no \"%s\"", err.text,
					rows[i].words[w]);
	}
}

static void capacity_of_a_machine(void **state)
{
	struct capacity capacity;

	(void)state;
	put("/proc/sys/kernel/threads-max", "12345\n");
	put("/proc/sys/vm/max_map_count", "65530\n");
	put("/proc/self/cgroup", "8:pids:/x\n4:memory:/x\n0::/\n");
	put("/sys/fs/cgroup/pids/x/pids.max", "512\n");
	put("/sys/fs/cgroup/pids/x/pids.current", "12\n");
	put("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "70000000\n");
	put("/sys/fs/cgroup/memory/x/memory.usage_in_bytes", "20000000\n");
	capacity_read(&capacity, root, NULL);
	assert_int_equal(capacity.machine_threads, 12345);
	assert_int_equal(capacity.mappings, 65530);
	assert_int_equal(capacity.group_threads, 500);
	assert_int_equal(capacity.memory_bytes, 400000 * 1024);
	assert_int_equal(capacity.group_memory_bytes, 50000000);
	assert_true(capacity.scratch_bytes == MACHINE_NO_LIMIT);
	put("/sys/fs/cgroup/pids/x/pids.max", "max\n");
	capacity_read(&capacity, root, "/");
	assert_true(capacity.group_threads == MACHINE_NO_LIMIT);
	assert_true(capacity.scratch_bytes != MACHINE_NO_LIMIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(figures_of_a_machine),
		TEST(a_link_that_states_its_speed),
		TEST(limits_of_a_group_v2),
		TEST(limits_of_a_group_v1),
		TEST(a_machine_that_tells_nothing),
		TEST(what_is_short_is_said),
		TEST(capacity_of_a_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
