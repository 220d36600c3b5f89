/*
 * meter.c - speed and remaining time over a short ring of points.
 *
 * Fed by whoever draws progress. Pure, no thread of its own.
 */
#include "meter.h"

#include "clock.h"

static unsigned newest(const struct meter *meter)
{
	return (meter->first + meter->count - 1) % METER_SLOTS;
}

void meter_update(struct meter *meter, int64_t now_us, uint64_t done_bytes,
	uint64_t total_bytes)
{
	unsigned slot;

	if (done_bytes < meter->done_bytes)
		meter->count = 0;
	meter->done_bytes = done_bytes;
	meter->total_bytes = total_bytes;
	if (meter->count > 1 &&
		now_us - meter->slots[newest(meter)].at_us < US_PER_S)
		return;
	if (meter->count == METER_SLOTS) {
		meter->first = (meter->first + 1) % METER_SLOTS;
		meter->count--;
	}
	slot = (meter->first + meter->count) % METER_SLOTS;
	meter->slots[slot].at_us = now_us;
	meter->slots[slot].bytes = done_bytes;
	meter->count++;
}

double mb_per_minute(uint64_t bytes, int64_t us)
{
	if (us <= 0)
		return 0;
	return (double)bytes / 1e6 / ((double)us / (60.0 * US_PER_S));
}

double meter_mb_min(const struct meter *meter)
{
	unsigned last;

	if (meter->count < 2)
		return 0;
	last = newest(meter);
	return mb_per_minute(
		meter->slots[last].bytes - meter->slots[meter->first].bytes,
		meter->slots[last].at_us - meter->slots[meter->first].at_us);
}

double meter_fraction(const struct meter *meter)
{
	if (!meter->total_bytes)
		return 0;
	if (meter->done_bytes >= meter->total_bytes)
		return 1;
	return (double)meter->done_bytes / (double)meter->total_bytes;
}

bool meter_eta_us(const struct meter *meter, int64_t *eta_us)
{
	double mb_min = meter_mb_min(meter);
	double rest;

	if (mb_min <= 0 || !meter->total_bytes)
		return false;
	rest = meter->done_bytes < meter->total_bytes
		? (double)(meter->total_bytes - meter->done_bytes)
		: 0;
	*eta_us = (int64_t)(rest / 1e6 / mb_min * 60.0 * US_PER_S);
	return true;
}
