/*
 * web.c - see web.h. libmicrohttpd runs without threads of its own: its epoll
 * descriptor is polled by the loop, and every request is suspended between
 * its last byte and its answer.
 */
#include "web.h"

#include <microhttpd.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "log.h"

#define IDLE_TIMEOUT_S	60
#define CONNECTIONS_MAX 20000
#define LOCAL_MAX	64  /* of them over the UNIX socket */
#define FILES_KEPT	160 /* for anything but agents */
#define BEARER_PREFIX	"Bearer "

enum stage {
	STAGE_BODY,   /* libmicrohttpd reads it */
	STAGE_QUEUED, /* whole, waits for the handler */
	STAGE_PARKED,
	STAGE_ANSWERED, /* waits for the end of the turn */
	STAGE_RESUMED,	/* libmicrohttpd will ask for the answer */
	STAGE_SENT,
};

struct exchange {
	struct web_request request; /* first: they are one object */
	struct web *web;
	struct MHD_Connection *connection;
	struct exchange *next;
	enum stage stage;
	int status;
	const char *type;
	char *text;
	char *method, *path;
};

struct listener {
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	bool local;
	unsigned handles; /* open in the loop */
	struct web *web;
};

struct web {
	struct web_handler handler;
	struct listener tcp, local;
	struct exchange *exchanges; /* all that are not sent */
	uint16_t port;
	char *socket_path;
	unsigned agents_max; /* connections at once */
	bool turning;
};

/* ---- one request */

static void forget(struct exchange *exchange)
{
	struct exchange **link = &exchange->web->exchanges;

	while (*link && *link != exchange)
		link = &(*link)->next;
	if (*link)
		*link = exchange->next;
	buf_free(&exchange->request.body);
	free(exchange->text);
	free(exchange->method);
	free(exchange->path);
	free(exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection,
	void **state, enum MHD_RequestTerminationCode code)
{
	(void)context;
	(void)connection;
	(void)code;
	if (*state)
		forget(*state);
	*state = NULL;
}

static void fill_request(struct exchange *exchange, bool local)
{
	struct web_request *request = &exchange->request;
	const char *authorization = MHD_lookup_connection_value(
		exchange->connection, MHD_HEADER_KIND,
		MHD_HTTP_HEADER_AUTHORIZATION);
	const union MHD_ConnectionInfo *info;
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (authorization &&
		strncmp(authorization, BEARER_PREFIX,
			sizeof(BEARER_PREFIX) - 1) == 0)
		request->bearer = authorization + sizeof(BEARER_PREFIX) - 1;
	if (!local)
		return;
	info = MHD_get_connection_info(
		exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info &&
		getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer,
			&length) == 0) {
		request->local = true;
		request->uid = peer.uid;
	}
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(exchange->text), exchange->text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	exchange->stage = STAGE_SENT;
	if (!response)
		return MHD_NO;
	MHD_add_response_header(
		response, MHD_HTTP_HEADER_CONTENT_TYPE, exchange->type);
	MHD_add_response_header(
		response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	result = MHD_queue_response(
		exchange->connection, (unsigned)exchange->status, response);
	MHD_destroy_response(response);
	return result;
}

static void set_answer(struct exchange *exchange, int status, const char *type,
	const char *text)
{
	free(exchange->text);
	exchange->text = xstrdup(text);
	exchange->type = type;
	exchange->status = status;
	exchange->stage = STAGE_ANSWERED;
}

static enum MHD_Result begin_request(struct listener *listener,
	struct MHD_Connection *connection, const char *url, const char *method,
	void **state)
{
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));
	int status = MHD_HTTP_NOT_FOUND;
	size_t limit;

	exchange->web = listener->web;
	exchange->connection = connection;
	exchange->next = listener->web->exchanges;
	listener->web->exchanges = exchange;
	exchange->request.method = exchange->method = xstrdup(method);
	exchange->request.path = exchange->path = xstrdup(url);
	exchange->request.inside = exchange;
	*state = exchange;
	fill_request(exchange, listener->local);
	limit = listener->web->handler.body_max(
		listener->web->handler.context, &exchange->request, &status);
	exchange->request.body = BUF_INIT(limit);
	if (limit)
		return MHD_YES;
	set_answer(exchange, status, "text/plain", "refused\n");
	return send_answer(exchange);
}

