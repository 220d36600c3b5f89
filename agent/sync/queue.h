/*
 * queue.h - the bounded way from the network threads to the store thread.
 *
 * Blocks of records (pipe.h) go in at one end and out at the other, in
 * order. The sum of the bytes under way is capped: a producer then waits,
 * reads no more from its socket, and TCP slows the server down. When the
 * consumer fails, every producer gets its error with the next push. Any
 * number of producers, one consumer.
 */
#ifndef SLUICE_QUEUE_H
#define SLUICE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct queue;

#define BLOCK_BYTES ((size_t)256 << 10)

struct block {
	struct block *next;
	size_t used;
	_Alignas(16) char data[BLOCK_BYTES];
};

struct queue *queue_new(size_t bytes_max);

/* Without a consumer's thread: queue_push() hands each block to TAKE, which
 * returns when it has done with it. One producer's thread, before its first
 * push. */
void queue_set_inline(struct queue *queue,
	void (*take)(void *context, const struct block *block), void *context);
void queue_free(struct queue *queue);

/* An empty block, a used one where there is one. */
struct block *queue_blank(struct queue *queue);

/* Takes BLOCK over, also on failure: the consumer's error. */
int queue_push(struct queue *queue, struct block *block, struct err *err);

/* Waits for a block; NULL after queue_close() when all are out. */
struct block *queue_pop(struct queue *queue);

/* The consumer has done with BLOCK. */
void queue_done(struct queue *queue, struct block *block);

/* From now on pushes fail with ERR and what is under way may be dropped. */
void queue_fail(struct queue *queue, const struct err *err);

/* No more pushes will come. */
void queue_close(struct queue *queue);

/*
 * Only one producer at a time may have an item open across two blocks; it
 * holds the queue meanwhile and the others' pushes wait.
 */
void queue_hold(struct queue *queue);
bool queue_try_hold(struct queue *queue); /* false: another has it */
void queue_release(struct queue *queue);

#endif
