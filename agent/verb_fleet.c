/*
 * verb_fleet.c - `sluice-agent fleet`: many virtual clients in one process,
 * each a full client to the controller.
 *
 * The main thread runs a libuv loop that brings clients to life when their
 * start has come, ticks those that live, and looks at the machine every other
 * second. Each client has the threads that client.h tells of, with the whole
 * engine on one of them.
 */
#include "verbs.h"

#include <argp.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "alloc.h"
#include "capacity.h"
#include "client.h"
#include "clock.h"
#include "err.h"
#include "host.h"
#include "log.h"
#include "muster.h"
#include "policy.h"
#include "store.h"
#include "store_scratch.h"

#define TICK_MS	     200
#define HOST_US	     (2 * US_PER_S) /* shorter bursts limit nobody */
#define HOST_IDLE_US (4 * US_PER_S) /* longer rests would hide a burst */
#define WINDOW_BYTES (UINT64_C(512) << 10)
#define CACHE_BYTES  (UINT64_C(1) << 20) /* of all its stores, per client */
#define ARENAS	     2

struct fleet {
	struct muster muster;
	struct client **clients; /* NULL: not yet alive, or has given up */
	bool *gone;		 /* has given up */
	size_t running;		 /* not gone */
	int64_t started_us;
	struct host_place place;
	struct host_counters host; /* of the last look */
	size_t speaker;		   /* who told it last */
	uv_loop_t loop;
	uv_timer_t timer;
	uv_signal_t signals[2];
};

