/*
 * one_thread_test.c - the engine as a fleet runs it: everything on the thread
 * in sync_run(), into a store and into one that keeps nothing.
 */
#include "engine_stop.h"

#include <dirent.h>

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

static struct sync_setup on_one_thread(struct fixture *f)
{
	struct sync_setup how = setup_of(f);

	how.one_thread = true;
	return how;
}

static int run_in(struct fixture *f, const char *directory)
{
	struct sync_setup how = on_one_thread(f);

	how.directory = directory;
	return run_as(f, &how);
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
	assert_cuts_cost_nothing_twice(state, true);
}

static void cancelled_goes_on_later(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = on_one_thread(f);

	fill(f);
	assert_goes_on_after_cancel(f, &how, 2);
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

/* Also while the DAV side is at work, which has no thread to say so. */
static void pauses_and_goes_on(void **state)
{
	struct fixture *f = *state;
	struct sync_setup how = on_one_thread(f);

	fill(f);
	assert_goes_on_after_pause(f, &how, 1);
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
