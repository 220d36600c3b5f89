/*
 * kill_at.h - a run of the engine that is killed at a chosen step. For tests
 * with a `struct fixture`, its synchronise() and its fork_alone(), a fork()
 * while no other thread holds a lock; included before this.
 */
#ifndef SLUICE_KILL_AT_H
#define SLUICE_KILL_AT_H

#include <sys/wait.h>
#include <unistd.h>

/* Runs in a child, which reads the environment once. True when it was killed
 * at STEP, false when it got to the end. */
static inline bool run_until(struct fixture *f, const char *kind, unsigned step)
{
	char at[40];
	pid_t child;
	int status;

	child = fork_alone(f);
	assert_true(child >= 0);
	if (child == 0) {
		snprintf(at, sizeof at, "%s:%u", kind, step);
		setenv("SLUICE_CRASH_AT", at, 1);
		_exit(synchronise(f) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

#endif
