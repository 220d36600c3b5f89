/*
 * apply.h - what one record does to the store.
 *
 * Used by the writer inside its transaction, on the store thread.
 */
#ifndef SLUICE_APPLY_H
#define SLUICE_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct err;
struct record;
struct store;

struct apply {
	struct store *store;
	struct buf text; /* of the header or object being received */
	struct buf keywords;
	bool overflow;	     /* it is longer than we take */
	bool body;	     /* a body is open in the store */
	uint64_t item_bytes; /* of the item so far */
	bool quarantine;     /* there may be something in it */
	/* Since the last commit; the writer sets them back. */
	uint64_t app_bytes;
	uint64_t changes;
	uint64_t missized; /* not as long as announced */
};

void apply_init(struct apply *apply, struct store *store, bool quarantine);
void apply_free(struct apply *apply);

/* Any record but RECORD_CALL; the store has a transaction open. */
int apply_record(
	struct apply *apply, const struct record *record, struct err *err);

#endif
