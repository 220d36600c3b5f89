/*
 * crash_test.c - the store's promise: killed at any write to any file, or
 * out of space at any of them, it goes on from its last commit. The functions
 * that write are replaced here, for SQLite's library too, by ones that count
 * and at the n-th call end the process, half of the bytes written.
 */
#include "store_fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "store_item.h"

#define WINDOWS	     4
#define MESSAGES     3 /* of a window */
#define EXIT_KILLED  33
#define EXIT_DONE    0
#define EXIT_BROKEN  44
#define EXIT_SKIPPED 45

static long step;	 /* calls so far */
static long step_to_die; /* 0: never */
static unsigned emptied; /* packs, by cutting */

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset);
int ftruncate64(int fd, off64_t length);

static bool last_step(void)
{
	return step_to_die && ++step == step_to_die;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
	if (last_step()) {
		syscall(SYS_pwrite64, fd, data, length / 2, offset);
		_exit(EXIT_KILLED);
	}
	return syscall(SYS_pwrite64, fd, data, length, offset);
}

ssize_t pwritev(int fd, const struct iovec *part, int parts, off_t offset)
{
	if (last_step()) {
		syscall(SYS_pwrite64, fd, part[0].iov_base, part[0].iov_len / 2,
			offset);
		_exit(EXIT_KILLED);
	}
	return syscall(SYS_pwritev, fd, part, parts, offset, 0);
}

static bool is_pack(int fd)
{
	char link[64], path[256];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path));
	return length > 5 && memcmp(path + length - 5, ".pack", 5) == 0;
}

int ftruncate64(int fd, off64_t length)
{
	emptied += !length && is_pack(fd);
	if (last_step())
		_exit(EXIT_KILLED);
	return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length)
{
	return ftruncate64(fd, length);
}

int fdatasync(int fd)
{
	if (last_step())
		_exit(EXIT_KILLED);
	return (int)syscall(SYS_fdatasync, fd);
}

/* Bodies differ by UID and are larger than the pack's buffer now and then. */
static size_t body_length(uint32_t uid)
{
	return uid % 5 == 0 ? 400000 : 3000 + uid;
}

static int put_body(struct store *store, int64_t folder, uint32_t uid)
{
	size_t length = body_length(uid);
	char *data = malloc(length);
	int status;

	memset(data, 'a' + (int)uid, length);
	status = store_body_begin(store, &err) < 0 ||
			store_body_append(store, data, length, &err) < 0 ||
			store_body_end(store, folder, uid, &err) < 0
		? -1
		: 0;
	free(data);
	return status;
}

static int put_window(struct store *store, uint32_t window)
{
	struct store_folder folder = {.kind = STORE_KIND_MAIL,
		.mode = STORE_MODE_FULL,
		.path = "INBOX",
		.remote = "INBOX"};
	struct store_item item = {.kind = PIM_TASK,
		.href = "/t",
		.etag = "e",
		.text = "T",
		.length = 1};

	if (store_begin(store, &err) < 0 ||
		store_folder_put(store, &folder, &err) < 0)
		return -1;
	item.folder = folder.id;
	for (uint32_t i = 0; i < MESSAGES; i++) {
		struct store_message message = {
			.folder = folder.id, .uid = window * MESSAGES + i + 1};

		if (store_has(store, folder.id, message.uid, &err) == 1)
			continue;
		if (store_message_put(store, &message, &err) < 0 ||
			put_body(store, folder.id, message.uid) < 0)
			return -1;
	}
	if (store_item_put(store, &item, &err) < 0 ||
		store_counter_add(store, "windows", 1, &err) < 0)
		return -1;
	return store_commit(store, &err);
}

/* What a sync does: opens, does the windows that are not done, tells PIPE of
 * each commit. */
static int work(int pipe)
{
	struct store *store = store_open(directory, STORE_WRITE, &err);
	int64_t done;

	if (!store)
		return EXIT_BROKEN;
	done = store_counter_get(store, "windows");
	for (; done < WINDOWS; done++) {
		if (put_window(store, (uint32_t)done) < 0)
			return EXIT_BROKEN;
		if (pipe >= 0 && write(pipe, "c", 1) != 1)
			return EXIT_BROKEN;
	}
	if (store_sync(store, &err) < 0)
		return EXIT_BROKEN;
	store_close(store);
	return EXIT_DONE;
}

/* Runs work() in a child that dies at STEP; COMMITS are those it lived to
 * see. */
