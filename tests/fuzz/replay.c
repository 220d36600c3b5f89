/*
 * replay.c - runs a fuzzer over its stored inputs, for machines without a
 * fuzzing engine: every file of tests/fuzz/corpus/NAME/ as it is and in some
 * hundred broken forms, always the same ones, as TAP. With clang,
 * -fsanitize=fuzzer takes the place of this file.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BROKEN_FORMS 300
#define LARGEST	     65536 /* a larger input is broken in its beginning */

/* Xorshift: the same sequence on every machine. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* One small damage: a byte, a bit, a part cut out or said twice, an end. */
static size_t damage(uint8_t *data, size_t size, uint32_t *random)
{
	static const char special[] = "\"\\(){}<>\r\n:;=?-/& \t\0%@,'";
	size_t at = next_random(random) % size;
	size_t length = 1 + next_random(random) % 16;

	if (length > size - at)
		length = size - at;
	switch (next_random(random) % 6) {
	case 0:
		data[at] = (uint8_t)next_random(random);
		return size;
	case 1:
		data[at] ^= (uint8_t)(1u << next_random(random) % 8);
		return size;
	case 2:
		data[at] = (uint8_t)
			special[next_random(random) % (sizeof(special) - 1)];
		return size;
	case 3:
		memmove(data + at, data + at + length, size - at - length);
		return size - length;
	case 4:
		memmove(data + at + length, data + at, size - at);
		return size + length;
	default:
		return at;
	}
}

static void replay_broken(const uint8_t *data, size_t size)
{
	uint8_t *broken;
	uint32_t random = 2463534242u;

	if (!size)
		return;
	if (size > LARGEST)
		size = LARGEST;
	for (int i = 0; i < BROKEN_FORMS; i++) {
		size_t length = size;

		broken = malloc(size + 16 * 8);
		if (!broken)
			abort();
		memcpy(broken, data, size);
		for (int times = 1 + i % 8; times && length; times--)
			length = damage(broken, length, &random);
		LLVMFuzzerTestOneInput(broken, length);
		free(broken);
	}
}

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
	replay_broken(data, size);
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
