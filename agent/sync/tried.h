/*
 * tried.h - what is worth one try in a run: the headers of messages in
 * quarantine, reading a folder anew because of its sizes, a collection as a
 * whole, opening what was refused, and objects that are listed and not there.
 * Shared by the lanes; any thread.
 */
#ifndef SLUICE_TRIED_H
#define SLUICE_TRIED_H

#include <stdbool.h>
#include <stdint.h>

struct tried;

struct tried *tried_new(void);
void tried_free(struct tried *tried);

/* Instead of a UID: the folder, for its sizes, or (DAV) as a whole, or because
 * it could not be opened. */
#define TRIED_SIZES  0
#define TRIED_ENTIRE 0
#define TRIED_OPEN   UINT32_MAX

/* Notes the message; true when it was not noted before. */
bool tried_first(struct tried *tried, int64_t folder, uint32_t uid);
bool tried_noted(struct tried *tried, int64_t folder, uint32_t uid);

#endif
