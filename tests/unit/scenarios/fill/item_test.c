/* item_test.c - generated items parse, and say what they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libical/ical.h>

#include "item.h"
#include "mailbox.h"

#define ITEMS 200

static const struct mailbox profile = {.eight_bit = 0.5, .seed = 3};

static void calendar_items_parse_without_errors(void **state)
{
	static const icalcomponent_kind component[ITEM_KIND_COUNT] = {
		[ITEM_EVENT] = ICAL_VEVENT_COMPONENT,
		[ITEM_TASK] = ICAL_VTODO_COMPONENT,
		[ITEM_NOTE] = ICAL_VJOURNAL_COMPONENT,
	};
	unsigned recurring = 0;

	(void)state;
	for (unsigned kind = ITEM_EVENT; kind < ITEM_KIND_COUNT; kind++)
		for (unsigned i = 0; i < ITEMS; i++) {
			icalcomponent *calendar, *inner;
			struct item item;

			item_make(&profile, "u001", kind, i, &item);
			calendar = icalparser_parse_string(item.text.data);
			assert_non_null(calendar);
			assert_int_equal(
				icalcomponent_count_errors(calendar), 0);
			assert_true(icalrestriction_check(calendar));
			inner = icalcomponent_get_first_component(
				calendar, component[kind]);
			assert_non_null(inner);
			assert_string_equal(
				icalcomponent_get_uid(inner), item.uid);
			recurring += icalcomponent_get_first_property(inner,
					     ICAL_RRULE_PROPERTY) != NULL;
			icalcomponent_free(calendar);
			item_free(&item);
		}
	assert_in_range(recurring, ITEMS / 10, ITEMS / 2);
}

static void lines_are_folded_between_characters(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < ITEM_KIND_COUNT; kind++)
		for (unsigned i = 0; i < ITEMS; i++) {
			struct item item;
			const char *line, *end;

			item_make(&profile, "u001", kind, i, &item);
			for (line = item.text.data; *line; line = end + 2) {
				end = strstr(line, "\r\n");
				assert_non_null(end);
				assert_true(end - line <= 75);
				assert_true(((unsigned char)line[0] & 0xc0) !=
					0x80);
				assert_true(((unsigned char)line[1] & 0xc0) !=
						0x80 ||
					line[0] != ' ');
			}
			item_free(&item);
		}
}

static void names_and_uids_are_unique(void **state)
{
	static char uid[ITEM_KIND_COUNT * ITEMS][64];
	unsigned count = 0;

	(void)state;
	for (unsigned kind = 0; kind < ITEM_KIND_COUNT; kind++)
		for (unsigned i = 0; i < ITEMS; i++) {
			struct item item;

			item_make(&profile, "u001", kind, i, &item);
			assert_int_equal(
				strncmp(item.name, item.uid, strlen(item.uid)),
				0);
			for (unsigned k = 0; k < count; k++)
				assert_string_not_equal(uid[k], item.uid);
			memcpy(uid[count++], item.uid, sizeof(item.uid));
			item_free(&item);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calendar_items_parse_without_errors),
		cmocka_unit_test(lines_are_folded_between_characters),
		cmocka_unit_test(names_and_uids_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
