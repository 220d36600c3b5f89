/*
 * latency.c - see latency.h. Between two probes the thread sleeps on a
 * condition; nothing of the store is held meanwhile, so that a probe never
 * keeps the log from being folded.
 */
#include "latency.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "hist.h"
#include "store.h"

struct latency {
	char *directory;
	struct store *store; /* the thread's; NULL until there is one */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t wake;   /* phase or stop changed, or a probe is done */
	enum latency_phase phase;
	bool probed; /* once at least in this phase */
	bool stop;
	struct hist hist[LATENCY_PHASES];
};

/* Not the mutex's business: only the thread uses the store. */
static int64_t probe(struct latency *latency)
{
	int64_t us = -1;

	if (!latency->store)
		latency->store = store_open(
			latency->directory, STORE_READ, NULL);
	if (latency->store && store_probe(latency->store, &us, NULL) < 0)
		us = -1;
	return us;
}

static void sleep_until(struct latency *latency, int64_t due_us)
{
	struct timespec due = {
		.tv_sec = due_us / US_PER_S,
		.tv_nsec = due_us % US_PER_S * 1000,
	};

	while (!latency->stop && latency->probed &&
		clock_monotonic_us() < due_us)
		pthread_cond_clockwait(
			&latency->wake, &latency->mutex, CLOCK_MONOTONIC, &due);
}

static void *probe_thread(void *arg)
{
	struct latency *latency = arg;

	pthread_mutex_lock(&latency->mutex);
	while (!latency->stop) {
		enum latency_phase phase = latency->phase;
		int64_t due_us = clock_monotonic_us() + LATENCY_EVERY_US;
		int64_t us;

		pthread_mutex_unlock(&latency->mutex);
		us = probe(latency);
		pthread_mutex_lock(&latency->mutex);
		if (us >= 0)
			hist_add(&latency->hist[phase], us);
		latency->probed = phase == latency->phase;
		pthread_cond_broadcast(&latency->wake);
		sleep_until(latency, due_us);
	}
	pthread_mutex_unlock(&latency->mutex);
	return NULL;
}

int latency_start(struct latency **out, const char *directory, struct err *err)
{
	struct latency *latency = xcalloc(1, sizeof(*latency));

	latency->directory = xstrdup(directory);
	pthread_mutex_init(&latency->mutex, NULL);
	pthread_cond_init(&latency->wake, NULL);
	if (pthread_create(&latency->thread, NULL, probe_thread, latency)) {
		pthread_mutex_destroy(&latency->mutex);
		pthread_cond_destroy(&latency->wake);
		free(latency->directory);
		free(latency);
		return err_set(err, ERR_LIMIT, "cannot start another thread");
	}
	latency_phase(latency, LATENCY_BEFORE);
	*out = latency;
	return 0;
}

void latency_phase(struct latency *latency, enum latency_phase phase)
{
	pthread_mutex_lock(&latency->mutex);
	latency->phase = phase;
	latency->probed = false;
	pthread_cond_broadcast(&latency->wake);
	while (!latency->probed)
		pthread_cond_wait(&latency->wake, &latency->mutex);
	pthread_mutex_unlock(&latency->mutex);
}

void latency_read(struct latency *latency, enum latency_phase phase,
	struct latency_figure *figure)
{
	const struct hist *hist = &latency->hist[phase];

	memset(figure, 0, sizeof(*figure));
	pthread_mutex_lock(&latency->mutex);
	figure->count = hist->count;
	if (hist->count) {
		figure->p95_ms = hist_quantile_us(hist, 0.95) / US_PER_MS;
		figure->max_ms = (double)hist->max_us / US_PER_MS;
	}
	pthread_mutex_unlock(&latency->mutex);
}

void latency_stop(struct latency *latency)
{
	if (!latency)
		return;
	pthread_mutex_lock(&latency->mutex);
	latency->stop = true;
	pthread_cond_broadcast(&latency->wake);
	pthread_mutex_unlock(&latency->mutex);
	pthread_join(latency->thread, NULL);
	store_close(latency->store);
	pthread_mutex_destroy(&latency->mutex);
	pthread_cond_destroy(&latency->wake);
	free(latency->directory);
	free(latency);
}
