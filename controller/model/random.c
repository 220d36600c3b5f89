/* random.c - see random.h. Pure; any thread. */
#include "random.h"

#include <math.h>

uint64_t random_bits(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

double random_unit(uint64_t *state)
{
	return (double)(random_bits(state) >> 11) * 0x1p-53;
}

uint32_t random_below(uint64_t *state, uint32_t below)
{
	/* The bias of 2^-32 is far below anything counted here. */
	return (uint32_t)(((random_bits(state) >> 32) * below) >> 32);
}

double random_normal(uint64_t *state)
{
	/* Box and Muller; the second value is thrown away for a state of one
	 * word. */
	double u = 1.0 - random_unit(state);
	double v = random_unit(state);

	return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v);
}

double random_exponential(uint64_t *state)
{
	return -log(1.0 - random_unit(state));
}
