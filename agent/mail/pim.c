/*
 * Columns of PIM items: reads the few lines that a listing needs with the
 * non-validating line reader, so that a photo of megabytes or a broken
 * attendee line costs nothing. Dates go to pim_time.c. Called for every item
 * between the wire and the store. Pure; the caller's thread.
 */
#include "pim.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "buf.h"
#include "contentline.h"
#include "err.h"
#include "pim_time.h"

#define ZONES_BYTES_MAX 65536

static const struct {
	const char *name;
	const char *component;
} kinds[PIM_KIND_COUNT] = {
	[PIM_CONTACT] = {"contact", "VCARD"},
	[PIM_EVENT] = {"event", "VEVENT"},
	[PIM_TASK] = {"task", "VTODO"},
	[PIM_NOTE] = {"note", "VJOURNAL"},
};

/* What one pass over the lines collects. */
struct reading {
	struct pim_columns columns;
	int depth;	  /* of BEGIN */
	int item_depth;	  /* of the item's own lines; 0: not inside one */
	bool found;	  /* the kind is known */
	bool is_override; /* this component changes one recurrence */
	bool done;	  /* the master component is complete */
	bool in_zone;	  /* inside a VTIMEZONE */
	struct buf zones;
	char *uid, *title, *second_title, *third_title, *status;
	char *email, *phone;
	bool recurring;
	struct pim_time start, end, due;
	char duration[64];
};

const char *pim_kind_name(enum pim_kind kind)
{
	return kinds[kind].name;
}

static int kind_of_component(const char *name)
{
	int kind;

	for (kind = 0; kind < PIM_KIND_COUNT; kind++)
		if (strcasecmp(name, kinds[kind].component) == 0)
			return kind;
	return -1;
}

/* Quoted-printable of vCard 2.1, decoded in place. */
static void decode_quoted_printable(char *text)
{
	char *to = text;

	for (; *text; text++) {
		char hex[3] = "";

		if (*text == '=' && text[1] && text[2]) {
			char *end;
			long c;

			memcpy(hex, text + 1, 2);
			c = strtol(hex, &end, 16);
			if (*end == '\0' && c > 0) {
				*to++ = (char)c;
				text += 2;
				continue;
			}
		}
		*to++ = *text;
	}
	*to = '\0';
}

static void keep_text(char **column, const struct contentline *line)
{
	char encoding[32];
	char *value;

	if (*column || !*line->value)
		return;
	value = xstrdup(line->value);
	if (contentline_param(line, "ENCODING", encoding, sizeof(encoding)) &&
		strcasecmp(encoding, "QUOTED-PRINTABLE") == 0)
		decode_quoted_printable(value);
	*column = contentline_text(value, PIM_TEXT_BYTES);
	free(value);
}

/* "Family;Given;..." as "Given Family". */
static void keep_name(char **column, const struct contentline *line)
{
	char *family = NULL;
	char *given;
	char *end;

	keep_text(&family, line);
	if (!family || *column) {
		free(family);
		return;
	}
	given = strchr(family, ';');
	if (given) {
		*given++ = '\0';
		end = strchr(given, ';');
		if (end)
			*end = '\0';
	}
	if (given && *given && *family)
		*column = xasprintf("%s %s", given, family);
	else if ((given && *given) || *family)
		*column = xstrdup(*family ? family : given);
	free(family);
}

static void read_contact_line(
	struct reading *reading, const struct contentline *line)
{
	if (contentline_is(line, "UID"))
		keep_text(&reading->uid, line);
	else if (contentline_is(line, "FN"))
		keep_text(&reading->title, line);
	else if (contentline_is(line, "N"))
		keep_name(&reading->second_title, line);
	else if (contentline_is(line, "ORG"))
		keep_text(&reading->third_title, line);
	else if (contentline_is(line, "EMAIL"))
		keep_text(&reading->email, line);
	else if (contentline_is(line, "TEL"))
		keep_text(&reading->phone, line);
}

static void read_calendar_line(
	struct reading *reading, const struct contentline *line)
{
	if (contentline_is(line, "UID"))
		keep_text(&reading->uid, line);
	else if (contentline_is(line, "SUMMARY"))
		keep_text(&reading->title, line);
	else if (contentline_is(line, "STATUS"))
		keep_text(&reading->status, line);
	else if (contentline_is(line, "DTSTART"))
		pim_time_keep(&reading->start, line);
	else if (contentline_is(line, "DTEND"))
		pim_time_keep(&reading->end, line);
	else if (contentline_is(line, "DUE"))
		pim_time_keep(&reading->due, line);
	else if (contentline_is(line, "RRULE") || contentline_is(line, "RDATE"))
		reading->recurring = true;
	else if (contentline_is(line, "RECURRENCE-ID"))
		reading->is_override = true;
	else if (contentline_is(line, "DURATION") &&
		strlen(line->value) < sizeof(reading->duration))
		memcpy(reading->duration, line->value, strlen(line->value) + 1);
}

