/*
 * pipe.h - what the network threads tell the store thread.
 *
 * A record is a kind, the batch it belongs to and a payload; records are
 * packed into the blocks of a queue. A pipe is one producer's end: it owns
 * the block being filled and takes care that a message's data stays
 * together although several producers share the queue. A pipe belongs to
 * one thread.
 */
#ifndef SLUICE_PIPE_H
#define SLUICE_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protection.h"
#include "store_folder.h"
#include "window.h"

struct block;
struct err;
struct queue;
struct store;

/* One window under way. Made by the lane, freed by the writer with the
 * window's last record. */
struct batch {
	int64_t folder;
	enum fetch_mode mode;
	bool dav;
	bool entire; /* of a collection that the store has nothing of */
	bool rescue; /* headers of what is in quarantine as a whole */
	bool whole;  /* FETCH_FULL of messages that have no header row yet */
	bool last;   /* there are no more bodies to be had */
	enum store_kind kind;
	struct item_id *ids;
	char **hrefs; /* own the text of ids[].href; or NULL */
	size_t count;
	uint64_t bytes; /* expected */
	int64_t issued_us;
	void *pass;	   /* the lane's; the writer never looks */
	unsigned restarts; /* of the pass when it made the batch */
};

void batch_free(struct batch *batch);

enum record_kind {
	RECORD_BEGIN, /* an item's data follows */
	RECORD_DATA,
	RECORD_ITEM, /* the item is complete; struct record_item */
	RECORD_DROP, /* forget the data since RECORD_BEGIN */
	RECORD_FAILED,
	RECORD_GONE,
	RECORD_FLAGS,  /* struct record_item of a message in the store; with
			  a size when that is announced anew */
	RECORD_DETACH, /* the folder's UIDs mean nothing any more */
	RECORD_WINDOW, /* the window ends: commit; frees the batch */
	RECORD_PASS,   /* its row, when its pass ends, and when it has learnt
			  what UIDs mean; struct record_pass */
	RECORD_CALL,   /* run a function on the store thread */
};

struct record {
	enum record_kind kind;
	uint32_t bytes; /* of the payload, which follows */
	struct batch *batch;
};

/* An item; the texts are NULL where unknown. */
struct record_item {
	uint32_t uid;
	enum protection protection;
	uint64_t size;
	int64_t received_s;
	uint64_t modseq;
	const char *flags;
	const char *href;
	const char *etag;
	const char *reason; /* RECORD_FAILED */
	const char *raw;
	size_t raw_bytes;
};

/* What a finished pass found out about its folder. */
struct record_pass {
	int64_t folder;
	uint32_t validity, uid_next;
	uint64_t modseq;
	uint64_t count;
	bool verified;
	bool detached; /* forget what did not come back */
	const char *token;
};

struct record_call {
	int (*run)(struct store *store, void *context, struct err *err);
	void *context;
	struct err *err;
	void (*done)(struct record_call *call, int status);
};

struct pipe;

struct pipe *pipe_new(struct queue *queue);
void pipe_free(struct pipe *pipe);

int pipe_mark(struct pipe *pipe, enum record_kind kind, struct batch *batch,
	struct err *err);
int pipe_data(struct pipe *pipe, struct batch *batch, const char *data,
	size_t bytes, struct err *err);
int pipe_item(struct pipe *pipe, enum record_kind kind, struct batch *batch,
	const struct record_item *item, struct err *err);
int pipe_pass(
	struct pipe *pipe, const struct record_pass *pass, struct err *err);
int pipe_call(struct pipe *pipe, struct record_call *call, struct err *err);

/* Hands over what is there, however little; a window's end does so too,
 * unless another producer's item is in the middle. */
int pipe_flush(struct pipe *pipe, struct err *err);

/* The records of a block in turn; NULL at its end. AT starts at 0. */
const struct record *record_next(const struct block *block, size_t *at);
const void *record_payload(const struct record *record);
/* Pointers into the record. */
struct record_item record_item(const struct record *record);
struct record_pass record_pass(const struct record *record);

#endif
