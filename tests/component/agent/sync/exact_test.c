/*
 * exact_test.c - engine, IMAP source and store together against a scripted
 * server: what is stored is what the server has, however odd.
 */
#include "wire_look.h"

#define FRIENDLY "IMAP4rev1 LITERAL+ LIST-STATUS"
#define SPACES	 FRIENDLY " NAMESPACE"

static const struct fake_folder *one_inbox(const struct fake_message *messages)
{
	static struct fake_folder folders[2];

	folders[0] = (struct fake_folder){
		"() \"/\" \"INBOX\"", "INBOX", 7, messages};
	return folders;
}

/* ----------------------------------------------------------------- bytes */

static const char nuls[] = "Subject: nuls\r\n\r\na\0b\0\0c";
static const char bare[] = "Subject: bare\nTo: x\n\r\n\rlf\ncr\rcrlf\r\n\n\r\r";
static const char high[] = "Subject: \xfc\xff\x80\r\n\r\n\xc3\x28\xff\xfe\x80";
static const char no_header[] = "\r\nno header at all";
static const char no_end[] = "neither header nor body";
static const char trap[] =
	"Subject: trap\r\n\r\n* 3 FETCH (UID 2 BODY[] {1}\r\nX)\r\nF1 OK x\r\n";

static void every_byte_is_kept(void **state)
{
	static char line[400000];
	struct fake_message messages[] = {
		{1, nuls, sizeof nuls - 1, FAKE_GOOD},
		{2, bare, sizeof bare - 1, FAKE_GOOD},
		{3, high, sizeof high - 1, FAKE_GOOD},
		{4, no_header, 0, FAKE_GOOD},
		{5, no_end, 0, FAKE_GOOD},
		{6, "", 0, FAKE_GOOD},
		{7, line, sizeof line, FAKE_GOOD},
		{8, nuls, sizeof nuls - 1, FAKE_LITERAL8},
		{9, trap, 0, FAKE_BODY_FIRST},
		{0, NULL, 0, FAKE_GOOD},
	};
	const struct fake_imap fake = {.folders = one_inbox(messages)};
	struct rig *rig = rig_new(&fake);

	(void)state;
	memset(line, 'x', sizeof line);
	memcpy(line, "Subject: long\r\n\r\n", 17);
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.messages, 9);
	assert_int_equal(rig->progress.totals.bodies, 9);
	assert_int_equal(rig->progress.totals.quarantined, 0);
	for (size_t i = 0; i < 9; i++)
		rig_expect(rig, "INBOX", messages[i].uid, STORE_PART_BODY,
			messages[i].text,
			messages[i].bytes ? messages[i].bytes
					  : strlen(messages[i].text));
	rig_free(rig);
}

static void every_byte_of_a_header_is_kept(void **state)
{
	static const struct fake_message messages[] = {
		{1, "Subject: a\r\n\r\nbody", 0, FAKE_GOOD},
		{2, "\r\n\r\nno header", 0, FAKE_GOOD},
		{3, "", 0, FAKE_GOOD},
		{4, "Subject: \x80\xff\rx\ny\r\n\r\nbody", 0, FAKE_LITERAL8},
		{0, NULL, 0, FAKE_GOOD},
	};
	static const struct fake_folder folders[] = {
		{"() \"/\" \"Sent\"", "Sent", 7, messages},
		{NULL, NULL, 0, NULL},
	};
	const struct fake_imap fake = {.folders = folders};
	struct rig *rig = rig_new(&fake);

	(void)state;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.messages, 4);
	assert_int_equal(rig->progress.totals.bodies, 0);
	rig_expect(rig, "Sent", 1, STORE_PART_HEADER, "Subject: a\r\n\r\n", 14);
	rig_expect(rig, "Sent", 2, STORE_PART_HEADER, "\r\n\r\n", 4);
	rig_expect(rig, "Sent", 3, STORE_PART_HEADER, "", 0);
	rig_expect(rig, "Sent", 4, STORE_PART_HEADER,
		"Subject: \x80\xff\rx\ny\r\n\r\n", 19);
	rig_free(rig);
}

