/*
 * chance.h - how many of some things may go wrong before it is no accident.
 *
 * "p95 within the objective" allows one of twenty to be beyond it; of a few
 * probes, or a few windows, chance alone puts more there. Pure.
 */
#ifndef SLUICE_CHANCE_H
#define SLUICE_CHANCE_H

/* Of COUNT things that each go wrong in 5 %, so many may, one-sided 95 %. */
double chance_most(double count);

#endif
