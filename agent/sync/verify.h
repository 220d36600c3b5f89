/*
 * verify.h - is the store what the server has?
 *
 * Holds the folders, and every folder's messages and objects, against the
 * server's listing: UIDs and sizes, hrefs and etags; deep: every stored body
 * and object is fetched once more and compared by SHA-256. Changes nothing.
 * Blocks the calling thread.
 */
#ifndef SLUICE_VERIFY_H
#define SLUICE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "sync.h"

struct err;

struct verify_result {
	uint64_t folders, messages, objects; /* compared */
	uint64_t bodies;	 /* and objects, compared byte for byte */
	uint64_t missing;	 /* on the server, not in the store */
	uint64_t missing_bodies; /* the policy asks for them */
	uint64_t extra;		 /* in the store, not on the server */
	uint64_t different;	 /* other size, etag or content */
	uint64_t missized;	 /* not as long as announced: no difference */
};

/* One difference. */
struct verify_finding {
	const char *folder; /* path */
	int64_t folder_id;  /* 0: the folder is not in the store */
	uint32_t uid;	    /* 0: an object, or the folder itself */
	const char *href;
	const char *what; /* "missing", "extra", "size differs", ... */
	bool stale;	  /* the server has it, and not as it is stored */
};

/* EACH (may be NULL) hears of every difference. -1 only when the comparison
 * could not be made. */
int verify_run(const struct sync_setup *setup, bool deep,
	void (*each)(const struct verify_finding *finding, void *context),
	void *context, struct verify_result *result, struct err *err);

/* True when nothing was found. */
bool verify_equal(const struct verify_result *result);

#endif
