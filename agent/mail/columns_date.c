/*
 * columns_date.c - the Date field, as it is written in the wild: RFC 5322
 * 3.3 and 4.3, without a day name, with names of zones, with two-digit
 * years, with comments, in asctime()'s order. Pure; the machine's time zone
 * plays no part.
 */
#include "columns.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define TOKEN_BYTES 16
#define TOKENS	    12

/* Words of letters, digits, colons and signs; comments are left out. */
static size_t split(
	const char *text, size_t length, char tokens[TOKENS][TOKEN_BYTES])
{
	size_t count = 0;
	size_t used = 0;
	unsigned comment = 0;

	for (size_t i = 0; i < length && count < TOKENS; i++) {
		unsigned char c = (unsigned char)text[i];

		comment += c == '(';
		if (comment) {
			comment -= c == ')';
			c = ' ';
		}
		if (isalnum(c) || c == ':' || c == '+' || (c == '-' && !used)) {
			if (used + 1 < TOKEN_BYTES)
				tokens[count][used++] = (char)c;
		} else if (used) {
			tokens[count++][used] = '\0';
			used = 0;
		}
	}
	if (used && count < TOKENS)
		tokens[count++][used] = '\0';
	return count;
}

/* A number of 1 to MOST digits and nothing else, or -1. */
static int digits(const char *token, size_t most)
{
	int value = 0;
	size_t i = 0;

	for (; i < most && isdigit((unsigned char)token[i]); i++)
		value = value * 10 + (token[i] - '0');
	return i && !token[i] ? value : -1;
}

static int month_of(const char *token)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	if (strlen(token) < 3)
		return -1;
	for (int i = 0; i < 12; i++) {
		if (strncasecmp(token, names + i * 3, 3) == 0)
			return i + 1;
	}
	return -1;
}

/* Seconds of the day, or -1. */
static int time_of(const char *token)
{
	int part[3] = {0, 0, 0};
	int at = 0;
	int places = 0;

	for (; *token; token++) {
		if (*token == ':') {
			if (!places || ++at > 2)
				return -1;
			places = 0;
		} else if (isdigit((unsigned char)*token) && ++places <= 2) {
			part[at] = part[at] * 10 + (*token - '0');
		} else {
			return -1;
		}
	}
	if (!at || part[0] > 23 || part[1] > 59 || part[2] > 60)
		return -1;
	return part[0] * 3600 + part[1] * 60 + part[2];
}

/* Seconds east of Greenwich; what is unknown counts as UTC (RFC 5322 4.3). */
static int zone_of(const char *token)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},
		{"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}, {"CET", 1},
		{"CEST", 2}, {"MET", 1}, {"MEST", 2}, {"BST", 1}, {"JST", 9}};
	int number;

	if (*token == '+' || *token == '-') {
		number = digits(token + 1, 4);
		if (number < 0 || number / 100 > 14 || number % 100 > 59)
			return 0;
		number = number / 100 * 3600 + number % 100 * 60;
		return *token == '-' ? -number : number;
	}
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (strcasecmp(token, zones[i].name) == 0)
			return zones[i].hours * 3600;
	}
	return 0;
}

static int year_of(const char *token)
{
	int year = digits(token, 4);

	if (year < 0)
		return -1;
	if (year < 50)
		return 2000 + year;
	return year < 1000 ? 1900 + year : year;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = y / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day -
		1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
		of_year - 719468;
}

int64_t columns_date(const char *text, size_t length)
{
	char tokens[TOKENS][TOKEN_BYTES] = {{0}};
	size_t count = split(text, length < 256 ? length : 256, tokens);
	int day = -1, month = -1, year = -1, seconds = 0, zone = 0;

	for (size_t i = 0; i < count; i++) {
		const char *token = tokens[i];

		if (strchr(token, ':') && time_of(token) >= 0)
			seconds = time_of(token);
		else if (month < 0 && month_of(token) > 0)
			month = month_of(token);
		else if (day < 0 && digits(token, 2) > 0)
			day = digits(token, 2);
		else if (year < 0 && day > 0 && year_of(token) >= 0)
			year = year_of(token);
		else if (month > 0)
			zone = zone_of(token) ? zone_of(token) : zone;
	}
	if (day < 1 || day > 31 || month < 0 || year < 1900)
		return COLUMNS_NO_DATE;
	return days_of(year, month, day) * 86400 + seconds - zone;
}
