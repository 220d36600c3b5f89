/* packing.c - see packing.h. Pure; called on the source's thread. */
#include "packing.h"

#include "clock.h"

/* The client's limit that says enough. */
#define SLOW_LIMIT_BYTES_S 512000
/* A line that carries so much plain is not worth a server's CPU, which packs
 * some 10 MB a second and core (measured: Cyrus). */
#define FAST_BYTES_S 2500000
/* What tells a rate. */
#define LOOK_US	   US_PER_S
#define TRY_US	   (2 * US_PER_S)
#define LOOK_BYTES 65536
#define FAST_BYTES 2000000 /* in less than that */
/* The line is full when this many round trips would not empty it, and a change
 * is worth the trouble when so much time is left. */
#define FULL_TRIPS 4
#define WORTH_US   (2 * US_PER_S)
/* It has paid when the rate grew by this factor. Mail in base64, the least
 * that packs, makes it 1.3. */
#define FASTER	  1.1
#define AHEAD_MIN (UINT64_C(1) << 20)
#define AHEAD_US  (4 * US_PER_S)

void packing_init(
	struct packing *packing, enum compress wish, uint64_t limit_bytes_s)
{
	bool slow = limit_bytes_s && limit_bytes_s <= SLOW_LIMIT_BYTES_S;

	*packing = (struct packing){.state = PACKING_MEASURE};
	if (wish == COMPRESS_ON || (wish == COMPRESS_AUTO && slow))
		packing->state = PACKING_ON;
	if (wish == COMPRESS_OFF)
		packing->state = PACKING_OFF;
}

bool packing_wanted(const struct packing *packing)
{
	return packing->state == PACKING_TRY || packing->state == PACKING_ON;
}

void packing_idle(struct packing *packing)
{
	packing->since_us = 0;
}

void packing_session(struct packing *packing, bool offered)
{
	packing->due = false;
	packing_idle(packing);
	if (!offered && packing->state == PACKING_MEASURE)
		packing->state = PACKING_OFF;
}

void packing_settled(struct packing *packing, bool refused)
{
	packing->due = false;
	packing->rate = 0;
	packing_idle(packing);
	if (refused)
		packing->state = PACKING_OFF;
}

static void mark(struct packing *packing, int64_t now_us)
{
	packing->since_us = now_us;
	packing->since_bytes = packing->received;
}

static void judge_plain(
	struct packing *packing, uint64_t ahead, int64_t round_trip_us)
{
	double line = packing->rate * (double)round_trip_us / US_PER_S;

	if (packing->rate >= FAST_BYTES_S) {
		packing->state = PACKING_OFF;
	} else if ((double)ahead >= FULL_TRIPS * line &&
		(double)ahead * US_PER_S >= packing->rate * WORTH_US) {
		packing->plain_rate = packing->rate;
		packing->state = PACKING_TRY;
		packing->due = true;
	}
}

static void judge_packed(
	struct packing *packing, uint64_t ahead, int64_t round_trip_us)
{
	double line = packing->rate * (double)round_trip_us / US_PER_S;

	if (packing->rate >= FASTER * packing->plain_rate) {
		packing->state = PACKING_ON;
	} else if ((double)ahead >= FULL_TRIPS * line) {
		packing->state = PACKING_OFF;
		packing->due = true;
	}
}

void packing_consider(struct packing *packing, int64_t now_us, uint64_t ahead,
	int64_t round_trip_us)
{
	bool trying = packing->state == PACKING_TRY;
	uint64_t bytes = packing->received - packing->since_bytes;
	int64_t us = now_us - packing->since_us;

	if (packing->due || (!trying && packing->state != PACKING_MEASURE))
		return;
	if (!packing->since_us) {
		mark(packing, now_us);
		return;
	}
	if (!trying && bytes >= FAST_BYTES && us < LOOK_US) {
		packing->state = PACKING_OFF;
		return;
	}
	if (us < (trying ? TRY_US : LOOK_US) || bytes < LOOK_BYTES)
		return;
	packing->rate = (double)bytes * US_PER_S / (double)us;
	mark(packing, now_us);
	if (trying)
		judge_packed(packing, ahead, round_trip_us);
	else
		judge_plain(packing, ahead, round_trip_us);
}

uint64_t packing_ahead_max(
	const struct packing *packing, uint64_t max, int64_t round_trip_us)
{
	double us = (double)AHEAD_US > 2.0 * FULL_TRIPS * (double)round_trip_us
		? (double)AHEAD_US
		: 2.0 * FULL_TRIPS * (double)round_trip_us;
	double ahead = packing->rate * us / US_PER_S;

	if (packing->state == PACKING_ON || packing->state == PACKING_OFF)
		return max;
	if (ahead < (double)AHEAD_MIN)
		ahead = (double)AHEAD_MIN;
	return ahead < (double)max ? (uint64_t)ahead : max;
}
