/*
 * aside.h - a call that may hang and cannot be interrupted, made on a thread
 * of its own so that its caller can give it up: asking the resolver.
 */
#ifndef SLUICE_ASIDE_H
#define SLUICE_ASIDE_H

#include <stdint.h>

struct err;
struct wire;

struct aside {
	/* The call: takes all it needs from STATE and leaves there what it
	 * finds. It must touch nothing else that can go away. */
	void (*run)(void *state);
	void (*release)(void *state);
	/* For the error: "cannot resolve the host name". */
	const char *what;
};

/*
 * Waits for the call until DEADLINE_US (monotonic) or until WIRE is
 * cancelled. 0: it is done and STATE is the caller's again. -1:
 * STATE belongs to the call, which releases it if it ever comes back.
 */
int aside_run(const struct aside *aside, void *state, struct wire *wire,
	int64_t deadline_us, struct err *err);

#endif
