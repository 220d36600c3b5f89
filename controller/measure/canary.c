/*
 * canary.c - the threads that behave like waiting users.
 *
 * Between the mail server and the controller's loop. The schedule is fixed
 * when it starts; each probe opens its own connection, as a web mailer or a
 * phone does. One hand waits for the next probe to be due, works on it, and
 * leaves the waiting to another, which is made when all are busy. Passwords
 * stay in here.
 */
#include "canary.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "alloc.h"
#include "canary_dav.h"
#include "clock.h"
#include "err.h"
#include "imap_client.h"
#include "random.h"
#include "wire.h"

#define PROBES	       1200 /* kept when nobody takes them */
#define INTERVAL_LEAST (US_PER_S / 2)
#define TIMEOUT_US     (10 * US_PER_S)
#define REFUSED_US     (30 * US_PER_S)
#define HANDS	       8 /* probes under way; servers limit a user's too */
#define LISTED	       20
#define ANSWER_BYTES   (32U << 20)

/* One thread; all but the canary's lock is its own. */
struct hand {
	struct canary *canary;
	pthread_t thread;
	struct stream_options stream;
	struct wire *wire;
	struct canary_dav *dav; /* NULL: no DAV */
	uint64_t random;
	unsigned exists; /* messages in INBOX, of the last SELECT */
};

struct canary {
	char *user, *password, *host, *ca_file, *dav_url;
	struct endpoint imap;
	int64_t interval_us, timeout_us;
	int64_t (*clock)(void);
	char *calendar;	      /* found before the first probe; NULL: was not */
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t turn, wake;
	bool stopping;
	struct hand hand[HANDS];
	unsigned hands;
	unsigned idle; /* hands that wait for their turn to wait */
	bool awaited;  /* a hand waits for the next probe to be due */
	bool let_in;   /* the last login was not refused */
	int64_t due_us;
	struct canary_probe probe[PROBES];
	size_t first, count;
	struct canary_status status;
};

static const char *step_name(enum canary_step step)
{
	static const char *const names[CANARY_STEPS] = {
		[CANARY_LOGIN] = "login",
		[CANARY_SELECT] = "select",
		[CANARY_LIST] = "list",
		[CANARY_OPEN] = "open",
		[CANARY_DAV] = "calendar",
	};

	return step < CANARY_STEPS ? names[step] : "unknown";
}

static void on_untagged(void *context, const char *text, size_t length)
{
	struct hand *hand = context;
	char *end;
	char line[64];

	if (length >= sizeof(line))
		return;
	memcpy(line, text, length);
	line[length] = '\0';
	unsigned long number = strtoul(line, &end, 10);
	if (end != line && strcmp(end, " EXISTS") == 0 && number < UINT32_MAX)
		hand->exists = (unsigned)number;
}

static int run_list(
	struct hand *hand, struct imap_client *client, struct err *err)
{
	char command[96];
	unsigned last = hand->exists;

	if (last == 0)
		return 0;
	snprintf(command, sizeof(command),
		"FETCH %u:%u (UID FLAGS ENVELOPE RFC822.SIZE)",
		last > LISTED ? last - LISTED + 1 : 1, last);
	return imap_client_run(client, command, err);
}

/* One of the messages just listed; without marking it as read. */
static int run_open(
	struct hand *hand, struct imap_client *client, struct err *err)
{
	char command[64];
	unsigned listed = hand->exists < LISTED ? hand->exists : LISTED;

	if (listed == 0)
		return 0;
	snprintf(command, sizeof(command), "FETCH %u (BODY.PEEK[])",
		hand->exists - random_below(&hand->random, listed));
	return imap_client_run(client, command, err);
}

static int run_step(struct hand *hand, enum canary_step step,
	struct imap_client **client, int64_t left_us, struct err *err)
{
	const struct canary *canary = hand->canary;

	switch (step) {
	case CANARY_LOGIN:
		hand->stream.connect_us = left_us;
		hand->stream.stall_us = left_us;
		if (imap_client_open(client, &hand->stream, hand->wire, err) <
			0)
			return -1;
		imap_client_set_deadline(
			*client, clock_monotonic_us() + left_us);
		imap_client_on_untagged(
			*client, on_untagged, hand, ANSWER_BYTES);
		return imap_client_login(
			*client, canary->user, canary->password, err);
	case CANARY_SELECT:
		hand->exists = 0;
		return imap_client_run(*client, "SELECT INBOX", err);
	case CANARY_LIST:
		return run_list(hand, *client, err);
	case CANARY_OPEN:
		return run_open(hand, *client, err);
	default:
		return canary_dav_day(hand->dav, clock_wall_us(), left_us, err);
	}
}

