/*
 * canary.c - the thread that behaves like a waiting user.
 *
 * Between the mail server and the controller's loop. The schedule is fixed
 * when it starts; each probe opens its own connection, as a web mailer or a
 * phone does. Passwords stay in here.
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
#define LISTED	       20
#define ANSWER_BYTES   (32U << 20)

struct canary {
	char *user, *password, *host, *ca_file;
	struct stream_options stream;
	int64_t interval_us, timeout_us;
	int64_t (*clock)(void);
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	bool stopping;
	struct canary_probe probe[PROBES];
	size_t first, count;
	struct canary_status status;
	/* The thread's own: */
	struct wire *wire;
	struct canary_dav *dav; /* NULL: no DAV */
	uint64_t random;
	unsigned exists; /* messages in INBOX, of the last SELECT */
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
	struct canary *canary = context;
	char *end;
	char line[64];

	if (length >= sizeof(line))
		return;
	memcpy(line, text, length);
	line[length] = '\0';
	unsigned long number = strtoul(line, &end, 10);
	if (end != line && strcmp(end, " EXISTS") == 0 && number < UINT32_MAX)
		canary->exists = (unsigned)number;
}

static int run_list(
	struct canary *canary, struct imap_client *client, struct err *err)
{
	char command[96];
	unsigned last = canary->exists;

	if (last == 0)
		return 0;
	snprintf(command, sizeof(command),
		"FETCH %u:%u (UID FLAGS ENVELOPE RFC822.SIZE)",
		last > LISTED ? last - LISTED + 1 : 1, last);
	return imap_client_run(client, command, err);
}

/* One of the messages just listed; without marking it as read. */
static int run_open(
	struct canary *canary, struct imap_client *client, struct err *err)
{
	char command[64];
	unsigned listed = canary->exists < LISTED ? canary->exists : LISTED;

	if (listed == 0)
		return 0;
	snprintf(command, sizeof(command), "FETCH %u (BODY.PEEK[])",
		canary->exists - random_below(&canary->random, listed));
	return imap_client_run(client, command, err);
}

static int run_step(struct canary *canary, enum canary_step step,
	struct imap_client **client, int64_t left_us, struct err *err)
{
	switch (step) {
	case CANARY_LOGIN:
		canary->stream.connect_us = left_us;
		canary->stream.stall_us = left_us;
		if (imap_client_open(
			    client, &canary->stream, canary->wire, err) < 0)
			return -1;
		imap_client_set_deadline(
			*client, clock_monotonic_us() + left_us);
		imap_client_on_untagged(
			*client, on_untagged, canary, ANSWER_BYTES);
		return imap_client_login(
			*client, canary->user, canary->password, err);
	case CANARY_SELECT:
		canary->exists = 0;
		return imap_client_run(*client, "SELECT INBOX", err);
	case CANARY_LIST:
		return run_list(canary, *client, err);
	case CANARY_OPEN:
		return run_open(canary, *client, err);
	default:
		return canary->dav ? canary_dav_day(canary->dav,
					     clock_wall_us(), left_us, err)
				   : 0;
	}
}

/* LATE_US: how long the probe has waited for its predecessor already. */
static int run_probe(struct canary *canary, int64_t late_us,
	struct canary_probe *probe, struct err *err)
{
	struct imap_client *client = NULL;
	int64_t begin_us = clock_monotonic_us();
	int64_t last_us = begin_us;
	int rc = 0;

	for (int s = 0; s < CANARY_STEPS && rc == 0; s++) {
		int64_t left_us = canary->timeout_us - late_us -
			(last_us - begin_us);
		if (s == CANARY_DAV && !canary->dav)
			break;
		rc = left_us > 0 ? run_step(canary, (enum canary_step)s,
					   &client, left_us, err)
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
	pthread_mutex_lock(&canary->lock);
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

/* Until DUE_US on the monotonic clock. False: time to end. */
static bool wait_until(struct canary *canary, int64_t due_us)
{
	struct timespec until = {
		.tv_sec = due_us / US_PER_S,
		.tv_nsec = (due_us % US_PER_S) * 1000,
	};

	pthread_mutex_lock(&canary->lock);
	while (!canary->stopping && clock_monotonic_us() < due_us)
		pthread_cond_timedwait(&canary->wake, &canary->lock, &until);
	bool stopping = canary->stopping;
	pthread_mutex_unlock(&canary->lock);
	return !stopping;
}

static void *prober(void *context)
{
	struct canary *canary = context;

	/* Finding the calendar is not what a user waits for. */
	if (canary->dav)
		canary_dav_day(
			canary->dav, clock_wall_us(), canary->timeout_us, NULL);
	int64_t due_us = clock_monotonic_us();

	while (wait_until(canary, due_us)) {
		struct err err = ERR_INIT;
		struct canary_probe probe = {.latency_us = -1};
		int64_t late_us = clock_monotonic_us() - due_us;

		for (int s = 0; s < CANARY_STEPS; s++)
			probe.step_us[s] = -1;
		probe.start_us = canary->clock() - late_us;
		if (late_us >= canary->timeout_us)
			err_set(&err, ERR_TIMEOUT,
				"canary: a probe waited %.0f s for the one "
				"before it",
				(double)late_us / US_PER_S);
		else
			run_probe(canary, late_us, &probe, &err);
		if (err.kind == ERR_CANCELLED)
			break;
		keep(canary, &probe, &err);
		due_us += canary->interval_us;
		if (err.kind == ERR_AUTH)
			due_us = clock_monotonic_us() + REFUSED_US;
	}
	return NULL;
}

static void release(struct canary *canary)
{
	canary_dav_free(canary->dav);
	wire_free(canary->wire);
	free(canary->user);
	if (canary->password)
		explicit_bzero(canary->password, strlen(canary->password));
	free(canary->password);
	free(canary->host);
	free(canary->ca_file);
	free(canary);
}

static void init_sync(struct canary *canary)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&canary->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&canary->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void copy_account(struct canary *canary, const struct account *account)
{
	canary->user = xstrdup(account->user);
	canary->host = xstrdup(account->imap.host);
	canary->ca_file = xstrdup(account->ca_file);
	canary->stream.endpoint = account->imap;
	canary->stream.endpoint.host = canary->host;
	canary->stream.ca_file = canary->ca_file;
	canary->wire = wire_new();
	if (account->dav_url)
		canary->dav = canary_dav_new(account->dav_url, canary->user,
			canary->password, canary->ca_file, canary->wire);
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
	canary->random = 1;
	init_sync(canary);
	int rc = pthread_create(&canary->thread, NULL, prober, canary);
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
	pthread_cond_signal(&canary->wake);
	pthread_mutex_unlock(&canary->lock);
	wire_cancel(canary->wire);
	pthread_join(canary->thread, NULL);
	pthread_cond_destroy(&canary->wake);
	pthread_mutex_destroy(&canary->lock);
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
