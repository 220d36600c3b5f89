/* await.c - see await.h. Used by the gauge. */
#include "await.h"

#include <math.h>

#define LEAST 0.5 /* operations */

void await_add(struct await *await, double memory_s, double ms, double per_s,
	double span_s)
{
	double left = exp(-span_s / memory_s);

	await->operations *= left;
	await->total_ms *= left;
	if (!isfinite(ms) || !(per_s > 0))
		return;
	await->operations += per_s * span_s;
	await->total_ms += ms * per_s * span_s;
}

double await_ms(const struct await *await)
{
	return await->operations < LEAST ? NAN
					 : await->total_ms / await->operations;
}
