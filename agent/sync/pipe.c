/*
 * pipe.c - packing records into blocks, and taking them out again.
 *
 * Lanes pack on their network threads, the writer unpacks on the store
 * thread (engine.c has the whole picture).
 */
#include "pipe.h"

#include "alloc.h"
#include "err.h"
#include "queue.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN	      ((size_t)16)
#define RAW_BYTES_MAX ((size_t)128 << 10)
#define TEXTS	      5

/* Full blocks wait here while another's item is in the middle: a message on
 * a slow connection holds up the others only when it is longer than this. */
#define KEPT_MAX 8

struct pipe {
	struct queue *queue;
	struct block *block; /* being filled; or NULL */
	struct block *kept, **kept_last;
	unsigned kept_count;
	bool open;    /* an item has begun and not ended */
	bool holding; /* it spans blocks: the queue is ours */
};

/* A record_item on its way: lengths instead of pointers. */
struct packed_item {
	struct record_item item;
	uint32_t length[TEXTS]; /* with its NUL; 0: NULL */
};

struct packed_pass {
	struct record_pass pass;
	bool has_token;
};

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; batch->hrefs && i < batch->count; i++)
		free(batch->hrefs[i]);
	free(batch->hrefs);
	free(batch->ids);
	free(batch);
}

struct pipe *pipe_new(struct queue *queue)
{
	struct pipe *pipe = xcalloc(1, sizeof *pipe);

	pipe->queue = queue;
	pipe->kept_last = &pipe->kept;
	return pipe;
}

static struct block *take_kept(struct pipe *pipe)
{
	struct block *block = pipe->kept;

	pipe->kept = block->next;
	if (!pipe->kept)
		pipe->kept_last = &pipe->kept;
	pipe->kept_count--;
	block->next = NULL;
	return block;
}

void pipe_free(struct pipe *pipe)
{
	if (!pipe)
		return;
	if (pipe->holding)
		queue_release(pipe->queue);
	while (pipe->kept)
		free(take_kept(pipe));
	free(pipe->block);
	free(pipe);
}

static size_t aligned(size_t bytes)
{
	return (bytes + ALIGN - 1) & ~(ALIGN - 1);
}

static void release(struct pipe *pipe)
{
	if (pipe->holding)
		queue_release(pipe->queue);
	pipe->holding = false;
}

/* Everything kept goes out, as soon as it may. */
static int push_kept(struct pipe *pipe, struct err *err)
{
	int status = 0;

	if (!pipe->holding)
		queue_hold(pipe->queue);
	pipe->holding = true;
	while (!status && pipe->kept)
		status = queue_push(pipe->queue, take_kept(pipe), err);
	if (!pipe->open || status)
		release(pipe);
	return status;
}

static void keep(struct pipe *pipe)
{
	*pipe->kept_last = pipe->block;
	pipe->kept_last = &pipe->block->next;
	pipe->kept_count++;
	pipe->block = NULL;
}

/* The block is full. */
static int push(struct pipe *pipe, struct err *err)
{
	keep(pipe);
	if (!pipe->holding && pipe->kept_count < KEPT_MAX) {
		pipe->holding = queue_try_hold(pipe->queue);
		if (!pipe->holding)
			return 0;
	}
	return push_kept(pipe, err);
}

/* Room for a record with BYTES of payload, zeroed header filled. */
static int reserve(struct pipe *pipe, enum record_kind kind,
	struct batch *batch, size_t bytes, char **payload, struct err *err)
{
	size_t need = aligned(sizeof(struct record)) + aligned(bytes);
	struct record *record;

	if (need > BLOCK_BYTES)
		return err_set(err, ERR_LIMIT,
			"an item's description of %zu bytes is too long",
			bytes);
	if (pipe->block && pipe->block->used + need > BLOCK_BYTES &&
		push(pipe, err))
		return -1;
	if (!pipe->block)
		pipe->block = queue_blank(pipe->queue);
	record = (struct record *)(pipe->block->data + pipe->block->used);
	*record = (struct record){kind, (uint32_t)bytes, batch};
	*payload = (char *)record + aligned(sizeof *record);
	pipe->block->used += need;
	return 0;
}

int pipe_flush(struct pipe *pipe, struct err *err)
{
	if (pipe->block && pipe->block->used)
		keep(pipe);
	return pipe->kept || pipe->holding ? push_kept(pipe, err) : 0;
}

/* The same, unless another's item is in the middle. */
static int offer(struct pipe *pipe, struct err *err)
{
	return pipe->block && pipe->block->used ? push(pipe, err) : 0;
}

