/*
 * store_quarantine.h - what the server sent and we could not take.
 *
 * A quarantined object is kept with its reason and the raw bytes as far as
 * there were any, and tried again by the next run. Same thread and error
 * rules as store.h.
 */
#ifndef SLUICE_STORE_QUARANTINE_H
#define SLUICE_STORE_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct store;

/* More raw bytes than this are cut; the reason then says so. */
#define STORE_QUARANTINE_BYTES (256 * 1024)

struct store_quarantine {
	int64_t folder;
	uint32_t uid;	  /* 0: an item, named by href */
	const char *href; /* NULL: a message */
	const char *reason;
	unsigned tries;	 /* kept by the store: runs that failed at it */
	int64_t at_us;	 /* wall clock; kept by the store */
	bool skip;	 /* added since the last retry; kept by the store */
	const void *raw; /* or NULL */
	size_t raw_length;
};

int store_quarantine_add(struct store *store,
	const struct store_quarantine *object, struct err *err);

/* It came through after all, or is gone. Unknown is not an error. HREF NULL
 * for a message. */
int store_quarantine_remove(struct store *store, int64_t folder, uint32_t uid,
	const char *href, struct err *err);

/* FOLDER 0: all of them. Pointers live until EACH returns; non-zero stops
 * and is returned. */
int store_quarantine_each(struct store *store, int64_t folder,
	int (*each)(const struct store_quarantine *object, void *arg),
	void *arg, struct err *err);

/* Allow another try of everything: the missing set counts it again while
 * entries and tries stay. */
int store_quarantine_retry(struct store *store, struct err *err);

#endif
