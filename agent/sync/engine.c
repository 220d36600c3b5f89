/*
 * engine.c - one synchronisation from the first connection to "done".
 *
 * Order. A run is a series of rounds over one session with the mail server
 * and one with the DAV server:
 *   1. list the folders with their sizes; make, rename, delete their rows
 *      (reconcile.c). From here on progress has a total.
 *   2. pass through each folder (pass.c): Inbox, then contacts, calendars,
 *      tasks and notes with their contents, then the other mail folders.
 *      A pass holds the server's listing against the store and fetches the
 *      headers that are missing, newest first.
 *   3. fetch the bodies that the modes ask for, signed and encrypted ones of
 *      every folder included (lane_bodies): Inbox first, newest first.
 * The first round copies; the next ones are the delta pass and the proof.
 * A round in which every folder was listed completely and nothing differed
 * ends the run: counts, UIDs and sizes are then the server's. A folder that
 * is unchanged since it was proven (UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ and
 * count, or the sync token) costs nothing, so a later run is a delta.
 *
 * Concurrency. The thread in sync_run() owns the sources and the lane; all
 * network waits happen there. The writer's thread owns the store. Between
 * them is a queue with a cap on its bytes: when the disk is slower than the
 * wire, the lane waits, TCP closes its window, the server slows down.
 *   - Only the writer changes the store. The lane has a reading handle of
 *     its own and sees what is committed.
 *   - A window is handed out once. What is under way is not yet readable, so
 *     between the steps of a round the lane waits until the writer has
 *     committed everything (settle()).
 *   - Windows end in the order in which they were handed out; one
 *     transaction each, items and counters together. Several are under way.
 *   - When the session dies, complete items of unfinished windows are
 *     committed as well; then a new round asks for what is missing. Nothing
 *     that is committed is fetched again.
 *   - Other threads set flags under the mutex and, to stop waits on the
 *     network, cancel the wire. State changes only in set_state().
 */
#include "sync_private.h"

#include "alloc.h"
#include "backoff.h"
#include "clock.h"
#include "err.h"
#include "lane.h"
#include "pass.h"
#include "policy.h"
#include "reconcile.h"
#include "store_message.h"
#include "store_quarantine.h"
#include "wire.h"
#include "writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES (UINT64_C(4) << 20)
#define QUEUE_BYTES  ((size_t)4 << 20)
#define ATTEMPTS     6
#define BACKOFF_US   (US_PER_S * 3 / 10)
#define BACKOFF_CAP  (30 * US_PER_S)
#define ROUNDS_MAX   8

static bool is_active(enum sync_state state)
{
	return state != SYNC_NEW && state != SYNC_PAUSED &&
		!sync_state_final(state);
}

static void set_state(struct sync *sync, enum sync_state state)
{
	int64_t now = clock_monotonic_us();

	pthread_mutex_lock(&sync->mutex);
	if (sync->state != state) {
		assert(sync_state_may(sync->state, state));
		if (sync->active_since)
			sync->active_us += now - sync->active_since;
		sync->active_since = is_active(state) ? now : 0;
		sync->state = state;
	}
	pthread_mutex_unlock(&sync->mutex);
}

static bool held(void *context)
{
	struct sync *sync = context;
	bool held;

	pthread_mutex_lock(&sync->mutex);
	held = sync->paused || sync->cancelled;
	pthread_mutex_unlock(&sync->mutex);
	return held;
}

/* Waits out a pause. -1 when cancelled. */
static int wait_resumed(struct sync *sync, struct err *err)
{
	enum sync_state before = sync->state;
	bool cancelled;

	if (held(sync) && sync->paused)
		set_state(sync, SYNC_PAUSED);
	pthread_mutex_lock(&sync->mutex);
	while (sync->paused && !sync->cancelled)
		pthread_cond_wait(&sync->cond, &sync->mutex);
	cancelled = sync->cancelled;
	pthread_mutex_unlock(&sync->mutex);
	if (cancelled)
		return err_set(err, ERR_CANCELLED, "cancelled");
	set_state(sync, before);
	return 0;
}

