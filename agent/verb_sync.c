/*
 * verb_sync.c - `sluice-agent sync`: one synchronisation, then exit.
 *
 * The engine runs on a thread of its own; the main thread draws progress
 * and takes the signals.
 */
#include "verbs.h"

#include <argp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "clock.h"
#include "display.h"
#include "err.h"
#include "latency.h"
#include "offline_print.h"
#include "policy.h"
#include "profile.h"
#include "sync.h"
#include "units.h"

#define TICK_MS		100
#define LOOKS		5 /* at the finished store */
#define CONNECTIONS_MAX 16

/* Tells the main thread that the work is over. */
#define OVER_SIGNAL SIGUSR1

struct request {
	bool json, quiet;
	const char *compress;
	const char *rate;
	const char *connections;
};

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "Print the result as one JSON object", 0},
	{"quiet", 'q', NULL, 0, "No progress", 0},
	{"compress", 'c', "on|off|auto", 0, "COMPRESS=DEFLATE", 0},
	{"connections", 'n', "N", 0,
		"To the mail server at once, at most (1 to 16)", 0},
	{"rate", 'r', "RATE", 0, "Cap on the network, as in 1.5MB/s", 0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'j':
		request->json = true;
		return 0;
	case 'q':
		request->quiet = true;
		return 0;
	case 'c':
		request->compress = word;
		return 0;
	case 'r':
		request->rate = word;
		return 0;
	case 'n':
		request->connections = word;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: not expected", word);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "--profile FILE",
	"Copy the account of a profile into its local database, and prove "
	"that the copy is complete.",
	NULL, NULL, NULL};

struct work {
	struct sync *sync;
	pthread_t watcher;
	struct err err;
	int status;
	atomic_bool over;
};

static void *work_thread(void *argument)
{
	struct work *work = argument;

	work->status = sync_run(work->sync, &work->err);
	atomic_store(&work->over, true);
	pthread_kill(work->watcher, OVER_SIGNAL);
	return NULL;
}

static void watch(struct work *work, const sigset_t *signals, bool quiet)
{
	struct timespec tick = {0, TICK_MS * 1000000L};
	struct sync_progress progress;
	struct display display;

	display_init(&display, stderr);
	while (!atomic_load(&work->over)) {
		int got = sigtimedwait(signals, NULL, &tick);

		if (got > 0 && got != OVER_SIGNAL)
			sync_cancel(work->sync);
		sync_progress(work->sync, &progress);
		if (!quiet)
			display_update(
				&display, &progress, clock_monotonic_us());
	}
	display_end(&display);
}

static void print_result(const struct request *request,
	const struct sync_progress *progress, struct latency *latency,
	const struct err *err)
{
	struct buf text = BUF_INIT(0);
	char *json;

	if (request->json) {
		json = result_json(progress, latency, err);
		puts(json);
		free(json);
	} else if (!request->quiet) {
		result_text(&text, progress);
		fputs(buf_text(&text), stdout);
		buf_free(&text);
	}
}

/* A few looks at the store that the sync has left. */
static void feel_the_result(struct latency *latency)
{
	for (int i = 0; i < LOOKS; i++)
		latency_phase(latency, LATENCY_AFTER);
}

static int run(const struct sync_setup *setup, const struct request *request)
{
	struct work work = {.err = ERR_INIT, .watcher = pthread_self()};
	struct sync_progress progress = {.state = SYNC_FAILED};
	struct latency *latency = NULL;
	sigset_t signals;
	pthread_t thread;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, OVER_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	work.status = latency_start(&latency, setup->directory, &work.err);
	if (!work.status)
		work.status = sync_new(&work.sync, setup, &work.err);
	if (!work.status) {
		latency_phase(latency, LATENCY_DURING);
		if (pthread_create(&thread, NULL, work_thread, &work)) {
			work.status = err_set(&work.err, ERR_LIMIT,
				"cannot start another thread");
		} else {
			watch(&work, &signals, request->quiet);
			pthread_join(thread, NULL);
			sync_progress(work.sync, &progress);
		}
		feel_the_result(latency);
	}
	if (work.status)
		verb_failed("sync", &work.err);
	print_result(request, &progress, latency, &work.err);
	latency_stop(latency);
	sync_free(work.sync);
	return work.status ? err_exit_status(&work.err) : offline_end("sync");
}

static int set_compress(
	struct sync_setup *setup, const char *word, struct err *err)
{
	if (strcmp(word, "on") == 0)
		setup->compress = COMPRESS_ON;
	else if (strcmp(word, "off") == 0)
		setup->compress = COMPRESS_OFF;
	else if (strcmp(word, "auto") == 0)
		setup->compress = COMPRESS_AUTO;
	else
		return err_set(err, ERR_USAGE,
			"--compress %s: expected on, off or auto", word);
	return 0;
}

static int set_connections(
	struct sync_setup *setup, const char *word, struct err *err)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);

	if (*end || number < 1 || number > CONNECTIONS_MAX)
		return err_set(err, ERR_USAGE,
			"--connections %s: expected 1 to %d", word,
			CONNECTIONS_MAX);
	setup->connections = (unsigned)number;
	return 0;
}

int verb_sync(const struct profile *profile, int argc, char **argv)
{
	struct request request = {false, false, NULL, NULL, NULL};
	struct err err = ERR_INIT;
	struct sync_setup setup;
	struct policy *policy;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &request))
		return 2;
	policy = profile_make_policy(profile, &err);
	if (!policy)
		return verb_failed("sync", &err);
	setup = profile_make_setup(profile, policy);
	setup.seed = (uint64_t)clock_wall_us();
	if ((request.compress &&
		    set_compress(&setup, request.compress, &err)) ||
		(request.connections &&
			set_connections(&setup, request.connections, &err)) ||
		(request.rate &&
			units_parse_rate(
				request.rate, &setup.rate_bytes_s, &err)))
		status = verb_failed("sync", &err);
	else
		status = run(&setup, &request);
	policy_free(policy);
	return status;
}
