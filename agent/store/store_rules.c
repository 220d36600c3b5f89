/* store_rules.c - see store_rules.h. */
#include "store_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "err.h"

#define RULES_MAX (1u << 20)

int store_rules_lock(const char *directory, struct err *err)
{
	int fd;

	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return err_set_errno(err, "%s", directory);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		err_set_errno(err, "%s", directory);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

char *store_rules_read(const char *directory, struct err *err)
{
	char *path = xasprintf("%s/rules", directory);
	struct buf text = BUF_INIT(RULES_MAX);
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t got;

	(void)buf_append(&text, "", 0);
	if (!file && errno != ENOENT)
		goto fail;
	while (file && (got = fread(piece, 1, sizeof(piece), file)))
		if (buf_append(&text, piece, got) < 0) {
			errno = EFBIG;
			goto fail;
		}
	if (file && ferror(file))
		goto fail;
	if (file)
		fclose(file);
	free(path);
	return text.data;
fail:
	err_set_errno(err, "%s", path);
	if (file)
		fclose(file);
	buf_free(&text);
	free(path);
	return NULL;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t done = 0;

	for (; left && done >= 0; left -= (size_t)done) {
		done = write(fd, text, left);
		text += done > 0 ? done : 0;
		if (done < 0)
			return -1;
	}
	return fsync(fd);
}

int store_rules_write(const char *directory, const char *text, struct err *err)
{
	char *path = xasprintf("%s/rules", directory);
	char *fresh = xasprintf("%s/rules.new", directory);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int status = 0;

	if (fd < 0 || write_all(fd, text) < 0 || rename(fresh, path) < 0)
		status = err_set_errno(err, "%s", fresh);
	if (fd >= 0)
		close(fd);
	free(fresh);
	free(path);
	return status;
}