/* Waits US, less when cancelled. */
static void wait_us(struct sync *sync, int64_t us)
{
	int64_t until = clock_monotonic_us() + us;
	struct timespec at = {until / US_PER_S, until % US_PER_S * 1000};

	pthread_mutex_lock(&sync->mutex);
	while (!sync->cancelled && clock_monotonic_us() < until)
		pthread_cond_timedwait(&sync->cond, &sync->mutex, &at);
	pthread_mutex_unlock(&sync->mutex);
}

/* -------------------------------------------------------------- sessions */

static void hang_up(struct sync *sync, struct source **source)
{
	if (!*source)
		return;
	pthread_mutex_lock(&sync->mutex);
	sync->round_trips += source_round_trips(*source);
	pthread_mutex_unlock(&sync->mutex);
	source_close(*source);
	*source = NULL;
}

/* DAV is looked for where the account names it or its domain may. An account
 * without any is complete without it. */
static int connect_dav(struct sync *sync, const char *password,
	const struct source_options *options, struct err *err)
{
	const struct account *account = sync->setup.account;
	struct err why = ERR_INIT;

	if (sync->no_dav || (!account->dav_url && !strchr(account->user, '@')))
		return 0;
	if (sync->setup.open_dav(&sync->dav, account, password, options,
		    sync->wire, &why) == 0)
		return 0;
	if (!account->dav_url && err_retry(&why) == ERR_RETRY_NEVER &&
		why.kind != ERR_AUTH && why.kind != ERR_TLS &&
		why.kind != ERR_CANCELLED) {
		sync->no_dav = true;
		return 0;
	}
	if (err)
		*err = why;
	return -1;
}

static int connect_all(struct sync *sync, struct err *err)
{
	const struct account *account = sync->setup.account;
	struct source_options options = {
		.compress = sync->setup.compress,
		.in_flight_bytes = sync->setup.in_flight_bytes,
	};
	char *password = account_password(account, err);
	int status = -1;

	if (!password)
		return -1;
	if ((!account->imap.host ||
		    !sync->setup.open_mail(&sync->mail, account, password,
			    &options, sync->wire, err)) &&
		!connect_dav(sync, password, &options, err))
		status = 0;
	explicit_bzero(password, strlen(password));
	free(password);
	return status;
}

/* ---------------------------------------------------------------- rounds */

static int nothing(struct store *store, void *context, struct err *err)
{
	(void)store;
	(void)context;
	(void)err;
	return 0;
}

/* Everything pushed so far is committed and readable. */
static int settle(struct sync *sync, struct err *err)
{
	return writer_call(
		sync->writer, lane_pipe(sync->lane), nothing, NULL, err);
}

static int list_folders(
	struct sync *sync, struct reconcile *all, struct err *err)
{
	size_t before;

	if (sync->mail && source_list(sync->mail, reconcile_add, all, err))
		return err_context(err, "list of mail folders");
	/* An account has an Inbox; an empty list is a server in trouble, and
	 * must not look like an account whose folders were all deleted. */
	all->mail_listed = all->count > 0;
	before = all->count;
	if (sync->dav && source_list(sync->dav, reconcile_add, all, err))
		return err_context(err, "list of DAV collections");
	all->dav_listed = all->count > before;
	return writer_call(
		sync->writer, lane_pipe(sync->lane), reconcile_run, all, err);
}

static void set_total(struct sync *sync, uint64_t total, uint64_t predicted)
{
	pthread_mutex_lock(&sync->mutex);
	sync->total_bytes = total;
	if (predicted)
		sync->predicted_bytes = predicted;
	pthread_mutex_unlock(&sync->mutex);
}

/* Before the headers are in, what they weigh is an estimate. */
static void estimate_total(struct sync *sync, const struct reconcile *all)
{
	struct writer_progress now;
	uint64_t messages = 0;
	uint64_t items = 0;
	uint64_t bodies = 0;

	for (size_t i = 0; i < all->pass_count; i++) {
		const struct collection *one = &all->passes[i]->collection;

		*(one->dav ? &items : &messages) += one->items;
		if (!one->dav && all->passes[i]->row.mode == STORE_MODE_FULL)
			bodies += one->bytes;
	}
	writer_progress(sync->writer, &now);
	set_total(sync,
		now.app_bytes > all->estimate_bytes ? now.app_bytes
						    : all->estimate_bytes,
		store_predict_bytes(messages, messages * PLAN_HEADER_BYTES,
			bodies, items, items * 1000));
}

