/*
 * aside.c - see aside.h. The call runs on a detached thread. Thread and
 * caller share an errand, which the last of them frees; its descriptor
 * becomes readable when the call has come back.
 */
#include "aside.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "wire.h"

struct errand {
	struct aside aside;
	void *state;
	int done_fd;
	pthread_mutex_t mutex;
	bool done;	/* the call has come back */
	bool abandoned; /* nobody waits for it */
};

static void free_errand(struct errand *errand)
{
	close(errand->done_fd);
	pthread_mutex_destroy(&errand->mutex);
	free(errand);
}

static void *run(void *argument)
{
	struct errand *errand = argument;
	bool abandoned;

	errand->aside.run(errand->state);
	pthread_mutex_lock(&errand->mutex);
	errand->done = true;
	abandoned = errand->abandoned;
	if (!abandoned)
		eventfd_write(errand->done_fd, 1);
	pthread_mutex_unlock(&errand->mutex);
	if (abandoned) {
		errand->aside.release(errand->state);
		free_errand(errand);
	}
	return NULL;
}

/* Its signals are the program's, which has threads for them. */
static int start(struct errand *errand)
{
	pthread_attr_t detached;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	int code;

	sigfillset(&all);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&thread, &detached, run, errand);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&detached);
	return code;
}

static int wait_done(const struct errand *errand, struct wire *wire,
	int64_t deadline_us, struct err *err)
{
	int64_t left_us = deadline_us - clock_monotonic_us();
	int ready = wire_wait(
		wire, errand->done_fd, POLLIN, left_us > 0 ? left_us : 0, err);

	if (!ready)
		return err_set(err, ERR_TIMEOUT, "%s: no answer in time",
			errand->aside.what);
	return ready < 0 ? -1 : 0;
}

int aside_run(const struct aside *aside, void *state, struct wire *wire,
	int64_t deadline_us, struct err *err)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));
	int status;

	*errand = (struct errand){.aside = *aside, .state = state};
	pthread_mutex_init(&errand->mutex, NULL);
	errand->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (errand->done_fd < 0) {
		err_set_errno(err, "cannot wait for another thread");
		goto free_state;
	}
	if (start(errand) != 0) {
		err_set(err, ERR_LIMIT, "cannot start another thread");
		goto close_fd;
	}
	status = wait_done(errand, wire, deadline_us, err);
	pthread_mutex_lock(&errand->mutex);
	errand->abandoned = status < 0 && !errand->done;
	if (errand->abandoned) {
		pthread_mutex_unlock(&errand->mutex);
		return -1;
	}
	pthread_mutex_unlock(&errand->mutex);
	if (status < 0)
		aside->release(state);
	free_errand(errand);
	return status;
close_fd:
	close(errand->done_fd);
free_state:
	pthread_mutex_destroy(&errand->mutex);
	free(errand);
	aside->release(state);
	return -1;
}
