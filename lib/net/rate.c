/* rate.c - see rate.h. Pure; called under the lock of the wire that owns it. */
#include "rate.h"

#include "clock.h"

#define BURST_US    (US_PER_S / 4)
#define CHUNK_PARTS 20
#define PACKET	    1460

static int64_t burst_bytes(const struct rate *rate)
{
	int64_t bytes = (int64_t)(rate->bytes_s / (US_PER_S / BURST_US));

	return bytes > PACKET ? bytes : PACKET;
}

static void refill(struct rate *rate, int64_t now_us)
{
	int64_t gap_us = now_us - rate->at_us;
	double earned;

	if (gap_us <= 0)
		return;
	earned = (double)gap_us * (double)rate->bytes_s / (double)US_PER_S;
	if ((double)rate->level + earned >= (double)burst_bytes(rate)) {
		rate->level = burst_bytes(rate);
		rate->at_us = now_us;
		return;
	}
	/* Only whole bytes are booked, and only the time they took: calls in
	 * short succession would lose the fractions otherwise. */
	rate->level += (int64_t)earned;
	rate->at_us += (int64_t)((double)(int64_t)earned * (double)US_PER_S /
		(double)rate->bytes_s);
}

void rate_set(struct rate *rate, uint64_t bytes_s, int64_t now_us)
{
	int64_t burst;

	if (rate->bytes_s)
		refill(rate, now_us);
	else
		rate->level = 0;
	rate->bytes_s = bytes_s;
	rate->at_us = now_us;
	burst = burst_bytes(rate);
	if (rate->level > burst)
		rate->level = burst;
	if (rate->level < -burst)
		rate->level = -burst;
}

int64_t rate_pay(struct rate *rate, size_t bytes, int64_t now_us)
{
	if (!rate->bytes_s)
		return 0;
	refill(rate, now_us);
	rate->level -= (int64_t)bytes;
	if (rate->level >= 0)
		return 0;
	return (int64_t)((double)-rate->level * (double)US_PER_S /
		       (double)rate->bytes_s) +
		1;
}

size_t rate_chunk(const struct rate *rate, size_t wanted)
{
	size_t piece = rate->bytes_s / CHUNK_PARTS;

	if (!rate->bytes_s)
		return wanted;
	if (piece < PACKET)
		piece = PACKET;
	return piece < wanted ? piece : wanted;
}
