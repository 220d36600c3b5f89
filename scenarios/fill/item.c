/*
 * item.c - generated vCards and iCalendar objects.
 *
 * Pure. Any thread. Times are in UTC or whole days, so that no time zone
 * has to be described; recurrences cover what calendars commonly hold.
 */
#include "item.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "dice.h"
#include "mailbox.h"
#include "prose.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Apart from the numbers of mail folders, which also seed dice. */
#define DICE_KIND  0x10000u
#define LINE_BYTES 75

static const struct {
	const char *name;
	const char *content_type;
	const char *extension;
} kinds[ITEM_KIND_COUNT] = {
	[ITEM_CONTACT] = {"contact", "text/vcard; charset=utf-8", "vcf"},
	[ITEM_EVENT] = {"event", "text/calendar; charset=utf-8", "ics"},
	[ITEM_TASK] = {"task", "text/calendar; charset=utf-8", "ics"},
	[ITEM_NOTE] = {"note", "text/calendar; charset=utf-8", "ics"},
};

const char *item_kind_name(enum item_kind kind)
{
	return kinds[kind].name;
}

const char *item_content_type(enum item_kind kind)
{
	return kinds[kind].content_type;
}

unsigned item_count(const struct mailbox *mailbox, enum item_kind kind)
{
	switch (kind) {
	case ITEM_CONTACT:
		return mailbox->contacts;
	case ITEM_EVENT:
		return mailbox->events;
	case ITEM_TASK:
		return mailbox->tasks;
	case ITEM_NOTE:
		return mailbox->notes;
	case ITEM_KIND_COUNT:
		break;
	}
	return 0;
}

