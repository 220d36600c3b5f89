/*
 * half.c - one side of an account, mail or DAV: its session, and the first
 * two steps of a round (engine.c has the whole picture).
 *
 * The mail's half runs on the thread in sync_run(), the other beside it.
 */
#include "sync_private.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "crew.h"
#include "lane.h"
#include "log.h"
#include "pass.h"
#include "source.h"
#include "store_folder.h"
#include "wire.h"
#include "work.h"
#include "writer.h"

#define OBJECT_BYTES 1000

bool half_expected(const struct account *account, bool dav)
{
	return dav ? account->dav_url || strchr(account->user, '@')
		   : account->imap.host != NULL;
}

static int is_of_dav(const struct store_folder *folder, void *arg)
{
	(void)arg;
	return store_kind_is_dav(folder->kind);
}

bool half_may_be_absent(const struct account *account, bool dav,
	struct store *store, struct err *err)
{
	if (!dav || account->dav_url || err_retry(err) != ERR_RETRY_NEVER ||
		err->kind == ERR_AUTH || err->kind == ERR_TLS ||
		err->kind == ERR_CANCELLED)
		return false;
	if (!store_folder_each(store, is_of_dav, NULL, NULL))
		return true;
	err_hint(err,
		"there was one: contacts or calendars of it are in the store");
	return false;
}

static int open_source(const struct half *half, enum compress compress,
	struct source **source, struct err *err)
{
	const struct sync_setup *setup = &half->sync->setup;
	struct source_options options = {
		.compress = compress,
		.in_flight_bytes = setup->in_flight_bytes,
		/* More than one DAV request at a time is a thread each. */
		.in_flight_max = half->dav &&
				(setup->one_thread || half->throttled)
			? 1
			: 0,
	};
	char *password = account_password(setup->account, err);
	int status;

	if (!password)
		return -1;
	status = (half->dav ? setup->open_dav : setup->open_mail)(source,
		setup->account, password, &options, half->sync->wire, err);
	explicit_bzero(password, strlen(password));
	free(password);
	return status;
}

/* What the first connection does not know to pay is not tried by others,
 * which would disturb its measuring. */
int half_open_another(void *context, const struct source_line *line,
	struct source **source, struct err *err)
{
	return open_source(context,
		line->compress == COMPRESS_ON ? COMPRESS_ON : COMPRESS_OFF,
		source, err);
}

int half_connect(struct half *half, struct err *err)
{
	const struct account *account = half->sync->setup.account;
	int status;

	if (half->source || half->absent || !half_expected(account, half->dav))
		return 0;
	status = open_source(
		half, half->sync->setup.compress, &half->source, err);
	if (status &&
		half_may_be_absent(account, half->dav,
			lane_reader(crew_lane(half->crew)), err)) {
		half->absent = true;
		*err = ERR_INIT;
		return 0;
	}
	return status;
}

void half_hang_up(struct half *half)
{
	crew_hang_up(half->crew);
	if (!half->source)
		return;
	pthread_mutex_lock(&half->sync->mutex);
	half->sync->round_trips += source_round_trips(half->source) +
		crew_take_round_trips(half->crew);
	if (!half->dav)
		half->sync->connections = crew_most(half->crew);
	pthread_mutex_unlock(&half->sync->mutex);
	source_close(half->source);
	half->source = NULL;
}

void half_heed(struct half *half)
{
	if (half->err.kind != ERR_THROTTLED || half->throttled)
		return;
	half->throttled = true;
	log_warn(half->sync->setup.account->user,
		"the DAV server asks us to come back later; one connection to "
		"it from now on");
}

struct pipe *half_pipe(const struct half *half)
{
	return lane_pipe(crew_lane(half->crew));
}

static int nothing(struct store *store, void *context, struct err *err)
{
	(void)store;
	(void)context;
	(void)err;
	return 0;
}

int half_settle(struct half *half, struct err *err)
{
	return writer_call(
		half->sync->writer, half_pipe(half), nothing, NULL, err);
}

static int list(struct half *half, struct err *err)
{
	struct reconcile *all = &half->all;
	int listed = source_list(half->source, reconcile_add, all, err);

	if (listed < 0)
		return err_context(err,
			half->dav ? "list of DAV collections"
				  : "list of mail folders");
	/* An account has an Inbox; an empty list is a server in trouble, and
	 * must not look like an account whose folders were all deleted. */
	all->mail_listed = !half->dav && all->count > 0 && listed == 0;
	all->dav_listed = half->dav && all->count > 0 && listed == 0;
	if (listed)
		log_warn("sync",
			"%s does not tell clearly of all its folders; what is "
			"stored of the others stays as it is",
			source_server(half->source));
	return writer_call(
		half->sync->writer, half_pipe(half), reconcile_run, all, err);
}

/* The mail's thread tells the world that it pauses; the other only waits. */
static int wait_resumed(struct half *half, struct err *err)
{
	struct sync *sync = half->sync;
	bool cancelled;

	if (!half->dav || sync->setup.one_thread)
		return sync_wait_resumed(sync, err);
	pthread_mutex_lock(&sync->mutex);
	while (sync->paused && !sync->cancelled)
		pthread_cond_wait(&sync->cond, &sync->mutex);
	cancelled = sync->cancelled;
	pthread_mutex_unlock(&sync->mutex);
	return cancelled ? err_set(err, ERR_CANCELLED, "cancelled") : 0;
}

int half_work(struct half *half, struct work *work, struct err *err)
{
	int done = crew_run(half->crew, half->source, work, err);

	half->all.differences += crew_take_lost(half->crew);
	return done;
}

int half_round(struct half *half, struct err *err)
{
	int done = 0;

	if (!half->dav)
		sync_listing(half->sync);
	if (!half->source)
		return 0;
	if (list(half, err))
		return -1;
	sync_estimate(half->sync, half);
	while (!done) {
		done = half_work(half,
			work_passes(half->all.passes, half->all.pass_count),
			err);
		if (done < 0 || (!done && wait_resumed(half, err)))
			return -1;
	}
	return 0;
}

uint64_t half_differences(const struct half *half)
{
	uint64_t sum = half->all.differences;

	for (size_t i = 0; i < half->all.pass_count; i++)
		sum += half->all.passes[i]->differences;
	return sum;
}

uint64_t half_predict(const struct half *half)
{
	uint64_t items = 0;
	uint64_t bodies = 0;

	for (size_t i = 0; i < half->all.pass_count; i++) {
		const struct pass *pass = half->all.passes[i];

		items += pass->collection.items;
		if (pass->row.mode == STORE_MODE_FULL)
			bodies += pass->collection.bytes;
	}
	if (!half->dav)
		return store_predict_bytes(
			items, items * PLAN_HEADER_BYTES, bodies, 0, 0);
	/* What an empty store takes is in the mail half's share. */
	return store_predict_bytes(0, 0, 0, items, items * OBJECT_BYTES) -
		store_predict_bytes(0, 0, 0, 0, 0);
}
