/*
 * verb_run.c - `sluice-agent run`: stays, and obeys the controller.
 *
 * The main thread runs a libuv loop with signals, a timer and a wake-up;
 * nothing on it waits. client.c does the work.
 */
#include "verbs.h"

#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include "client.h"
#include "clock.h"
#include "err.h"
#include "log.h"
#include "profile.h"

#define TICK_MS 200
#define NICE	10
/* linux/ioprio.h: class idle, in the upper bits. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE	   (3 << 13)

struct request {
	bool normal_priority;
};

static const struct argp_option options[] = {
	{"normal-priority", 'n', NULL, 0,
		"Do not give way to everything else on this machine", 0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'n':
		request->normal_priority = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: not expected", word);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "--profile FILE",
	"Enrol with the controller of the profile and do what it says. Runs "
	"with low CPU and disk priority. SIGTERM ends it cleanly.",
	NULL, NULL, NULL};

struct daemon {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_async_t wake;
	uv_signal_t signals[2];
	struct client *client;
	struct err err;
	int status;
};

static void close_handle(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void stop(struct daemon *daemon)
{
	uv_stop(&daemon->loop);
}

static void tick(struct daemon *daemon)
{
	if (client_tick(daemon->client, &daemon->err) == 0)
		return;
	daemon->status = -1;
	stop(daemon);
}

static void on_timer(uv_timer_t *timer)
{
	tick(timer->data);
}

static void on_wake(uv_async_t *async)
{
	tick(async->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
	log_info("agent", "signal %d: stopping", number);
	stop(handle->data);
}

static void wake(void *context)
{
	uv_async_send(context);
}

static void give_way(void)
{
	if (setpriority(PRIO_PROCESS, 0, NICE))
		log_warn("agent", "CPU priority stays as it is");
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE) < 0)
		log_warn("agent", "disk priority stays as it is");
}

static void open_loop(struct daemon *daemon)
{
	static const int numbers[] = {SIGTERM, SIGINT};

	uv_loop_init(&daemon->loop);
	uv_timer_init(&daemon->loop, &daemon->timer);
	uv_async_init(&daemon->loop, &daemon->wake, on_wake);
	daemon->timer.data = daemon;
	daemon->wake.data = daemon;
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&daemon->loop, &daemon->signals[i]);
		daemon->signals[i].data = daemon;
		uv_signal_start(&daemon->signals[i], on_signal, numbers[i]);
	}
}

static void close_loop(struct daemon *daemon)
{
	uv_walk(&daemon->loop, close_handle, NULL);
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
	uv_loop_close(&daemon->loop);
}

static int run(const struct profile *profile, struct err *err)
{
	struct daemon daemon = {.err = ERR_INIT};
	struct client_setup setup = {
		.sync = profile_make_setup(profile, NULL),
		.url = profile->controller.url,
		.token_file = profile->controller.token_file,
		.ca_file = profile->controller.ca_file,
		.name = profile->controller.client ? profile->controller.client
						   : profile->account.user,
		.upkeep = true,
		.wake = wake,
		.context = &daemon.wake,
	};

	open_loop(&daemon);
	daemon.status = client_new(&daemon.client, &setup, &daemon.err);
	if (!daemon.status) {
		uv_timer_start(&daemon.timer, on_timer, 0, TICK_MS);
		uv_run(&daemon.loop, UV_RUN_DEFAULT);
	}
	client_free(daemon.client);
	close_loop(&daemon);
	if (daemon.status)
		*err = daemon.err;
	return daemon.status;
}

int verb_run(const struct profile *profile, int argc, char **argv)
{
	struct request request = {false};
	struct err err = ERR_INIT;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &request))
		return 2;
	if (!profile->controller.url) {
		err_set(&err, ERR_CONFIG,
			"the profile names no controller; add controller: "
			"{url, token_file}");
		return verb_failed("run", &err);
	}
	if (!request.normal_priority)
		give_way();
	status = run(profile, &err);
	return status ? verb_failed("run", &err) : 0;
}
