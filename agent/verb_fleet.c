/*
 * verb_fleet.c - `sluice-agent fleet`: many virtual clients in one process,
 * each a full client to the controller.
 *
 * The main thread runs a libuv loop that ticks all clients; each has the
 * threads that client.h tells of.
 */
#include "verbs.h"

#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "alloc.h"
#include "buf.h"
#include "client.h"
#include "conf.h"
#include "err.h"
#include "log.h"
#include "profile.h"

#define TICK_MS	     200
#define CLIENTS_MAX  2000
#define FILES_EACH   24 /* sockets, databases, packs, locks, wake-ups */
#define FILES_OWN    64
#define WINDOW_BYTES (UINT64_C(512) << 10)
#define QUEUE_BYTES  ((size_t)512 << 10)
#define TEMPLATE_MAX (64u << 10)

struct request {
	const char *template;
	const char *range;
};

struct member {
	struct profile profile;
	struct client *client; /* NULL: has given up */
};

struct fleet {
	struct member *members;
	size_t count, running;
	uv_loop_t loop;
	uv_timer_t timer;
	uv_signal_t signals[2];
};

static const struct argp_option options[] = {
	{"template", 't', "FILE", 0,
		"A profile in which %u stands for the client's name", 0},
	{"range", 'r', "FIRST..LAST", 0, "The clients, as in u001..u500", 0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 't':
		request->template = word;
		return 0;
	case 'r':
		request->range = word;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: not expected", word);
		return 0;
	case ARGP_KEY_END:
		if (!request->template || !request->range)
			argp_error(state,
				"--template FILE and --range FIRST..LAST are "
				"needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse,
	"--template FILE --range FIRST..LAST",
	"Run many virtual clients in one process, for load tests. SIGTERM "
	"ends them cleanly.",
	NULL, NULL, NULL};

/* --------------------------------------------------------------- members */

/* "u001..u500": the text before the digits, the numbers, the width. */
static int parse_range(const char *range, char *stem, size_t size,
	unsigned *first, unsigned *last, int *width, struct err *err)
{
	const char *dots = strstr(range, "..");
	size_t length = strcspn(range, "0123456789");
	char *end;

	if (!dots || length >= size || strncmp(range, dots + 2, length) != 0 ||
		range + length >= dots)
		goto bad;
	memcpy(stem, range, length);
	stem[length] = '\0';
	*width = (int)(dots - range - (ptrdiff_t)length);
	*first = (unsigned)strtoul(range + length, &end, 10);
	if (end != dots)
		goto bad;
	*last = (unsigned)strtoul(dots + 2 + length, &end, 10);
	if (*end || *last < *first || *last - *first >= CLIENTS_MAX)
		goto bad;
	return 0;

bad:
	return err_set(err, ERR_USAGE,
		"--range %s: expected FIRST..LAST as in u001..u500, at most "
		"%d clients",
		range, CLIENTS_MAX);
}

static int read_template(const char *path, struct buf *text, struct err *err)
{
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t got;
	int status = 0;

	if (!file)
		return err_set_errno(err, "template %s", path);
	while (!status && (got = fread(piece, 1, sizeof piece, file)) > 0)
		status = buf_append(text, piece, got);
	fclose(file);
	return status ? err_set(err, ERR_CONFIG,
				"template %s is longer than 64 KiB", path)
		      : 0;
}

static void put_name(struct buf *out, const char *text, const char *name)
{
	const char *at;

	while ((at = strstr(text, "%u"))) {
		buf_append(out, text, (size_t)(at - text));
		buf_append_text(out, name);
		text = at + 2;
	}
	buf_append_text(out, text);
}

static void wake(void *context)
{
	(void)context; /* the timer comes by soon enough */
}

static int add_member(struct fleet *fleet, const char *path, const char *text,
	const char *name, struct err *err)
{
	struct member *member = &fleet->members[fleet->count];
	struct buf yaml = BUF_INIT(0);
	struct client_setup setup = {.wake = wake, .name = NULL};
	int status;

	put_name(&yaml, text, name);
	status = conf_parse(&profile_table, &member->profile, yaml.data,
		yaml.length, path, ".", err);
	buf_free(&yaml);
	if (status)
		return -1;
	fleet->count++;
	if (!member->profile.controller.url)
		return err_set(err, ERR_CONFIG,
			"template %s names no controller", path);
	setup.sync = profile_make_setup(&member->profile, NULL);
	setup.make_policy = profile_make_policy;
	setup.profile = &member->profile;
	setup.sync.window_bytes = WINDOW_BYTES;
	setup.sync.in_flight_bytes = 2 * WINDOW_BYTES;
	setup.sync.queue_bytes = QUEUE_BYTES;
	setup.url = member->profile.controller.url;
	setup.token_file = member->profile.controller.token_file;
	setup.ca_file = member->profile.controller.ca_file;
	setup.name = member->profile.controller.client
		? member->profile.controller.client
		: member->profile.account.user;
	return client_new(&member->client, &setup, err);
}

/* Running out of descriptors in the middle would look like a slow server. */
static int check_limits(unsigned clients, struct err *err)
{
	struct rlimit limit;
	rlim_t need = (rlim_t)clients * FILES_EACH + FILES_OWN;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return err_set_errno(err, "limit of open files");
	if (limit.rlim_cur < need && limit.rlim_max >= need) {
		limit.rlim_cur = need;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= need)
		return 0;
	return err_set(err, ERR_LIMIT,
		"%u clients need %llu open files, %llu are allowed; raise it "
		"with ulimit -n or take fewer clients",
		clients, (unsigned long long)need,
		(unsigned long long)limit.rlim_cur);
}

static int muster(
	struct fleet *fleet, const struct request *request, struct err *err)
{
	struct buf text = BUF_INIT(TEMPLATE_MAX);
	char stem[64];
	unsigned first, last;
	int width;
	int status = -1;

	if (parse_range(request->range, stem, sizeof stem, &first, &last,
		    &width, err) ||
		check_limits(last - first + 1, err) ||
		read_template(request->template, &text, err))
		goto free_text;
	fleet->members = xcalloc(last - first + 1, sizeof *fleet->members);
	status = 0;
	for (unsigned i = first; !status && i <= last; i++) {
		char *name = xasprintf("%s%0*u", stem, width, i);

		status = add_member(
			fleet, request->template, buf_text(&text), name, err);
		free(name);
	}
	fleet->running = fleet->count;

free_text:
	buf_free(&text);
	return status;
}

static void dismiss(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->count; i++) {
		client_free(fleet->members[i].client);
		profile_free(&fleet->members[i].profile);
	}
	free(fleet->members);
}

/* ------------------------------------------------------------------ loop */

static void on_timer(uv_timer_t *timer)
{
	struct fleet *fleet = timer->data;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < fleet->count; i++) {
		struct member *member = &fleet->members[i];

		if (!member->client || client_tick(member->client, &err) == 0)
			continue;
		log_error("fleet", "%s", err.text);
		client_free(member->client);
		member->client = NULL;
		fleet->running--;
	}
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

int verb_fleet(int argc, char **argv)
{
	struct request request = {NULL, NULL};
	struct fleet fleet = {.members = NULL};
	struct err err = ERR_INIT;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &request))
		return 2;
	status = muster(&fleet, &request, &err);
	if (!status)
		run_loop(&fleet);
	if (!status && !fleet.running)
		status = err_set(&err, ERR_REFUSED,
			"every client has given up; the log says why");
	dismiss(&fleet);
	return status ? verb_failed("fleet", &err) : 0;
}
