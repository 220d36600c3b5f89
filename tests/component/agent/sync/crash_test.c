/*
 * crash_test.c - the process is killed at every commit and at every network
 * read of a small account in turn; the next run always ends with the same
 * store, and nothing that was committed is fetched again.
 */
#include "engine_compare.h"

#include <sys/wait.h>

#define STEPS_MAX 500

/* Runs in a child, which reads the environment once. True when it was killed
 * at STEP, false when it got to the end. */
static bool run_until(struct fixture *f, const char *kind, unsigned step)
{
	char at[40];
	pid_t child;
	int status;

	child = fork();
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

struct committed {
	struct fake_folder *folder;
};

/* What the store has already need not come again: marked by a count that
 * the comparison after the second run would find too high. */
static int mark_committed(const struct store_row *row, void *arg)
{
	struct committed *committed = arg;
	struct fake_message *message = fake_find(committed->folder, row->uid);

	assert_non_null(message);
	message->served_headers = row->header_bytes ? 1 : 0;
	message->served_bodies = row->has_body ? 1 : 0;
	return 0;
}

static void count_only_committed(struct fixture *f)
{
	struct store *store = store_open(f->store, STORE_READ, NULL);

	for (size_t i = 0; i < f->fake->count; i++) {
		struct committed committed = {&f->fake->folders[i]};
		struct store_folder row;

		for (size_t j = 0; j < committed.folder->count; j++) {
			committed.folder->messages[j].served_headers = 0;
			committed.folder->messages[j].served_bodies = 0;
		}
		if (!store || committed.folder->dav ||
			store_folder_by_path(
				store, committed.folder->path, &row, NULL) != 1)
			continue;
		store_rows(
			store, row.id, 0, 0, mark_committed, &committed, NULL);
		store_folder_free(&row);
	}
	store_close(store);
}

static unsigned kill_at_every(void **state, const char *kind)
{
	struct fixture *f;
	unsigned step = 1;
	bool killed = true;

	for (; killed && step < STEPS_MAX; step++) {
		f = *state;
		fill(f);
		killed = run_until(f, kind, step);
		count_only_committed(f);
		assert_false(run_until(f, "never", 0));
		assert_equal_to_server(f);
		assert_served_once(f);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
	return step - 2;
}

static void killed_at_every_commit(void **state)
{
	assert_true(kill_at_every(state, "commit") > 5);
}

static void killed_at_every_read(void **state)
{
	assert_true(kill_at_every(state, "read") > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			killed_at_every_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			killed_at_every_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
