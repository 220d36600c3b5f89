/*
 * machine.h - what the kernel says about this machine, its control group and
 * this process.
 *
 * Paths are read below ROOT, "" for the machine itself, so that a test can
 * bring its own. A file that is not there or says "max" is no limit. Control
 * groups of both versions are looked for; of a group and those above it the
 * smallest limit holds. Any thread.
 */
#ifndef SLUICE_MACHINE_H
#define SLUICE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_NO_LIMIT UINT64_MAX

/* A file of a group by its names in both versions. */
struct machine_file {
	const char *controller; /* of version 1: "memory" */
	const char *v1, *v2;
};

/* The text of a file for free(), at most 256 KiB of it; NULL: none. */
char *machine_text(const char *root, const char *path);

/* The number in a file; OTHERWISE when there is none. */
uint64_t machine_number(const char *root, const char *path, uint64_t otherwise);

/* The number after KEY at the start of a line of TEXT. */
bool machine_field(const char *text, const char *key, uint64_t *value);

/* Text of FILE of our own group for free(); NULL: none. */
char *machine_group_text(const char *root, const struct machine_file *file);

/* Calls EACH with the text of FILE of our group and of each one above. */
void machine_groups(const char *root, const struct machine_file *file,
	void (*each)(const char *text, void *context), void *context);

/* The smallest number in LIMIT of our group and those above; with USED not
 * NULL, what is left of it: limit minus used, 0 at least. */
uint64_t machine_group_left(const char *root, const struct machine_file *limit,
	const struct machine_file *used);

#endif
