/*
 * Turns the dates of calendar objects into wall microseconds. Called by the
 * column reader (pim.c) once per object, on the thread that stores items.
 * The only place that lets libical work on a zone a server sent; see the
 * limits in zone_is_tame().
 */
#include "pim_time.h"

#include <stdio.h>
#include <string.h>

#include <libical/ical.h>

#include "clock.h"
#include "contentline.h"
#include "pim.h"

#define ZONE_RULES_MAX	    24
#define ZONE_RULE_BYTES_MAX 96
/* A century: keeps sums of times far from the end of their type. */
#define DURATION_S_MAX (INT64_C(36525) * 86400)

void pim_time_keep(struct pim_time *time, const struct contentline *line)
{
	snprintf(time->value, sizeof(time->value), "%s", line->value);
	if (!contentline_param(line, "TZID", time->tzid, sizeof(time->tzid)))
		time->tzid[0] = '\0';
}

static bool number(const char **text, size_t digits, int *value)
{
	*value = 0;
	for (; digits; digits--, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		*value = *value * 10 + (**text - '0');
	}
	return true;
}

/* "20260301" or "20260301T120000" or "20260301T120000Z" */
static bool read_time(const char *text, struct icaltimetype *t, bool *utc)
{
	*utc = false;
	if (!number(&text, 4, &t->year) || !number(&text, 2, &t->month) ||
		!number(&text, 2, &t->day))
		return false;
	t->is_date = *text != 'T';
	if (!t->is_date) {
		text++;
		if (!number(&text, 2, &t->hour) ||
			!number(&text, 2, &t->minute) ||
			!number(&text, 2, &t->second))
			return false;
		*utc = *text == 'Z';
	}
	return t->year >= 1 && t->month >= 1 && t->month <= 12 && t->day >= 1 &&
		t->day <= 31 && t->hour <= 23 && t->minute <= 59 &&
		t->second <= 60;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 +
		day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
		year_of_era / 100 + day_of_year - 719468;
}

/* Every END has its BEGIN: the library complains on stderr otherwise. */
static bool is_balanced(const char *zones)
{
	const char *line = zones;
	int depth = 0;

	while (*line) {
		size_t length = strcspn(line, "\r\n");

		if (strncasecmp(line, "BEGIN:", 6) == 0)
			depth++;
		else if (strncasecmp(line, "END:", 4) == 0 && --depth < 0)
			return false;
		line += length;
		line += strspn(line, "\r\n");
		if (depth == 0 && *line)
			return false;
	}
	return depth == 0;
}

/* A rule names its days of the year and nothing finer, and rules are few. */
static bool zone_is_tame(const char *zones)
{
	const char *rule = zones;
	int rules = 0;

	while ((rule = strcasestr(rule, "\nRRULE"))) {
		char text[ZONE_RULE_BYTES_MAX + 1];
		size_t length = strcspn(++rule, "\r\n");

		if (length > ZONE_RULE_BYTES_MAX || ++rules > ZONE_RULES_MAX)
			return false;
		snprintf(text, sizeof(text), "%.*s", (int)length, rule);
		if (!strcasestr(text, "FREQ=YEARLY") ||
			strcasestr(text, "BYHOUR") ||
			strcasestr(text, "BYMINUTE") ||
			strcasestr(text, "BYSECOND"))
			return false;
	}
	return true;
}

/* The offset that the object's own definition of TZID gives. */
static int own_zone_offset_s(
	const char *zones, const char *tzid, struct icaltimetype *t)
{
	icalcomponent *all;
	icalcomponent *found;
	icaltimezone *zone;
	int offset_s = 0;
	int is_daylight;

	if (!*zones || !is_balanced(zones) || !zone_is_tame(zones))
		return 0;
	all = icalparser_parse_string(zones);
	if (!all)
		return 0;
	for (found = icalcomponent_get_first_component(
		     all, ICAL_VTIMEZONE_COMPONENT);
		found; found = icalcomponent_get_next_component(
			       all, ICAL_VTIMEZONE_COMPONENT)) {
		icalproperty *id = icalcomponent_get_first_property(
			found, ICAL_TZID_PROPERTY);
		const char *text = id ? icalproperty_get_tzid(id) : NULL;

		if (text && strcmp(text, tzid) == 0)
			break;
	}
	zone = found ? icaltimezone_new() : NULL;
	if (zone) {
		icalcomponent_remove_component(all, found);
		if (icaltimezone_set_component(zone, found))
			offset_s = icaltimezone_get_utc_offset(
				zone, t, &is_daylight);
		else
			icalcomponent_free(found);
		icaltimezone_free(zone, 1);
	}
	icalcomponent_free(all);
	return offset_s;
}

static int zone_offset_s(
	const char *tzid, const char *zones, struct icaltimetype *t)
{
	icaltimezone *known;
	int is_daylight;

	if (!*tzid)
		return 0;
	known = icaltimezone_get_builtin_timezone(tzid);
	if (known)
		return icaltimezone_get_utc_offset(known, t, &is_daylight);
	return own_zone_offset_s(zones, tzid, t);
}

int64_t pim_time_us(
	const struct pim_time *time, const char *zones, bool *is_date)
{
	struct icaltimetype t = icaltime_null_time();
	int64_t s;
	bool utc;

	if (!read_time(time->value, &t, &utc))
		return PIM_NO_TIME;
	if (is_date)
		*is_date = t.is_date;
	s = days_of(t.year, t.month, t.day) * 86400 + (int64_t)t.hour * 3600 +
		(int64_t)t.minute * 60 + t.second;
	if (!utc && !t.is_date)
		s -= zone_offset_s(time->tzid, zones, &t);
	return s * US_PER_S;
}

int64_t pim_duration_us(const char *text)
{
	struct icaldurationtype d = icaldurationtype_from_string(text);
	int64_t s = (int64_t)d.weeks * 604800 + (int64_t)d.days * 86400 +
		(int64_t)d.hours * 3600 + (int64_t)d.minutes * 60 +
		(int64_t)d.seconds;

	if (icaldurationtype_is_bad_duration(d) || d.is_neg || s < 0)
		return 0;
	return (s < DURATION_S_MAX ? s : DURATION_S_MAX) * US_PER_S;
}
