/*
 * queue.c - blocks in order between threads, with a cap on their bytes.
 *
 * Lanes push, the writer pops (engine.c has the whole picture). Everything
 * is guarded by one mutex: a block is 256 KiB, so it is taken rarely.
 */
#include "queue.h"

#include "alloc.h"
#include "err.h"

#include <pthread.h>
#include <stdlib.h>

#define SPARE_MAX 4

struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t room;  /* for producers */
	pthread_cond_t ready; /* for the consumer */
	struct block *head, **tail;
	struct block *spare;
	unsigned spares;
	size_t bytes, bytes_max;
	void (*take)(void *context, const struct block *block); /* or NULL */
	void *context;
	bool closed, failed;
	bool held;
	pthread_t holder;
	struct err err;
};

struct queue *queue_new(size_t bytes_max)
{
	struct queue *queue = xcalloc(1, sizeof *queue);

	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->room, NULL);
	pthread_cond_init(&queue->ready, NULL);
	queue->tail = &queue->head;
	queue->bytes_max = bytes_max;
	return queue;
}

void queue_set_inline(struct queue *queue,
	void (*take)(void *context, const struct block *block), void *context)
{
	queue->take = take;
	queue->context = context;
}

static void free_list(struct block *block)
{
	while (block) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	free_list(queue->head);
	free_list(queue->spare);
	pthread_cond_destroy(&queue->ready);
	pthread_cond_destroy(&queue->room);
	pthread_mutex_destroy(&queue->mutex);
	free(queue);
}

struct block *queue_blank(struct queue *queue)
{
	struct block *block;

	pthread_mutex_lock(&queue->mutex);
	block = queue->spare;
	if (block) {
		queue->spare = block->next;
		queue->spares--;
	}
	pthread_mutex_unlock(&queue->mutex);
	if (!block)
		block = xrealloc(NULL, 1, sizeof *block);
	block->next = NULL;
	block->used = 0;
	return block;
}

static bool mine(const struct queue *queue)
{
	return !queue->held || pthread_equal(queue->holder, pthread_self());
}

int queue_push(struct queue *queue, struct block *block, struct err *err)
{
	pthread_mutex_lock(&queue->mutex);
	while (!queue->failed &&
		(!mine(queue) ||
			(queue->bytes &&
				queue->bytes + block->used > queue->bytes_max)))
		pthread_cond_wait(&queue->room, &queue->mutex);
	if (queue->failed) {
		if (err)
			*err = queue->err;
		pthread_mutex_unlock(&queue->mutex);
		free(block);
		return -1;
	}
	queue->bytes += block->used;
	if (queue->take) {
		pthread_mutex_unlock(&queue->mutex);
		queue->take(queue->context, block);
		queue_done(queue, block);
		return 0;
	}
	*queue->tail = block;
	queue->tail = &block->next;
	pthread_cond_signal(&queue->ready);
	pthread_mutex_unlock(&queue->mutex);
	return 0;
}

struct block *queue_pop(struct queue *queue)
{
	struct block *block;

	pthread_mutex_lock(&queue->mutex);
	while (!queue->head && !queue->closed)
		pthread_cond_wait(&queue->ready, &queue->mutex);
	block = queue->head;
	if (block) {
		queue->head = block->next;
		if (!queue->head)
			queue->tail = &queue->head;
		block->next = NULL;
	}
	pthread_mutex_unlock(&queue->mutex);
	return block;
}

void queue_done(struct queue *queue, struct block *block)
{
	pthread_mutex_lock(&queue->mutex);
	queue->bytes -= block->used;
	pthread_cond_broadcast(&queue->room);
	if (queue->spares < SPARE_MAX) {
		block->next = queue->spare;
		queue->spare = block;
		queue->spares++;
		block = NULL;
	}
	pthread_mutex_unlock(&queue->mutex);
	free(block);
}

void queue_fail(struct queue *queue, const struct err *err)
{
	pthread_mutex_lock(&queue->mutex);
	if (!queue->failed) {
		queue->failed = true;
		queue->err = *err;
	}
	pthread_cond_broadcast(&queue->room);
	pthread_mutex_unlock(&queue->mutex);
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->closed = true;
	pthread_cond_broadcast(&queue->ready);
	pthread_mutex_unlock(&queue->mutex);
}

void queue_hold(struct queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	while (!mine(queue) && !queue->failed)
		pthread_cond_wait(&queue->room, &queue->mutex);
	queue->held = true;
	queue->holder = pthread_self();
	pthread_mutex_unlock(&queue->mutex);
}

bool queue_try_hold(struct queue *queue)
{
	bool got;

	pthread_mutex_lock(&queue->mutex);
	got = mine(queue);
	if (got) {
		queue->held = true;
		queue->holder = pthread_self();
	}
	pthread_mutex_unlock(&queue->mutex);
	return got;
}

void queue_release(struct queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	if (queue->held && pthread_equal(queue->holder, pthread_self())) {
		queue->held = false;
		pthread_cond_broadcast(&queue->room);
	}
	pthread_mutex_unlock(&queue->mutex);
}
