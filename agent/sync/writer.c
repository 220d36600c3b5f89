/*
 * writer.c - the store thread of one synchronisation.
 *
 * Pops what the lanes pushed and turns it into rows, one transaction a
 * window (engine.c has the whole picture). All but writer_progress() and the
 * calls that start and stop it run on its own thread.
 */
#include "writer.h"

#include "alloc.h"
#include "apply.h"
#include "clock.h"
#include "err.h"
#include "queue.h"
#include "pipe.h"
#include "plan.h"
#include "store_message.h"
#include "wire.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	struct store *store;
	struct wire *wire;
	struct queue *queue;
	pthread_t thread;
	bool threaded;
	struct apply apply;    /* the store thread's */
	uint64_t wire_seen;    /* the same */
	struct err err;	       /* the same; read after it ended */
	bool failed;	       /* the same */
	pthread_mutex_t mutex; /* guards what follows */
	struct writer_progress progress;
};

static uint64_t wire_total(const struct wire *wire)
{
	struct wire_counts counts = wire_counts(wire);

	return counts.socket_in + counts.socket_out;
}

static int publish(struct writer *writer, bool committed, struct err *err)
{
	struct writer_progress now;

	memset(&now, 0, sizeof now);
	if (store_totals(writer->store, &now.totals, err))
		return -1;
	now.app_bytes = (uint64_t)store_counter_get(writer->store, "app_bytes");
	now.wire_bytes = (uint64_t)store_counter_get(
		writer->store, "wire_bytes");
	pthread_mutex_lock(&writer->mutex);
	now.commits = writer->progress.commits + (committed ? 1 : 0);
	now.changes = writer->progress.changes + writer->apply.changes;
	now.missized = writer->progress.missized + writer->apply.missized;
	writer->progress = now;
	pthread_mutex_unlock(&writer->mutex);
	writer->apply.changes = writer->apply.missized = 0;
	return 0;
}

static int commit(struct writer *writer, struct err *err)
{
	uint64_t wire = wire_total(writer->wire);

	if (!store_in_transaction(writer->store))
		return 0;
	if (store_counter_add(writer->store, "app_bytes",
		    (int64_t)writer->apply.app_bytes, err) ||
		store_counter_add(writer->store, "wire_bytes",
			(int64_t)(wire - writer->wire_seen), err) ||
		store_commit(writer->store, err))
		return -1;
	writer->apply.app_bytes = 0;
	writer->wire_seen = wire;
	return publish(writer, true, err);
}

static void fail(struct writer *writer, const struct err *err)
{
	writer->err = *err;
	writer->failed = true;
	store_body_abort(writer->store);
	store_rollback(writer->store);
	queue_fail(writer->queue, err);
}

static void run_call(struct writer *writer, const struct record *record)
{
	struct record_call *call;
	struct err err = ERR_INIT;
	int status = -1;

	memcpy(&call, record_payload(record), sizeof call);
	if (writer->failed)
		err = writer->err;
	else if (commit(writer, &err))
		fail(writer, &err);
	else
		status = call->run(writer->store, call->context, &err);
	if (!status && publish(writer, false, &err))
		status = -1;
	if (status) {
		store_rollback(writer->store);
		if (call->err)
			*call->err = err;
	}
	call->done(call, status);
}

/* A window of a whole collection may be of any size; what came of it is kept
 * by as much as comes in other windows. */
static bool ends_transaction(
	const struct writer *writer, const struct record *record)
{
	return record->kind == RECORD_WINDOW ||
		(record->kind == RECORD_ITEM && record->batch->entire &&
			writer->apply.changes >= PLAN_ITEMS_MAX);
}

static int take(
	struct writer *writer, const struct record *record, struct err *err)
{
	if (!store_in_transaction(writer->store) &&
		store_begin(writer->store, err))
		return -1;
	if (apply_record(&writer->apply, record, err))
		return -1;
	return ends_transaction(writer, record) ? commit(writer, err) : 0;
}

