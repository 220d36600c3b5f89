/*
 * automatic.h - `sluice run --auto`: the next wave without a person.
 */
#ifndef SLUICE_AUTOMATIC_H
#define SLUICE_AUTOMATIC_H

struct hub;

/* Begins the next pilot or wave when the rollout runs by itself, nothing is
 * under way and the last gate passed. */
void automatic_step(struct hub *hub);

#endif
