/*
 * link.c - the thread between the agent's loop and the controller.
 *
 * The loop posts what there is to say and picks up answers; everything that
 * may block (HTTPS, the outbox) happens here.
 */
#include "link.h"

#include "alloc.h"
#include "backoff.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "http.h"
#include "link_wire.h"
#include "log.h"
#include "outbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_US  (US_PER_S / 2)
#define BACKOFF_CAP (30 * US_PER_S)
#define KEEP_US	    (10 * US_PER_S) /* between reports nobody takes */
#define SAMPLES_MAX 10000
#define HOSTS_MAX   3600
#define STACK_BYTES ((size_t)256 << 10)

struct link {
	struct link_setup setup;
	pthread_t thread;
	struct link_wire *wire;
	struct outbox *outbox;	/* the link thread's, after the start */
	struct backoff backoff; /* the same */
	uint64_t acked;		/* the same */
	pthread_mutex_t mutex;	/* guards what follows */
	pthread_cond_t cond;
	struct report pending; /* strings and samples owned */
	bool has_pending, urgent;
	struct answer answer;
	bool has_answer;
	uint64_t obeyed;
	unsigned active;
	bool dirty; /* obeyed or active are not yet in the outbox */
	bool stopping, failed;
	struct err err;
};

/* ------------------------------------------------------- the loop's side */

static void add_samples(struct report *pending, const struct report *report)
{
	size_t had = pending->sample_count;
	size_t count = had + report->sample_count;

	/* They are cumulative: every other one tells as much. */
	if (count > SAMPLES_MAX) {
		for (size_t i = 0; i < had / 2; i++)
			pending->samples[i] = pending->samples[2 * i + 1];
		had /= 2;
		count = had + report->sample_count;
	}
	if (!count)
		return;
	pending->samples = xrealloc(
		pending->samples, count, sizeof *pending->samples);
	if (report->sample_count)
		memcpy(pending->samples + had, report->samples,
			report->sample_count * sizeof *report->samples);
	pending->sample_count = count;
}

/* After an hour without a controller the newest are as good as any. */
static void add_hosts(struct report *pending, const struct report *report)
{
	size_t room = HOSTS_MAX - pending->host_count;
	size_t count = report->host_count < room ? report->host_count : room;

	if (!count)
		return;
	pending->hosts = xrealloc(pending->hosts, pending->host_count + count,
		sizeof(*pending->hosts));
	memcpy(pending->hosts + pending->host_count, report->hosts,
		count * sizeof(*report->hosts));
	pending->host_count += count;
}

void link_post(struct link *link, const struct report *report, bool urgent)
{
	struct report *pending = &link->pending;

	pthread_mutex_lock(&link->mutex);
	add_samples(pending, report);
	add_hosts(pending, report);
	free(pending->error);
	free(pending->error_kind);
	pending->error = xstrdup(report->error);
	pending->error_kind = xstrdup(report->error_kind);
	pending->retryable = report->retryable;
	pending->phase = report->phase;
	pending->wave = report->wave;
	pending->progress = report->progress;
	link->has_pending = true;
	link->urgent |= urgent;
	pthread_cond_broadcast(&link->cond);
	pthread_mutex_unlock(&link->mutex);
}

bool link_answer(struct link *link, struct answer *answer)
{
	bool has;

	pthread_mutex_lock(&link->mutex);
	has = link->has_answer;
	if (has)
		*answer = link->answer;
	link->has_answer = false;
	pthread_mutex_unlock(&link->mutex);
	return has;
}

void link_obeyed(struct link *link, uint64_t id)
{
	pthread_mutex_lock(&link->mutex);
	link->obeyed = id;
	link->dirty = true;
	pthread_mutex_unlock(&link->mutex);
}

uint64_t link_last_obeyed(struct link *link)
{
	uint64_t id;

	pthread_mutex_lock(&link->mutex);
	id = link->obeyed;
	pthread_mutex_unlock(&link->mutex);
	return id;
}

void link_set_active(struct link *link, unsigned wave)
{
	pthread_mutex_lock(&link->mutex);
	link->active = wave;
	link->dirty = true;
	pthread_mutex_unlock(&link->mutex);
}

unsigned link_active(struct link *link)
{
	unsigned wave;

	pthread_mutex_lock(&link->mutex);
	wave = link->active;
	pthread_mutex_unlock(&link->mutex);
	return wave;
}

bool link_failed(struct link *link, struct err *err)
{
	bool failed;

	pthread_mutex_lock(&link->mutex);
	failed = link->failed;
	if (failed)
		*err = link->err;
	pthread_mutex_unlock(&link->mutex);
	return failed;
}

/* ----------------------------------------------------- the link's thread */

static bool stopping(struct link *link)
{
	bool stop;

	pthread_mutex_lock(&link->mutex);
	stop = link->stopping;
	pthread_mutex_unlock(&link->mutex);
	return stop;
}