static int run_child(long at, int *commits)
{
	int ends[2];
	int status;
	char c;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		step_to_die = at;
		step = 0;
		_exit(work(ends[1]));
	}
	close(ends[1]);
	for (*commits = 0; read(ends[0], &c, 1) == 1; (*commits)++)
		;
	close(ends[0]);
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int check_row(const struct store_row *row, void *arg)
{
	struct store *store = arg;
	struct store_reader *reader = store_read_open(
		store, row->id, STORE_PART_BODY, &err);
	char data[4096];
	uint64_t length = 0;
	ssize_t n;

	assert_non_null(reader);
	while ((n = store_read(reader, data, sizeof(data), &err)) > 0) {
		assert_int_equal(data[0], 'a' + (int)row->uid);
		assert_int_equal(data[n - 1], 'a' + (int)row->uid);
		length += (uint64_t)n;
	}
	ok((int)n);
	assert_int_equal(length, body_length(row->uid));
	store_read_close(reader);
	return 0;
}

/* Whole windows and nothing else, as many as were committed at least. */
static int64_t check_store(int commits)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_totals totals = totals_of(store);
	int64_t windows = store_counter_get(store, "windows");
	uint64_t bad = 1;

	assert_in_range(windows, (uintmax_t)commits, WINDOWS);
	assert_int_equal(totals.messages, windows * MESSAGES);
	assert_int_equal(totals.bodies, windows * MESSAGES);
	assert_int_equal(totals.tasks, windows > 0);
	ok(store_check(store, false, NULL, NULL, &bad, &err));
	assert_int_equal(bad, 0);
	if (windows)
		ok(store_rows(store, 1, 0, check_row, store, &err));
	store_close(store);
	return windows;
}

/* Its first close would wait until all of it is written back (ext4). */
static void test_new_pack_is_not_cut(void **state)
{
	(void)state;
	emptied = 0;
	store_close(open_store(STORE_WRITE));
	store_close(open_store(STORE_WRITE));
	assert_int_equal(emptied, 0);
}

static void test_killed_at_every_write(void **state)
{
	long at = 0;
	int commits, status;

	do {
		at++;
		status = run_child(at, &commits);
		if (status != EXIT_KILLED && status != EXIT_DONE)
			fail_msg("step %ld: status %d", at, status);
		check_store(commits);
		assert_int_equal(work(-1), EXIT_DONE);
		assert_int_equal(check_store(WINDOWS), WINDOWS);
		teardown(state);
		setup(state);
	} while (status == EXIT_KILLED);
	/* Fewer would mean that the replaced functions are not called. */
	assert_true(at > 20);
}

/* Killed again and again, each time a little further into what is left. */
static void test_killed_over_and_over(void **state)
{
	int64_t windows = 0;
	int commits;

	(void)state;
	for (long at = 2; windows < WINDOWS; at++) {
		int64_t before = windows;

		run_child(at, &commits);
		windows = check_store((int)0);
		assert_true(windows >= before);
		assert_true(at < 200);
	}
	assert_int_equal(check_store(WINDOWS), WINDOWS);
}

/* Two thirds of the pack are gone; what is left is moved. */
static int compact(void)
{
	struct store *store = store_open(directory, STORE_WRITE, &err);
	uint64_t freed;
	int status;

	if (!store || store_begin(store, &err) < 0 ||
		store_message_delete(store, 1, 5, &err) < 0 ||
		store_message_delete(store, 1, 10, &err) < 0 ||
		store_commit(store, &err) < 0)
		return EXIT_BROKEN;
	status = store_compact(store, 30, NULL, &freed, &err);
	store_close(store);
	return status < 0 ? EXIT_BROKEN : EXIT_DONE;
}

static void check_compacted(void)
{
	struct store *store = open_store(STORE_WRITE);
	uint64_t bad = 1;

	ok(store_check(store, false, NULL, NULL, &bad, &err));
	assert_int_equal(bad, 0);
	assert_int_equal(store_has(store, 1, 12, &err), 1);
	ok(store_rows(store, 1, 0, check_row, store, &err));
	store_close(store);
}

static void test_killed_while_compacting(void **state)
{
	long at = 0;
	int status;

	do {
		pid_t pid;

		assert_int_equal(work(-1), EXIT_DONE);
		pid = fork();
		at++;
		if (pid == 0) {
			step_to_die = at;
			step = 0;
			_exit(compact());
		}
		waitpid(pid, &status, 0);
		assert_true(WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), EXIT_BROKEN);
		check_compacted();
		assert_int_equal(compact(), EXIT_DONE);
		check_compacted();
		teardown(state);
		setup(state);
	} while (WEXITSTATUS(status) == EXIT_KILLED);
	assert_true(at > 10);
}

