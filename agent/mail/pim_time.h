/*
 * pim_time.h - times of calendar objects as wall microseconds.
 *
 * Values are RFC 5545 DATE, DATE-TIME (sections 3.3.4, 3.3.5) and DURATION.
 * A zone is looked up by its name in the system's list first and else in the
 * object's own VTIMEZONE, whose rules are only trusted when they are yearly
 * and few: a hostile rule would make the library count seconds for ever.
 * Pure but for the zone list that libical loads once; any thread.
 */
#ifndef SLUICE_PIM_TIME_H
#define SLUICE_PIM_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct contentline;

/* One time property as written. */
struct pim_time {
	char value[32];
	char tzid[128];
};

void pim_time_keep(struct pim_time *time, const struct contentline *line);

/* PIM_NO_TIME when TIME is empty or no time. ZONES is the text of the
 * object's VTIMEZONE components, "" for none. IS_DATE may be NULL. */
int64_t pim_time_us(
	const struct pim_time *time, const char *zones, bool *is_date);

/* "P1DT2H"; 0 for what is no duration or a negative one. */
int64_t pim_duration_us(const char *text);

#endif