static enum MHD_Result on_request(void *context,
	struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *bytes, void **state)
{
	struct exchange *exchange = *state;

	(void)version;
	if (!exchange)
		return begin_request(context, connection, url, method, state);
	if (exchange->stage == STAGE_RESUMED)
		return send_answer(exchange);
	if (exchange->stage != STAGE_BODY)
		return MHD_YES;
	if (*bytes) {
		/* What passes the cap is read and dropped, then refused. */
		if (!exchange->text &&
			buf_append(&exchange->request.body, data, *bytes) < 0)
			exchange->text = xstrdup("the body is too large\n");
		*bytes = 0;
		return MHD_YES;
	}
	if (exchange->text) {
		exchange->type = "text/plain";
		exchange->status = MHD_HTTP_CONTENT_TOO_LARGE;
		return send_answer(exchange);
	}
	exchange->stage = STAGE_QUEUED;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

void web_answer(struct web_request *request, int status, const char *type,
	const char *text)
{
	set_answer(request->inside, status, type, text);
}

void web_park(struct web_request *request, int64_t until_us)
{
	struct exchange *exchange = request->inside;

	exchange->stage = STAGE_PARKED;
	request->until_us = until_us;
}

void web_each_parked(struct web *web,
	void (*each)(void *context, struct web_request *request), void *context)
{
	for (struct exchange *e = web->exchanges; e; e = e->next)
		if (e->stage == STAGE_PARKED)
			each(context, &e->request);
}

/* ---- turns */

static void run_daemons(struct web *web)
{
	if (web->tcp.daemon)
		(void)MHD_run(web->tcp.daemon);
	if (web->local.daemon)
		(void)MHD_run(web->local.daemon);
}

/* What was answered has not happened. */
static void take_back(struct web *web)
{
	for (struct exchange *e = web->exchanges; e; e = e->next)
		if (e->stage == STAGE_ANSWERED)
			set_answer(e, MHD_HTTP_SERVICE_UNAVAILABLE,
				"application/json",
				"{\"error\":\"the archive cannot be written; the "
				"controller ends and its log says why\"}");
}

/* Hand over what is whole; true when there was anything to send. */
static bool handle_queued(struct web *web)
{
	bool any = false;

	for (struct exchange *e = web->exchanges; e; e = e->next) {
		if (e->stage == STAGE_QUEUED)
			web->handler.handle(web->handler.context, &e->request);
		any |= e->stage == STAGE_ANSWERED;
	}
	if (any && !web->handler.turn_over(web->handler.context))
		take_back(web);
	for (struct exchange *e = web->exchanges; e; e = e->next) {
		if (e->stage != STAGE_ANSWERED)
			continue;
		e->stage = STAGE_RESUMED;
		MHD_resume_connection(e->connection);
	}
	return any;
}

static void on_timer(uv_timer_t *timer);

static void arm_timer(struct listener *listener)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (!listener->daemon)
		return;
	if (MHD_get_timeout(listener->daemon, &ms) == MHD_YES)
		uv_timer_start(&listener->timer, on_timer, ms, 0);
	else
		uv_timer_stop(&listener->timer);
}

void web_turn(struct web *web)
{
	if (web->turning)
		return;
	web->turning = true;
	do
		run_daemons(web);
	while (handle_queued(web));
	arm_timer(&web->tcp);
	arm_timer(&web->local);
	web->turning = false;
}

static void on_timer(uv_timer_t *timer)
{
	web_turn(((struct listener *)timer->data)->web);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	web_turn(((struct listener *)poll->data)->web);
}

/* ---- listening */

static int open_tcp(
	struct web *web, const struct web_options *options, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *address;
	struct sockaddr_in6 bound = {0}; /* the larger of both */
	socklen_t length = sizeof(bound);
	char port[8];
	int fd, code, on = 1;

	(void)snprintf(port, sizeof(port), "%u", options->port);
	code = getaddrinfo(options->host, port, &hints, &address);
	if (code != 0)
		return err_set(err, ERR_USAGE, "--listen %s: %s", options->host,
			gai_strerror(code));
	fd = socket(address->ai_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, address->ai_addr, address->ai_addrlen) < 0 ||
		listen(fd, SOMAXCONN) < 0 ||
		getsockname(fd, (struct sockaddr *)&bound, &length) < 0) {
		err_set_errno(err, "--listen %s:%s", options->host, port);
		freeaddrinfo(address);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	freeaddrinfo(address);
	/* The port is at the same place in either family. */
	web->port = ntohs(bound.sin6_port);
	return fd;
}