static bool says_full(void)
{
	if (err.kind == ERR_DISK_FULL && strstr(err.text, directory))
		return true;
	fprintf(stderr, "%s\n", err.text);
	return false;
}

/* All windows, with more room once there is none. */
static int work_in(int (*make_room)(void))
{
	struct store *store = store_open(directory, STORE_WRITE, &err);
	int64_t done;

	if (!store)
		return says_full() ? EXIT_KILLED : EXIT_BROKEN;
	while ((done = store_counter_get(store, "windows")) < WINDOWS) {
		if (put_window(store, (uint32_t)done) == 0)
			continue;
		if (!says_full())
			return EXIT_BROKEN;
		store_rollback(store);
		if (make_room() < 0)
			return EXIT_BROKEN;
	}
	store_close(store);
	return EXIT_DONE;
}

static int unlimit(void)
{
	const struct rlimit large = {RLIM_INFINITY, RLIM_INFINITY};

	return setrlimit(RLIMIT_FSIZE, &large);
}

/* A file may not grow beyond LIMIT: the kernel says EFBIG. */
static int work_without_space(rlim_t limit)
{
	const struct rlimit small = {limit, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	return work_in(unlimit);
}

static int enlarge(void)
{
	return mount("tmpfs", directory, "tmpfs", MS_REMOUNT, "size=100m");
}

/* A disk of its own, of SIZE: the kernel says ENOSPC. */
static int work_on_disk(const char *size)
{
	uint64_t bad = 1;
	struct store *store;
	int status;

	if (unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", directory, "tmpfs", 0, size) < 0)
		return EXIT_SKIPPED;
	status = work_in(enlarge);
	if (status == EXIT_KILLED && enlarge() == 0)
		status = work(-1);
	if (status != EXIT_DONE)
		return EXIT_BROKEN;
	store = store_open(directory, STORE_READ, &err);
	if (!store || store_check(store, false, NULL, NULL, &bad, &err) < 0)
		return EXIT_BROKEN;
	store_close(store);
	return bad ? EXIT_BROKEN : EXIT_DONE;
}

static void test_disk_really_full(void **state)
{
	static const char *const sizes[] = {
		"size=40k", "size=200k", "size=500k", "size=900k"};
	int status;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(work_on_disk(sizes[i]));
		waitpid(pid, &status, 0);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == EXIT_SKIPPED)
			skip(); /* mounting needs root */
		assert_int_equal(WEXITSTATUS(status), EXIT_DONE);
	}
}

static void test_disk_full(void **state)
{
	int status;

	if (geteuid() != 0)
		skip(); /* raising the limit again needs root */
	for (rlim_t limit = 20000; limit < 1300000; limit += 61000) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(work_without_space(limit));
		waitpid(pid, &status, 0);
		assert_true(WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), EXIT_BROKEN);
		check_store(0);
		assert_int_equal(work(-1), EXIT_DONE);
		check_store(WINDOWS);
		teardown(state);
		setup(state);
	}
}

/* As somebody who may read the directory and nothing more. */
static int work_as_stranger(void)
{
	struct store *store;

	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return EXIT_BROKEN;
	store = store_open(directory, STORE_WRITE, &err);
	if (store || (err.kind != ERR_IO && err.kind != ERR_DATABASE) ||
		!strstr(err.text, directory) || !strstr(err.text, "writ"))
		return EXIT_BROKEN;
	store = store_open(directory, STORE_READ, &err);
	if (!store) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_KILLED;
	}
	return totals_of(store).messages == WINDOWS * MESSAGES ? EXIT_DONE
							       : EXIT_KILLED;
}

static void make_readable(const char *name, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(chmod(path, mode), 0);
}

static void test_read_only(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(work(-1), EXIT_DONE);
	make_readable("store.db", 0444);
	make_readable("lock", 0444);
	make_readable("bodies/000001.pack", 0444);
	make_readable("bodies", 0555);
	make_readable(".", 0555);
	pid = fork();
	if (pid == 0)
		_exit(work_as_stranger());
	waitpid(pid, &status, 0);
	make_readable(".", 0755);
	make_readable("bodies", 0755);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_pack_is_not_cut),
		TEST(test_killed_at_every_write),
		TEST(test_killed_over_and_over),
		TEST(test_killed_while_compacting),
		TEST(test_disk_full),
		TEST(test_disk_really_full),
		TEST(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
