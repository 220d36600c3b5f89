/*
 * fill.c - sluice fill SCENARIO: several accounts at once, one thread each.
 *
 * The main thread reads the scenario, starts the workers and prints how far
 * they are. A worker takes the next account until none is left; one account
 * that fails does not keep the others from being filled.
 */
#include "fill.h"

#include <argp.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "account.h"
#include "account_fill.h"
#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "manifest.h"
#include "scenario.h"
#include "units.h"

#define JOBS_DEFAULT 6
#define JOBS_MAX     64
#define SAY_EVERY_S  5

struct options {
	const char *scenario;
	const char *passwords;
	const char *manifest;
	const char *user;
	unsigned jobs;
	bool no_mail, no_items;
};

/* Shared by the workers; under the lock but for the counts. */
struct work {
	const struct options *options;
	const struct scenario *scenario;
	struct manifest *manifest;
	struct fill_counts counts;
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a worker has no more to do */
	size_t next, done, failed;
	unsigned running;
};

static const struct argp_option argp_options[] = {
	{"passwords", 'p', "DIR", 0,
		"read USER's password from the first line of DIR/USER", 0},
	{"manifest", 'm', "FILE", 0,
		"write the digests of everything, one JSON line each", 0},
	{"jobs", 'j', "N", 0, "fill N accounts at once (6)", 0},
	{"user", 'u', "USER", 0, "fill the account of USER only", 0},
	{"no-mail", 'M', NULL, 0, "leave out folders and messages", 0},
	{"no-items", 'I', NULL, 0,
		"leave out contacts, events, tasks and notes", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	char *end;

	switch (key) {
	case 'p':
		options->passwords = arg;
		break;
	case 'm':
		options->manifest = arg;
		break;
	case 'u':
		options->user = arg;
		break;
	case 'M':
		options->no_mail = true;
		break;
	case 'I':
		options->no_items = true;
		break;
	case 'j':
		options->jobs = (unsigned)strtoul(arg, &end, 10);
		if (*end || !options->jobs || options->jobs > JOBS_MAX)
			argp_error(state, "--jobs %s: give 1 to %d", arg,
				JOBS_MAX);
		break;
	case ARGP_KEY_ARG:
		if (options->scenario)
			argp_error(state, "one scenario, please");
		options->scenario = arg;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which scenario?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.args_doc = "SCENARIO",
	.doc = "Fill the mailboxes of a scenario through IMAP and DAV.\v"
	       "Messages, folders, contacts, events, tasks and notes are made "
	       "from the scenario's mailbox profiles, always the same for the "
	       "same profile. What is there already is left alone, so that an "
	       "interrupted fill can be repeated.",
};

/* The user's password for free(), from the folder of passwords or from the
 * one file of the scenario. */
static char *find_password(
	const struct work *work, const char *user, struct err *err)
{
	const char *folder = work->options->passwords;
	struct account account = {.user = xstrdup(user)};
	char *password;

	if (folder)
		account.password_file = xasprintf("%s/%s", folder, user);
	else if (work->scenario->server.password_file)
		account.password_file = xstrdup(
			work->scenario->server.password_file);
	if (account.password_file) {
		password = account_password(&account, err);
	} else {
		password = NULL;
		err_set(err, ERR_USAGE,
			"no password for %s; give --passwords DIR or "
			"server.password_file",
			user);
	}
	account_free(&account);
	return password;
}

static int fill_client(struct work *work, const struct scenario_client *client,
	struct err *err)
{
	const struct scenario_server *server = &work->scenario->server;
	struct account_fill fill = {
		.user = client->name,
		.imap = &server->imap,
		.dav_url = server->dav_url,
		.ca_file = server->ca_file,
		.manifest = work->manifest,
		.counts = &work->counts,
	};
	const struct mailbox *profile = NULL;
	struct mailbox mailbox;
	char *password;
	int result = 0;

	if (client->mailbox)
		profile = scenario_mailbox(work->scenario, client->mailbox);
	if (!profile)
		return err_set(err, ERR_CONFIG,
			"client %s has no mailbox profile; name one in "
			"clients.mailbox",
			client->name);
	password = find_password(work, client->name, err);
	if (!password)
		return -1;
	mailbox = *profile;
	mailbox.seed = work->scenario->seed;
	fill.mailbox = &mailbox;
	fill.password = password;
	if (server->imap.host && !work->options->no_mail)
		result = fill_mail(&fill, err);
	if (result == 0 && server->dav_url && !work->options->no_items)
		result = fill_items(&fill, err);
	free(password);
	return result < 0 ? err_context(err, "%s", client->name) : 0;
}

/* The next account to fill, or NULL. Takes the lock. */
static const struct scenario_client *take_client(struct work *work)
{
	const struct scenario *scenario = work->scenario;
	const char *only = work->options->user;
	const struct scenario_client *client = NULL;

	pthread_mutex_lock(&work->lock);
	while (!client && work->next < scenario->client_count) {
		client = &scenario->client[work->next++];
		if (only && strcmp(only, client->name) != 0)
			client = NULL;
	}
	pthread_mutex_unlock(&work->lock);
	return client;
}

static void *work_thread(void *argument)
{
	struct work *work = argument;
	const struct scenario_client *client;

	while ((client = take_client(work))) {
		struct err err = ERR_INIT;
		int result = fill_client(work, client, &err);

		pthread_mutex_lock(&work->lock);
		work->done += result == 0;
		work->failed += result < 0;
		if (result < 0)
			fprintf(stderr, "sluice: fill: %s\n", err.text);
		pthread_mutex_unlock(&work->lock);
	}
	pthread_mutex_lock(&work->lock);
	work->running--;
	pthread_cond_signal(&work->ended);
	pthread_mutex_unlock(&work->lock);
	return NULL;
}

static void say(const struct work *work, int64_t started_us)
{
	char size[UNITS_TEXT_BYTES], time[UNITS_TEXT_BYTES];
	uint64_t found = work->counts.found;

	printf("filled %zu of %zu mailboxes: %" PRIu64 " messages, %" PRIu64
	       " items, %s in %s",
		work->done,
		work->options->user ? (size_t)1 : work->scenario->client_count,
		work->counts.messages, work->counts.items,
		units_format_bytes(work->counts.bytes, size),
		units_format_duration(clock_monotonic_us() - started_us, time));
	if (found)
		printf(" (%" PRIu64 " were there already)", found);
	putchar('\n');
	fflush(stdout);
}

/* Until all workers have ended; a line now and then. */
static void wait_for_workers(struct work *work, int64_t started_us)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += SAY_EVERY_S;
	pthread_mutex_lock(&work->lock);
	while (work->running)
		if (pthread_cond_timedwait(&work->ended, &work->lock, &until)) {
			say(work, started_us);
			until.tv_sec += SAY_EVERY_S;
		}
	pthread_mutex_unlock(&work->lock);
}

static int check_user(
	const struct scenario *scenario, const char *user, struct err *err)
{
	for (size_t i = 0; user && i < scenario->client_count; i++)
		if (strcmp(scenario->client[i].name, user) == 0)
			return 0;
	return user
		? err_set(err, ERR_CONFIG,
			  "--user %s: the scenario has no such client", user)
		: 0;
}

/* Returns the exit status. */
static int fill_all(struct work *work)
{
	int64_t started_us = clock_monotonic_us();
	unsigned jobs = work->options->jobs;
	pthread_t thread[JOBS_MAX];
	unsigned started = 0;

	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->ended, NULL);
	work->running = jobs;
	while (started < jobs &&
		pthread_create(&thread[started], NULL, work_thread, work) == 0)
		started++;
	pthread_mutex_lock(&work->lock);
	work->running -= jobs - started;
	pthread_mutex_unlock(&work->lock);
	wait_for_workers(work, started_us);
	for (unsigned i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	say(work, started_us);
	pthread_cond_destroy(&work->ended);
	pthread_mutex_destroy(&work->lock);
	return work->failed || !work->done;
}

int fill_main(int argc, char **argv)
{
	struct options options = {.jobs = JOBS_DEFAULT};
	struct scenario scenario;
	struct work work = {.options = &options, .scenario = &scenario};
	struct err err = ERR_INIT;
	int status;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &options);
	if (scenario_load(&scenario, options.scenario, &err) < 0)
		goto failed;
	if (check_user(&scenario, options.user, &err) < 0)
		goto free_scenario;
	if (options.manifest &&
		manifest_open(&work.manifest, options.manifest, &err) < 0)
		goto free_scenario;
	status = fill_all(&work);
	if (manifest_close(work.manifest, &err) < 0)
		goto free_scenario;
	scenario_free(&scenario);
	return status;
free_scenario:
	scenario_free(&scenario);
failed:
	fprintf(stderr, "sluice: fill: %s\n", err.text);
	return err_exit_status(&err);
}
