/*
 * one_thread_test.c - the engine as a fleet runs it: everything on the thread
 * in sync_run(), into a store and into one that keeps nothing.
 */
#include "engine_fixture.h"

#include <dirent.h>
#include <pthread.h>

#include "clock.h"
#include "engine_compare.h"
#include "store_list.h"
#include "store_scratch.h"

static unsigned most_threads;

static unsigned count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned count = 0;
	struct dirent *entry;

	assert_non_null(tasks);
	while ((entry = readdir(tasks)))
		count += entry->d_name[0] != '.';
	closedir(tasks);
	return count;
}

static void look_at_threads(struct fake_account *fake, unsigned window)
{
	unsigned now = count_threads();

	(void)fake;
	(void)window;
	most_threads = now > most_threads ? now : most_threads;
}

static int run_in(struct fixture *f, const char *directory)
{
	struct sync_setup how = setup_of(f);
	int status;

	how.one_thread = true;
	how.directory = directory;
	f->err = ERR_INIT;
	assert_int_equal(sync_new(&f->running, &how, &f->err), 0);
	status = sync_run(f->running, &f->err);
	sync_progress(f->running, &f->progress);
	sync_free(f->running);
	f->running = NULL;
	return status;
}

static void needs_no_other_thread(void **state)
{
	struct fixture *f = *state;

	fill(f);
	f->fake->before = look_at_threads;
	most_threads = 0;
	assert_int_equal(run_in(f, f->store), 0);
	assert_int_equal(most_threads, count_threads());
	assert_true(f->progress.verified);
	assert_int_equal(f->progress.totals.messages, 31);
	assert_int_equal(f->progress.totals.bodies, 21);
	assert_int_equal(f->progress.totals.events, 3);
	assert_equal_to_server(f);
	assert_served_once(f);
	/* The other engine finds nothing left to do. */
	assert_int_equal(synchronise(f), 0);
	assert_int_equal(f->progress.run_app_bytes, 0);
}

static void lost_connections_cost_nothing_twice(void **state)
{
	struct fixture *f = *state;
	unsigned windows = 99;

	for (unsigned cut = 1; cut <= windows; cut++) {
		fill(f);
		f->fake->cut_window = cut;
		f->fake->cut_item = cut % 4;
		assert_int_equal(run_in(f, f->store), 0);
		assert_equal_to_server(f);
		assert_served_once(f);
		if (f->fake->sessions == 1)
			windows = cut;
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
		f = *state;
	}
	assert_true(windows > 5 && windows < 99);
}

static void cancel_at_two(struct fake_account *fake, unsigned window)
{
	struct fixture *f = fake->context;

	if (window == 2)
		sync_cancel(f->running);
}

static void cancelled_goes_on_later(void **state)
{
	struct fixture *f = *state;

	fill(f);
	f->fake->context = f;
	f->fake->before = cancel_at_two;
	assert_int_equal(run_in(f, f->store), -1);
	assert_int_equal(f->err.kind, ERR_CANCELLED);
	f->fake->before = NULL;
	assert_int_equal(run_in(f, f->store), 0);
	assert_equal_to_server(f);
}

/* The same counts and bytes as with a store, and no body to be read. */
static void keeps_nothing_but_counts_all(void **state)
{
	struct fixture *f = *state;
	struct scratch *scratch;
	struct store_totals kept;
	struct store *store;
	uint64_t app_bytes;
	char *directory;
	char *packs;
	char piece[64];
	struct store_reader *reader;

	fill(f);
	assert_int_equal(run_in(f, f->store), 0);
	kept = f->progress.totals;
	app_bytes = f->progress.app_bytes;
	assert_int_equal(scratch_open(&scratch, f->directory, &f->err), 0);
	directory = scratch_store(scratch, "u", &f->err);
	assert_int_equal(run_in(f, directory), 0);
	assert_true(f->progress.verified);
	assert_int_equal(f->progress.app_bytes, app_bytes);
	assert_int_equal(f->progress.totals.messages, kept.messages);
	assert_int_equal(f->progress.totals.bodies, kept.bodies);
	assert_int_equal(f->progress.totals.body_bytes, kept.body_bytes);
	assert_int_equal(
		f->progress.totals.protected_messages, kept.protected_messages);
	assert_int_equal(f->progress.totals.events, kept.events);
	assert_true(f->progress.totals.stored_bytes < kept.stored_bytes);
	packs = xasprintf("%s/bodies", directory);
	assert_int_equal(access(packs, F_OK), -1);
	store = store_open(directory, STORE_READ, &f->err);
	assert_non_null(store);
	reader = store_read_open(store, 1, STORE_PART_HEADER, &f->err);
	assert_non_null(reader);
	assert_int_equal(store_read(reader, piece, sizeof(piece), &f->err), -1);
	store_read_close(reader);
	store_close(store);
	/* A second run finds server and books equal. */
	assert_int_equal(run_in(f, directory), 0);
	assert_int_equal(f->progress.run_app_bytes, 0);
	scratch_close(scratch);
	free(directory);
	free(packs);
}

static void *resume_later(void *argument)
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

static void pause_at_once(struct fake_account *fake, unsigned window)
{
	struct fixture *f = fake->context;

	if (window == 1)
		sync_pause(f->running);
}

/* Also while the DAV side is at work, which has no thread to say so. */
static void pauses_and_goes_on(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = setup_of(f);
	pthread_t thread;

	fill(f);
	how.one_thread = true;
	f->fake->context = f;
	f->fake->before = pause_at_once;
	assert_int_equal(sync_new(&f->running, &how, &f->err), 0);
	pthread_create(&thread, NULL, resume_later, f);
	assert_int_equal(sync_run(f->running, &f->err), 0);
	pthread_join(thread, NULL);
	sync_free(f->running);
	assert_equal_to_server(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(needs_no_other_thread),
		TEST(lost_connections_cost_nothing_twice),
		TEST(cancelled_goes_on_later),
		TEST(keeps_nothing_but_counts_all),
		TEST(pauses_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
