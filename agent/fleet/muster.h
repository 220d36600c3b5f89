/*
 * muster.h - who is in a fleet: a template and names become clients.
 *
 * The template is a profile in which %u stands for the client's name; the
 * names come from a range or an inventory, whose columns `link`, `store`,
 * `password_file` and `start` override the template. Main thread.
 */
#ifndef SLUICE_MUSTER_H
#define SLUICE_MUSTER_H

#include <stddef.h>
#include <stdint.h>

#include "profile.h"

struct err;
struct scratch;

#define MUSTER_MAX 2000

struct muster_request {
	const char *template;  /* path of the profile */
	const char *range;     /* "u001..u500", or */
	const char *inventory; /* path of the CSV file */
};

struct member {
	struct profile profile; /* its store is a directory, always */
	const char *name;	/* in the scenario; the profile's */
	int64_t start_us;	/* when it comes to life, after the fleet */
};

struct muster {
	struct member *members;
	size_t count;
	struct scratch *scratch; /* of those without a store; NULL: none */
};

/* Makes no store but the scratch ones. On failure nothing is left. */
int muster_make(struct muster *muster, const struct muster_request *request,
	struct err *err);
void muster_free(struct muster *muster);

#endif