static const struct argp_option options[] = {
	{"template", 't', "FILE", 0,
		"A profile in which %u stands for the client's name", 0},
	{"range", 'r', "FIRST..LAST", 0, "The clients, as in u001..u500", 0},
	{"clients", 'c', "FILE", 0,
		"The clients, an inventory (CSV, YAML) as the controller reads "
		"it; "
		"its columns link, store, password_file and start override "
		"the template",
		0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct muster_request *request = state->input;

	switch (key) {
	case 't':
		request->template = word;
		return 0;
	case 'r':
		request->range = word;
		return 0;
	case 'c':
		request->inventory = word;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: not expected", word);
		return 0;
	case ARGP_KEY_END:
		if (!request->template ||
			!request->range == !request->inventory)
			argp_error(state,
				"--template FILE and either --range "
				"FIRST..LAST or --clients FILE are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse,
	"--template FILE --range FIRST..LAST|--clients FILE",
	"Run many virtual clients in one process, for load tests. SIGTERM "
	"ends them cleanly.",
	NULL, NULL, NULL};

/* --------------------------------------------------------------- members */

static void wake(void *context)
{
	(void)context; /* the timer comes by soon enough */
}

static int bring_to_life(struct fleet *fleet, size_t at, struct err *err)
{
	const struct member *member = &fleet->muster.members[at];
	const struct profile *profile = &member->profile;
	struct client_setup setup = {
		.sync = profile_make_setup(profile, NULL),
		.url = profile->controller.url,
		.token_file = profile->controller.token_file,
		.ca_file = profile->controller.ca_file,
		.name = member->name,
		.many = true,
		.wake = wake,
	};

	setup.sync.one_thread = true;
	setup.sync.window_bytes = WINDOW_BYTES;
	setup.sync.in_flight_bytes = 2 * WINDOW_BYTES;
	return client_new(&fleet->clients[at], &setup, err);
}

static void give_up(struct fleet *fleet, size_t at, const struct err *err)
{
	log_error("fleet", "%s: %s", fleet->muster.members[at].name, err->text);
	client_free(fleet->clients[at]);
	fleet->clients[at] = NULL;
	fleet->gone[at] = true;
	fleet->running--;
}

static void tick(struct fleet *fleet, size_t at, int64_t now_us)
{
	int64_t start_us = fleet->muster.members[at].start_us;
	struct err err = ERR_INIT;
	int status = 0;

	if (fleet->gone[at])
		return;
	if (fleet->clients[at])
		status = client_tick(fleet->clients[at], &err);
	else if (now_us - fleet->started_us >= start_us)
		status = bring_to_life(fleet, at, &err);
	if (status)
		give_up(fleet, at, &err);
}

/* ------------------------------------------------------------------ host */

static bool is_loopback(const char *host)
{
	return host &&
		(strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
			strcmp(host, "localhost") == 0);
}

static void find_host(struct fleet *fleet)
{
	const struct profile *first = &fleet->muster.members[0].profile;
	const char *slash = strrchr(first->store, '/');
	char *parent = slash
		? xstrndup(first->store, (size_t)(slash - first->store) + 1)
		: xstrdup(".");

	fleet->place = (struct host_place){
		.root = "",
		.store = parent,
		.shared = is_loopback(first->account.imap.host),
	};
	host_find_disk(&fleet->place);
	fleet->place.store = NULL;
	free(parent);
	host_read(&fleet->place, &fleet->host);
}

/* The next of the clients that work, in turn; NULL when none does. */
static struct client *next_speaker(struct fleet *fleet)
{
	size_t count = fleet->muster.count;

	for (size_t i = 1; i <= count; i++) {
		size_t at = (fleet->speaker + i) % count;

		if (!fleet->clients[at] || !client_busy(fleet->clients[at]))
			continue;
		fleet->speaker = at;
		return fleet->clients[at];
	}
	return NULL;
}

/* Those that work bring it to the controller, as one of them may have trouble.
 * Who works but for a moment is seen here once: it starts and ends in tick().
 */
static void tell_host(struct fleet *fleet, int64_t now_us)
{
	int64_t span_us = now_us - fleet->host.at_us;
	struct host_counters now;
	struct host_sample sample;
	struct client *speaker;

	if (span_us < HOST_US)
		return;
	speaker = next_speaker(fleet);
	if (!speaker && span_us < HOST_IDLE_US)
		return;
	host_read(&fleet->place, &now);
	if (speaker && host_between(&fleet->place, &fleet->host, &now, &sample))
		client_tell_host(speaker, &sample);
	fleet->host = now;
}

/* ------------------------------------------------------------------ loop */

static void on_timer(uv_timer_t *timer)
{
	struct fleet *fleet = timer->data;
	int64_t now_us = clock_monotonic_us();

	tell_host(fleet, now_us);
	for (size_t i = 0; i < fleet->muster.count; i++)
		tick(fleet, i, now_us);
	if (!fleet->running)
		uv_stop(&fleet->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct fleet *fleet = handle->data;

	log_info("fleet", "signal %d: stopping", number);
	uv_stop(&fleet->loop);
}

static void close_handle(uv_handle_t *handle, void *context)
{
	(void)context;
	uv_close(handle, NULL);
}

static void run_loop(struct fleet *fleet)
{
	static const int numbers[] = {SIGTERM, SIGINT};

	uv_loop_init(&fleet->loop);
	uv_timer_init(&fleet->loop, &fleet->timer);
	fleet->timer.data = fleet;
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&fleet->loop, &fleet->signals[i]);
		fleet->signals[i].data = fleet;
		uv_signal_start(&fleet->signals[i], on_signal, numbers[i]);
	}
	uv_timer_start(&fleet->timer, on_timer, 0, TICK_MS);
	uv_run(&fleet->loop, UV_RUN_DEFAULT);
	uv_walk(&fleet->loop, close_handle, NULL);
	uv_run(&fleet->loop, UV_RUN_DEFAULT);
	uv_loop_close(&fleet->loop);
}

/* Buffers that are generous to one client are not to hundreds. */
static void save_memory(size_t clients)
{
	mallopt(M_ARENA_MAX, ARENAS);
	mallopt(M_TRIM_THRESHOLD, 256 << 10);
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	store_cap_caches(clients * CACHE_BYTES);
}

static int run(struct fleet *fleet, struct err *err)
{
	struct muster *muster = &fleet->muster;
	struct capacity capacity;

	capacity_read(&capacity, "",
		muster->scratch ? scratch_directory(muster->scratch) : NULL);
	if (capacity_check(&capacity, muster->count, err) < 0)
		return -1;
	save_memory(muster->count);
	find_host(fleet);
	fleet->clients = xcalloc(muster->count, sizeof(struct client *));
	fleet->gone = xcalloc(muster->count, sizeof(bool));
	fleet->running = muster->count;
	fleet->started_us = clock_monotonic_us();
	log_info("fleet", "%zu clients", muster->count);
	run_loop(fleet);
	for (size_t i = 0; i < muster->count; i++)
		if (fleet->clients[i])
			client_end(fleet->clients[i]);
	for (size_t i = 0; i < muster->count; i++)
		client_free(fleet->clients[i]);
	free(fleet->clients);
	free(fleet->gone);
	return fleet->running ? 0
			      : err_set(err, ERR_REFUSED,
					"every client has given up; the log "
					"says why");
}

int verb_fleet(int argc, char **argv)
{
	struct muster_request request = {NULL, NULL, NULL};
	struct fleet fleet = {.clients = NULL};
	struct err err = ERR_INIT;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &request))
		return 2;
	if (muster_make(&fleet.muster, &request, &err))
		return verb_failed("fleet", &err);
	status = run(&fleet, &err);
	muster_free(&fleet.muster);
	return status ? verb_failed("fleet", &err) : 0;
}
