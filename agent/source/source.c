/*
 * source.c - passes the calls of source.h on to the protocol's driver, and
 * what both drivers share. Runs on the thread that owns the source.
 */
#include "source_driver.h"

int source_list(struct source *source,
	int (*each)(void *context, const struct collection *collection,
		struct err *err),
	void *context, struct err *err)
{
	return source->driver->list(source, each, context, err);
}

int source_fetch(
	struct source *source, const struct feed *feed, struct err *err)
{
	return source->driver->fetch(source, feed, err);
}

unsigned source_features(const struct source *source)
{
	return source->driver->features(source);
}

struct source_line source_line(const struct source *source)
{
	return source->driver->line ? source->driver->line(source)
				    : (struct source_line){.commands_max = 0};
}

const char *source_server(const struct source *source)
{
	return source->driver->server(source);
}

uint64_t source_round_trips(const struct source *source)
{
	return source->driver->round_trips(source);
}

void source_close(struct source *source)
{
	if (source)
		source->driver->close(source);
}