/* The item is complete: let the others in again. */
static int close_item(struct pipe *pipe, struct err *err)
{
	pipe->open = false;
	return pipe->holding ? pipe_flush(pipe, err) : 0;
}

int pipe_mark(struct pipe *pipe, enum record_kind kind, struct batch *batch,
	struct err *err)
{
	char *payload;

	if (reserve(pipe, kind, batch, 0, &payload, err))
		return -1;
	if (kind == RECORD_BEGIN)
		pipe->open = true;
	if (kind == RECORD_DROP)
		return close_item(pipe, err);
	return kind == RECORD_WINDOW ? offer(pipe, err) : 0;
}

int pipe_data(struct pipe *pipe, struct batch *batch, const char *data,
	size_t bytes, struct err *err)
{
	size_t overhead = aligned(sizeof(struct record));

	while (bytes) {
		size_t room = BLOCK_BYTES -
			(pipe->block ? pipe->block->used : 0);
		size_t piece = room > overhead
			? (room - overhead) & ~(ALIGN - 1)
			: 0;
		char *payload;

		if (!piece)
			piece = BLOCK_BYTES - overhead;
		if (piece > bytes)
			piece = bytes;
		if (reserve(pipe, RECORD_DATA, batch, piece, &payload, err))
			return -1;
		memcpy(payload, data, piece);
		data += piece;
		bytes -= piece;
	}
	return 0;
}

int pipe_item(struct pipe *pipe, enum record_kind kind, struct batch *batch,
	const struct record_item *item, struct err *err)
{
	const char *texts[TEXTS] = {
		item->flags, item->href, item->etag, item->reason, item->raw};
	struct packed_item packed = {*item, {0}};
	size_t bytes = sizeof packed;
	char *payload;

	if (packed.item.raw_bytes > RAW_BYTES_MAX)
		packed.item.raw_bytes = RAW_BYTES_MAX;
	for (int i = 0; i < TEXTS; i++) {
		bool raw = i == TEXTS - 1;

		if (texts[i])
			packed.length[i] = (uint32_t)(raw
					? packed.item.raw_bytes
					: strlen(texts[i]) + 1);
		bytes += packed.length[i];
	}
	if (reserve(pipe, kind, batch, bytes, &payload, err))
		return -1;
	memcpy(payload, &packed, sizeof packed);
	payload += sizeof packed;
	for (int i = 0; i < TEXTS; i++) {
		if (packed.length[i])
			memcpy(payload, texts[i], packed.length[i]);
		payload += packed.length[i];
	}
	if (kind == RECORD_ITEM || kind == RECORD_FAILED)
		return close_item(pipe, err);
	return 0;
}

int pipe_pass(
	struct pipe *pipe, const struct record_pass *pass, struct err *err)
{
	struct packed_pass packed = {*pass, pass->token != NULL};
	size_t length = pass->token ? strlen(pass->token) + 1 : 0;
	char *payload;

	if (reserve(pipe, RECORD_PASS, NULL, sizeof packed + length, &payload,
		    err))
		return -1;
	memcpy(payload, &packed, sizeof packed);
	if (length)
		memcpy(payload + sizeof packed, pass->token, length);
	return offer(pipe, err);
}

int pipe_call(struct pipe *pipe, struct record_call *call, struct err *err)
{
	char *payload;

	if (reserve(pipe, RECORD_CALL, NULL, sizeof call, &payload, err))
		return -1;
	memcpy(payload, &call, sizeof call);
	return pipe_flush(pipe, err);
}

const struct record *record_next(const struct block *block, size_t *at)
{
	const struct record *record;

	if (*at >= block->used)
		return NULL;
	record = (const struct record *)(block->data + *at);
	*at += aligned(sizeof *record) + aligned(record->bytes);
	return record;
}

const void *record_payload(const struct record *record)
{
	return (const char *)record + aligned(sizeof *record);
}

struct record_item record_item(const struct record *record)
{
	const struct packed_item *packed = record_payload(record);
	const char *text = (const char *)packed + sizeof *packed;
	struct record_item item = packed->item;
	const char **texts[TEXTS] = {
		&item.flags, &item.href, &item.etag, &item.reason, &item.raw};

	for (int i = 0; i < TEXTS; i++) {
		*texts[i] = packed->length[i] ? text : NULL;
		text += packed->length[i];
	}
	return item;
}

struct record_pass record_pass(const struct record *record)
{
	const struct packed_pass *packed = record_payload(record);
	struct record_pass pass = packed->pass;

	pass.token = packed->has_token ? (const char *)(packed + 1) : NULL;
	return pass;
}
