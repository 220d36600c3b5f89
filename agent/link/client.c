/*
 * client.c - commands in, synchronisations started and stopped, reports out.
 *
 * On the loop's thread; one more thread for each synchronisation.
 */
#include "client.h"

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "link.h"
#include "log.h"
#include "message.h"
#include "store.h"
#include "upkeep.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_US  US_PER_S
#define SYNC_STACK ((size_t)512 << 10)

struct client {
	struct client_setup setup;
	char *subject;
	struct link *link;
	/* The synchronisation under way; NULL: none. */
	struct sync *sync;
	pthread_t thread;
	atomic_bool over;
	int status;	       /* read after OVER */
	struct err err;	       /* the same */
	struct upkeep *upkeep; /* between synchronisations; NULL: none */
	/* What is told. */
	struct sync_progress progress; /* the latest */
	enum phase phase;
	unsigned wave;
	uint64_t verify_id; /* VERIFY under way; 0: none */
	uint64_t rate_bytes_s;
	int64_t sampled_us;
	struct host_sample host; /* told next, unless its span is 0 */
	bool news;		 /* something must be told at once */
	bool idle_told;
};

/* -------------------------------------------------------------- reporting */

static struct sample take_sample(const struct client *client)
{
	return (struct sample){
		.at_us = clock_monotonic_us(),
		.phase = client->phase,
		.app_bytes = client->progress.app_bytes,
		.wire_bytes = client->progress.wire_bytes,
		.messages = client->progress.totals.messages,
	};
}

static struct progress to_message(const struct sync_progress *progress)
{
	const struct store_totals *totals = &progress->totals;

	return (struct progress){
		.total_bytes = progress->total_bytes,
		.folders = totals->folders,
		.messages = totals->messages,
		.bodies = totals->bodies,
		.protected_messages = totals->protected_messages,
		.contacts = totals->contacts,
		.events = totals->events,
		.tasks = totals->tasks,
		.notes = totals->notes,
		.quarantined = totals->quarantined,
		.retries = progress->retries,
		.stored_bytes = totals->stored_bytes,
		.seconds = (double)progress->active_us / US_PER_S,
		.verified = progress->verified,
	};
}

static void tell(struct client *client, bool urgent)
{
	struct sample sample = take_sample(client);
	bool failed = client->phase == PHASE_FAILED;
	struct report report = {
		.phase = client->phase,
		.wave = client->wave,
		.progress = to_message(&client->progress),
		.error = failed ? client->err.text : NULL,
		.error_kind = failed ? (char *)err_kind_name(client->err.kind)
				     : NULL,
		.retryable = failed &&
			err_retry(&client->err) != ERR_RETRY_NEVER,
		.samples = &sample,
		.sample_count = 1,
		.hosts = &client->host,
		.host_count = client->host.span_us > 0,
	};

	client->sampled_us = sample.at_us;
	link_post(client->link, &report, urgent);
	client->host.span_us = 0;
}

static void set_phase(struct client *client, enum phase phase)
{
	if (client->phase == phase)
		return;
	client->phase = phase;
	client->news = true;
}

/* ---------------------------------------------------------- synchronising */

static void *sync_thread(void *argument)
{
	struct client *client = argument;

	client->status = sync_run(client->sync, &client->err);
	atomic_store(&client->over, true);
	client->setup.wake(client->setup.context);
	return NULL;
}

static int spawn(struct client *client, struct err *err)
{
	pthread_attr_t attributes;
	int status;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, SYNC_STACK);
	status = pthread_create(
		&client->thread, &attributes, sync_thread, client);
	pthread_attr_destroy(&attributes);
	return status ? err_set(err, ERR_LIMIT, "cannot start another thread")
		      : 0;
}

static void start_upkeep(struct client *client)
{
	struct err err;

	if (client->setup.upkeep &&
		upkeep_start(&client->upkeep, client->setup.sync.directory,
			&err) < 0)
		log_warn(client->subject, "upkeep of the store: %s", err.text);
}

/* The store's lock is free then. */
static void stop_upkeep(struct client *client)
{
	struct err err;

	if (upkeep_stop(client->upkeep, &err) < 0)
		log_warn(client->subject, "upkeep of the store: %s", err.text);
	client->upkeep = NULL;
}

static void start(struct client *client, unsigned wave, bool prove)
{
	struct sync_setup setup = client->setup.sync;

	stop_upkeep(client);
	client->wave = wave;
	client->err = ERR_INIT;
	atomic_store(&client->over, false);
	setup.rate_bytes_s = client->rate_bytes_s;
	setup.seed = (uint64_t)clock_wall_us() ^ (uintptr_t)client;
	setup.prove = prove;
	if (sync_new(&client->sync, &setup, &client->err) == 0 &&
		spawn(client, &client->err) == 0) {
		link_set_active(client->link, wave ? wave : 1);
		set_phase(client, PHASE_STARTING);
		log_info(client->subject, "synchronisation started");
		return;
	}
	sync_free(client->sync);
	client->sync = NULL;
	log_error(client->subject, "%s", client->err.text);
	set_phase(client, PHASE_FAILED);
}

