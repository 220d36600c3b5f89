/* imap_name_test.c - modified UTF-7, paths, UID sets, LIST and STATUS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "imap_list.h"
#include "imap_name.h"
#include "quirks.h"
#include "uid_set.h"

static const struct {
	const char *wire, *text;
} names[] = {
	{"Entw&APw-rfe", "Entw\xC3\xBCrfe"},
	{"a&-b", "a&b"},
	{"~peter/mail/&U,BTFw-/&ZeVnLIqe-",
		"~peter/mail/\xE5\x8F\xB0\xE5\x8C\x97/"
		"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E"},
	{"&2D3cqQ-", "\xF0\x9F\x92\xA9"},
	{"", ""},
};

static void utf7_goes_both_ways(void **state)
{
	size_t i;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		text = imap_name_decode(names[i].wire);
		assert_string_equal(text, names[i].text);
		free(text);
		text = imap_name_encode(names[i].text);
		assert_string_equal(text, names[i].wire);
		free(text);
	}
}

static void what_is_no_utf7_is_kept(void **state)
{
	static const struct {
		const char *wire, *text;
	} odd[] = {
		{"R&D", "R&D"},
		{"a &b c- d", "a &b c- d"},
		{"&2D0-", "&2D0-"}, /* half a surrogate pair */
		{"Entw\xC3\xBCrfe", "Entw\xC3\xBCrfe"},
		{"latin \xE4", "latin \xEF\xBF\xBD"},
		{"over\xC0\xAFlong", "over\xEF\xBF\xBD\xEF\xBF\xBDlong"},
	};
	size_t i;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		text = imap_name_decode(odd[i].wire);
		assert_string_equal(text, odd[i].text);
		free(text);
	}
}

static void paths_have_one_delimiter_and_no_doubles(void **state)
{
	static const struct {
		const char *wire;
		char delimiter;
		const char *path;
	} cases[] = {
		{"inbox", '/', "INBOX"},
		{"Inbox.Sub", '.', "INBOX/Sub"},
		{"Sub.inbox", '.', "Sub/inbox"},
		{"A.b/c", '.', "A/b%2Fc"},
		{"A.b%2Fc", '.', "A/b%252Fc"},
		{"100% sure", '/', "100% sure"},
		{"a/b", 0, "a%2Fb"},
		{"Top/", '/', "Top"},
	};
	size_t i;
	char *path;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		path = imap_name_path(cases[i].wire, cases[i].delimiter);
		assert_string_equal(path, cases[i].path);
		free(path);
	}
}

static void take(struct imap_folders *folders, const char *text)
{
	imap_folders_take(folders, text, strlen(text));
}

static void folders_come_from_list_and_status(void **state)
{
	struct imap_folders folders = {.count = 0};
	const struct imap_folder *f;

	(void)state;
	take(&folders, "NAMESPACE NIL ((\"Other Users/\" \"/\")) NIL");
	take(&folders, "LIST (\\HasNoChildren) \"/\" INBOX");
	take(&folders, "LIST (\\Noselect) NIL \"a \\\"b\\\\\"");
	take(&folders,
		"LIST (\\Junk) \"/\" {9}\r\nOdd \"nam) (\"CHILDINFO\" "
		"(\"SUBSCRIBED\"))");
	take(&folders, "LIST () \"/\" \"Other Users/x\"");
	take(&folders, "LIST (\\NonExistent) \"/\" gone");
	take(&folders, "LIST (");
	take(&folders, "LIST () \"/\" \"unfinished");
	take(&folders, "LIST () \"/\" {99999999}\r\nx");
	take(&folders,
		"STATUS \"inbox\" (MESSAGES 12 MAILBOXID (F(x)y) SIZE "
		"5000000000 UIDNEXT 13 UIDVALIDITY 4000000000 "
		"HIGHESTMODSEQ 18446744073709551615)");
	take(&folders, "STATUS nowhere (MESSAGES 1)");
	take(&folders, "OK hello");
	assert_int_equal(folders.count, 5);
	assert_int_equal(folders.dropped, 4);
	imap_folders_settle(&folders);
	f = folders.folder;
	assert_true(f[0].collection.state_known);
	assert_int_equal(f[0].collection.items, 12);
	assert_true(f[0].collection.bytes == 5000000000);
	assert_true(f[0].collection.uid_validity == 4000000000);
	assert_true(f[0].collection.modseq == UINT64_MAX);
	assert_string_equal(f[1].collection.wire, "a \"b\\");
	assert_false(f[1].collection.selectable);
	assert_string_equal(f[2].collection.wire, "Odd \"nam)");
	assert_int_equal(f[2].collection.special, SPECIAL_JUNK);
	assert_int_equal(f[3].collection.space, SPACE_OTHER_USERS);
	assert_true(f[4].gone);
	imap_folders_free(&folders);
}