/* What an override said does not describe the series. */
static void forget_lines(struct reading *reading)
{
	char **texts[] = {&reading->uid, &reading->title,
		&reading->second_title, &reading->third_title, &reading->status,
		&reading->email, &reading->phone};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		free(*texts[i]);
		*texts[i] = NULL;
	}
	memset(&reading->start, 0, sizeof(reading->start));
	memset(&reading->end, 0, sizeof(reading->end));
	memset(&reading->due, 0, sizeof(reading->due));
	reading->duration[0] = '\0';
	reading->recurring = false;
	reading->is_override = false;
}

static void enter(struct reading *reading, const char *component)
{
	int kind = kind_of_component(component);

	reading->depth++;
	if (strcasecmp(component, "VTIMEZONE") == 0)
		reading->in_zone = true;
	if (kind < 0 || reading->item_depth || reading->done)
		return;
	if (reading->found && (enum pim_kind)kind != reading->columns.kind)
		return;
	if (reading->found)
		forget_lines(reading);
	reading->found = true;
	reading->columns.kind = (enum pim_kind)kind;
	reading->item_depth = reading->depth;
}

static void leave(struct reading *reading, const char *component)
{
	if (strcasecmp(component, "VTIMEZONE") == 0)
		reading->in_zone = false;
	if (reading->item_depth && reading->depth == reading->item_depth) {
		reading->item_depth = 0;
		reading->done = !reading->is_override;
	}
	if (reading->depth > 0)
		reading->depth--;
}

static void keep_zone_line(
	struct reading *reading, const struct contentline *line)
{
	if (line->cut)
		return;
	if (*line->params)
		buf_printf(&reading->zones, "%s;%s:%s\r\n", line->name,
			line->params, line->value);
	else
		buf_printf(
			&reading->zones, "%s:%s\r\n", line->name, line->value);
}

static void read_line(struct reading *reading, const struct contentline *line)
{
	bool was_in_zone = reading->in_zone;

	if (contentline_is(line, "BEGIN"))
		enter(reading, line->value);
	else if (contentline_is(line, "END"))
		leave(reading, line->value);
	else if (reading->item_depth && reading->depth == reading->item_depth) {
		if (reading->columns.kind == PIM_CONTACT)
			read_contact_line(reading, line);
		else
			read_calendar_line(reading, line);
	}
	if (was_in_zone || reading->in_zone)
		keep_zone_line(reading, line);
}

static char *take(char **text)
{
	char *taken = *text;

	*text = NULL;
	return taken;
}

static void finish(struct reading *reading)
{
	struct pim_columns *c = &reading->columns;
	const char *zones;

	buf_append_text(&reading->zones, "END:VCALENDAR\r\n");
	zones = buf_text(&reading->zones);
	c->uid = take(&reading->uid);
	c->title = take(reading->title		? &reading->title
			: reading->second_title ? &reading->second_title
						: &reading->third_title);
	c->status = take(&reading->status);
	c->email = take(&reading->email);
	c->phone = take(&reading->phone);
	c->recurring = reading->recurring;
	c->start_us = pim_time_us(&reading->start, zones, &c->all_day);
	c->end_us = pim_time_us(&reading->end, zones, NULL);
	c->due_us = pim_time_us(&reading->due, zones, NULL);
	if (c->end_us == PIM_NO_TIME && c->start_us != PIM_NO_TIME &&
		reading->duration[0])
		c->end_us = c->start_us + pim_duration_us(reading->duration);
}

int pim_parse(struct pim_columns *columns, const char *text, size_t length,
	struct err *err)
{
	struct reading reading = {.zones = BUF_INIT(ZONES_BYTES_MAX)};
	struct contentline_reader reader;
	struct contentline line;
	int result = 0;

	buf_append_text(&reading.zones, "BEGIN:VCALENDAR\r\n");
	contentline_open(&reader, text, length);
	while (contentline_next(&reader, &line))
		read_line(&reading, &line);
	contentline_close(&reader);
	if (reading.found) {
		finish(&reading);
		*columns = reading.columns;
	} else {
		result = err_set(err, ERR_PROTOCOL,
			"neither a vCard nor a calendar object with an event, "
			"task or note");
	}
	forget_lines(&reading);
	buf_free(&reading.zones);
	return result;
}

void pim_columns_free(struct pim_columns *columns)
{
	free(columns->uid);
	free(columns->title);
	free(columns->status);
	free(columns->email);
	free(columns->phone);
	memset(columns, 0, sizeof(*columns));
}
