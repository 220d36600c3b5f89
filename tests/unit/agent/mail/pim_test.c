/*
 * Columns of contacts, events, tasks and notes: the formats as the RFCs have
 * them and as servers and phones really write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contentline.h"
#include "err.h"
#include "pim.h"

#define S INT64_C(1000000)

static struct pim_columns parse(const char *text)
{
	struct err err = ERR_INIT;
	struct pim_columns c;

	if (pim_parse(&c, text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
	return c;
}

static void contact_with_folds_groups_and_escapes(void **state)
{
	struct pim_columns c = parse(
		"BEGIN:VCARD\r\n"
		"VERSION:3.0\r\n"
		"UID:u-1\r\n"
		"FN:Smith\\, Jane \r\n"
		" (Dr.)\r\n"
		"item1.EMAIL;TYPE=\"a:b;c\":jane@example.org\r\n"
		"EMAIL:second@example.org\r\n"
		"TEL;TYPE=cell:+420 1\r\n"
		"END:VCARD\r\n");

	(void)state;
	assert_int_equal(c.kind, PIM_CONTACT);
	assert_string_equal(c.uid, "u-1");
	assert_string_equal(c.title, "Smith, Jane (Dr.)");
	assert_string_equal(c.email, "jane@example.org");
	assert_string_equal(c.phone, "+420 1");
	pim_columns_free(&c);
}

static void contact_with_bare_line_feeds(void **state)
{
	struct pim_columns c = parse("BEGIN:VCARD\nFN:A\n B\nEND:VCARD");

	(void)state;
	assert_string_equal(c.title, "AB");
	assert_null(c.uid);
	pim_columns_free(&c);
}

static void contact_without_fn_uses_name_then_organisation(void **state)
{
	struct pim_columns c = parse("BEGIN:VCARD\r\nORG:ACME\r\n"
				     "N:Doe;John;;;\r\nEND:VCARD\r\n");

	(void)state;
	assert_string_equal(c.title, "John Doe");
	pim_columns_free(&c);
	c = parse("BEGIN:VCARD\r\nORG:ACME\r\nEND:VCARD\r\n");
	assert_string_equal(c.title, "ACME");
	pim_columns_free(&c);
	c = parse("BEGIN:VCARD\r\nN:;;;;\r\nORG:ACME\r\nEND:VCARD\r\n");
	assert_string_equal(c.title, "ACME");
	pim_columns_free(&c);
}

static void contact_of_version_2_1_in_quoted_printable(void **state)
{
	struct pim_columns c = parse(
		"BEGIN:VCARD\r\nVERSION:2.1\r\n"
		"FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrgen =\r\n"
		"M=\r\n"
		"eier\r\nEND:VCARD\r\n");

	(void)state;
	assert_string_equal(c.title, "J\xc3\xbcrgen Meier");
	pim_columns_free(&c);
}

static void contact_with_a_photo_of_megabytes(void **state)
{
	size_t size = 3 << 20;
	char *text = malloc(size + 256);
	size_t n = (size_t)snprintf(text, 256, "BEGIN:VCARD\r\nPHOTO:");
	struct pim_columns c;

	(void)state;
	while (n < size)
		n += (size_t)snprintf(text + n, 64, "AAAAAAAAAAAAAAAA\r\n ");
	snprintf(text + n, 64, "\r\nFN:After\r\nEND:VCARD\r\n");
	c = parse(text);
	assert_string_equal(c.title, "After");
	pim_columns_free(&c);
	free(text);
}

static void event_in_utc_and_duration(void **state)
{
	struct pim_columns c = parse(
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:e1\r\n"
		"SUMMARY:Stand-up\\nmeeting\r\nDTSTART:20260301T120000Z\r\n"
		"DURATION:PT1H30M\r\nRRULE:FREQ=DAILY\r\n"
		"STATUS:CONFIRMED\r\n"
		"BEGIN:VALARM\r\nDURATION:PT5M\r\nSUMMARY:alarm\r\n"
		"END:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");

	(void)state;
	assert_int_equal(c.kind, PIM_EVENT);
	assert_string_equal(c.title, "Stand-up meeting");
	assert_string_equal(c.status, "CONFIRMED");
	assert_int_equal(c.start_us, INT64_C(1772366400) * S);
	assert_int_equal(c.end_us, c.start_us + 5400 * S);
	assert_true(c.recurring);
	assert_false(c.all_day);
	pim_columns_free(&c);
}

static void event_in_a_zone_known_by_name(void **state)
{
	struct pim_columns c = parse(
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\n"
		"DTSTART;TZID=Europe/Prague:20260701T120000\n"
		"DTEND;TZID=Europe/Prague:20261201T120000\n"
		"END:VEVENT\nEND:VCALENDAR\n");

	(void)state;
	/* Summer time is two hours ahead of UTC, winter time one. */
	assert_int_equal(c.start_us, INT64_C(1782900000) * S);
	assert_int_equal(c.end_us, INT64_C(1796122800) * S);
	pim_columns_free(&c);
}

#define OWN_ZONE(RULE)                                                         \
	"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"                                  \
	"DTSTART;TZID=\"Office\":20260701T120000\r\nEND:VEVENT\r\n"            \
	"BEGIN:VTIMEZONE\r\nTZID:Office\r\n"                                   \
	"BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\n"                        \
	"TZOFFSETFROM:+0400\r\nTZOFFSETTO:+0300\r\n"                           \
	"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n"          \
	"BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\n"                        \
	"TZOFFSETFROM:+0300\r\nTZOFFSETTO:+0400\r\n" RULE                      \
	"\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n"

