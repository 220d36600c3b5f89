/*
 * serve.c - the loop: signals, the second, and which request goes where.
 */
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "alloc.h"
#include "hub.h"
#include "log.h"
#include "secret.h"

#define TICK_MS	      1000
#define SMALL_BODY    (64u << 10)
#define REPORT_BODY   (8u << 20)
#define OPERATOR_PATH "/v1/operator/"

struct server {
	uv_loop_t loop;
	uv_timer_t tick;
	uv_signal_t term, interrupt;
	struct hub hub;
};

/* ---- requests */

static const struct route {
	const char *method, *path;
	void (*handle)(struct hub *hub, struct web_request *request);
	size_t body_max;
	bool agent; /* only agents that are known may send a body */
} routes[] = {
	{"POST", "/v1/enroll", agent_enroll, SMALL_BODY, false},
	{"POST", "/v1/agent/report", agent_report, REPORT_BODY, true},
	{"GET", "/v1/agent/policy", agent_policy, 1, true},
	{"GET", "/metrics", metrics_answer, 1, false},
};

static const struct route *find_route(const struct web_request *request)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (strcmp(routes[i].path, request->path) == 0 &&
			strcmp(routes[i].method, request->method) == 0)
			return &routes[i];
	return NULL;
}

static bool is_operator_path(const struct web_request *request)
{
	return strncmp(request->path, OPERATOR_PATH,
		       sizeof(OPERATOR_PATH) - 1) == 0 &&
		strcmp(request->method, "POST") == 0;
}

/* Strangers are turned away before their body is read. */
static size_t body_max(
	void *context, const struct web_request *request, int *status)
{
	struct hub *hub = context;
	const struct route *route = find_route(request);

	if (is_operator_path(request))
		return SMALL_BODY;
	if (!route) {
		*status = 404;
		return 0;
	}
	if (route->agent && !agent_of(hub, request)) {
		hub->refused++;
		*status = 401;
		return 0;
	}
	return route->body_max;
}

static void handle(void *context, struct web_request *request)
{
	struct hub *hub = context;

	if (is_operator_path(request))
		operator_verb(hub, request);
	else if (find_route(request)->handle == metrics_answer &&
		!operator_allowed(hub, request))
		hub_refuse(request, 401, "an operator token is needed");
	else
		find_route(request)->handle(hub, request);
}

static bool turn_over(void *context)
{
	return hub_commit(context);
}

/* ---- the loop */

static void stop(struct server *server)
{
	if (uv_is_closing((uv_handle_t *)&server->tick))
		return;
	web_stop(&server->hub.web);
	uv_close((uv_handle_t *)&server->tick, NULL);
	uv_close((uv_handle_t *)&server->term, NULL);
	uv_close((uv_handle_t *)&server->interrupt, NULL);
}

static void on_tick(uv_timer_t *timer)
{
	struct server *server = timer->data;

	if (!server->hub.web)
		return;
	hub_tick(&server->hub, gauge_clock_us());
	agent_release(&server->hub);
	web_turn(server->hub.web);
	if (server->hub.failed)
		stop(server);
}

static void on_signal(uv_signal_t *signal, int number)
{
	log_info("serve", "stops on signal %d; agents go on", number);
	stop(signal->data);
}

static void start_loop(struct server *server)
{
	uv_timer_init(&server->loop, &server->tick);
	uv_signal_init(&server->loop, &server->term);
	uv_signal_init(&server->loop, &server->interrupt);
	server->tick.data = server->term.data = server->interrupt.data = server;
	uv_signal_start(&server->term, on_signal, SIGTERM);
	uv_signal_start(&server->interrupt, on_signal, SIGINT);
	uv_timer_start(&server->tick, on_tick, 0, TICK_MS);
}

/* Where agents on this machine reach us, for scripts. */
static int write_url(const struct server *server, struct err *err)
{
	char *path = xasprintf("%s/url", server->hub.dir);
	FILE *file = fopen(path, "we");
	int result = 0;

	if (!file ||
		fprintf(file, "https://127.0.0.1:%u\n",
			web_port(server->hub.web)) < 0)
		result = err_set_errno(err, "%s", path);
	if (file && fclose(file) != 0 && result == 0)
		result = err_set_errno(err, "%s", path);
	free(path);
	return result;
}

static int read_certificate(const struct serve_options *options, char **cert,
	char **key, struct err *err)
{
	if (!options->cert_file)
		return secret_make_certificate(
			options->dir, options->name, cert, key, err);
	if (!options->key_file)
		return err_set(err, ERR_USAGE,
			"--cert needs --key, the certificate's private key");
	if (secret_read_file(options->cert_file, cert, err) < 0)
		return -1;
	return secret_read_file(options->key_file, key, err);
}

static int listen_on(struct server *server, const struct serve_options *options,
	struct err *err)
{
	const struct web_handler handler = {
		.context = &server->hub,
		.body_max = body_max,
		.handle = handle,
		.turn_over = turn_over,
	};
	char *cert = NULL, *key = NULL;
	char *path = xasprintf("%s/sluice.sock", options->dir);
	int result = read_certificate(options, &cert, &key, err);

	if (result == 0) {
		const struct web_options web = {
			.host = options->host,
			.port = options->port,
			.cert_pem = cert,
			.key_pem = key,
			.socket_path = path,
		};

		result = web_start(
			&server->hub.web, &server->loop, &web, &handler, err);
	}
	if (key)
		explicit_bzero(key, strlen(key));
	free(cert);
	free(key);
	free(path);
	return result;
}

int serve_run(const struct serve_options *options, struct err *err)
{
	struct server *server = xcalloc(1, sizeof(*server));
	int result = -1;

	if (hub_open(&server->hub, options->dir, err) < 0) {
		free(server);
		return -1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG says more */
	uv_loop_init(&server->loop);
	if (listen_on(server, options, err) == 0 &&
		write_url(server, err) == 0) {
		log_info("serve",
			"rollout %s in %s; agents: https on port %u, authority "
			"%s/ca.pem",
			server->hub.rollout.row.name, options->dir,
			web_port(server->hub.web), options->dir);
		start_loop(server);
		result = 0;
	} else {
		web_stop(&server->hub.web);
	}
	uv_run(&server->loop, UV_RUN_DEFAULT);
	uv_loop_close(&server->loop);
	if (result == 0 && server->hub.failed) {
		if (err)
			*err = server->hub.err;
		result = -1;
	}
	hub_close(&server->hub);
	free(server);
	return result;
}
