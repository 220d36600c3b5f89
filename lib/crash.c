/*
 * crash.c - SIGKILL at the n-th step, for tests of resuming.
 *
 * Called by the store and the wire; costs one load when not asked for.
 */
#include "crash.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t last_commit, last_read;
static atomic_uint_fast64_t commits, reads;

static void look(void)
{
	const char *at = getenv("SLUICE_CRASH_AT");

	if (at && strncmp(at, "commit:", 7) == 0)
		last_commit = strtoull(at + 7, NULL, 10);
	else if (at && strncmp(at, "read:", 5) == 0)
		last_read = strtoull(at + 5, NULL, 10);
}

static void step(uint64_t last, atomic_uint_fast64_t *count)
{
	if (last && atomic_fetch_add(count, 1) + 1 == last)
		raise(SIGKILL);
}

void crash_at_commit(void)
{
	pthread_once(&once, look);
	step(last_commit, &commits);
}

void crash_at_read(void)
{
	pthread_once(&once, look);
	step(last_read, &reads);
}
