/*
 * quirks.h - in what IMAP servers differ from the book, in one table.
 *
 * Chosen once per session by what the server says of itself in greeting, ID
 * and capabilities. Code asks for a quirk's field, never for a server's name. Pure.
 */
#ifndef SLUICE_QUIRKS_H
#define SLUICE_QUIRKS_H

#include <stdbool.h>
#include <stddef.h>

struct quirks {
	const char *match;	/* in ID name or greeting, any case */
	const char *capability; /* or it offers this; may be NULL */
	unsigned commands_max;	/* in flight at once */
	size_t line_max;	/* bytes of a command line */
	bool no_qresync;	/* offers it, and gets it wrong */
	bool no_compress;	/* the same */
	bool all_folder_hidden; /* \All shows every message again */
	const char *why;	/* for the reader of this table */
};

/* TEXT is greeting, ID name and version; never NULL. OFFERED (NULL: never)
 * says whether the server has a capability. The first row that fits. */
const struct quirks *quirks_find(const char *text,
	bool (*offered)(const char *capability, const void *context),
	const void *context);

#endif
