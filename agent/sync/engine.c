/*
 * engine.c - one synchronisation from the first connection to "done".
 *
 * Order. A run is a series of rounds over one session with the mail server
 * and one with the DAV server (half.c), side by side:
 *   1. list the folders with their sizes; make, rename, delete their rows
 *      (reconcile.c). From here on progress has a total.
 *   2. pass through each folder (pass.c), the Inbox first. A pass holds the
 *      server's listing against the store and fetches what is missing: the
 *      objects of contacts, calendars, tasks and notes; headers of mail,
 *      newest first; whole messages at once where they are wanted and the
 *      line is fast.
 *   3. mail: fetch the bodies that the modes ask for, signed and encrypted
 *      ones of every folder included (work.c): Inbox first, newest
 *      first.
 * The first round copies; the next ones are the delta pass and the proof.
 * A round in which every folder was listed completely and nothing differed
 * ends the run: counts, UIDs and sizes are then the server's. A folder that
 * is unchanged since it was proven (UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ and
 * count, or the sync token) costs nothing, so a later run is a delta.
 *
 * Concurrency. The thread in sync_run() owns the mail's source and lane, a
 * thread that lives for a round the DAV's; all network waits happen there,
 * and on a long line in the threads of further lanes to the mail server, each
 * with its own session (crew.c).
 * The writer's thread owns the store. Between them is a queue with a cap on
 * its bytes: when the disk is slower than the wire, the lanes wait, TCP
 * closes its window, the server slows down.
 *   - Only the writer changes the store. Each lane has a reading handle of
 *     its own and sees what is committed.
 *   - A window is handed out once. What is under way is not yet readable, so
 *     between the steps of a round the lane waits until the writer has
 *     committed everything (half_settle()).
 *   - Windows end in the order in which they were handed out; one
 *     transaction each, items and counters together, and one for every 1000
 *     items of a window that is a whole collection. Several are under way.
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
#include "crew.h"
#include "lane.h"
#include "log.h"
#include "pass.h"
#include "pipe.h"
#include "policy.h"
#include "reconcile.h"
#include "store_message.h"
#include "store_quarantine.h"
#include "wire.h"
#include "work.h"
#include "writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES (UINT64_C(16) << 20)
#define QUEUE_BYTES  ((size_t)1 << 20)
#define ATTEMPTS     6
#define BACKOFF_US   (US_PER_S * 3 / 10)
#define BACKOFF_CAP  (30 * US_PER_S)
#define ROUNDS_MAX   8
#define CONNECTIONS  4 /* Courier allows as many from one address */

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

static bool is_set(struct sync *sync, const bool *flag)
{
	bool set;

	pthread_mutex_lock(&sync->mutex);
	set = *flag;
	pthread_mutex_unlock(&sync->mutex);
	return set;
}

bool sync_held(void *context)
{
	struct sync *sync = context;

	return is_set(sync, &sync->paused) || is_set(sync, &sync->cancelled);
}

