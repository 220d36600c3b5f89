/*
 * writer.h - the store thread: turns records into committed rows.
 *
 * It owns the writing handle of the store. One transaction takes the items
 * of a window and commits with its end; when a connection dies the complete
 * items of its windows are committed all the same. After a failure of the
 * store (a full disk, say) it rolls back, fails the queue, and what was
 * committed stays. Made and stopped by the engine's thread; progress may be
 * read by any thread.
 */
#ifndef SLUICE_WRITER_H
#define SLUICE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct err;
struct pipe;
struct queue;
struct wire;
struct writer;

/* What is committed, cumulative since the store was created. */
struct writer_progress {
	uint64_t app_bytes;
	uint64_t wire_bytes;
	uint64_t commits; /* of this writer */
	uint64_t changes; /* items stored, flags changed or removed by it */
	/* Messages stored by it that are not as long as was announced. */
	uint64_t missized;
	struct store_totals totals;
};

/* Takes STORE over. QUEUE_BYTES bounds what is between the threads; 0: no
 * thread, the one that pushes does the writer's work. WIRE, whose socket
 * bytes are counted with each commit, must outlive it. */
int writer_start(struct writer **writer, struct store *store, struct wire *wire,
	size_t queue_bytes, struct err *err);

struct queue *writer_queue(struct writer *writer);

/* Commits, lets the thread end, closes the store. -1 with the error that the
 * writer met. NULL is fine. */
int writer_stop(struct writer *writer, struct err *err);

void writer_progress(struct writer *writer, struct writer_progress *progress);

/* Runs RUN on the store thread after all that went before through PIPE, and
 * waits for it. It may use transactions of its own. */
int writer_call(struct writer *writer, struct pipe *pipe,
	int (*run)(struct store *store, void *context, struct err *err),
	void *context, struct err *err);

#endif
