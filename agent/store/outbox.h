/*
 * outbox.h - what the control link must not forget: who we are, and reports
 * that the controller has not acknowledged.
 *
 * Its own small database (outbox.db in the store's directory), so that the
 * link's thread never waits for a window of the sync thread. One handle
 * belongs to one thread. Each call is its own transaction, on the disk when
 * it returns. Errors name the file.
 */
#ifndef SLUICE_OUTBOX_H
#define SLUICE_OUTBOX_H

#include <stdint.h>

struct err;
struct outbox;

enum outbox_care {
	OUTBOX_SAFE, /* a call returns when the disk has it */
	OUTBOX_FAST, /* survives the process, not a loss of power: for a fleet,
			whose reports would fill the disk with waits */
};

/* Creates the directory and the file when absent. */
struct outbox *outbox_open(
	const char *directory, enum outbox_care care, struct err *err);
void outbox_close(struct outbox *outbox);

/* Stores a report under the next sequence number, which is returned in SEQ;
 * numbers never repeat, acknowledged or not. */
int outbox_put(struct outbox *outbox, const char *json, uint64_t *seq,
	struct err *err);

/* The number that the next put will get. */
uint64_t outbox_next_seq(struct outbox *outbox);

/* The oldest report with seq > AFTER: its text for free() and its number;
 * NULL when there is none. */
char *outbox_next(struct outbox *outbox, uint64_t after, uint64_t *seq);

/* Everything up to SEQ is acknowledged and forgotten. */
int outbox_ack(struct outbox *outbox, uint64_t seq, struct err *err);

uint64_t outbox_count(struct outbox *outbox);

/* "agent", "secret", "last_command": the value for free(), or NULL. A NULL
 * value deletes. */
char *outbox_get(struct outbox *outbox, const char *key);
int outbox_set(struct outbox *outbox, const char *key, const char *value,
	struct err *err);

#endif
