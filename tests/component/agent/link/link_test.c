/*
 * link_test.c - one agent and a controller that forgets, dies, repeats
 * itself: every report arrives, every command is obeyed once, and a
 * synchronisation does not care.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "client.h"
#include "clock.h"
#include "err.h"
#include "fake_account.h"
#include "fake_http.h"
#include "link.h"
#include "link_controller.h"
#include "message.h"
#include "outbox.h"
#include "policy.h"
#include "store.h"
#include "temp_dir.h"

#define PATIENCE_US (120 * US_PER_S)

struct fixture {
	struct controller controller;
	struct fake_step steps[2];
	char directory[TEMP_DIR_SIZE];
	char *store, *token, *password;
	struct err err;
	struct link *link;
	struct outbox *outbox; /* a look from outside */
	struct fake_account *fake;
	struct account account;
	struct client *client;
	enum store_mode sent_mode; /* what the next policy says of Sent */
};

/* ------------------------------------------------------------ controller */

static void say(struct fixture *f, enum command command, uint64_t id)
{
	pthread_mutex_lock(&f->controller.mutex);
	f->controller.answer.command = command;
	f->controller.answer.command_id = id;
	f->controller.answer.wave = 1;
	pthread_mutex_unlock(&f->controller.mutex);
}

static void set_status(struct fixture *f, int report_status)
{
	pthread_mutex_lock(&f->controller.mutex);
	f->controller.report_status = report_status;
	pthread_mutex_unlock(&f->controller.mutex);
}

/* --------------------------------------------------------------- fixture */

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	temp_dir_make(f->directory);
	f->store = xasprintf("%s/store", f->directory);
	f->token = temp_dir_put(f->directory, "token", "sesame\n");
	f->password = temp_dir_put(f->directory, "password", "x\n");
	pthread_mutex_init(&f->controller.mutex, NULL);
	f->controller.answer.next_poll_ms = 5;
	f->steps[0] = (struct fake_step){.method = "POST",
		.path = "/v1/enroll",
		.times = -1,
		.answer = take_enrolment,
		.context = &f->controller};
	f->steps[1] = f->steps[0];
	f->steps[1].path = "/v1/agent/report";
	f->steps[1].answer = take_report;
	f->controller.http = fake_http_start(f->steps, 2);
	f->outbox = outbox_open(f->store, OUTBOX_SAFE, &f->err);
	assert_non_null(f->outbox);
	f->fake = xcalloc(1, sizeof *f->fake);
	f->account.user = "u@example.org";
	f->account.password_file = f->password;
	f->account.imap.host = "fake";
	f->sent_mode = STORE_MODE_HEADERS;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	client_free(f->client);
	link_stop(f->link);
	outbox_close(f->outbox);
	fake_http_stop(f->controller.http);
	pthread_mutex_destroy(&f->controller.mutex);
	temp_dir_remove(f->directory);
	fake_free(f->fake);
	free(f->fake);
	free(f->store);
	free(f->token);
	free(f->password);
	free(f);
	return 0;
}

static void wake(void *context)
{
	(void)context; /* the tests look a few times a millisecond */
}

static void start_link(struct fixture *f)
{
	const struct link_setup how = {
		.directory = f->store,
		.url = fake_http_url(f->controller.http),
		.token_file = f->token,
		.client = "u1",
		.subject = "agent u1",
		.wake = wake,
	};

	assert_int_equal(link_start(&f->link, &how, &f->err), 0);
}

static void stop_link(struct fixture *f)
{
	link_stop(f->link);
	f->link = NULL;
}

static void post(struct fixture *f, enum phase phase)
{
	const struct report report = {.phase = phase};

	link_post(f->link, &report, true);
}

/* Until HOLDS says so; the client, if there is one, does its work. */
static void until(struct fixture *f, bool (*holds)(struct fixture *f))
{
	int64_t end_us = clock_monotonic_us() + PATIENCE_US;
	bool now = false;

	while (!now) {
		if (f->client)
			assert_int_equal(client_tick(f->client, &f->err), 0);
		pthread_mutex_lock(&f->controller.mutex);
		now = holds(f);
		pthread_mutex_unlock(&f->controller.mutex);
		if (!now && clock_monotonic_us() > end_us)
			fail_msg("it does not come to pass");
		clock_sleep_us(US_PER_MS / 2);
	}
}