/* LATE_US: how long the probe has waited for a hand already. */
static int run_probe(struct hand *hand, int64_t late_us,
	struct canary_probe *probe, struct err *err)
{
	struct imap_client *client = NULL;
	int64_t begin_us = clock_monotonic_us();
	int64_t last_us = begin_us;
	int rc = 0;

	for (int s = 0; s < CANARY_STEPS && rc == 0; s++) {
		int64_t left_us = hand->canary->timeout_us - late_us -
			(last_us - begin_us);
		if (s == CANARY_DAV && !hand->dav)
			break;
		rc = left_us > 0 ? run_step(hand, (enum canary_step)s, &client,
					   left_us, err)
				 : err_set(err, ERR_TIMEOUT,
					   "canary: no time left to %s",
					   step_name((enum canary_step)s));
		int64_t now_us = clock_monotonic_us();
		if (rc == 0)
			probe->step_us[s] = now_us - last_us;
		last_us = now_us;
	}
	if (rc == 0)
		probe->latency_us = late_us + last_us - begin_us;
	imap_client_close(client);
	return rc;
}

static void keep(struct canary *canary, const struct canary_probe *probe,
	const struct err *err)
{
	int64_t again_us = clock_monotonic_us() + REFUSED_US;

	pthread_mutex_lock(&canary->lock);
	if (err->kind == ERR_AUTH) {
		canary->let_in = false;
		canary->due_us = again_us;
	} else if (probe->step_us[CANARY_LOGIN] >= 0) {
		canary->let_in = true;
	}
	if (canary->count == PROBES) {
		canary->first = (canary->first + 1) % PROBES;
		canary->count--;
	}
	canary->probe[(canary->first + canary->count++) % PROBES] = *probe;
	canary->status.probes++;
	canary->status.up = err->kind == ERR_NONE;
	canary->status.refused = err->kind == ERR_AUTH;
	if (err->kind != ERR_NONE) {
		canary->status.failed++;
		snprintf(canary->status.text, sizeof(canary->status.text),
			"%.500s", err->text);
	} else {
		canary->status.text[0] = '\0';
	}
	pthread_mutex_unlock(&canary->lock);
}

/* A hand that begins with RUN. With the lock held, once there are others. */
static int add_hand(struct canary *canary, void *(*run)(void *hand))
{
	struct hand *hand = &canary->hand[canary->hands];

	*hand = (struct hand){.canary = canary,
		.stream = {.endpoint = canary->imap,
			.ca_file = canary->ca_file},
		.wire = wire_new(),
		.random = canary->hands + 1};
	if (canary->dav_url)
		hand->dav = canary_dav_new(canary->dav_url, canary->user,
			canary->password, canary->ca_file, hand->wire);
	if (hand->dav && canary->calendar)
		canary_dav_use(hand->dav, canary->calendar);
	int rc = pthread_create(&hand->thread, NULL, run, hand);
	if (rc == 0) {
		canary->hands++;
		return 0;
	}
	canary_dav_free(hand->dav);
	wire_free(hand->wire);
	return rc;
}

/* One hand at a time waits for the next probe to be due; the others for their
 * turn to wait. With the lock held. False: time to end. */
static bool wait_due(struct canary *canary)
{
	canary->idle++;
	while (!canary->stopping && canary->awaited)
		pthread_cond_wait(&canary->turn, &canary->lock);
	canary->idle--;
	canary->awaited = true;
	while (!canary->stopping && clock_monotonic_us() < canary->due_us) {
		struct timespec until = {
			.tv_sec = canary->due_us / US_PER_S,
			.tv_nsec = (canary->due_us % US_PER_S) * 1000,
		};

		pthread_cond_timedwait(&canary->wake, &canary->lock, &until);
	}
	return !canary->stopping;
}

static void *work(void *context);

/* Another hand may wait for the next probe. With the lock held. Where none can
 * be made, probes wait for those there are. */
static void pass_on(struct canary *canary)
{
	canary->awaited = false;
	if (canary->idle)
		pthread_cond_signal(&canary->turn);
	else if (canary->hands < HANDS && !canary->stopping)
		(void)add_hand(canary, work);
}

/* False: it was cancelled. */
static bool probe_at(struct hand *hand, int64_t due_us)
{
	struct canary *canary = hand->canary;
	struct err err = ERR_INIT;
	struct canary_probe probe = {.latency_us = -1};
	int64_t late_us = clock_monotonic_us() - due_us;

	for (int s = 0; s < CANARY_STEPS; s++)
		probe.step_us[s] = -1;
	probe.start_us = canary->clock() - late_us;
	if (late_us >= canary->timeout_us)
		err_set(&err, ERR_TIMEOUT,
			"canary: a probe waited %.0f s for those before it",
			(double)late_us / US_PER_S);
	else
		run_probe(hand, late_us, &probe, &err);
	if (err.kind == ERR_CANCELLED)
		return false;
	keep(canary, &probe, &err);
	return true;
}