/* 4294967301 is 5 where somebody counts in 32 bits. */
static void messages_of_4_gb_are_refused(void **state)
{
	static const size_t sizes[] = {
		4000000000, 4294967296, 4294967301, 5000000000};
	struct fake_message messages[] = {
		{1, "Subject: one\r\n\r\nfirst", 0, FAKE_GOOD},
		{2, "Subject: huge\r\n\r\nhello", 0, FAKE_HUGE},
		{3, "Subject: two\r\n\r\nlast", 0, FAKE_GOOD},
		{0, NULL, 0, FAKE_GOOD},
	};
	char size[24];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct fake_imap fake = {.folders = one_inbox(messages)};
		struct rig *rig = rig_new(&fake);

		messages[1].bytes = sizes[i];
		rig_sync(rig);
		assert_int_equal(rig->progress.totals.bodies, 2);
		assert_int_equal(rig->progress.totals.quarantined, 1);
		assert_true(rig_quarantined(rig, 2));
		snprintf(size, sizeof size, "%zu", sizes[i]);
		assert_non_null(strstr(rig->reason, size));
		rig_expect(rig, "INBOX", 1, STORE_PART_BODY, messages[0].text,
			strlen(messages[0].text));
		rig_expect(rig, "INBOX", 3, STORE_PART_BODY, messages[2].text,
			strlen(messages[2].text));
		rig_expect(rig, "INBOX", 2, STORE_PART_HEADER,
			"Subject: huge\r\n\r\n", 17);
		rig_free(rig);
	}
}

/* --------------------------------------------------------------- folders */

static void folders_of_any_name_arrive(void **state)
{
	static const struct fake_message messages[] = {
		{1, "Subject: here\r\n\r\nbody", 0, FAKE_GOOD},
		{0, NULL, 0, FAKE_GOOD},
	};
	static const struct fake_folder folders[] = {
		{"() \".\" \"inbox\"", "inbox", 1, messages},
		{"(\\Noselect) \".\" \"Top\"", NULL, 0, NULL},
		{"(\\NonExistent) \".\" \"Away\"", NULL, 0, NULL},
		{"() \".\" \"Top.a&-b &AOQ-\"", "Top.a&-b &AOQ-", 3, messages},
		{"() \".\" \"Top.\xc3\xa4\"", "Top.\xc3\xa4", 4, messages},
		{"() \".\" \"q\\\"uo\\\\te\"", "q\\\"uo\\\\te", 5, messages},
		{"() \".\" {9}\r\nlit {3} (", "lit {3} (", 6, messages},
		{"() \"\\\\\" \"back\\\\slash\"", "back\\\\slash", 7, messages},
		{"() NIL \"flat/one\"", "flat/one", 8, messages},
		{NULL, NULL, 0, NULL},
	};
	static const char *const paths[] = {"INBOX", "Top/a&b \xc3\xa4",
		"Top/\xc3\xa4", "q\"uo\\te", "lit {3} (", "back/slash",
		"flat%2Fone"};
	const struct fake_imap fake = {.folders = folders};
	struct rig *rig = rig_new(&fake);
	struct store_folder row;

	(void)state;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.folders, 7);
	assert_int_equal(rig->progress.totals.messages, 7);
	for (size_t i = 0; i < 7; i++) {
		if (!rig_folder(rig, paths[i], &row))
			fail_msg("no folder %s", paths[i]);
		assert_int_equal(row.messages, 1);
		store_folder_free(&row);
	}
	assert_null(strstr(rig->fake.log, "EXAMINE \"Top\""));
	assert_null(strstr(rig->fake.log, "Away"));
	rig_free(rig);
}

