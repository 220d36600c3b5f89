/*
 * plan.h - what of a folder is missing, changed or gone, and in which windows
 * to ask for it.
 *
 * A plan is loaded with what the store has of one folder; then the server's
 * listing is held against it, message by message. What the store lacks is
 * handed out newest first, in windows of a bounded number of bytes, so that
 * one round trip is always paid for by a known amount of data and a crash
 * never loses more than a window. Pure; owned by one thread.
 */
#ifndef SLUICE_PLAN_H
#define SLUICE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "window.h"

/* Small, because a folder may have half a million of them. */
struct plan_stored {
	uint32_t uid;
	uint32_t size;	 /* octets; saturates at 4 GiB - 1; 0: unknown */
	uint32_t modseq; /* its low half; 0: unknown */
	uint8_t flags;
	bool listed; /* the server has it still */
};

struct plan_fresh {
	uint32_t uid;
	uint32_t size;
};

struct plan {
	struct plan_stored *stored; /* ascending once sealed */
	size_t stored_count, stored_capacity;
	struct plan_fresh *fresh;
	size_t fresh_count, fresh_capacity;
};

enum plan_match {
	PLAN_SAME,
	PLAN_CHANGED, /* other flags */
	PLAN_RESIZED, /* another size than the stored one's */
	PLAN_FRESH,   /* not in the store */
};

/* How large a window may be; adapts to the link. */
struct plan_pace {
	uint64_t bytes;
	uint64_t bytes_max;
	unsigned items;
	unsigned items_max;
	double bytes_s;	  /* at which windows arrive; 0: none has */
	int64_t ended_us; /* the last one */
};

/* Of one window. */
#define PLAN_ITEMS_MAX 1000

/* What a header is reckoned to weigh before it has been seen. */
#define PLAN_HEADER_BYTES 2000

/* Room for so many without growing. */
void plan_reserve(struct plan *plan, size_t stored);

/* In any order; plan_seal() once all of the store is in. */
void plan_add_stored(struct plan *plan, uint32_t uid, uint64_t size,
	unsigned flags, uint64_t modseq);
void plan_seal(struct plan *plan);

/* In quarantine without even a header: neither fresh nor changed. */
#define PLAN_SET_APART 0xffu

/* The server has this one. */
enum plan_match plan_listed(struct plan *plan, uint32_t uid, uint64_t size,
	unsigned flags, uint64_t modseq);

/* After a complete listing: the messages from *AT on that the server has no
 * more. False when there is none left; AT starts at 0. */
bool plan_gone(const struct plan *plan, size_t *at, uint32_t *uid);

/* Takes the next window off the fresh messages, newest first, WHOLE messages
 * or headers: ascending ids for free() in IDS, their number and expected
 * BYTES. False when none are left. */
bool plan_next_fresh(struct plan *plan, const struct plan_pace *pace,
	bool whole, struct item_id **ids, size_t *count, uint64_t *bytes);

/* What the fresh messages weigh, whole. */
uint64_t plan_fresh_bytes(const struct plan *plan);

/* A message could not be had whole: its header may still be. */
void plan_add_fresh(struct plan *plan, uint32_t uid, uint64_t size);

void plan_free(struct plan *plan);

/* For a link of any speed: 256 KiB windows to begin with. */
struct plan_pace plan_pace_init(uint64_t bytes_max);

/* A window of BYTES took US: aim at half a second each, because what is in
 * flight at a crash is lost, and what is committed is seen. */
void plan_pace_done(struct plan_pace *pace, uint64_t bytes, int64_t us);

/* The same at NOW_US for a window asked for at ISSUED_US, which also tells
 * how fast windows arrive, one behind the other. */
void plan_pace_arrived(struct plan_pace *pace, uint64_t bytes,
	int64_t issued_us, int64_t now_us);

/* How many bytes may be under way: three seconds' worth at the rate they
 * come, and at RATE_BYTES_S, the cap of the line, if that is not 0. More would
 * still arrive long after a pause, and be lost in a crash. */
uint64_t plan_pace_ahead(const struct plan_pace *pace, uint64_t rate_bytes_s);

/* The connection died within a window of ITEMS (0: all there were): halve
 * them, down to one, so that a message that kills connections ends up
 * alone. */
void plan_pace_failed(struct plan_pace *pace, size_t items);

/* True when a window of COUNT items and BYTES takes an item of SIZE more. */
bool plan_pace_fits(const struct plan_pace *pace, size_t count, uint64_t bytes,
	uint64_t size);

#endif