static void event_in_a_zone_of_its_own(void **state)
{
	struct pim_columns c = parse(
		OWN_ZONE("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"));

	(void)state;
	assert_int_equal(c.start_us, INT64_C(1782892800) * S); /* 08:00 UTC */
	pim_columns_free(&c);
}

static void zone_with_a_hostile_rule_is_not_expanded(void **state)
{
	struct pim_columns c = parse(OWN_ZONE("RRULE:FREQ=SECONDLY"));

	(void)state;
	assert_int_equal(c.start_us, INT64_C(1782907200) * S); /* as UTC */
	pim_columns_free(&c);
}

static void event_on_a_date(void **state)
{
	struct pim_columns c = parse(
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"
		"DTSTART;VALUE=DATE:19691231\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");

	(void)state;
	assert_true(c.all_day);
	assert_int_equal(c.start_us, -86400 * S);
	assert_int_equal(c.end_us, PIM_NO_TIME);
	pim_columns_free(&c);
}

static void series_is_described_by_its_master(void **state)
{
	struct pim_columns c = parse(
		"BEGIN:VCALENDAR\r\n"
		"BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID:20260302T120000Z\r\n"
		"SUMMARY:moved\r\nSTATUS:CANCELLED\r\n"
		"DTSTART:20260302T150000Z\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:s\r\nSUMMARY:series\r\n"
		"DTSTART:20260301T120000Z\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID:20260303T120000Z\r\n"
		"SUMMARY:late\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");

	(void)state;
	assert_string_equal(c.title, "series");
	assert_null(c.status);
	assert_true(c.recurring);
	assert_int_equal(c.start_us, INT64_C(1772366400) * S);
	pim_columns_free(&c);
}

static void task_and_note(void **state)
{
	struct pim_columns c = parse(
		"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:t\r\n"
		"DUE:20260301T120000Z\r\nSTATUS:NEEDS-ACTION\r\n"
		"END:VTODO\r\nEND:VCALENDAR\r\n");

	(void)state;
	assert_int_equal(c.kind, PIM_TASK);
	assert_int_equal(c.due_us, INT64_C(1772366400) * S);
	assert_int_equal(c.start_us, PIM_NO_TIME);
	pim_columns_free(&c);
	c = parse("BEGIN:VCALENDAR\r\nBEGIN:VJOURNAL\r\nSUMMARY:Idea\r\n"
		  "END:VJOURNAL\r\nEND:VCALENDAR\r\n");
	assert_int_equal(c.kind, PIM_NOTE);
	assert_string_equal(c.title, "Idea");
	pim_columns_free(&c);
}

static void broken_dates_and_bytes_cost_their_column_only(void **state)
{
	struct pim_columns c = parse(
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:\xff\x01x\r\n"
		"DTSTART:2026-13-99\r\nDTEND:20261399T000000Z\r\n"
		"no colon here\r\nEND:VEVENT\r\n");

	(void)state;
	assert_string_equal(c.uid, "\xef\xbf\xbd x");
	assert_int_equal(c.start_us, PIM_NO_TIME);
	assert_int_equal(c.end_us, PIM_NO_TIME);
	pim_columns_free(&c);
}

static void long_title_is_cut_between_characters(void **state)
{
	char text[4096] = "BEGIN:VCARD\nFN:x";
	struct pim_columns c;
	size_t n = strlen(text);

	(void)state;
	while (n < 3000) {
		memcpy(text + n, "\xc3\xbc", 2);
		n += 2;
	}
	c = parse(text);
	assert_int_equal(strlen(c.title), PIM_TEXT_BYTES - 1);
	assert_int_equal(c.title[PIM_TEXT_BYTES - 2], (char)0xbc);
	pim_columns_free(&c);
}

static void refused(void **state)
{
	static const char *const texts[] = {"", "<html>", "BEGIN:VCALENDAR\n",
		"BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nEND:VFREEBUSY\n"};
	struct pim_columns c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(
			pim_parse(&c, texts[i], strlen(texts[i]), &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
	}
}

static void parameters(void **state)
{
	static const char text[] =
		"DTSTART;X=\"a;TZID=b\";tzid=\"Z:1\";Y=2:v\n";
	struct contentline_reader reader;
	struct contentline line;
	char value[8];

	(void)state;
	contentline_open(&reader, text, strlen(text));
	assert_true(contentline_next(&reader, &line));
	assert_string_equal(line.value, "v");
	assert_true(contentline_param(&line, "TZID", value, sizeof(value)));
	assert_string_equal(value, "Z:1");
	assert_true(contentline_param(&line, "x", value, sizeof(value)));
	assert_string_equal(value, "a;TZID=");
	assert_false(contentline_param(&line, "Q", value, sizeof(value)));
	assert_false(contentline_next(&reader, &line));
	contentline_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contact_with_folds_groups_and_escapes),
		cmocka_unit_test(contact_with_bare_line_feeds),
		cmocka_unit_test(
			contact_without_fn_uses_name_then_organisation),
		cmocka_unit_test(contact_of_version_2_1_in_quoted_printable),
		cmocka_unit_test(contact_with_a_photo_of_megabytes),
		cmocka_unit_test(event_in_utc_and_duration),
		cmocka_unit_test(event_in_a_zone_known_by_name),
		cmocka_unit_test(event_in_a_zone_of_its_own),
		cmocka_unit_test(zone_with_a_hostile_rule_is_not_expanded),
		cmocka_unit_test(event_on_a_date),
		cmocka_unit_test(series_is_described_by_its_master),
		cmocka_unit_test(task_and_note),
		cmocka_unit_test(broken_dates_and_bytes_cost_their_column_only),
		cmocka_unit_test(long_title_is_cut_between_characters),
		cmocka_unit_test(refused),
		cmocka_unit_test(parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