/* After the headers are in, the total is exact. */
static int exact_total(struct sync *sync, const struct reconcile *all,
	uint64_t *missing, struct err *err)
{
	struct writer_progress now;
	uint64_t bytes = 0;

	*missing = 0;
	for (size_t i = 0; i < all->pass_count; i++) {
		uint64_t count, size;

		if (all->passes[i]->collection.dav)
			continue;
		if (store_missing(lane_reader(sync->lane),
			    all->passes[i]->row.id, &count, &size, err))
			return -1;
		*missing += count;
		bytes += size;
	}
	writer_progress(sync->writer, &now);
	set_total(sync, now.app_bytes + bytes, 0);
	return 0;
}

/* Runs the passes from FIRST to END on SOURCE, through pauses. */
static int run_passes(struct sync *sync, struct source *source,
	const struct reconcile *all, size_t first, size_t end, struct err *err)
{
	int done = 0;

	while (source && first < end && !done) {
		done = lane_passes(sync->lane, source, all->passes + first,
			end - first, err);
		if (done < 0 || (!done && wait_resumed(sync, err)))
			return -1;
	}
	return 0;
}

static int run_bodies(
	struct sync *sync, const struct reconcile *all, struct err *err)
{
	uint64_t missing;
	int done = 0;

	if (settle(sync, err) || exact_total(sync, all, &missing, err))
		return -1;
	if (!missing)
		return 0;
	set_state(sync, SYNC_FETCHING);
	while (!done) {
		done = lane_bodies(sync->lane, sync->mail, all->passes,
			all->pass_count, err);
		if (done < 0 || (!done && wait_resumed(sync, err)) ||
			settle(sync, err))
			return -1;
	}
	return 0;
}

static uint64_t differences(const struct reconcile *all)
{
	uint64_t sum = all->differences;

	for (size_t i = 0; i < all->pass_count; i++)
		sum += all->passes[i]->differences;
	return sum;
}

/* 1: the store was found equal to the server; 0: not yet; -1. */
static int run_round(struct sync *sync, struct err *err)
{
	struct reconcile all = {
		.policy = sync->setup.policy,
		.prove = sync->setup.prove && sync->rounds == 1,
	};
	struct writer_progress before;
	struct writer_progress after;
	int status = -1;

	writer_progress(sync->writer, &before);
	if (list_folders(sync, &all, err))
		goto free_all;
	if (sync->state == SYNC_LISTING)
		estimate_total(sync, &all);
	if (run_passes(sync, sync->mail, &all, 0, all.dav_first, err) ||
		run_passes(sync, sync->dav, &all, all.dav_first, all.dav_end,
			err) ||
		run_passes(sync, sync->mail, &all, all.dav_end, all.pass_count,
			err) ||
		run_bodies(sync, &all, err) || settle(sync, err))
		goto free_all;
	writer_progress(sync->writer, &after);
	status = differences(&all) == 0 && after.changes == before.changes;

free_all:
	reconcile_free(&all);
	return status;
}

/* One session: rounds until nothing differs. */
static int run_session(struct sync *sync, struct err *err)
{
	int proven = 0;

	set_state(sync, SYNC_CONNECTING);
	if (connect_all(sync, err))
		return -1;
	set_state(sync, SYNC_LISTING);
	for (unsigned round = 0; !proven; round++) {
		if (round == ROUNDS_MAX)
			return err_set(err, ERR_PROTOCOL,
				"the account changes faster than it can be "
				"compared; synchronise again later");
		if (round)
			set_state(sync, SYNC_VERIFYING);
		sync->rounds++;
		proven = run_round(sync, err);
		if (proven < 0)
			return -1;
	}
	return 0;
}

/* --------------------------------------------------------------- the run */

