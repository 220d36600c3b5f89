/*
 * offline_test.c - the verbs that need no server, run on a store that a sync
 * has left, one of them while a writer is in the middle of a window.
 */
#include "store_fixture.h"

#include <argp.h>
#include <dirent.h>
#include <fcntl.h>

#include "offline.h"
#include "store_item.h"
#include "store_quarantine.h"

static char output[65536];

typedef int verb_function(const char *store, int argc, char **argv);

/* Runs a verb in a process of its own, as it ends the process on usage
 * errors; what it printed is in `output`. */
static int run(verb_function *verb, ...)
{
	char *argv[8];
	char path[128];
	int argc = 0;
	int status;
	va_list ap;
	ssize_t n;
	pid_t pid;
	int fd;

	va_start(ap, verb);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	snprintf(path, sizeof(path), "%s.out", directory);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unlink(path);
	assert_true(fd >= 0);
	pid = fork();
	if (pid == 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		argp_err_exit_status = 2;
		exit(verb(directory, argc, argv));
	}
	waitpid(pid, &status, 0);
	n = pread(fd, output, sizeof(output) - 1, 0);
	output[n > 0 ? n : 0] = '\0';
	close(fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define status(expected, ...)                                                  \
	do {                                                                   \
		int got = run(__VA_ARGS__, NULL);                              \
                                                                               \
		if (got != (expected))                                         \
			fail_msg("exit status %d:\n%s", got, output);          \
	} while (0)

#define expect(text)                                                           \
	do {                                                                   \
		if (!strstr(output, text))                                     \
			fail_msg("no \"%s\" in:\n%s", text, output);           \
	} while (0)

static void add_collection(struct store *store, const char *path,
	enum store_kind kind, const struct store_item *item)
{
	struct store_folder folder = {.kind = kind,
		.mode = STORE_MODE_FULL,
		.path = (char *)path,
		.remote = (char *)path};
	struct store_item put = *item;

	ok(store_folder_put(store, &folder, &err));
	put.folder = folder.id;
	ok(store_item_put(store, &put, &err));
}

static const struct store_item event = {.kind = PIM_EVENT,
	.href = "/cal/1.ics",
	.etag = "1",
	.uid = "u1",
	.summary = "Board meeting",
	.start_us = INT64_C(1704099600000000),
	.end_us = PIM_NO_TIME,
	.text = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
	.length = 32};
static const struct store_item contact = {.kind = PIM_CONTACT,
	.href = "/card/1.vcf",
	.etag = "1",
	.summary = "Ann Other",
	.email = "ann@example.org",
	.start_us = PIM_NO_TIME,
	.end_us = PIM_NO_TIME,
	.text = "BEGIN:VCARD\r\nEND:VCARD",
	.length = 22};

static const char body[] =
	"From: A <a@example.org>\r\nSubject: number 2\r\n\r\n"
	"From here\r\n>From there\r\n>>Fro\r\nFrom\r\nlast budget";

static struct store *fill(void)
{
	struct store *store = open_store(STORE_WRITE);
	struct store_quarantine poison = {.uid = 9, .reason = "too odd"};
	int64_t folder;

	ok(store_begin(store, &err));
	folder = add_folder(store, "INBOX", STORE_MODE_FULL);
	add_header(store, folder, 1, PROTECTION_NONE);
	add_header(store, folder, 2, PROTECTION_SIGNED);
	add_body(store, folder, 2, body);
	ok(store_message_set_flags(store, folder, 2,
		STORE_FLAG_FLAGGED | STORE_FLAG_SEEN, NULL, 0, &err));
	add_folder(store, "Lists/../x", STORE_MODE_HEADERS);
	add_folder(store, "Lists_.._x", STORE_MODE_HEADERS);
	add_collection(store, "/cal/", STORE_KIND_CALENDAR, &event);
	add_collection(store, "/card/", STORE_KIND_CONTACTS, &contact);
	add_collection(store, "INBOX", STORE_KIND_CONTACTS, &contact);
	poison.folder = folder;
	ok(store_quarantine_add(store, &poison, &err));
	ok(store_commit(store, &err));
	return store;
}

static void test_ls(void **state)
{
	struct store *store = fill();

	(void)state;
	/* Beside a writer in mid-window. */
	ok(store_begin(store, &err));
	add_header(store, 1, 3, PROTECTION_NONE);
	status(0, verb_ls, "ls");
	expect("INBOX");
	expect("headers");
	status(0, verb_ls, "ls", "inbox");
	expect("number 2");
	expect(" ! FS ");
	expect("number 1");
	assert_null(strstr(output, "number 3"));
	status(0, verb_ls, "ls", "-n", "1", "INBOX");
	assert_null(strstr(output, "number 1"));
	status(0, verb_ls, "ls", "--json", "INBOX");
	expect("\"complete\":true");
	expect("\"flags\":\"\\\\Flagged \\\\Seen\"");
	status(0, verb_ls, "ls", "/cal/");
	expect("Board meeting");
	status(0, verb_ls, "ls", "contacts:INBOX");
	expect("Ann Other <ann@example.org>");
	status(2, verb_ls, "ls", "calendar:INBOX");
	status(2, verb_ls, "ls", "Nowhere");
	expect("sluice-agent ls: Nowhere: no such folder");
	status(2, verb_ls, "ls", "--nonsense");
	store_close(store);
}

static void test_show(void **state)
{
	(void)state;
	store_close(fill());
	status(0, verb_show, "show", "2");
	expect("Subject: number 2\n");
	expect("signed");
	expect("\n\nFrom here\n");
	status(0, verb_show, "show", "--raw", "2");
	assert_string_equal(output, body);
	status(0, verb_show, "show", "--headers", "1");
	expect("Message-ID: <m1@example.org>\r\n");
	status(0, verb_show, "show", "1");
	expect("Only the header");
	status(2, verb_show, "show", "--raw", "1");
	expect("only its header is stored");
	status(0, verb_show, "show", "i1");
	assert_string_equal(output, "BEGIN:VCALENDAR\nEND:VCALENDAR\n");
	status(2, verb_show, "show", "77");
	status(2, verb_show, "show", "i77");
	status(2, verb_show, "show", "x1");
	status(2, verb_show, "show");
}

static void test_search(void **state)
{
	struct store *store = fill();

	(void)state;
	/* Nothing is indexed yet, and the writer is busy. */
	status(0, verb_search, "search", "BUDGET");
	expect("5 messages and items are not indexed yet");
	store_close(store);
	status(0, verb_search, "search", "BUDGET");
	expect("INBOX: number 2");
	assert_null(strstr(output, "not indexed"));
	status(0, verb_search, "search", "board meeting");
	expect("/cal/: Board meeting");
	status(0, verb_search, "search", "--json", "other");
	expect("\"email\":\"ann@example.org\"");
	status(0, verb_search, "search", "absent");
	assert_string_equal(output, "");
	status(2, verb_search, "search");
}

/* The content of DIRECTORY/out/NAME in `output`. */
static void read_out(const char *name)
{
	char path[192];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/out/%s", directory, name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s is not there", path);
	n = fread(output, 1, sizeof(output) - 1, file);
	output[n] = '\0';
	fclose(file);
}

static void test_export_files(void **state)
{
	char out[80];

	(void)state;
	store_close(fill());
	snprintf(out, sizeof(out), "%s/out", directory);
	status(0, verb_export, "export", "--mbox", out);
	expect("1 exported");
	expect("1 left out: only their headers");
	read_out("INBOX.mbox");
	assert_string_equal(output,
		"From a@example.org Tue Nov 14 22:13:22 2023\n"
		"From: A <a@example.org>\nSubject: number 2\n\n"
		">From here\n>>From there\n>>Fro\nFrom\nlast budget\n\n");
	read_out("Lists_.._x.mbox");
	assert_string_equal(output, "");
	read_out("Lists_.._x-2.mbox");
	status(0, verb_export, "export", "--ics", out);
	read_out("_cal_.ics");
	assert_string_equal(output, event.text);
	status(0, verb_export, "export", "--vcf", out);
	read_out("_card_.vcf");
	assert_string_equal(output, "BEGIN:VCARD\r\nEND:VCARD\r\n");
	status(0, verb_export, "export", "--maildir", "INBOX", out);
	read_out("INBOX/cur/1700000002.2.sluice:2,FS");
	assert_string_equal(output, body);
	status(2, verb_export, "export", "--vcf", "INBOX", out);
	expect("has nothing for this format");
	status(2, verb_export, "export", out);
	status(2, verb_export, "export", "--ics", "--vcf", out);
	status(1, verb_export, "export", "--mbox", "/proc/none");
	expect("/proc/none");
}

static void test_digests(void **state)
{
	(void)state;
	store_close(fill());
	status(0, verb_export, "export", "--digests");
	/* sha256sum of the three texts. */
	expect("\"uid\":2,\"size\":1002,\"part\":\"body\",\"sha256\":\""
	       "824c209c0440ac02308f50a88f0bbccabd199b21d89b740f78fa50cac0c17f54\",\"bytes\":94,"
	       "\"flags\":\"\\\\Flagged \\\\Seen\",\"protection\":\"signed\"}");
	expect("\"part\":\"header\"");
	expect("\"href\":\"/cal/1.ics\",\"kind\":\"event\",\"uid\":\"u1\","
	       "\"sha256\":\"215efae54e34ac5657da47b49c8d1bd8ea12649ee1efa838c9a47d7233f18afb\",\"bytes\":32}");
}

static void test_status(void **state)
{
	(void)state;
	store_close(fill());
	status(0, verb_status, "status");
	expect("never finished");
	expect("2 (1 complete, 1 signed or encrypted)");
	expect("INBOX UID 9: too odd (1 tries)");
	status(0, verb_status, "status", "--json");
	expect("\"missing\":1,\"missing_bytes\":1001,\"contacts\":2,");
	expect("\"quarantine\":[{\"folder\":\"INBOX\",\"uid\":9");
}

static void test_without_a_store(void **state)
{
	(void)state;
	status(1, verb_ls, "ls");
	expect("nothing was synchronised into");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ls),
		TEST(test_show),
		TEST(test_search),
		TEST(test_export_files),
		TEST(test_digests),
		TEST(test_status),
		TEST(test_without_a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
