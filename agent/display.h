/*
 * display.h - what a person or a log sees of a running synchronisation.
 *
 * On a terminal one line that is drawn over and over, in a pipe one line
 * every ten seconds. Owned by the thread that calls it.
 */
#ifndef SLUICE_DISPLAY_H
#define SLUICE_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "meter.h"

struct buf;
struct err;
struct latency;
struct sync_progress;

struct display {
	FILE *out;
	bool terminal;
	int64_t last_us; /* when something was printed last; 0: never */
	struct meter meter;
};

void display_init(struct display *display, FILE *out);

/* Called a few times a second; prints when it is time to. */
void display_update(struct display *display,
	const struct sync_progress *progress, int64_t now_us);

/* Clears the line on a terminal. */
void display_end(struct display *display);

/* The result as one JSON object, for free(). LATENCY and ERR may be NULL. */
char *result_json(const struct sync_progress *progress, struct latency *latency,
	const struct err *err);

/* The result in a sentence or two. */
void result_text(struct buf *text, const struct sync_progress *progress);

#endif
