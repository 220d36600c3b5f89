/*
 * pim.h - the columns of a contact, event, task or note.
 *
 * An item is kept as the text the server sent; these columns are what a
 * listing, a search or an appointment view needs of it. The reader does not
 * validate: an item without a title or with a broken date still has columns,
 * only fewer. It is refused only when nothing tells which kind it is.
 * RFC 5545 (iCalendar), RFC 6350 (vCard 4), 2426 (vCard 3), vCard 2.1. Pure;
 * any thread.
 */
#ifndef SLUICE_PIM_H
#define SLUICE_PIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum pim_kind {
	PIM_CONTACT, /* VCARD */
	PIM_EVENT,   /* VEVENT */
	PIM_TASK,    /* VTODO */
	PIM_NOTE,    /* VJOURNAL */
	PIM_KIND_COUNT
};

/* A point in time that the item does not name. */
#define PIM_NO_TIME INT64_MIN

/* Strings are valid UTF-8, unescaped, at most PIM_TEXT_BYTES, without control
 * characters; NULL when absent. Times are wall microseconds UTC; a floating
 * time, which has no zone, is taken as UTC. */
#define PIM_TEXT_BYTES 1024
struct pim_columns {
	enum pim_kind kind;
	char *uid;
	char *title;  /* SUMMARY, FN; N or ORG when there is no FN */
	char *status; /* as written: CONFIRMED, COMPLETED, ... */
	char *email;  /* the first of a contact */
	char *phone;  /* the first of a contact */
	int64_t start_us;
	int64_t end_us; /* DTEND, or start + DURATION */
	int64_t due_us;
	bool all_day;	/* start is a date */
	bool recurring; /* has RRULE or RDATE */
};

/* Reads TEXT of LENGTH bytes. ERR_PROTOCOL when it is no vCard and no
 * calendar object with an event, task or note. */
int pim_parse(struct pim_columns *columns, const char *text, size_t length,
	struct err *err);
void pim_columns_free(struct pim_columns *columns);

/* "contact", "event", "task", "note". */
const char *pim_kind_name(enum pim_kind kind);

#endif