static bool one_came(struct fixture *f)
{
	return f->controller.count >= 1;
}

static bool two_came(struct fixture *f)
{
	return f->controller.count >= 2;
}

static bool nothing_owed(struct fixture *f)
{
	return f->controller.count && outbox_count(f->outbox) == 0;
}

static bool one_refused(struct fixture *f)
{
	return f->controller.refused >= 1;
}

static bool dropped(struct fixture *f)
{
	return one_refused(f) && outbox_count(f->outbox) == 0;
}

static bool done_told(struct fixture *f)
{
	return f->controller.phases[PHASE_DONE] >= 1;
}

static bool has_failed(struct fixture *f)
{
	return link_failed(f->link, &f->err);
}

/* ------------------------------------------------------------------ link */

static void what_is_acknowledged_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct answer answer;

	say(f, COMMAND_PAUSE, 3);
	start_link(f);
	post(f, PHASE_IDLE);
	until(f, nothing_owed);
	assert_int_equal(f->controller.enrolled, 1);
	assert_int_equal(f->controller.count, 1);
	assert_int_equal(f->controller.seqs[0], 1);
	assert_int_equal(
		fake_http_saw(f->controller.http, "\"client\":\"u1\""), 1);
	assert_true(link_answer(f->link, &answer));
	assert_int_equal(answer.command, COMMAND_PAUSE);
	assert_int_equal(answer.command_id, 3);
	assert_false(link_answer(f->link, &answer));
}

/* The controller counted it and died before it could say so. */
static void unacknowledged_is_sent_again_as_it_was(void **state)
{
	struct fixture *f = *state;

	f->controller.fail_next = 1;
	start_link(f);
	post(f, PHASE_LISTING);
	until(f, two_came);
	until(f, nothing_owed);
	assert_int_equal(f->controller.count, 2);
	assert_int_equal(f->controller.seqs[0], 1);
	assert_int_equal(f->controller.seqs[1], 1);
	assert_int_equal(f->controller.phases[PHASE_LISTING], 2);
	post(f, PHASE_DONE);
	until(f, done_told);
	assert_int_equal(f->controller.seqs[2], 2);
}

static void reports_and_obedience_outlive_the_process(void **state)
{
	struct fixture *f = *state;

	f->controller.report_status = 500;
	start_link(f);
	link_obeyed(f->link, 9);
	link_set_active(f->link, 4);
	post(f, PHASE_LISTING);
	until(f, one_refused);
	stop_link(f);
	assert_int_equal(f->controller.count, 0);
	assert_int_equal(outbox_count(f->outbox), 1);
	f->controller.report_status = 0;
	start_link(f);
	assert_int_equal(link_last_obeyed(f->link), 9);
	assert_int_equal(link_active(f->link), 4);
	post(f, PHASE_SYNCING);
	until(f, two_came);
	until(f, nothing_owed);
	assert_int_equal(f->controller.seqs[0], 1);
	assert_int_equal(f->controller.seqs[1], 2);
	assert_int_equal(f->controller.last_command, 9);
	assert_int_equal(f->controller.phases[PHASE_LISTING], 1);
	assert_int_equal(f->controller.phases[PHASE_SYNCING], 1);
	assert_int_equal(f->controller.enrolled, 1);
}

static void a_controller_that_forgot_us_is_told_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(outbox_set(f->outbox, "agent", "old", NULL), 0);
	assert_int_equal(outbox_set(f->outbox, "secret", "gone", NULL), 0);
	start_link(f);
	post(f, PHASE_IDLE);
	until(f, one_came);
	until(f, nothing_owed);
	assert_int_equal(f->controller.enrolled, 1);
	assert_int_equal(f->controller.seqs[0], 1);
	assert_int_equal(
		fake_http_saw(f->controller.http, "Bearer old.gone"), 1);
}

