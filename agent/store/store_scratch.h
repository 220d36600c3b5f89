/*
 * store_scratch.h - stores that keep no mail: for load tests.
 *
 * Folders, rows, counters and checksums are made as in any store, and what
 * is counted is verified against the server; header blocks and bodies are
 * dropped as they come, and rows keep no text. All lies in memory (tmpfs,
 * /dev/shm) and is gone with the process: nothing is resumed, nothing can be
 * shown or searched. What a killed process left is removed by the next
 * scratch_open() of any. Any thread.
 */
#ifndef SLUICE_STORE_SCRATCH_H
#define SLUICE_STORE_SCRATCH_H

#include <stdbool.h>

struct err;
struct scratch;

/* PARENT NULL: /dev/shm, or TMPDIR where that cannot be written. */
int scratch_open(struct scratch **scratch, const char *parent, struct err *err);

/* A directory for store_open(), for free(). */
char *scratch_store(struct scratch *scratch, const char *name, struct err *err);

const char *scratch_directory(const struct scratch *scratch);

/* Removes everything. NULL is fine. */
void scratch_close(struct scratch *scratch);

/* Whether the store in DIRECTORY drops what it gets. */
bool scratch_drops(const char *directory);

#endif