static void *work(void *context)
{
	struct hand *hand = context;
	struct canary *canary = hand->canary;
	bool goes_on = true;

	pthread_mutex_lock(&canary->lock);
	while (goes_on && wait_due(canary)) {
		int64_t due_us = canary->due_us;
		/* A password that may be wrong is not tried many times. */
		bool overlap = canary->let_in;

		canary->due_us += canary->interval_us;
		if (overlap)
			pass_on(canary);
		pthread_mutex_unlock(&canary->lock);
		goes_on = probe_at(hand, due_us);
		pthread_mutex_lock(&canary->lock);
		if (!overlap)
			pass_on(canary);
	}
	pthread_mutex_unlock(&canary->lock);
	return NULL;
}

/* Finding the calendar is not what a user waits for. */
static void *begin(void *context)
{
	struct hand *hand = context;
	struct canary *canary = hand->canary;

	if (hand->dav) {
		canary_dav_day(
			hand->dav, clock_wall_us(), canary->timeout_us, NULL);
		canary->calendar = xstrdup(canary_dav_calendar(hand->dav));
	}
	canary->due_us = clock_monotonic_us();
	return work(hand);
}

static void release(struct canary *canary)
{
	for (unsigned i = 0; i < canary->hands; i++) {
		canary_dav_free(canary->hand[i].dav);
		wire_free(canary->hand[i].wire);
	}
	pthread_cond_destroy(&canary->turn);
	pthread_cond_destroy(&canary->wake);
	pthread_mutex_destroy(&canary->lock);
	free(canary->user);
	if (canary->password)
		explicit_bzero(canary->password, strlen(canary->password));
	free(canary->password);
	free(canary->host);
	free(canary->ca_file);
	free(canary->dav_url);
	free(canary->calendar);
	free(canary);
}

static void init_sync(struct canary *canary)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&canary->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&canary->wake, &monotonic);
	pthread_cond_init(&canary->turn, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void copy_account(struct canary *canary, const struct account *account)
{
	canary->user = xstrdup(account->user);
	canary->host = xstrdup(account->imap.host);
	canary->ca_file = xstrdup(account->ca_file);
	canary->dav_url = xstrdup(account->dav_url);
	canary->imap = account->imap;
	canary->imap.host = canary->host;
}

int canary_start(struct canary **out, const struct canary_options *options,
	int64_t (*clock)(void), struct err *err)
{
	const struct account *account = options->account;

	if (!account->imap.host)
		return err_set(err, ERR_CONFIG,
			"canary %s: no imap server; a waiting user is "
			"measured by IMAP",
			account->user ? account->user : "");
	char *password = account_password(account, err);
	if (!password)
		return err_context(err, "canary");
	struct canary *canary = xcalloc(1, sizeof(*canary));
	canary->password = password;
	copy_account(canary, account);
	canary->interval_us = options->interval_us ? options->interval_us
						   : US_PER_S;
	if (canary->interval_us < INTERVAL_LEAST)
		canary->interval_us = INTERVAL_LEAST;
	canary->timeout_us = options->timeout_us > 0 ? options->timeout_us
						     : TIMEOUT_US;
	canary->clock = clock;
	init_sync(canary);
	int rc = add_hand(canary, begin);
	if (rc != 0) {
		release(canary);
		return err_set(err, ERR_LIMIT,
			"cannot start a thread for the canary: %s",
			strerror(rc));
	}
	*out = canary;
	return 0;
}

void canary_stop(struct canary **out)
{
	struct canary *canary = *out;

	*out = NULL;
	if (!canary)
		return;
	pthread_mutex_lock(&canary->lock);
	canary->stopping = true;
	pthread_cond_broadcast(&canary->wake);
	pthread_cond_broadcast(&canary->turn);
	pthread_mutex_unlock(&canary->lock);
	/* Nobody adds a hand any more. */
	for (unsigned i = 0; i < canary->hands; i++)
		wire_cancel(canary->hand[i].wire);
	for (unsigned i = 0; i < canary->hands; i++)
		pthread_join(canary->hand[i].thread, NULL);
	release(canary);
}

size_t canary_take(struct canary *canary, struct canary_probe *out, size_t max)
{
	size_t taken = 0;

	pthread_mutex_lock(&canary->lock);
	while (taken < max && canary->count) {
		out[taken++] = canary->probe[canary->first];
		canary->first = (canary->first + 1) % PROBES;
		canary->count--;
	}
	pthread_mutex_unlock(&canary->lock);
	return taken;
}

void canary_status(struct canary *canary, struct canary_status *out)
{
	pthread_mutex_lock(&canary->lock);
	*out = canary->status;
	pthread_mutex_unlock(&canary->lock);
}
