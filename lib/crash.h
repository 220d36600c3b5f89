/*
 * crash.h - lets a test kill the process at a chosen step.
 *
 * SLUICE_CRASH_AT=commit:N or read:N in the environment makes the N-th
 * commit or network read of the process its last act (SIGKILL, so that
 * nothing is tidied up). Any thread.
 */
#ifndef SLUICE_CRASH_H
#define SLUICE_CRASH_H

/* A commit to the local database has just happened. */
void crash_at_commit(void);

/* A read from the network has just brought data, of which nobody knows yet. */
void crash_at_read(void);

#endif