static void a_wrong_token_needs_a_person(void **state)
{
	struct fixture *f = *state;

	free(f->token);
	f->token = temp_dir_put(f->directory, "token", "guess\n");
	start_link(f);
	post(f, PHASE_IDLE);
	until(f, has_failed);
	assert_int_equal(f->err.kind, ERR_AUTH);
	assert_non_null(strstr(f->err.text, "enrolment of u1"));
	assert_int_equal(f->controller.enrolled, 0);
	stop_link(f);
	assert_int_equal(outbox_count(f->outbox), 1);
}

static void what_is_refused_is_not_sent_for_ever(void **state)
{
	struct fixture *f = *state;

	f->controller.report_status = 400;
	start_link(f);
	post(f, PHASE_LISTING);
	until(f, dropped);
	set_status(f, 0);
	post(f, PHASE_DONE);
	until(f, nothing_owed);
	assert_int_equal(f->controller.seqs[0], 2);
	assert_int_equal(f->controller.phases[PHASE_LISTING], 0);
}

/* A report counts when the controller says so, not when it was taken; and one
 * that has counted more than there is does not silence us. */
static void what_is_not_counted_is_kept(void **state)
{
	struct fixture *f = *state;

	f->controller.ack_off = -1;
	start_link(f);
	post(f, PHASE_LISTING);
	until(f, two_came);
	assert_int_equal(f->controller.seqs[1], 1);
	assert_int_equal(outbox_count(f->outbox), 1);
	clock_sleep_us(200 * US_PER_MS);
	assert_true(f->controller.count < 10); /* it does not hammer */
	f->controller.ack_off = 1000;
	until(f, nothing_owed);
	post(f, PHASE_DONE);
	until(f, done_told);
}

/* ---------------------------------------------------------------- client */

static struct policy *read_policy(const void *context, struct err *err)
{
	const struct fixture *f = context;
	struct policy *policy = policy_new();

	(void)err;
	policy_add(policy, "Sent", f->sent_mode, false);
	return policy;
}

static void start_client(struct fixture *f)
{
	const struct client_setup how = {
		.sync = {.account = &f->account,
			.directory = f->store,
			.renew_policy = read_policy,
			.renew_context = f,
			.backoff_us = 1000,
			.open_mail = fake_open_mail,
			.open_dav = fake_open_dav},
		.url = fake_http_url(f->controller.http),
		.token_file = f->token,
		.name = "u1",
		.wake = wake,
	};
	struct fake_folder *inbox = fake_add_folder(
		f->fake, "INBOX", COLLECTION_MAIL, false);
	struct fake_folder *sent = fake_add_folder(
		f->fake, "Sent", COLLECTION_MAIL, false);

	for (int i = 0; i < 5; i++)
		fake_add_mail(inbox, 500);
	for (int i = 0; i < 3; i++)
		fake_add_mail(sent, 500);
	fake_serve(f->fake);
	assert_int_equal(client_new(&f->client, &how, &f->err), 0);
}

static bool idle_told(struct fixture *f)
{
	return f->controller.phases[PHASE_IDLE] >= 1;
}

static bool done_told_often(struct fixture *f)
{
	return f->controller.phases[PHASE_DONE] >= 20;
}

static bool all_whole(struct fixture *f)
{
	return f->controller.progress.verified &&
		f->controller.progress.bodies == 8;
}

static bool is_synchronised(struct fixture *f)
{
	struct store *store = store_open(f->store, STORE_READ, NULL);
	bool done = store && store_counter_get(store, "last_sync_us") != 0;

	store_close(store);
	return done;
}

static void stop_client(struct fixture *f)
{
	client_free(f->client);
	f->client = NULL;
}

static void a_command_is_obeyed_once(void **state)
{
	struct fixture *f = *state;

	start_client(f);
	until(f, idle_told);
	assert_int_equal(f->fake->sessions, 0);
	say(f, COMMAND_START, 7);
	until(f, done_told_often);
	stop_client(f);
	assert_int_equal(f->fake->sessions, 1);
	assert_int_equal(f->controller.last_command, 7);
	assert_int_equal(f->controller.phases[PHASE_FAILED], 0);
	assert_true(f->controller.progress.verified);
	assert_int_equal(f->controller.progress.messages, 8);
	assert_int_equal(f->controller.progress.bodies, 5);
}