/* A command with such a name would be two, or another folder's. */
static void what_no_command_can_name_is_counted(void **state)
{
	static const char nul[] = "LIST () \"/\" {7}\r\nINBOX\0x";
	static const char empty[] = "LIST () \"/\" {1}\r\n\0";
	struct imap_folders folders = {.count = 0};

	(void)state;
	take(&folders, "LIST () \"/\" {4}\r\na\r\nb");
	take(&folders, "LIST () \"/\" \"a\rb\"");
	imap_folders_take(&folders, nul, sizeof(nul) - 1);
	imap_folders_take(&folders, empty, sizeof(empty) - 1);
	take(&folders, "LIST () \"/\" {0}\r\n");
	assert_int_equal(folders.count, 0);
	assert_int_equal(folders.unread, 4);
	imap_folders_free(&folders);
}

/* The namespaces of RFC 2342 5.3 to 5.7, and what Cyrus says. */
static void the_longest_prefix_says_whose_a_folder_is(void **state)
{
	static const struct {
		const char *spaces, *wire;
		enum collection_space space;
	} cases[] = {
		{"((\"\" \"/\")) ((\"~\" \"/\")) NIL", "~eve/x",
			SPACE_OTHER_USERS},
		{"((\"\" \"/\")) NIL ((\"Public/\" \"/\"))", "Public",
			SPACE_SHARED},
		{"((\"\" \"/\")) NIL ((\"Public/\" \"/\"))", "Publican",
			SPACE_PERSONAL},
		{"((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"\" \".\"))",
			"inbox.Sent", SPACE_PERSONAL},
		{"((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"\" \".\"))",
			"bboard", SPACE_SHARED},
		{"((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"\" \".\"))",
			"INBOX", SPACE_PERSONAL},
		{"((\"\" \"/\" \"X-P\" (\"a)\" \"b\"))) NIL ((\"#ftp/\" "
		 "\"/\")(#x. NIL))",
			"#x.y", SPACE_SHARED},
		{"((\"\" NIL)) NIL ((\"\" NIL))", "x", SPACE_PERSONAL},
		{"NIL NIL", "x", SPACE_PERSONAL},
		{"((\"a\"", "x", SPACE_PERSONAL},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_folders folders = {.count = 0};

		snprintf(text, sizeof(text), "NAMESPACE %s", cases[i].spaces);
		take(&folders, text);
		snprintf(text, sizeof(text), "LIST () \"/\" \"%s\"",
			cases[i].wire);
		take(&folders, text);
		imap_folders_settle(&folders);
		if (folders.folder[0].collection.space != cases[i].space)
			fail_msg("%s: %s", cases[i].spaces, cases[i].wire);
		imap_folders_free(&folders);
	}
}

