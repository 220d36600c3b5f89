/*
 * engine_stop.h - runs that are paused, cancelled or cut off in a window of
 * the fake, and what is true of them whatever the engine's shape.
 */
#ifndef SLUICE_ENGINE_STOP_H
#define SLUICE_ENGINE_STOP_H

#include <pthread.h>

#include "clock.h"
#include "engine_compare.h"

static inline void stop_pause(struct fake_account *fake, unsigned window)
{
	struct fixture *f = fake->context;

	if (window == f->stop_window)
		sync_pause(f->running);
}

static inline void stop_cancel(struct fake_account *fake, unsigned window)
{
	struct fixture *f = fake->context;

	if (window == f->stop_window)
		sync_cancel(f->running);
}

static inline void stop_at(struct fixture *f, unsigned window,
	void (*stop)(struct fake_account *, unsigned))
{
	f->stop_window = window;
	f->fake->context = f;
	f->fake->before = stop;
}

static inline void *stop_resume(void *argument)
{
	struct fixture *f = argument;
	struct sync_progress progress = {.state = SYNC_NEW};

	while (progress.state != SYNC_PAUSED) {
		clock_sleep_us(US_PER_MS);
		sync_progress(f->running, &progress);
	}
	sync_resume(f->running);
	return NULL;
}

/* Paused at WINDOW, resumed by another thread, then equal to the server. */
static inline void assert_goes_on_after_pause(
	struct fixture *f, const struct sync_setup *how, unsigned window)
{
	pthread_t thread;

	stop_at(f, window, stop_pause);
	assert_int_equal(sync_new(&f->running, how, &f->err), 0);
	pthread_create(&thread, NULL, stop_resume, f);
	assert_int_equal(sync_run(f->running, &f->err), 0);
	pthread_join(thread, NULL);
	sync_free(f->running);
	assert_equal_to_server(f);
	assert_served_once(f);
}

/* Cancelled at WINDOW; another run brings the rest, and nothing twice. */
static inline void assert_goes_on_after_cancel(
	struct fixture *f, const struct sync_setup *how, unsigned window)
{
	stop_at(f, window, stop_cancel);
	assert_int_equal(run_as(f, how), -1);
	assert_int_equal(f->err.kind, ERR_CANCELLED);
	assert_int_equal(f->progress.state, SYNC_CANCELLED);
	f->fake->before = NULL;
	assert_int_equal(run_as(f, how), 0);
	assert_equal_to_server(f);
	assert_served_once(f);
}

/* The connection dies in every window in turn, in its middle. */
static inline void assert_cuts_cost_nothing_twice(void **state, bool one_thread)
{
	unsigned windows = 99;

	for (unsigned cut = 1; cut <= windows; cut++) {
		struct fixture *f = *state;
		struct sync_setup how = setup_of(f);

		fill(f);
		how.one_thread = one_thread;
		f->fake->cut_window = cut;
		f->fake->cut_item = cut % 4;
		assert_int_equal(run_as(f, &how), 0);
		assert_equal_to_server(f);
		assert_served_once(f);
		assert_true(f->fake->sessions <= 2);
		if (f->fake->sessions == 1)
			windows = cut;
		anew(state);
	}
	assert_true(windows > 5 && windows < 99);
}

#endif
