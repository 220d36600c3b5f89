/*
 * reconcile.h - the server's list of folders against the store's: makes the
 * passes of a round.
 *
 * New folders get a row, renamed ones keep theirs, deleted ones lose it,
 * and each gets the mode that the policy says. What a listing that did not
 * happen would have named is left alone. Runs on the store thread, outside
 * a transaction.
 */
#ifndef SLUICE_RECONCILE_H
#define SLUICE_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collection.h"

struct err;
struct pass;
struct policy;
struct store;

struct reconcile {
	/* In. The collections move into the passes. */
	struct collection *collections;
	size_t count, capacity;
	bool mail_listed; /* the list of mail folders is complete */
	bool dav_listed;  /* and that of the others */
	const struct policy *policy;
	bool prove; /* believe no folder to be unchanged */
	/* Out: in the order of work, the Inbox first. */
	struct pass **passes;
	size_t pass_count;
	uint64_t differences;	 /* folders made, renamed, deleted */
	uint64_t estimate_bytes; /* of all that the modes ask for */
};

/* A callback for source_list(): CONTEXT is the struct reconcile. */
int reconcile_add(
	void *context, const struct collection *collection, struct err *err);

/* CONTEXT is the struct reconcile; for writer_call(). */
int reconcile_run(struct store *store, void *context, struct err *err);

void reconcile_free(struct reconcile *reconcile);

#endif
