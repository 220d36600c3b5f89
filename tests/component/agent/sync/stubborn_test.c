/*
 * stubborn_test.c - engine, IMAP source and store together against a server
 * that refuses, throttles, poisons and hangs up, under a clock that jumps.
 */
#include "wire_look.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#include "clock.h"

#define FRIENDLY "IMAP4rev1 LITERAL+ LIST-STATUS"
#define MANY	 400

/* ----------------------------------------------------------------- clock */

static atomic_int jumps; /* 0: the wall clock is right */

/* In place of the C library's: a day forward, two days back, and so on. */
int clock_gettime(clockid_t id, struct timespec *now)
{
	int status = (int)syscall(SYS_clock_gettime, id, now);

	if (id == CLOCK_REALTIME && atomic_load(&jumps))
		now->tv_sec += atomic_fetch_add(&jumps, 1) % 2 ? 86400 : -86400;
	return status;
}

/* ---------------------------------------------------------------- server */

static struct fake_message letters[MANY + 1];

/* COUNT messages in an Inbox; each has its own text. */
static const struct fake_folder *inbox_of(unsigned count)
{
	static const struct fake_folder folders[] = {
		{"() \"/\" \"INBOX\"", "INBOX", 7, letters},
		{NULL, NULL, 0, NULL},
	};
	static char texts[MANY][80];

	memset(letters, 0, sizeof letters);
	for (unsigned i = 0; i < count; i++) {
		snprintf(texts[i], sizeof texts[i],
			"Subject: %u\r\nMessage-ID: <%u@x>\r\n\r\nbody %u", i,
			i, i);
		letters[i] = (struct fake_message){
			i + 1, texts[i], 0, FAKE_GOOD};
	}
	return folders;
}

/* Refuses logins and fetches so often, then is as nice as can be. */
struct mood {
	const char *login, *fetch;
	unsigned times;
};

static void moody(struct fake_imap *fake, const char *command)
{
	struct mood *mood = fake->context;
	bool asked = strncmp(command, mood->login ? "LOGIN" : "UID FETCH", 5) ==
		0;

	fake->login_answer = mood->times ? mood->login : NULL;
	fake->fetch_answer = mood->times ? mood->fetch : NULL;
	mood->times -= asked && mood->times;
}

/* ----------------------------------------------------------------- tests */

static void who_is_turned_away_comes_back(void **state)
{
	static const char *const answers[] = {"NO [LIMIT] too many sessions",
		"NO [THROTTLED] slow down", "NO [UNAVAILABLE] later",
		"NO [INUSE] locked",
		"NO Maximum number of connections from user+IP exceeded"};

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct mood mood = {i < 5 ? answers[i] : NULL,
			i < 5 ? NULL : answers[i - 5], 3};
		const struct fake_imap fake = {.folders = inbox_of(3),
			.before = moody,
			.context = &mood};
		struct rig *rig = rig_new(&fake);

		rig_sync(rig);
		assert_int_equal(rig->progress.retries, 3);
		assert_int_equal(rig->progress.totals.bodies, 3);
		assert_int_equal(rig->progress.totals.quarantined, 0);
		rig_free(rig);
	}
}

static void a_wrong_password_ends_it_at_once(void **state)
{
	const struct fake_imap fake = {.folders = inbox_of(3),
		.login_answer = "NO [AUTHENTICATIONFAILED] wrong"};
	struct rig *rig = rig_new(&fake);

	(void)state;
	assert_int_equal(rig_try(rig), -1);
	assert_int_equal(rig->err.kind, ERR_AUTH);
	assert_int_equal(rig->fake.connections, 1);
	assert_int_equal(rig->progress.retries, 0);
	assert_non_null(strstr(rig->err.text, "u1"));
	assert_non_null(strstr(rig->err.text, "password"));
	rig_free(rig);
}

/* Announced with a size and answered with NIL: no empty message. */
static void what_is_withheld_is_set_apart(void **state)
{
	const struct fake_imap fake = {.folders = inbox_of(5)};
	struct rig *rig = rig_new(&fake);

	(void)state;
	letters[2].fault = FAKE_NIL;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.bodies, 4);
	assert_int_equal(rig->progress.totals.quarantined, 1);
	assert_true(rig_quarantined(rig, 3));
	assert_non_null(strstr(rig->reason, "no content"));
	letters[2].fault = FAKE_GOOD;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.bodies, 5);
	assert_int_equal(rig->progress.totals.quarantined, 0);
	rig_free(rig);
}

/* Three kinds of poison in 400 messages cost three messages, and commands by
 * the logarithm. The next run tries them again. */
