/*
 * packing.h - whether a session is compressed (COMPRESS=DEFLATE, RFC 4978),
 * decided by what is measured.
 *
 * Packing costs the server's CPU, and a slow answer does not tell a slow line
 * from a busy server. So a session begins plain; when bulk comes slowly
 * although enough is asked for, it is compressed at the next moment without
 * a command in flight, and measured again. What was not made faster becomes
 * plain again, by a new session.
 *
 *   MEASURE ---- fast -----------------> OFF
 *      \---- slow --> TRY -- faster ---> ON
 *                      \--- not faster -> OFF
 *
 * Pure; one source's, over all its sessions.
 */
#ifndef SLUICE_PACKING_H
#define SLUICE_PACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "source.h"

enum packing_state {
	PACKING_MEASURE,
	PACKING_TRY,
	PACKING_ON,
	PACKING_OFF,
};

struct packing {
	enum packing_state state;
	uint64_t received; /* bytes of items; the caller adds to it */
	bool due;	   /* the session is not yet as STATE says */
	/* Of the measurement: */
	int64_t since_us; /* 0: nothing has come yet */
	uint64_t since_bytes;
	double rate, plain_rate; /* bytes a second; 0: not known */
};

/* LIMIT_BYTES_S is the client's; a small one says that the line is slow. */
void packing_init(
	struct packing *packing, enum compress wish, uint64_t limit_bytes_s);

/* A session has begun, compressed if packing_wanted(); OFFERED: it could
 * be. */
void packing_session(struct packing *packing, bool offered);
bool packing_wanted(const struct packing *packing);

/* Now the session is as it is due to be; REFUSED: it cannot. */
void packing_settled(struct packing *packing, bool refused);

/* Nothing is in flight: what comes later is measured afresh. */
void packing_idle(struct packing *packing);

/* While commands are in flight, with AHEAD bytes expected of them: sets
 * packing->due when the session should change. */
void packing_consider(struct packing *packing, int64_t now_us, uint64_t ahead,
	int64_t round_trip_us);

/* How much may be in flight, of MAX: not so much, while that is not decided,
 * that a change would have to wait for long. */
uint64_t packing_ahead_max(
	const struct packing *packing, uint64_t max, int64_t round_trip_us);

#endif
