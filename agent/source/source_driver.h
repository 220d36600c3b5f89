/*
 * source_driver.h - what a protocol implements to be a source. Only the
 * sources themselves and source.c include this.
 *
 * A driver's own struct starts with `struct source`; the calls have the
 * promises of source.h.
 */
#ifndef SLUICE_SOURCE_DRIVER_H
#define SLUICE_SOURCE_DRIVER_H

#include "source.h"

struct source_driver {
	int (*list)(struct source *source,
		int (*each)(void *context, const struct collection *collection,
			struct err *err),
		void *context, struct err *err);
	int (*fetch)(struct source *source, const struct feed *feed,
		struct err *err);
	unsigned (*features)(const struct source *source);
	const char *(*server)(const struct source *source);
	uint64_t (*round_trips)(const struct source *source);
	void (*close)(struct source *source);
	struct source_line (*line)(const struct source *source); /* or NULL */
};

struct source {
	const struct source_driver *driver;
};

#endif