static void poison_is_halved_kept_and_tried_again(void **state)
{
	static const uint32_t bad[] = {7, 200, 333};
	const struct fake_imap fake = {.folders = inbox_of(MANY)};
	struct rig *rig = rig_new(&fake);
	unsigned before;

	(void)state;
	letters[6].fault = FAKE_GARBLED_NAME;
	letters[199].fault = FAKE_CLOSES;
	letters[332].fault = FAKE_REFUSED;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.bodies, MANY - 3);
	assert_int_equal(rig->progress.totals.quarantined, 3);
	assert_true(rig->fake.fetches < 120);
	assert_true(rig_quarantined(rig, 7));
	assert_non_null(strstr(rig->raw, "(FLAGS 7 FLAGS (\\Seen"));
	assert_true(rig_quarantined(rig, 333));
	assert_non_null(strstr(rig->reason, "cannot read it"));
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.quarantined, 3);
	assert_true(rig_quarantined(rig, 200));
	assert_int_equal(rig->tries, 2);
	for (size_t i = 0; i < 3; i++)
		letters[bad[i] - 1].fault = FAKE_GOOD;
	before = rig->fake.fetches;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.bodies, MANY);
	assert_int_equal(rig->progress.totals.quarantined, 0);
	assert_true(rig->fake.fetches - before < 10);
	assert_true(rig->progress.run_app_bytes < 1000);
	for (size_t i = 0; i < 3; i++)
		rig_expect(rig, "INBOX", bad[i], STORE_PART_BODY,
			letters[bad[i] - 1].text,
			strlen(letters[bad[i] - 1].text));
	rig_free(rig);
}

/* What is stored does not look deleted because the server's listing of it
 * makes no sense. */
static void what_cannot_be_listed_is_not_gone(void **state)
{
	static const enum fake_fault faults[] = {
		FAKE_GARBLED, FAKE_GARBLED_NAME, FAKE_REFUSED};
	static const char *const servers[] = {
		FRIENDLY, FRIENDLY " CONDSTORE ENABLE QRESYNC"};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		const struct fake_imap fake = {.folders = inbox_of(10),
			.capabilities = servers[i % 2]};
		struct rig *rig = rig_new(&fake);

		letters[9].uid = 0;
		rig_sync(rig);
		letters[9].uid = 10;
		letters[4].fault = faults[i / 2];
		rig_sync(rig);
		assert_int_equal(rig->progress.totals.messages, 10);
		assert_int_equal(rig->progress.totals.bodies, 10);
		assert_int_equal(rig->progress.totals.quarantined, 0);
		rig_expect(rig, "INBOX", 5, STORE_PART_BODY, letters[4].text,
			strlen(letters[4].text));
		rig_free(rig);
	}
}

static const struct fake_folder *two_folders(void)
{
	static const struct fake_folder folders[] = {
		{"() \"/\" \"Ahead\"", "Ahead", 3, letters},
		{"() \"/\" \"INBOX\"", "INBOX", 7, letters},
		{"() \"/\" \"Sealed\"", "Sealed", 5, letters},
		{NULL, NULL, 0, NULL},
	};

	inbox_of(4);
	return folders;
}

static const char *sealed(struct fake_imap *fake, const char *command)
{
	const char *answer = fake->context;

	return strstr(command, "EXAMINE \"Sealed\"") ? answer : NULL;
}

/* What the server lists and does not let us read is said, and is no reason
 * to fail; and what was stored of it stays. */
static void a_folder_that_may_not_be_read_stops_nobody(void **state)
{
	static char refusal[] = "@ NO [NOPERM] not yours\r\n";
	const struct fake_imap fake = {
		.folders = two_folders(), .instead = sealed};
	struct rig *rig = rig_new(&fake);

	(void)state;
	rig->fake.context = refusal;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.messages, 8);
	assert_int_equal(rig->progress.totals.bodies, 4);
	rig->fake.context = NULL;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.messages, 12);
	rig->fake.context = refusal;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.messages, 12);
	rig_free(rig);
}

/* One that the server cannot open without falling over is not proven, and all
 * the others are there. */
static void a_folder_that_ends_sessions_keeps_nothing_back(void **state)
{
	static char hang_up[] = "";
	const struct fake_imap fake = {.folders = two_folders(),
		.instead = sealed,
		.context = hang_up};
	struct rig *rig = rig_new(&fake);

	(void)state;
	assert_int_equal(rig_try(rig), -1);
	assert_int_equal(rig->progress.totals.messages, 8);
	assert_int_equal(rig->progress.totals.bodies, 4);
	rig->fake.context = NULL;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.messages, 12);
	rig_free(rig);
}

