/*
 * tried.h - the messages in quarantine whose headers were asked for in this
 * run; once is enough. Shared by the lanes; any thread.
 */
#ifndef SLUICE_TRIED_H
#define SLUICE_TRIED_H

#include <stdbool.h>
#include <stdint.h>

struct tried;

struct tried *tried_new(void);
void tried_free(struct tried *tried);

/* Notes the message; true when it was not noted before. */
bool tried_first(struct tried *tried, int64_t folder, uint32_t uid);

#endif
