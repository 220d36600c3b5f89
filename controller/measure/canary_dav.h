/*
 * canary_dav.h - one calendar day over CalDAV. Private to the canary.
 *
 * Finds the user's first calendar once (RFC 4791 6.2.1, RFC 5397) and then
 * asks for today with a calendar-query (RFC 4791 7.8). One thread.
 */
#ifndef SLUICE_CANARY_DAV_H
#define SLUICE_CANARY_DAV_H

#include <stdint.h>

struct canary_dav;
struct err;
struct wire;

/* Strings are copied. WIRE as in http.h. */
struct canary_dav *canary_dav_new(const char *url, const char *user,
	const char *password, const char *ca_file, struct wire *wire);
void canary_dav_free(struct canary_dav *dav);

/* The day that holds NOW_WALL_US, in UTC. Looks for the calendar first when
 * none is known. */
int canary_dav_day(struct canary_dav *dav, int64_t now_wall_us,
	int64_t timeout_us, struct err *err);

/* The calendar that was found, NULL: none was; and take it without a search. */
const char *canary_dav_calendar(const struct canary_dav *dav);
void canary_dav_use(struct canary_dav *dav, const char *calendar);

#endif
