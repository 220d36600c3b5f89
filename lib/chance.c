/* chance.c - see chance.h. Used by the gate of a wave, live and in the model. */
#include "chance.h"

#include <math.h>

#define SHARE	 0.05
#define QUANTILE 1.645

double chance_most(double count)
{
	return SHARE * count + QUANTILE * sqrt(count * SHARE * (1 - SHARE));
}