static uint64_t get_number(struct outbox *outbox, const char *key)
{
	char *text = outbox_get(outbox, key);
	uint64_t number = text ? strtoull(text, NULL, 10) : 0;

	free(text);
	return number;
}

static int set_number(struct outbox *outbox, const char *key, uint64_t number,
	struct err *err)
{
	char *text = xasprintf("%llu", (unsigned long long)number);
	int status = outbox_set(outbox, key, text, err);

	free(text);
	return status;
}

/* Takes what is pending out of the loop's sight; frees with report_free(). */
static bool take_pending(struct link *link, struct report *report)
{
	bool has;

	pthread_mutex_lock(&link->mutex);
	has = link->has_pending;
	if (has) {
		*report = link->pending;
		report->command = link->obeyed;
		memset(&link->pending, 0, sizeof link->pending);
	}
	link->has_pending = false;
	link->urgent = false;
	pthread_mutex_unlock(&link->mutex);
	return has;
}

/* What was obeyed is written down before the controller hears of it. */
static int keep_numbers(struct link *link, struct err *err)
{
	uint64_t obeyed;
	unsigned active;
	bool dirty;

	pthread_mutex_lock(&link->mutex);
	dirty = link->dirty;
	obeyed = link->obeyed;
	active = link->active;
	link->dirty = false;
	pthread_mutex_unlock(&link->mutex);
	if (!dirty)
		return 0;
	if (set_number(link->outbox, "last_command", obeyed, err))
		return -1;
	return set_number(link->outbox, "active", active, err);
}

/* Puts the pending report into the outbox. */
static int keep_pending(struct link *link, struct err *err)
{
	struct report report;
	uint64_t seq;
	char *text;
	int status;

	if (!take_pending(link, &report))
		return 0;
	status = keep_numbers(link, err);
	report.seq = outbox_next_seq(link->outbox);
	report.boot = link_boot_id();
	report.version = xstrdup(SLUICE_VERSION);
	report.sent_us = clock_monotonic_us();
	text = report_encode(&report);
	if (!status)
		status = outbox_put(link->outbox, text, &seq, err);
	free(text);
	report_free(&report);
	return status;
}

static void deliver(struct link *link, const struct answer *answer)
{
	pthread_mutex_lock(&link->mutex);
	link->answer = *answer;
	link->has_answer = true;
	pthread_mutex_unlock(&link->mutex);
	link->setup.wake(link->setup.context);
}

static int enrol(struct link *link, char **bearer, struct err *err)
{
	char *agent = outbox_get(link->outbox, "agent");
	char *secret = outbox_get(link->outbox, "secret");
	struct enrolled enrolled;
	int status = 0;

	if (!agent || !secret) {
		status = link_enrol(link->wire, &link->setup, &enrolled, err);
		if (!status) {
			status = outbox_set(link->outbox, "agent",
					 enrolled.agent, err) ||
				outbox_set(link->outbox, "secret",
					enrolled.secret, err);
			free(agent);
			free(secret);
			agent = xstrdup(enrolled.agent);
			secret = xstrdup(enrolled.secret);
			enrolled_free(&enrolled);
			log_info(link->setup.subject, "enrolled at %s",
				link->setup.url);
		}
	}
	if (!status)
		*bearer = xasprintf("%s.%s", agent, secret);
	free(agent);
	free(secret);
	return status ? -1 : 0;
}

/* A report was not taken: is there no sense in sending it again? */
static bool given_up(struct link *link, struct err *err)
{
	if (err->kind == ERR_REFUSED) {
		log_error(link->setup.subject, "report dropped: %s", err->text);
		return true;
	}
	if (err->kind == ERR_AUTH) {
		/* The controller has forgotten us: enrol afresh. */
		outbox_set(link->outbox, "secret", NULL, NULL);
		err->kind = ERR_NETWORK;
	}
	return false;
}

/* Up to where reports need not be kept, now that SEQ was answered: what the
 * controller has counted, though never more than was ever sent. */
static int counted(struct link *link, const struct answer *answer, uint64_t seq,
	uint64_t *up_to, struct err *err)
{
	uint64_t sent = outbox_next_seq(link->outbox) - 1;

	if (answer->ack < seq)
		return err_set(err, ERR_PROTOCOL,
			"controller: it has counted %llu reports and not "
			"number %llu, which it took",
			(unsigned long long)answer->ack,
			(unsigned long long)seq);
	*up_to = answer->ack < sent ? answer->ack : sent;
	return 0;
}

/* Sends what the outbox holds, oldest first. 0 when it is empty. */
static int send_all(struct link *link, struct err *err)
{
	struct answer answer;
	char *bearer = NULL;
	uint64_t seq;
	char *text;
	int status = enrol(link, &bearer, err);

	while (!status && !stopping(link) &&
		(text = outbox_next(link->outbox, link->acked, &seq))) {
		status = link_send(link->wire, link->setup.url, bearer, text,
			&answer, err);
		free(text);
		if (status ? !given_up(link, err)
			   : (status = counted(link, &answer, seq, &seq, err)))
			break;
		link->acked = seq;
		if (!status)
			deliver(link, &answer);
		status = outbox_ack(link->outbox, seq, err);
		backoff_reset(&link->backoff);
	}
	free(bearer);
	return status;
}

