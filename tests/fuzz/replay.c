/*
 * replay.c - runs a fuzzer over its stored inputs, for machines without a
 * fuzzing engine: every file of tests/fuzz/corpus/NAME/ once, as TAP. With
 * clang, -fsanitize=fuzzer takes the place of this file.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0;
	size_t got;

	if (!file)
		return -1;
	do {
		data = realloc(data, size + 65536);
		if (!data)
			abort();
		got = fread(data + size, 1, 65536, file);
		size += got;
	} while (got > 0);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	char folder[512];
	char path[1024];
	const char *name = strrchr(argv[0], '/');
	const struct dirent *entry;
	unsigned count = 0;
	DIR *dir;

	(void)argc;
	name = name ? name + 1 : argv[0];
	snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%.*s",
		(int)(strlen(name) - strlen("_fuzz")), name);
	dir = opendir(folder);
	if (!dir) {
		printf("Bail out! no corpus in %s\n", folder);
		return 1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		count++;
		printf("%sok %u - %s\n", replay_file(path) ? "not " : "", count,
			entry->d_name);
		fflush(stdout);
	}
	closedir(dir);
	printf("1..%u\n", count);
	return count ? 0 : 1;
}
