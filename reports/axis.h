/*
 * axis.h - the time axis that several figures share.
 *
 * Time runs from the rollout's (or wave's) first start in the unit that
 * suits its length, so that figures one below the other line up. Pure.
 */
#ifndef SLUICE_AXIS_H
#define SLUICE_AXIS_H

#include <stdint.h>

struct findings;
struct plot;

struct axis {
	int64_t from_us;
	double unit_us; /* length of one unit */
	const char *unit;
	double end; /* in units */
};

struct axis axis_of(const struct findings *findings);

double axis_at(const struct axis *axis, int64_t wall_us);

/* x range and, when LABELLED, tics and label; else bare tics. */
void axis_script(const struct axis *axis, struct plot *plot, int labelled);

/* Waves as bands behind the curves; their names above when NAMED. WIDTH is
 * the drawing area in pixels: a name wider than its band is shortened or
 * left out. */
void axis_bands(const struct axis *axis, const struct findings *findings,
	struct plot *plot, int named, double width);

#endif