/* The archive's lock is ours, so a socket that is there is a leftover. */
static int open_local(const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, result;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, ERR_USAGE,
			"%s: longer than a socket's path may be; take a "
			"shorter --state",
			path);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_errno(err, "%s", path);
	(void)unlink(path);
	mask = umask(0077);
	result = bind(fd, (struct sockaddr *)&address, sizeof(address));
	(void)umask(mask);
	if (result < 0 || listen(fd, SOMAXCONN) < 0) {
		err_set_errno(err, "%s", path);
		close(fd);
		return -1;
	}
	return fd;
}

static int start_listener(struct web *web, struct listener *listener,
	uv_loop_t *loop, int fd, const struct web_options *options,
	struct err *err)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->cert_pem},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key_pem},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	const union MHD_DaemonInfo *info;

	if (!listener->local)
		flags |= MHD_USE_TLS;
	listener->web = web;
	listener->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request,
		listener, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
		MHD_OPTION_CONNECTION_LIMIT,
		listener->local ? LOCAL_MAX : web->agents_max, MHD_OPTION_ARRAY,
		listener->local ? none : tls, MHD_OPTION_END);
	if (!listener->daemon) {
		close(fd);
		return err_set(err, ERR_IO,
			"cannot start the %s listener; is the certificate "
			"readable?",
			listener->local ? "local" : "HTTPS");
	}
	info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	uv_poll_init(loop, &listener->poll, info->epoll_fd);
	uv_timer_init(loop, &listener->timer);
	listener->poll.data = listener->timer.data = listener;
	listener->handles = 2;
	uv_poll_start(&listener->poll, UV_READABLE, on_poll);
	return 0;
}

/* Every waiting agent holds a descriptor; the archive, the probe, the exporter
 * and whoever gives orders need some too. */
static unsigned raise_file_limit(void)
{
	struct rlimit limit;
	unsigned agents = CONNECTIONS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return agents;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		limit.rlim_cur >= CONNECTIONS_MAX + FILES_KEPT)
		return agents;
	agents = limit.rlim_cur > 2UL * FILES_KEPT
		? (unsigned)limit.rlim_cur - FILES_KEPT
		: (unsigned)limit.rlim_cur / 2;
	log_warn("serve",
		"at most %lu files may be open: %u agents can be connected at "
		"once; raise the limit (ulimit -n)",
		(unsigned long)limit.rlim_cur, agents);
	return agents;
}

int web_start(struct web **out, uv_loop_t *loop,
	const struct web_options *options, const struct web_handler *handler,
	struct err *err)
{
	struct web *web = xcalloc(1, sizeof(*web));
	int fd;

	web->handler = *handler;
	web->local.local = true;
	*out = web;
	web->agents_max = raise_file_limit();
	if (options->socket_path) {
		fd = open_local(options->socket_path, err);
		if (fd < 0 ||
			start_listener(
				web, &web->local, loop, fd, options, err) < 0)
			goto undo;
		web->socket_path = xstrdup(options->socket_path);
	}
	if (options->host) {
		fd = open_tcp(web, options, err);
		if (fd < 0 ||
			start_listener(web, &web->tcp, loop, fd, options, err) <
				0)
			goto undo;
	}
	web_turn(web);
	return 0;
undo:
	web_stop(out);
	return -1;
}

uint16_t web_port(const struct web *web)
{
	return web->port;
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;
	struct web *web = listener->web;

	listener->handles--;
	if (web->tcp.handles + web->local.handles == 0)
		free(web);
}

static void close_listener(struct listener *listener)
{
	if (!listener->daemon)
		return;
	uv_poll_stop(&listener->poll);
	MHD_stop_daemon(listener->daemon);
	listener->daemon = NULL;
	uv_close((uv_handle_t *)&listener->poll, on_closed);
	uv_close((uv_handle_t *)&listener->timer, on_closed);
}

static void answer_stopping(void *context, struct web_request *request)
{
	(void)context;
	web_answer(request, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain",
		"the controller stops\n");
}

void web_stop(struct web **handle)
{
	struct web *web = *handle;
	bool idle;

	if (!web)
		return;
	*handle = NULL;
	/* libmicrohttpd ends only when nothing is suspended. */
	web_each_parked(web, answer_stopping, NULL);
	web_turn(web);
	if (web->socket_path)
		(void)unlink(web->socket_path);
	free(web->socket_path);
	web->socket_path = NULL;
	idle = !web->tcp.daemon && !web->local.daemon;
	close_listener(&web->tcp);
	close_listener(&web->local);
	if (idle)
		free(web);
}
