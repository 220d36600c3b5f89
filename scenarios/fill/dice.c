/*
 * dice.c - deterministic numbers, sizes and incompressible text.
 *
 * Pure. Any thread, dice of its own.
 */
#include "dice.h"

#include <math.h>

#include "buf.h"

#define TURN 6.283185307179586

/* FNV-1a, to make one seed of several words. */
static uint64_t mix(uint64_t hash, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
	return hash;
}

struct dice dice_for(
	uint64_t seed, const char *name, unsigned kind, unsigned index)
{
	uint64_t hash = UINT64_C(14695981039346656037) ^ seed;
	unsigned char number[8];
	size_t length = 0;

	while (name[length])
		length++;
	hash = mix(hash, name, length);
	for (unsigned i = 0; i < 4; i++) {
		number[i] = (unsigned char)(kind >> (8 * i));
		number[4 + i] = (unsigned char)(index >> (8 * i));
	}
	return (struct dice){mix(hash, number, sizeof(number))};
}

uint64_t dice_next(struct dice *dice)
{
	uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

unsigned dice_below(struct dice *dice, unsigned n)
{
	return (unsigned)(((dice_next(dice) >> 32) * n) >> 32);
}

double dice_unit(struct dice *dice)
{
	return (double)(dice_next(dice) >> 11) * 0x1.0p-53;
}

bool dice_chance(struct dice *dice, double share)
{
	return dice_unit(dice) < share;
}

uint64_t dice_size(struct dice *dice, double median, double sigma, uint64_t max)
{
	/* Box and Muller 1958; 1 - u is never 0. */
	double radius = sqrt(-2 * log(1 - dice_unit(dice)));
	double normal = radius * cos(TURN * dice_unit(dice));
	double size = median * exp(sigma * normal);

	if (size < 1)
		return 1;
	return size < (double)max ? (uint64_t)size : max;
}

void dice_base64(struct dice *dice, uint64_t bytes, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char line[78];

	for (uint64_t done = 0; done < bytes; done += sizeof(line)) {
		for (unsigned i = 0; i < 76; i += 4) {
			uint64_t bits = dice_next(dice);

			for (unsigned k = 0; k < 4; k++)
				line[i + k] = digits[bits >> (6 * k) & 63];
		}
		line[76] = '\r';
		line[77] = '\n';
		(void)buf_append(out, line, sizeof(line));
	}
}
