/*
 * temp_dir.h - a folder for one test, the private files in it, and its end.
 */
#ifndef SLUICE_TEMP_DIR_H
#define SLUICE_TEMP_DIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_DIR_SIZE 64

static inline void temp_dir_make(char directory[static TEMP_DIR_SIZE])
{
	snprintf(directory, TEMP_DIR_SIZE, "/tmp/sluice_test.XXXXXX");
	assert_non_null(mkdtemp(directory));
}

static inline int temp_dir_forget_one(const char *path,
	const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

/* With all that is in it. */
static inline void temp_dir_remove(const char *directory)
{
	assert_int_equal(
		nftw(directory, temp_dir_forget_one, 8, FTW_DEPTH | FTW_PHYS),
		0);
}

/* A file that nobody else may read; its path, for free(). */
static inline char *temp_dir_put(
	const char *directory, const char *name, const char *text)
{
	size_t size = strlen(directory) + strlen(name) + 2;
	char *path = malloc(size);
	int file;

	assert_non_null(path);
	snprintf(path, size, "%s/%s", directory, name);
	file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	close(file);
	return path;
}

#endif
