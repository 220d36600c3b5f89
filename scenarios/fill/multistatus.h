/*
 * multistatus.h - the few facts a filler reads from a 207 answer (RFC 4918
 * section 13): what each resource is, and where the homes are.
 *
 * Pure. The text is the peer's and capped by who received it.
 */
#ifndef SLUICE_MULTISTATUS_H
#define SLUICE_MULTISTATUS_H

#include <stdbool.h>
#include <stddef.h>

struct err;

struct multistatus_entry {
	char *href;
	bool calendar, addressbook; /* its resource type */
	bool limited;		    /* names its components; then only these: */
	bool events;
};

struct multistatus {
	struct multistatus_entry *entry;
	size_t count;
	/* Of whatever entry had them; NULL when none had. */
	char *principal, *calendar_home, *addressbook_home;
};

/* Fill RESULT from scratch; nothing to free on failure. */
int multistatus_parse(const char *text, size_t length,
	struct multistatus *result, struct err *err);
void multistatus_free(struct multistatus *result);

#endif