static int retry_quarantine(struct store *store, void *context, struct err *err)
{
	(void)context;
	if (store_begin(store, err))
		return -1;
	if (store_quarantine_retry(store, 0, err) || store_commit(store, err)) {
		store_rollback(store);
		return -1;
	}
	return 0;
}

/* After a failure: true when another try makes sense, having waited. */
static bool try_again(
	struct sync *sync, uint64_t *commits, const struct err *err)
{
	struct writer_progress now;
	int64_t wait;

	if (err->kind == ERR_CANCELLED)
		return false;
	writer_progress(sync->writer, &now);
	if (now.changes != *commits)
		backoff_reset(&sync->backoff);
	*commits = now.changes;
	if (!backoff_next(&sync->backoff, err, &wait))
		return false;
	set_state(sync, SYNC_WAITING);
	pthread_mutex_lock(&sync->mutex);
	sync->retries++;
	pthread_mutex_unlock(&sync->mutex);
	wait_us(sync, wait);
	return true;
}

int sync_run(struct sync *sync, struct err *err)
{
	uint64_t changes = 0;
	struct err why = ERR_INIT;
	int status = writer_call(sync->writer, lane_pipe(sync->lane),
		retry_quarantine, NULL, &why);

	if (!status) {
		do {
			why = ERR_INIT;
			status = run_session(sync, &why);
			hang_up(sync, &sync->mail);
			hang_up(sync, &sync->dav);
		} while (status && try_again(sync, &changes, &why));
	}
	if (status && sync->cancelled)
		err_set(&why, ERR_CANCELLED, "cancelled");
	set_state(sync,
		!status				    ? SYNC_DONE
			: why.kind == ERR_CANCELLED ? SYNC_CANCELLED
						    : SYNC_FAILED);
	if (status && err)
		*err = why;
	return status;
}

static void defaults(struct sync_setup *setup)
{
	if (!setup->window_bytes)
		setup->window_bytes = WINDOW_BYTES;
	if (!setup->queue_bytes)
		setup->queue_bytes = QUEUE_BYTES;
	if (!setup->attempts)
		setup->attempts = ATTEMPTS;
	if (!setup->backoff_us)
		setup->backoff_us = BACKOFF_US;
	if (!setup->open_mail)
		setup->open_mail = imap_source_open;
	if (!setup->open_dav)
		setup->open_dav = dav_source_open;
}

static int start(struct sync *sync, struct err *err)
{
	struct lane_setup lane = {
		.directory = sync->setup.directory,
		.wire = sync->wire,
		.window_bytes = sync->setup.window_bytes,
		.run_us = clock_wall_us(),
		.held = held,
		.context = sync,
	};
	struct store *store = store_open(
		sync->setup.directory, STORE_WRITE, err);
	struct writer_progress now;

	if (!store)
		return -1;
	if (writer_start(&sync->writer, store, sync->wire,
		    sync->setup.queue_bytes, err)) {
		store_close(store);
		return -1;
	}
	writer_progress(sync->writer, &now);
	sync->start_app = now.app_bytes;
	sync->start_wire = now.wire_bytes;
	lane.queue = writer_queue(sync->writer);
	return lane_new(&sync->lane, &lane, err);
}

int sync_new(struct sync **out, const struct sync_setup *setup, struct err *err)
{
	struct sync *sync = xcalloc(1, sizeof *sync);
	pthread_condattr_t monotonic;

	sync->setup = *setup;
	defaults(&sync->setup);
	sync->wire = wire_new();
	wire_set_rate(sync->wire, setup->rate_bytes_s);
	backoff_init(&sync->backoff, sync->setup.backoff_us, BACKOFF_CAP,
		sync->setup.attempts, setup->seed);
	pthread_mutex_init(&sync->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sync->cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (start(sync, err)) {
		sync_free(sync);
		return -1;
	}
	*out = sync;
	return 0;
}

void sync_free(struct sync *sync)
{
	if (!sync)
		return;
	lane_free(sync->lane);
	writer_stop(sync->writer, NULL);
	wire_free(sync->wire);
	pthread_cond_destroy(&sync->cond);
	pthread_mutex_destroy(&sync->mutex);
	free(sync);
}