/* On the synchronisation's thread: the controller dies before the second
 * window, and a report has met nobody when that is fetched. */
static void lose_controller(struct fake_account *fake, unsigned window)
{
	struct fixture *f = fake->context;
	int64_t end_us = clock_monotonic_us() + PATIENCE_US;
	bool met_nobody = false;

	if (window != 2)
		return;
	set_status(f, 500);
	while (!met_nobody && clock_monotonic_us() < end_us) {
		clock_sleep_us(US_PER_MS);
		pthread_mutex_lock(&f->controller.mutex);
		met_nobody = one_refused(f);
		pthread_mutex_unlock(&f->controller.mutex);
	}
}

static void a_dead_controller_stops_nobody(void **state)
{
	struct fixture *f = *state;

	f->fake->before = lose_controller;
	f->fake->context = f;
	say(f, COMMAND_START, 7);
	start_client(f);
	until(f, is_synchronised);
	assert_int_equal(f->controller.phases[PHASE_DONE], 0);
	assert_true(f->controller.refused > 0);
	set_status(f, 0);
	until(f, done_told);
	stop_client(f);
	assert_true(f->controller.progress.verified);
	assert_int_equal(f->fake->sessions, 1);
	for (size_t i = 1; i < f->controller.count; i++)
		assert_int_equal(
			f->controller.seqs[i], f->controller.seqs[i - 1] + 1);
}

static void a_new_policy_holds_from_the_next_start(void **state)
{
	struct fixture *f = *state;

	say(f, COMMAND_START, 7);
	start_client(f);
	until(f, done_told);
	assert_int_equal(f->controller.progress.bodies, 5);
	f->sent_mode = STORE_MODE_FULL;
	say(f, COMMAND_START, 8);
	until(f, all_whole);
	stop_client(f);
	assert_int_equal(f->fake->sessions, 2);
}

static size_t threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	size_t count = 0;

	assert_non_null(tasks);
	while (readdir(tasks))
		count++;
	closedir(tasks);
	return count;
}

/* Hundreds that wait for a controller which hangs end at once, not one after
 * another. */
static void ends_without_being_waited_for(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t before = threads();
	int64_t end_us = clock_monotonic_us() + PATIENCE_US;
	struct report report = {.phase = PHASE_IDLE};
	struct link *link;
	char *url;

	assert_int_equal(bind(door, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(door, 1), 0);
	getsockname(door, (struct sockaddr *)&at, &size);
	url = xasprintf("http://127.0.0.1:%u", ntohs(at.sin_port));
	const struct link_setup how = {
		.directory = f->store,
		.url = url,
		.token_file = f->token,
		.client = "u1",
		.subject = "agent u1",
		.wake = wake,
	};
	assert_int_equal(link_start(&link, &how, &f->err), 0);
	link_post(link, &report, true);
	int guest = accept(door, NULL, NULL);
	assert_true(guest >= 0);
	assert_true(threads() > before);
	link_cancel(link);
	while (threads() > before && clock_monotonic_us() < end_us)
		clock_sleep_us(US_PER_MS);
	assert_int_equal(threads(), before);
	link_stop(link);
	close(guest);
	close(door);
	free(url);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_acknowledged_is_forgotten),
		TEST(unacknowledged_is_sent_again_as_it_was),
		TEST(reports_and_obedience_outlive_the_process),
		TEST(a_controller_that_forgot_us_is_told_again),
		TEST(a_wrong_token_needs_a_person),
		TEST(what_is_refused_is_not_sent_for_ever),
		TEST(what_is_not_counted_is_kept),
		TEST(a_command_is_obeyed_once),
		TEST(a_dead_controller_stops_nobody),
		TEST(a_new_policy_holds_from_the_next_start),
		TEST(ends_without_being_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