static void take_block(void *context, const struct block *block)
{
	struct writer *writer = context;
	const struct record *record;
	struct err err = ERR_INIT;
	size_t at = 0;

	while ((record = record_next(block, &at))) {
		if (record->kind == RECORD_CALL)
			run_call(writer, record);
		else if (!writer->failed && take(writer, record, &err))
			fail(writer, &err);
		if (record->kind == RECORD_WINDOW)
			batch_free(record->batch);
	}
}

static void commit_last(struct writer *writer)
{
	struct err err = ERR_INIT;

	if (!writer->failed && commit(writer, &err))
		fail(writer, &err);
}

static void *store_thread(void *argument)
{
	struct writer *writer = argument;
	struct block *block;

	while ((block = queue_pop(writer->queue))) {
		take_block(writer, block);
		queue_done(writer->queue, block);
	}
	commit_last(writer);
	return NULL;
}

int writer_start(struct writer **out, struct store *store, struct wire *wire,
	size_t queue_bytes, struct err *err)
{
	struct writer *writer = xcalloc(1, sizeof *writer);

	writer->store = store;
	writer->wire = wire;
	writer->wire_seen = wire_total(wire);
	writer->queue = queue_new(queue_bytes);
	pthread_mutex_init(&writer->mutex, NULL);
	if (publish(writer, false, err))
		goto free_writer;
	apply_init(&writer->apply, store, writer->progress.totals.quarantined);
	writer->threaded = queue_bytes > 0;
	if (!writer->threaded) {
		queue_set_inline(writer->queue, take_block, writer);
	} else if (pthread_create(
			   &writer->thread, NULL, store_thread, writer)) {
		err_set(err, ERR_LIMIT, "cannot start another thread");
		goto free_writer;
	}
	*out = writer;
	return 0;

free_writer:
	apply_free(&writer->apply);
	pthread_mutex_destroy(&writer->mutex);
	queue_free(writer->queue);
	free(writer);
	return -1;
}

struct queue *writer_queue(struct writer *writer)
{
	return writer->queue;
}

int writer_stop(struct writer *writer, struct err *err)
{
	int status = 0;

	if (!writer)
		return 0;
	queue_close(writer->queue);
	if (writer->threaded)
		pthread_join(writer->thread, NULL);
	else
		commit_last(writer);
	if (writer->failed) {
		status = -1;
		if (err)
			*err = writer->err;
	}
	apply_free(&writer->apply);
	store_close(writer->store);
	queue_free(writer->queue);
	pthread_mutex_destroy(&writer->mutex);
	free(writer);
	return status;
}

void writer_progress(struct writer *writer, struct writer_progress *progress)
{
	pthread_mutex_lock(&writer->mutex);
	*progress = writer->progress;
	pthread_mutex_unlock(&writer->mutex);
}

struct waiting_call {
	struct record_call call; /* first, for the way back */
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool over;
	int status;
};

static void call_done(struct record_call *call, int status)
{
	struct waiting_call *waiting = (struct waiting_call *)call;

	pthread_mutex_lock(&waiting->mutex);
	waiting->over = true;
	waiting->status = status;
	pthread_cond_signal(&waiting->cond);
	pthread_mutex_unlock(&waiting->mutex);
}

int writer_call(struct writer *writer, struct pipe *pipe,
	int (*run)(struct store *store, void *context, struct err *err),
	void *context, struct err *err)
{
	struct waiting_call waiting = {
		.call = {run, context, err, call_done},
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.cond = PTHREAD_COND_INITIALIZER,
	};

	(void)writer;
	if (pipe_call(pipe, &waiting.call, err))
		return -1;
	pthread_mutex_lock(&waiting.mutex);
	while (!waiting.over)
		pthread_cond_wait(&waiting.cond, &waiting.mutex);
	pthread_mutex_unlock(&waiting.mutex);
	return waiting.status;
}