/* Nobody can say what is inside: it comes whole. */
static void a_structure_that_makes_no_sense_hides_nothing(void **state)
{
	static const struct fake_message footed[] = {
		{1,
			"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
			"Content-Type: multipart/signed; boundary=y\r\n\r\n--y\r\n"
			"\r\nsigned\r\n--y--\r\n--x\r\n\r\nfooter\r\n--x--\r\n",
			0, FAKE_BAD_STRUCTURE},
		{2, "Subject: plain\r\n\r\nbody", 0, FAKE_GOOD},
		{0, NULL, 0, FAKE_GOOD},
	};
	static const struct fake_folder folders[] = {
		{"() \"/\" \"List\"", "List", 7, footed},
		{NULL, NULL, 0, NULL},
	};
	const struct fake_imap fake = {.folders = folders};
	struct rig *rig = rig_new(&fake);

	(void)state;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.messages, 2);
	assert_int_equal(rig->progress.totals.bodies, 1);
	rig_expect(rig, "List", 1, STORE_PART_BODY, footed[0].text,
		strlen(footed[0].text));
	rig_free(rig);
}

/* What came and went between two runs was never here: a server may tell of
 * it, and the delta adds up all the same: only the proof lists the folder. */
static void what_was_never_here_may_vanish(void **state)
{
	const struct fake_imap fake = {.folders = inbox_of(10),
		.capabilities = FRIENDLY " CONDSTORE ENABLE QRESYNC",
		.vanished = "9"};
	struct rig *rig = rig_new(&fake);
	unsigned listings = 0;
	const char *second;

	(void)state;
	letters[8] = letters[9];
	memset(&letters[9], 0, sizeof letters[9]);
	letters[8].uid = 0;
	rig_sync(rig);
	letters[8].uid = 10;
	second = rig->fake.log + strlen(rig->fake.log);
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.bodies, 9);
	assert_non_null(strstr(second, "CHANGEDSINCE"));
	for (; (second = strstr(second, ":* (UID FLAGS RFC822.SIZE MODSEQ)\n"));
		second++)
		listings++;
	assert_int_equal(listings, 1);
	rig_free(rig);
}

/* A new message in a mailbox of COUNT: commands and round trips that takes. */
static void delta(const char *capabilities, unsigned count, unsigned *commands,
	uint64_t *trips)
{
	const struct fake_imap fake = {
		.folders = inbox_of(count), .capabilities = capabilities};
	struct rig *rig = rig_new(&fake);

	letters[count - 1].uid = 0;
	rig_sync(rig);
	letters[count - 1].uid = count;
	*commands = rig->fake.commands;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.bodies, count);
	assert_true(rig->progress.run_app_bytes < 200);
	*commands = rig->fake.commands - *commands;
	*trips = rig->progress.round_trips;
	rig_free(rig);
}

static void a_delta_costs_the_same_for_any_mailbox(void **state)
{
	static const char *const servers[] = {FRIENDLY, FRIENDLY " CONDSTORE",
		FRIENDLY " CONDSTORE ENABLE QRESYNC"};
	unsigned few, many;
	uint64_t near, far;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		delta(servers[i], 4, &few, &near);
		delta(servers[i], MANY, &many, &far);
		assert_int_equal(few, many);
		assert_int_equal(near, far);
	}
}

static void the_wall_clock_may_jump(void **state)
{
	struct mood mood = {"NO [THROTTLED] slow down", NULL, 2};
	const struct fake_imap fake = {
		.folders = inbox_of(20), .before = moody, .context = &mood};
	struct rig *rig = rig_new(&fake);

	(void)state;
	atomic_store(&jumps, 1);
	letters[6].fault = FAKE_GARBLED;
	rig_sync(rig);
	assert_int_equal(rig->progress.retries, 2);
	assert_int_equal(rig->progress.totals.bodies, 19);
	assert_true(rig->progress.active_us < 3600 * US_PER_S);
	assert_true(rig_quarantined(rig, 7));
	assert_int_equal(rig->tries, 1);
	for (unsigned tries = 2; tries < 5; tries++) {
		rig_sync(rig);
		assert_true(rig_quarantined(rig, 7));
		assert_int_equal(rig->tries, tries);
	}
	letters[6].fault = FAKE_GOOD;
	rig_sync(rig);
	assert_int_equal(rig->progress.totals.bodies, 20);
	assert_int_equal(rig->progress.totals.quarantined, 0);
	atomic_store(&jumps, 0);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_turned_away_comes_back),
		cmocka_unit_test(a_wrong_password_ends_it_at_once),
		cmocka_unit_test(what_is_withheld_is_set_apart),
		cmocka_unit_test(poison_is_halved_kept_and_tried_again),
		cmocka_unit_test(what_cannot_be_listed_is_not_gone),
		cmocka_unit_test(a_folder_that_may_not_be_read_stops_nobody),
		cmocka_unit_test(
			a_folder_that_ends_sessions_keeps_nothing_back),
		cmocka_unit_test(a_structure_that_makes_no_sense_hides_nothing),
		cmocka_unit_test(what_was_never_here_may_vanish),
		cmocka_unit_test(a_delta_costs_the_same_for_any_mailbox),
		cmocka_unit_test(the_wall_clock_may_jump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