/* A folder that cannot be named any more does not look deleted. */
static void what_cannot_be_named_is_not_gone(void **state)
{
	static const struct fake_message messages[] = {
		{1, "Subject: here\r\n\r\nbody", 0, FAKE_GOOD},
		{0, NULL, 0, FAKE_GOOD},
	};
	static const char *const garbled[] = {"() \"/\" \"Sent", "() / Sent",
		"(\\Sent \"/\" Sent", "() \"/\" {6}\r\nSe\r\nnt"};
	struct fake_folder folders[] = {
		{"() \"/\" \"INBOX\"", "INBOX", 1, messages},
		{"() \"/\" \"Sent\"", "Sent", 2, messages},
		{"() \"/\" \"\"", NULL, 0, NULL},
		{NULL, NULL, 0, NULL},
	};
	const struct fake_imap fake = {.folders = folders};
	struct rig *rig = rig_new(&fake);

	(void)state;
	rig_sync(rig);
	for (size_t i = 0; i < 4; i++) {
		folders[1].list = garbled[i];
		rig_sync(rig);
		assert_int_equal(rig->progress.totals.folders, 2);
		rig_expect(rig, "Sent", 1, STORE_PART_HEADER,
			"Subject: here\r\n\r\n", 17);
	}
	folders[1] = folders[2];
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.folders, 1);
	rig_free(rig);
}

static uint64_t messages_of(struct rig *rig, const char *path)
{
	struct store_folder row;
	uint64_t count;

	assert_true(rig_folder(rig, path, &row));
	count = row.messages;
	store_folder_free(&row);
	return count;
}

/* Whatever else a server says that nobody understands. */
static void what_is_of_others_is_left_alone(void **state)
{
	static const struct fake_message messages[] = {
		{1, "Subject: theirs\r\n\r\nbody", 0, FAKE_GOOD},
		{0, NULL, 0, FAKE_GOOD},
	};
	static const struct fake_folder folders[] = {
		{"() \"/\" \"INBOX\"", "INBOX", 1, messages},
		{"() \"/\" \"Other Users/eve\"", "Other Users/eve", 2,
			messages},
		{"() \"/\" \"Public\"", "Public", 3, messages},
		{"() \"/\" \"Public/all\"", "Public/all", 4, messages},
		{"() \"/\" \"Publican\"", "Publican", 5, messages},
		{NULL, NULL, 0, NULL},
	};
	static const char *const ids[] = {
		NULL, "(\"name\")", "(\"name\" \"a\" b)"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct fake_imap fake = {.folders = folders,
			.capabilities = SPACES " ID",
			.id = ids[i],
			.namespaces = "((\"\" \"/\" \"X-PARAM\" (\"a\" \"b\")))"
				      " ((\"Other Users/\" \"/\"))"
				      " ((\"Public/\" \"/\")(\"#x.\" NIL))"};
		struct rig *rig = rig_new(&fake);

		rig_sync(rig);
		assert_int_equal(messages_of(rig, "INBOX"), 1);
		assert_int_equal(messages_of(rig, "Publican"), 1);
		assert_int_equal(messages_of(rig, "Other Users/eve"), 0);
		assert_int_equal(messages_of(rig, "Public"), 0);
		assert_int_equal(messages_of(rig, "Public/all"), 0);
		assert_null(strstr(rig->fake.log, "EXAMINE \"Public/all\""));
		policy_add(rig->policy, "Public", STORE_MODE_FULL, true);
		rig_sync(rig);
		assert_int_equal(messages_of(rig, "Public"), 1);
		assert_int_equal(messages_of(rig, "Public/all"), 1);
		assert_int_equal(messages_of(rig, "Other Users/eve"), 0);
		rig_free(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_kept),
		cmocka_unit_test(every_byte_of_a_header_is_kept),
		cmocka_unit_test(messages_of_4_gb_are_refused),
		cmocka_unit_test(folders_of_any_name_arrive),
		cmocka_unit_test(what_cannot_be_named_is_not_gone),
		cmocka_unit_test(what_is_of_others_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