static void sets_are_sorted_and_printed_as_ranges(void **state)
{
	static const uint32_t uids[] = {9, 1, 2, 3, 2, 4294967295u, 7, 8};
	struct uid_set set = {0};
	struct buf text = BUF_INIT(100);
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++)
		assert_int_equal(uid_set_add(&set, uids[i]), i != 4);
	assert_int_equal(set.count, 7);
	assert_true(uid_set_has(&set, 9));
	assert_false(uid_set_has(&set, 4));
	assert_int_equal(uid_set_print(&set, 0, 7, 100, &text), 7);
	assert_string_equal(text.data, "1:3,7:9,4294967295");
	buf_clear(&text);
	assert_int_equal(uid_set_print(&set, 0, 7, 8, &text), 6);
	assert_string_equal(text.data, "1:3,7:9");
	buf_free(&text);
	uid_set_free(&set);
	for (i = 0; i < 8; i++)
		uid_set_append(&set, uids[i]);
	uid_set_sort(&set);
	assert_int_equal(set.count, 7);
	assert_int_equal(uid_set_print(&set, 0, 7, 100, &text), 7);
	assert_string_equal(text.data, "1:3,7:9,4294967295");
	buf_free(&text);
	uid_set_free(&set);
	uid_set_sort(&set);
	assert_int_equal(set.count, 0);
}

static void ranges_are_read_one_by_one(void **state)
{
	const char *text = "1:3,9:7,4294967295";
	uint32_t first;
	uint32_t last;

	(void)state;
	assert_true(uid_range_next(&text, &first, &last));
	assert_int_equal(first * 10 + last, 13);
	assert_true(uid_range_next(&text, &first, &last));
	assert_int_equal(first * 10 + last, 79);
	assert_true(uid_range_next(&text, &first, &last));
	assert_true(first == UINT32_MAX && last == UINT32_MAX);
	assert_false(uid_range_next(&text, &first, &last));
	text = "4294967296";
	assert_false(uid_range_next(&text, &first, &last));
	text = "1:*";
	assert_false(uid_range_next(&text, &first, &last));
}

static bool has_gmail(const char *capability, const void *context)
{
	(void)context;
	return strcmp(capability, "X-GM-EXT-1") == 0;
}

static void quirks_go_by_greeting_id_and_capabilities(void **state)
{
	static const struct {
		const char *said;
		struct quirks quirks;
	} rows[] = {
		{"outlook.office365.com",
			{.commands_max = 16, .line_max = 4000}},
		{"* OK The Microsoft Exchange IMAP4 service is ready.",
			{.commands_max = 16, .line_max = 4000}},
		{"iCloud 1.0",
			{.commands_max = 8,
				.line_max = 8000,
				.no_qresync = true}},
		{"* OK Gimap ready for requests",
			{.commands_max = 8,
				.line_max = 8000,
				.all_folder_hidden = true}},
		{"* OK Courier-IMAP ready.",
			{.commands_max = 4,
				.line_max = 4000,
				.no_compress = true}},
		{"* OK Kerio Connect 9.4 IMAP4rev1 server ready",
			{.commands_max = 8, .line_max = 8000}},
		{"* OK DOVECOT ready.",
			{.commands_max = 32, .line_max = 32000}},
		{"* OK host Cyrus IMAP 3.6.1 server ready",
			{.commands_max = 32, .line_max = 32000}},
		{"", {.commands_max = 16, .line_max = 8000}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct quirks *got = quirks_find(
			rows[i].said, NULL, NULL);
		const struct quirks *want = &rows[i].quirks;

		assert_int_equal(got->commands_max, want->commands_max);
		assert_int_equal(got->line_max, want->line_max);
		assert_int_equal(got->no_qresync, want->no_qresync);
		assert_int_equal(got->no_compress, want->no_compress);
		assert_int_equal(
			got->all_folder_hidden, want->all_folder_hidden);
		assert_non_null(got->why);
	}
	assert_true(quirks_find("unknown", has_gmail, NULL)->all_folder_hidden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf7_goes_both_ways),
		cmocka_unit_test(what_is_no_utf7_is_kept),
		cmocka_unit_test(paths_have_one_delimiter_and_no_doubles),
		cmocka_unit_test(folders_come_from_list_and_status),
		cmocka_unit_test(what_no_command_can_name_is_counted),
		cmocka_unit_test(the_longest_prefix_says_whose_a_folder_is),
		cmocka_unit_test(sets_are_sorted_and_printed_as_ranges),
		cmocka_unit_test(ranges_are_read_one_by_one),
		cmocka_unit_test(quirks_go_by_greeting_id_and_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
