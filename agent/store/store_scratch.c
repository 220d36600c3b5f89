/*
 * store_scratch.c - see store_scratch.h.
 *
 * A directory with a lock says whose it is; a file in a store's directory
 * says that it drops. Used by a fleet before and after everything else.
 */
#include "store_scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"

#define PREFIX	  "sluice-scratch."
#define DROPS	  "drops"
#define OPEN_DIRS 16

struct scratch {
	char *directory;
	int lock_fd;
};

static int remove_one(
	const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, OPEN_DIRS, FTW_DEPTH | FTW_PHYS);
}

/* The lock of DIRECTORY, -1 when another process has it or it is not ours. */
static int take_lock(const char *directory, int flags)
{
	char *path = xasprintf("%s/lock", directory);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	free(path);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Whose process is gone. */
static void sweep(const char *parent)
{
	char *pattern = xasprintf("%s/" PREFIX "*", parent);
	glob_t found;

	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			int fd = take_lock(found.gl_pathv[i], 0);

			if (fd < 0)
				continue;
			remove_tree(found.gl_pathv[i]);
			close(fd);
		}
		globfree(&found);
	}
	free(pattern);
}

static const char *place(void)
{
	const char *tmp = getenv("TMPDIR");

	if (access("/dev/shm", W_OK | X_OK) == 0)
		return "/dev/shm";
	return tmp && *tmp ? tmp : "/tmp";
}

int scratch_open(struct scratch **out, const char *parent, struct err *err)
{
	struct scratch *scratch;
	char *directory;

	if (!parent)
		parent = place();
	sweep(parent);
	directory = xasprintf("%s/" PREFIX "XXXXXX", parent);
	if (!mkdtemp(directory)) {
		err_set_errno(err, "%s", directory);
		free(directory);
		return err_hint(err, "stores that keep nothing live there");
	}
	scratch = xcalloc(1, sizeof(*scratch));
	scratch->directory = directory;
	scratch->lock_fd = take_lock(directory, O_CREAT);
	if (scratch->lock_fd < 0) {
		err_set_errno(err, "%s/lock", directory);
		scratch_close(scratch);
		return -1;
	}
	*out = scratch;
	return 0;
}

char *scratch_store(struct scratch *scratch, const char *name, struct err *err)
{
	char *directory = xasprintf("%s/%s", scratch->directory, name);
	char *mark = xasprintf("%s/" DROPS, directory);
	int fd = -1;

	if (mkdir(directory, 0700) == 0)
		fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_set_errno(err, "%s", directory);
		free(directory);
		directory = NULL;
	} else {
		close(fd);
	}
	free(mark);
	return directory;
}

const char *scratch_directory(const struct scratch *scratch)
{
	return scratch->directory;
}

void scratch_close(struct scratch *scratch)
{
	if (!scratch)
		return;
	remove_tree(scratch->directory);
	if (scratch->lock_fd >= 0)
		close(scratch->lock_fd);
	free(scratch->directory);
	free(scratch);
}

bool scratch_drops(const char *directory)
{
	char *mark = xasprintf("%s/" DROPS, directory);
	bool drops = access(mark, F_OK) == 0;

	free(mark);
	return drops;
}