/* Sleeps until US have passed or, if URGENT counts, something urgent is
 * posted. False when stopping. */
static bool nap(struct link *link, int64_t us, bool urgent)
{
	int64_t until = clock_monotonic_us() + us;
	struct timespec at = {until / US_PER_S, until % US_PER_S * 1000};
	bool stop;

	pthread_mutex_lock(&link->mutex);
	while (!link->stopping && !(urgent && link->urgent) &&
		clock_monotonic_us() < until)
		pthread_cond_timedwait(&link->cond, &link->mutex, &at);
	stop = link->stopping;
	pthread_mutex_unlock(&link->mutex);
	return !stop;
}

/* Stays away after a failure; what is posted meanwhile is kept. */
static bool stay_away(struct link *link, const struct err *why)
{
	struct err err = ERR_INIT;
	int64_t wait;

	if (stopping(link))
		return false;
	if (!backoff_next(&link->backoff, why, &wait)) {
		pthread_mutex_lock(&link->mutex);
		link->failed = true;
		link->err = *why;
		pthread_mutex_unlock(&link->mutex);
		link->setup.wake(link->setup.context);
		return false;
	}
	if (link->backoff.failures == 1)
		log_warn(link->setup.subject, "%s; going on without it",
			why->text);
	for (; wait > 0; wait -= KEEP_US) {
		if (!nap(link, wait < KEEP_US ? wait : KEEP_US, false))
			return false;
		if (keep_pending(link, &err))
			log_error(link->setup.subject, "%s", err.text);
	}
	return true;
}

/* Until the loop has something to say. */
static void wait_pending(struct link *link)
{
	pthread_mutex_lock(&link->mutex);
	while (!link->stopping && !link->has_pending)
		pthread_cond_wait(&link->cond, &link->mutex);
	pthread_mutex_unlock(&link->mutex);
}

static void *link_thread(void *argument)
{
	struct link *link = argument;
	int64_t poll_us = 0;
	bool go_on = true;
	bool owing = false; /* the outbox holds what was not taken */

	while (go_on && nap(link, poll_us, true)) {
		struct err err = ERR_INIT;

		if (!owing)
			wait_pending(link);
		owing = keep_pending(link, &err) || send_all(link, &err);
		if (owing) {
			go_on = stay_away(link, &err);
			poll_us = 0;
			continue;
		}
		pthread_mutex_lock(&link->mutex);
		poll_us = (int64_t)link->answer.next_poll_ms * US_PER_MS;
		pthread_mutex_unlock(&link->mutex);
	}
	return NULL;
}

/* ------------------------------------------------------------ start, stop */

static void release(struct link *link)
{
	link_wire_free(link->wire);
	outbox_close(link->outbox);
	report_free(&link->pending);
	pthread_cond_destroy(&link->cond);
	pthread_mutex_destroy(&link->mutex);
	free(link);
}

static int spawn(struct link *link)
{
	pthread_attr_t attributes;
	int status;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	status = pthread_create(&link->thread, &attributes, link_thread, link);
	pthread_attr_destroy(&attributes);
	return status;
}

int link_start(
	struct link **out, const struct link_setup *setup, struct err *err)
{
	struct link *link = xcalloc(1, sizeof *link);
	pthread_condattr_t monotonic;

	link->setup = *setup;
	pthread_mutex_init(&link->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&link->cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
	link->wire = link_wire_new(setup->ca_file);
	link->outbox = outbox_open(
		setup->directory, setup->many ? OUTBOX_FAST : OUTBOX_SAFE, err);
	if (!link->outbox) {
		release(link);
		return -1;
	}
	link->obeyed = get_number(link->outbox, "last_command");
	link->active = (unsigned)get_number(link->outbox, "active");
	backoff_init(&link->backoff, BACKOFF_US, BACKOFF_CAP, 0,
		(uint64_t)clock_wall_us() ^ (uintptr_t)link);
	if (spawn(link)) {
		release(link);
		return err_set(err, ERR_LIMIT, "cannot start another thread");
	}
	*out = link;
	return 0;
}

void link_cancel(struct link *link)
{
	pthread_mutex_lock(&link->mutex);
	link->stopping = true;
	pthread_cond_broadcast(&link->cond);
	pthread_mutex_unlock(&link->mutex);
	link_wire_cancel(link->wire);
}

void link_stop(struct link *link)
{
	struct err err = ERR_INIT;

	if (!link)
		return;
	link_cancel(link);
	pthread_join(link->thread, NULL);
	if (keep_numbers(link, &err) || keep_pending(link, &err))
		log_error(link->setup.subject, "%s", err.text);
	release(link);
}
