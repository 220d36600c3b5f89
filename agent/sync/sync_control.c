/*
 * sync_control.c - the calls that other threads make into a running
 * synchronisation: pause, cancel, rate, progress.
 *
 * Everything they touch is under the mutex or safe by itself (wire.h).
 */
#include "sync_private.h"

#include "clock.h"
#include "wire.h"
#include "writer.h"

static void set_flag(struct sync *sync, bool *flag, bool value)
{
	pthread_mutex_lock(&sync->mutex);
	*flag = value;
	pthread_cond_broadcast(&sync->cond);
	pthread_mutex_unlock(&sync->mutex);
}

void sync_pause(struct sync *sync)
{
	set_flag(sync, &sync->paused, true);
}

void sync_resume(struct sync *sync)
{
	set_flag(sync, &sync->paused, false);
}

void sync_cancel(struct sync *sync)
{
	set_flag(sync, &sync->cancelled, true);
	wire_cancel(sync->wire);
}

void sync_set_rate(struct sync *sync, uint64_t bytes_s)
{
	wire_set_rate(sync->wire, bytes_s);
}

void sync_progress(struct sync *sync, struct sync_progress *progress)
{
	struct wire_counts counts = wire_counts(sync->wire);
	struct writer_progress now;

	writer_progress(sync->writer, &now);
	*progress = (struct sync_progress){
		.app_bytes = now.app_bytes,
		.run_commits = now.commits,
		.run_wire_bytes = counts.socket_in + counts.socket_out,
		.totals = now.totals,
	};
	pthread_mutex_lock(&sync->mutex);
	progress->state = sync->state;
	progress->verified = sync->state == SYNC_DONE;
	progress->total_bytes = sync->total_bytes > now.app_bytes
		? sync->total_bytes
		: now.app_bytes;
	if (!sync->total_bytes)
		progress->total_bytes = 0;
	progress->run_app_bytes = now.app_bytes - sync->start_app;
	progress->wire_bytes = sync->start_wire + progress->run_wire_bytes;
	progress->active_us = sync->active_us;
	if (sync->active_since)
		progress->active_us += clock_monotonic_us() -
			sync->active_since;
	progress->retries = sync->retries;
	progress->missized = now.missized;
	progress->round_trips = sync->round_trips;
	progress->connections = sync->connections;
	progress->predicted_bytes = sync->predicted_bytes;
	progress->rounds = sync->rounds;
	pthread_mutex_unlock(&sync->mutex);
}