/* The thread has ended: take over its result. */
static void finish(struct client *client)
{
	pthread_join(client->thread, NULL);
	sync_progress(client->sync, &client->progress);
	sync_free(client->sync);
	client->sync = NULL;
	link_set_active(client->link, 0);
	set_phase(client, sync_state_phase(client->progress.state));
	client->news = true;
	if (client->verify_id)
		link_obeyed(client->link, client->verify_id);
	client->verify_id = 0;
	if (client->status)
		log_error(client->subject, "%s", client->err.text);
	else
		log_info(client->subject, "synchronisation done and verified");
	if (!client->status)
		start_upkeep(client);
}

static void follow(struct client *client)
{
	if (!client->sync)
		return;
	if (atomic_load(&client->over)) {
		finish(client);
		return;
	}
	sync_progress(client->sync, &client->progress);
	/* The result is told once the thread has ended. */
	if (!sync_state_final(client->progress.state) &&
		client->progress.state != SYNC_NEW)
		set_phase(client, sync_state_phase(client->progress.state));
}

/* --------------------------------------------------------------- commands */

static void set_rate(struct client *client, uint64_t told)
{
	uint64_t own = client->setup.sync.rate_bytes_s;
	uint64_t rate = told && (!own || told < own) ? told : own;

	if (rate == client->rate_bytes_s)
		return;
	client->rate_bytes_s = rate;
	if (client->sync)
		sync_set_rate(client->sync, rate);
}

static void obey(struct client *client, const struct answer *answer)
{
	log_info(client->subject, "controller says: %s",
		command_name(answer->command));
	switch (answer->command) {
	case COMMAND_START:
		if (client->sync)
			sync_resume(client->sync);
		else
			start(client, answer->wave, false);
		break;
	case COMMAND_VERIFY:
		if (client->sync)
			break;
		client->verify_id = answer->command_id;
		start(client, answer->wave, true);
		if (client->sync)
			return; /* obeyed when the result is in */
		client->verify_id = 0;
		break;
	case COMMAND_PAUSE:
		if (client->sync)
			sync_pause(client->sync);
		break;
	case COMMAND_RESUME:
		if (client->sync)
			sync_resume(client->sync);
		break;
	case COMMAND_CANCEL:
		if (client->sync)
			sync_cancel(client->sync);
		else
			set_phase(client, PHASE_IDLE);
		break;
	case COMMAND_NONE:
	case COMMAND_COUNT:
		break;
	}
	link_obeyed(client->link, answer->command_id);
	client->news = true;
}

static void listen_to(struct client *client)
{
	struct answer answer;

	if (!link_answer(client->link, &answer))
		return;
	client->idle_told = false;
	set_rate(client, answer.rate_bytes_s);
	if (answer.command != COMMAND_NONE &&
		answer.command_id > link_last_obeyed(client->link) &&
		answer.command_id != client->verify_id)
		obey(client, &answer);
}

/* ------------------------------------------------------------------- tick */

bool client_busy(const struct client *client)
{
	return client->sync != NULL;
}

void client_tell_host(struct client *client, const struct host_sample *host)
{
	client->host = *host;
}

int client_tick(struct client *client, struct err *err)
{
	int64_t now = clock_monotonic_us();

	follow(client);
	listen_to(client);
	if (client->news) {
		client->news = false;
		client->idle_told = true;
		tell(client, true);
	} else if (client->sync) {
		if (now - client->sampled_us >= SAMPLE_US)
			tell(client, false);
	} else if (!client->idle_told) {
		client->idle_told = true;
		tell(client, false);
	}
	return link_failed(client->link, err) ? -1 : 0;
}

/* ------------------------------------------------------------- start, end */

/* What an earlier process left, so that counters go on from there. */
static void read_store(struct client *client)
{
	struct store *store = store_open(
		client->setup.sync.directory, STORE_READ, NULL);

	if (!store)
		return;
	store_totals(store, &client->progress.totals, NULL);
	client->progress.app_bytes = (uint64_t)store_counter_get(
		store, "app_bytes");
	client->progress.wire_bytes = (uint64_t)store_counter_get(
		store, "wire_bytes");
	store_close(store);
}

int client_new(
	struct client **out, const struct client_setup *setup, struct err *err)
{
	struct client *client = xcalloc(1, sizeof *client);
	struct link_setup link = {
		.directory = setup->sync.directory,
		.url = setup->url,
		.token_file = setup->token_file,
		.ca_file = setup->ca_file,
		.many = setup->many,
		.client = setup->name,
		.wake = setup->wake,
		.context = setup->context,
	};
	unsigned wave;

	client->setup = *setup;
	client->subject = xasprintf("agent %s", setup->name);
	client->rate_bytes_s = setup->sync.rate_bytes_s;
	link.subject = client->subject;
	read_store(client);
	if (link_start(&client->link, &link, err)) {
		free(client->subject);
		free(client);
		return -1;
	}
	wave = link_active(client->link);
	if (wave)
		start(client, wave, false);
	else if (client->progress.totals.folders)
		start_upkeep(client);
	*out = client;
	return 0;
}

void client_end(struct client *client)
{
	if (client->sync)
		sync_cancel(client->sync);
	link_cancel(client->link);
}

void client_free(struct client *client)
{
	if (!client)
		return;
	client_end(client);
	if (client->sync) {
		pthread_join(client->thread, NULL);
		sync_free(client->sync);
	}
	stop_upkeep(client);
	link_stop(client->link);
	free(client->subject);
	free(client);
}