/* One content line, folded between characters (RFC 5545 section 3.1). */
static void line(struct buf *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void line(struct buf *out, const char *fmt, ...)
{
	char text[2048];
	size_t length, at = 0, room = LINE_BYTES;
	va_list args;
	int written;

	va_start(args, fmt);
	written = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	length = written < 0 ? 0 : (size_t)written;
	if (length >= sizeof(text))
		length = sizeof(text) - 1;
	while (length - at > room) {
		size_t cut = room;

		while (((unsigned char)text[at + cut] & 0xc0) == 0x80)
			cut--;
		(void)buf_append(out, text + at, cut);
		(void)buf_append_text(out, "\r\n ");
		at += cut;
		room = LINE_BYTES - 1;
	}
	(void)buf_append(out, text + at, length - at);
	(void)buf_append_text(out, "\r\n");
}

/* A property whose value is COUNT words. */
static void words_line(struct buf *out, const char *name, unsigned count,
	bool foreign, struct dice *dice)
{
	struct buf words = BUF_INIT(0);

	prose_words(dice, count, foreign, &words);
	line(out, "%s:%s", name, buf_text(&words));
	buf_free(&words);
}

static void make_contact(struct item *item, bool foreign, struct dice *dice)
{
	const char *given = prose_given_name(dice, foreign);
	const char *family = prose_family_name(dice, foreign);
	struct buf *out = &item->text;

	line(out, "BEGIN:VCARD");
	line(out, "VERSION:3.0");
	line(out, "UID:%s", item->uid);
	line(out, "FN:%s %s", given, family);
	line(out, "N:%s;%s;;;", family, given);
	line(out, "EMAIL;TYPE=WORK:person%u@example.net",
		dice_below(dice, 100000));
	line(out, "TEL;TYPE=CELL:+420 7%08u", dice_below(dice, 100000000));
	if (dice_chance(dice, 0.5))
		words_line(out, "ORG", 2, foreign, dice);
	if (dice_chance(dice, 0.3))
		words_line(out, "NOTE", 30, foreign, dice);
	line(out, "END:VCARD");
}

static void begin_component(struct item *item, const char *component)
{
	struct buf *out = &item->text;

	line(out, "BEGIN:VCALENDAR");
	line(out, "VERSION:2.0");
	line(out, "PRODID:-//Sluice//fill//EN");
	line(out, "BEGIN:%s", component);
	line(out, "UID:%s", item->uid);
	line(out, "DTSTAMP:20260101T080000Z");
}

static void end_component(struct item *item, const char *component)
{
	line(&item->text, "END:%s", component);
	line(&item->text, "END:VCALENDAR");
}

static void make_event(struct item *item, bool foreign, struct dice *dice)
{
	static const char *const rules[] = {"FREQ=WEEKLY;COUNT=20",
		"FREQ=DAILY;INTERVAL=2;COUNT=10",
		"FREQ=MONTHLY;BYDAY=2TU;COUNT=12", "FREQ=YEARLY;COUNT=5",
		"FREQ=WEEKLY;UNTIL=20261231T235959Z;BYDAY=MO,WE"};
	struct buf *out = &item->text;
	unsigned month = 1 + dice_below(dice, 12);
	unsigned day = 1 + dice_below(dice, 27);
	unsigned hour = 7 + dice_below(dice, 10);
	bool whole_day = dice_chance(dice, 0.15);

	begin_component(item, "VEVENT");
	if (whole_day) {
		line(out, "DTSTART;VALUE=DATE:2026%02u%02u", month, day);
		line(out, "DTEND;VALUE=DATE:2026%02u%02u", month, day + 1);
	} else {
		line(out, "DTSTART:2026%02u%02uT%02u0000Z", month, day, hour);
		line(out, "DTEND:2026%02u%02uT%02u3000Z", month, day, hour);
	}
	if (!whole_day && dice_chance(dice, 0.3))
		line(out, "RRULE:%s",
			rules[dice_below(dice, (unsigned)COUNT(rules))]);
	words_line(out, "SUMMARY", 2 + dice_below(dice, 5), foreign, dice);
	if (dice_chance(dice, 0.4))
		words_line(out, "LOCATION", 2, foreign, dice);
	if (dice_chance(dice, 0.3))
		words_line(out, "DESCRIPTION", 40, foreign, dice);
	end_component(item, "VEVENT");
}

static void make_task(struct item *item, bool foreign, struct dice *dice)
{
	struct buf *out = &item->text;
	bool done = dice_chance(dice, 0.4);

	begin_component(item, "VTODO");
	line(out, "DUE:2026%02u%02uT160000Z", 1 + dice_below(dice, 12),
		1 + dice_below(dice, 28));
	words_line(out, "SUMMARY", 2 + dice_below(dice, 5), foreign, dice);
	line(out, "PRIORITY:%u", 1 + dice_below(dice, 9));
	line(out, "STATUS:%s", done ? "COMPLETED" : "NEEDS-ACTION");
	if (done)
		line(out, "COMPLETED:20260101T070000Z");
	end_component(item, "VTODO");
}

static void make_note(struct item *item, bool foreign, struct dice *dice)
{
	struct buf *out = &item->text;

	begin_component(item, "VJOURNAL");
	line(out, "DTSTART;VALUE=DATE:2026%02u%02u", 1 + dice_below(dice, 12),
		1 + dice_below(dice, 28));
	words_line(out, "SUMMARY", 2 + dice_below(dice, 5), foreign, dice);
	words_line(out, "DESCRIPTION", 60, foreign, dice);
	end_component(item, "VJOURNAL");
}

void item_make(const struct mailbox *mailbox, const char *user,
	enum item_kind kind, unsigned index, struct item *item)
{
	static void (*const make[ITEM_KIND_COUNT])(
		struct item *, bool, struct dice *) = {
		[ITEM_CONTACT] = make_contact,
		[ITEM_EVENT] = make_event,
		[ITEM_TASK] = make_task,
		[ITEM_NOTE] = make_note,
	};
	struct dice dice = dice_for(
		mailbox->seed, user, DICE_KIND + (unsigned)kind, index);
	bool foreign = dice_chance(&dice, mailbox->eight_bit);

	*item = (struct item){.text = BUF_INIT(0)};
	snprintf(item->uid, sizeof(item->uid), "%s-%u-%016llx",
		kinds[kind].name, index, (unsigned long long)dice_next(&dice));
	snprintf(item->name, sizeof(item->name), "%s.%s", item->uid,
		kinds[kind].extension);
	make[kind](item, foreign, &dice);
}

void item_free(struct item *item)
{
	buf_free(&item->text);
}
