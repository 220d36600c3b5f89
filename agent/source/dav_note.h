/*
 * dav_note.h - what a sink is to be told, written down for later.
 *
 * A queue of notes between one thread that writes them (through a sink that
 * looks like any other) and one that tells them to the real sink. Bounded by
 * bytes: the writer waits for the teller.
 */
#ifndef SLUICE_DAV_NOTE_H
#define SLUICE_DAV_NOTE_H

#include "window.h"

struct dav_notes;

struct dav_notes *dav_notes_new(void);
void dav_notes_free(struct dav_notes *notes);

/* For the writer: its context is the notes. Fails with ERR_CANCELLED after
 * dav_notes_stop(). */
extern const struct sink dav_notes_sink;

/* Nobody listens any more: the writer may as well not begin. */
bool dav_notes_stopped(struct dav_notes *notes);

/* No more notes come. The writer's last call. */
void dav_notes_end(struct dav_notes *notes);

/* Nobody will tell them any more. The teller's call. */
void dav_notes_stop(struct dav_notes *notes);

/* Tell all notes of WINDOW to FEED's sink as they come, until the writer
 * ends. -1 when the sink fails. */
int dav_notes_tell(struct dav_notes *notes, const struct feed *feed,
	const struct window *window, struct err *err);

#endif