/* Waits out a pause. -1 when cancelled. */
int sync_wait_resumed(struct sync *sync, struct err *err)
{
	enum sync_state before = sync->state;
	bool cancelled;

	if (is_set(sync, &sync->paused))
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

/* Whole messages are coming in already while folders are being listed. */
static void bulk(void *context)
{
	struct sync *sync = context;

	if (sync->state == SYNC_LISTING)
		set_state(sync, SYNC_FETCHING);
}

void sync_listing(struct sync *sync)
{
	if (sync->state == SYNC_CONNECTING)
		set_state(sync, SYNC_LISTING);
}

/* ---------------------------------------------------------------- rounds */

/* Totals of both halves: an estimate until the headers are in. */
void sync_estimate(struct sync *sync, const struct half *half)
{
	struct writer_progress now;
	uint64_t bytes;

	writer_progress(sync->writer, &now);
	pthread_mutex_lock(&sync->mutex);
	sync->estimates[half->dav] = half->all.estimate_bytes;
	sync->predictions[half->dav] = half_predict(half);
	if (!sync->total_exact) {
		bytes = sync->estimates[0] + sync->estimates[1];
		sync->total_bytes = bytes > now.app_bytes ? bytes
							  : now.app_bytes;
	}
	sync->predicted_bytes = sync->predictions[0] + sync->predictions[1];
	pthread_mutex_unlock(&sync->mutex);
}

/* After the headers are in, the total of the mail is exact. */
static int exact_total(
	struct sync *sync, struct work_size *missing, struct err *err)
{
	const struct reconcile *all = &sync->mail.all;
	struct store *reader = lane_reader(crew_lane(sync->mail.crew));
	struct writer_progress now;

	*missing = (struct work_size){0, 0};
	for (size_t i = 0; i < all->pass_count; i++) {
		uint64_t count, size;

		if (store_missing(
			    reader, all->passes[i]->row.id, &count, &size, err))
			return -1;
		/* Opening the folder, and a window or more. */
		missing->commands += count ? 2 + count / PLAN_ITEMS_MAX : 0;
		missing->bytes += size;
	}
	writer_progress(sync->writer, &now);
	pthread_mutex_lock(&sync->mutex);
	sync->total_bytes = now.app_bytes + missing->bytes;
	sync->total_exact = true;
	pthread_mutex_unlock(&sync->mutex);
	return 0;
}

static int run_bodies(struct sync *sync, struct err *err)
{
	struct half *mail = &sync->mail;
	struct work_size missing;
	int done = 0;

	if (!mail->source)
		return 0;
	if (half_settle(mail, err) || exact_total(sync, &missing, err))
		return -1;
	if (!missing.commands)
		return 0;
	set_state(sync, SYNC_FETCHING);
	while (!done) {
		done = half_work(mail,
			work_bodies(mail->all.passes, mail->all.pass_count,
				&missing),
			err);
		if (done < 0 || (!done && sync_wait_resumed(sync, err)) ||
			half_settle(mail, err))
			return -1;
	}
	return 0;
}

static int run_mail(struct sync *sync, struct err *err)
{
	return half_connect(&sync->mail, err) || half_round(&sync->mail, err) ||
			run_bodies(sync, err)
		? -1
		: 0;
}

static void *dav_thread(void *argument)
{
	struct half *dav = argument;

	dav->err = ERR_INIT;
	dav->status = half_connect(dav, &dav->err) ||
			half_round(dav, &dav->err) ||
			half_settle(dav, &dav->err)
		? -1
		: 0;
	if (dav->status)
		half_heed(dav);
	return NULL;
}

static int renew_policy(struct sync *sync, struct err *err)
{
	struct policy *policy;

	if (!sync->setup.renew_policy)
		return 0;
	policy = sync->setup.renew_policy(sync->setup.renew_context, err);
	if (!policy)
		return -1;
	policy_free(sync->policy);
	sync->setup.policy = sync->policy = policy;
	return 0;
}

/* Both halves of a round, side by side where a thread may be started. */
static int run_halves(struct sync *sync, struct err *err)
{
	const bool alone = sync->setup.one_thread;
	pthread_t thread = 0;
	int status;

	if (alone)
		dav_thread(&sync->dav);
	else if (pthread_create(&thread, NULL, dav_thread, &sync->dav))
		return err_set(err, ERR_LIMIT, "cannot start another thread");
	status = run_mail(sync, err);
	if (!alone)
		pthread_join(thread, NULL);
	if (!status && sync->dav.status) {
		status = -1;
		*err = sync->dav.err;
	}
	return status;
}

/* 1: the store was found equal to the server; 0: not yet; -1. */
static int run_round(struct sync *sync, struct err *err)
{
	struct writer_progress before;
	struct writer_progress after;
	int status;

	if (renew_policy(sync, err))
		return -1;
	writer_progress(sync->writer, &before);
	sync->mail.all = (struct reconcile){.policy = sync->setup.policy};
	sync->mail.all.prove = sync->setup.prove;
	sync->dav.all = sync->mail.all;
	status = run_halves(sync, err);
	writer_progress(sync->writer, &after);
	if (!status) {
		sync->setup.prove = false;
		status = !half_differences(&sync->mail) &&
			!half_differences(&sync->dav) &&
			after.changes == before.changes;
	}
	reconcile_free(&sync->mail.all);
	reconcile_free(&sync->dav.all);
	return status;
}

static int fold(struct store *store, void *context, struct err *err)
{
	(void)context;
	(void)err;
	store_fold(store);
	return 0;
}

static void folded(struct record_call *call, int status)
{
	(void)call;
	(void)status;
}

/* The disk has something to do while the proof waits for the network. A
 * round ends when the writer has settled, so one call is enough for all. */
static int fold_meanwhile(struct sync *sync, struct err *err)
{
	sync->fold = (struct record_call){fold, NULL, &sync->fold_err, folded};
	return pipe_call(half_pipe(&sync->mail), &sync->fold, err);
}

/* One session: rounds until nothing differs. */
static int run_session(struct sync *sync, struct err *err)
{
	int proven = 0;

	sync->restless = false;
	set_state(sync, SYNC_CONNECTING);
	for (unsigned round = 0; !proven; round++) {
		if (round == ROUNDS_MAX) {
			sync->restless = true;
			return err_set(err, ERR_PROTOCOL,
				"the account changes faster than it can be "
				"compared, or a folder cannot be opened (the "
				"log names it); synchronise again later");
		}
		if (round) {
			set_state(sync, SYNC_VERIFYING);
			if (fold_meanwhile(sync, err))
				return -1;
		}
		pthread_mutex_lock(&sync->mutex);
		sync->rounds++;
		pthread_mutex_unlock(&sync->mutex);
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
	if (store_quarantine_retry(store, err) || store_commit(store, err)) {
		store_rollback(store);
		return -1;
	}
	return 0;
}

/* For `status`: the moment at which store and server were equal. */
static int note_verified(struct store *store, void *context, struct err *err)
{
	char *now = xasprintf("%lld", (long long)clock_wall_us());
	int status = -1;

	(void)context;
	if (!store_begin(store, err) &&
		!store_meta_put(store, "last_sync_us", now, err) &&
		!store_commit(store, err))
		status = 0;
	else
		store_rollback(store);
	free(now);
	return status;
}

/* After a failure: true when another try makes sense, having waited. */
static bool try_again(struct sync *sync, uint64_t *bytes, const struct err *err)
{
	struct writer_progress now;
	int64_t wait;

	if (err->kind == ERR_CANCELLED)
		return false;
	writer_progress(sync->writer, &now);
	/* What comes anew in each round, for ever, is no progress. */
	if (now.app_bytes != *bytes && !sync->restless)
		backoff_reset(&sync->backoff);
	*bytes = now.app_bytes;
	if (!backoff_next(&sync->backoff, err, &wait))
		return false;
	set_state(sync, SYNC_WAITING);
	pthread_mutex_lock(&sync->mutex);
	sync->retries++;
	pthread_mutex_unlock(&sync->mutex);
	wait_us(sync, wait);
	return true;
}

/* The bytes received are the message, whatever was announced. */
static void tell_missized(struct sync *sync)
{
	struct writer_progress now;

	writer_progress(sync->writer, &now);
	if (now.missized)
		log_warn(sync->setup.account->user,
			"%llu messages are longer or shorter than the server "
			"announces; what came is kept",
			(unsigned long long)now.missized);
}

int sync_run(struct sync *sync, struct err *err)
{
	uint64_t bytes = 0;
	struct err why = ERR_INIT;
	int status = writer_call(sync->writer, half_pipe(&sync->mail),
		retry_quarantine, NULL, &why);

	if (!status) {
		do {
			why = ERR_INIT;
			status = run_session(sync, &why);
			half_hang_up(&sync->mail);
			half_hang_up(&sync->dav);
		} while (status && try_again(sync, &bytes, &why));
	}
	if (!status)
		status = writer_call(sync->writer, half_pipe(&sync->mail),
			note_verified, NULL, &why);
	if (status && is_set(sync, &sync->cancelled))
		err_set(&why, ERR_CANCELLED, "cancelled");
	tell_missized(sync);
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
	if (setup->one_thread)
		setup->queue_bytes = 0;
	else if (!setup->queue_bytes)
		setup->queue_bytes = QUEUE_BYTES;
	if (!setup->attempts)
		setup->attempts = ATTEMPTS;
	if (!setup->backoff_us)
		setup->backoff_us = BACKOFF_US;
	if (!setup->connections)
		setup->connections = CONNECTIONS;
	if (setup->one_thread)
		setup->connections = 1;
	if (!setup->open_mail)
		setup->open_mail = imap_source_open;
	if (!setup->open_dav)
		setup->open_dav = dav_source_open;
}

static int start(struct sync *sync, struct err *err)
{
	struct crew_setup crew = {
		.lane.directory = sync->setup.directory,
		.lane.wire = sync->wire,
		.lane.window_bytes = sync->setup.window_bytes,
		.lane.held = sync_held,
		.lane.bulk = bulk,
		.lane.context = sync,
		.max = sync->setup.connections,
		.subject = sync->setup.account->user,
		.open = half_open_another,
		.context = &sync->mail,
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
	crew.lane.queue = writer_queue(sync->writer);
	sync->mail.sync = sync;
	sync->dav.sync = sync;
	sync->dav.dav = true;
	if (crew_new(&sync->mail.crew, &crew, err))
		return -1;
	/* Only the mail's thread changes states; DAV's source sees to its
	 * connections itself. */
	crew.lane.bulk = NULL;
	crew.max = 1;
	return crew_new(&sync->dav.crew, &crew, err);
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
	crew_free(sync->mail.crew);
	crew_free(sync->dav.crew);
	writer_stop(sync->writer, NULL);
	wire_free(sync->wire);
	policy_free(sync->policy);
	pthread_cond_destroy(&sync->cond);
	pthread_mutex_destroy(&sync->mutex);
	free(sync);
}
