/*
 * A scripted HTTP server for component tests: see fake_http.h. One thread
 * polls the listener and up to CONNECTIONS_MAX kept connections, and reads
 * and answers one request at a time.
 */
#include "fake_http.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "alloc.h"

#define CONNECTIONS_MAX 14
#define REQUEST_BYTES	(64 << 20)

struct fake_http {
	const struct fake_step *steps;
	size_t step_count;
	int *left; /* how often each step may still answer */
	int listener;
	int stop_pipe[2];
	char url[64];
	pthread_t thread;
	pthread_mutex_t lock; /* of the script, log and seen */
	struct buf log;
	struct buf *seen;
	size_t seen_count;
	struct pollfd fds[2 + CONNECTIONS_MAX];
	size_t fd_count;
};

static bool read_until_blank_line(int fd, struct buf *head)
{
	char c;

	while (head->length < 4 ||
		memcmp(head->data + head->length - 4, "\r\n\r\n", 4) != 0)
		if (recv(fd, &c, 1, 0) != 1 || buf_append(head, &c, 1) < 0)
			return false;
	return true;
}

static bool read_request(int fd, struct fake_request *request)
{
	const char *length;
	size_t left = 0;
	char chunk[4096];

	request->headers = BUF_INIT(65536);
	request->body = BUF_INIT(REQUEST_BYTES);
	if (!read_until_blank_line(fd, &request->headers) ||
		sscanf(request->headers.data, "%15s %511s", request->method,
			request->path) != 2)
		return false;
	length = strcasestr(request->headers.data, "\r\nContent-Length:");
	if (length)
		left = strtoul(length + 17, NULL, 10);
	if (strcasestr(request->headers.data, "100-continue"))
		dprintf(fd, "HTTP/1.1 100 Continue\r\n\r\n");
	while (left > 0) {
		ssize_t got = recv(fd, chunk,
			left < sizeof(chunk) ? left : sizeof(chunk), 0);

		if (got <= 0 ||
			buf_append(&request->body, chunk, (size_t)got) < 0)
			return false;
		left -= (size_t)got;
	}
	return true;
}

static const struct fake_step *find_step(
	struct fake_http *http, const struct fake_request *request)
{
	size_t i;

	for (i = 0; i < http->step_count; i++) {
		const struct fake_step *step = &http->steps[i];

		if ((step->method &&
			    strcmp(step->method, request->method) != 0) ||
			(step->path &&
				strcmp(step->path, request->path) != 0) ||
			(step->contains &&
				!strstr(buf_text(&request->body),
					step->contains)) ||
			http->left[i] == 0)
			continue;
		if (http->left[i] > 0)
			http->left[i]--;
		return step;
	}
	return NULL;
}

static void remember(
	struct fake_http *http, const struct fake_request *request, bool fitted)
{
	pthread_mutex_lock(&http->lock);
	buf_printf(&http->log, "%s%s %s\n", fitted ? "" : "!", request->method,
		request->path);
	http->seen = xrealloc(
		http->seen, http->seen_count + 1, sizeof(*http->seen));
	http->seen[http->seen_count] = BUF_INIT(0);
	buf_append(&http->seen[http->seen_count], buf_text(&request->headers),
		request->headers.length);
	buf_append(&http->seen[http->seen_count], buf_text(&request->body),
		request->body.length);
	http->seen_count++;
	pthread_mutex_unlock(&http->lock);
}

static bool send_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		data += sent;
		length -= (size_t)sent;
	}
	return true;
}

/* Until the client has enough of it, or the server is stopped. */
static bool drip(int fd, const char *data, size_t length, int ms, int stop)
{
	struct pollfd wait = {.fd = stop, .events = POLLIN};
	size_t i;

	for (i = 0; i < length; i++)
		if (!send_all(fd, data + i, 1) || poll(&wait, 1, ms) > 0)
			return false;
	return true;
}

static bool send_answer(int fd, const struct fake_step *step,
	const struct fake_request *request, int stop)
{
	struct buf body = BUF_INIT(0);
	struct buf head = BUF_INIT(0);
	int status = step ? step->status : 404;
	size_t length;
	bool keep;

	if (step && step->answer)
		status = step->answer(step->context, request, &body);
	else if (step && step->body)
		buf_append_text(&body, step->body);
	buf_printf(&head, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s\r\n",
		status, body.length,
		step && step->headers ? step->headers : "");
	length = body.length;
	if (step && step->cut_after && step->cut_after < length)
		length = step->cut_after;
	if (step && step->stall_after && step->stall_after < length)
		length = step->stall_after;
	keep = send_all(fd, head.data, head.length);
	if (keep && step && step->drip_ms)
		keep = drip(fd, buf_text(&body), length, step->drip_ms, stop);
	else if (keep)
		keep = send_all(fd, buf_text(&body), length);
	keep = keep && (length == body.length || (step && step->stall_after));
	buf_free(&head);
	buf_free(&body);
	return keep;
}

static bool serve(struct fake_http *http, int fd)
{
	struct fake_request request = {.method = ""};
	bool keep = read_request(fd, &request);

	if (keep) {
		const struct fake_step *step;

		pthread_mutex_lock(&http->lock);
		step = find_step(http, &request);
		pthread_mutex_unlock(&http->lock);
		remember(http, &request, step != NULL);
		keep = !(step && step->hang_up) &&
			send_answer(fd, step, &request, http->stop_pipe[0]);
	}
	buf_free(&request.headers);
	buf_free(&request.body);
	return keep;
}

static void accept_one(struct fake_http *http)
{
	int fd = accept4(http->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (http->fd_count == 2 + CONNECTIONS_MAX) {
		close(fd);
		return;
	}
	http->fds[http->fd_count++] = (struct pollfd){
		.fd = fd, .events = POLLIN};
}

static void *run(void *argument)
{
	struct fake_http *http = argument;
	size_t i;

	http->fds[0] = (struct pollfd){
		.fd = http->stop_pipe[0], .events = POLLIN};
	http->fds[1] = (struct pollfd){.fd = http->listener, .events = POLLIN};
	http->fd_count = 2;
	while (poll(http->fds, http->fd_count, -1) > 0 &&
		!http->fds[0].revents) {
		for (i = http->fd_count - 1; i >= 2; i--) {
			if (!http->fds[i].revents ||
				serve(http, http->fds[i].fd))
				continue;
			close(http->fds[i].fd);
			http->fds[i] = http->fds[--http->fd_count];
		}
		if (http->fds[1].revents)
			accept_one(http);
	}
	for (i = 2; i < http->fd_count; i++)
		close(http->fds[i].fd);
	return NULL;
}

static void start_thread(struct fake_http *http)
{
	if (pipe(http->stop_pipe) < 0 ||
		pthread_create(&http->thread, NULL, run, http) != 0)
		abort();
}

static void end_thread(struct fake_http *http)
{
	close(http->stop_pipe[1]);
	pthread_join(http->thread, NULL);
	close(http->stop_pipe[0]);
}

pid_t fake_http_fork(struct fake_http *http)
{
	pid_t child;

	end_thread(http);
	child = fork();
	if (child != 0)
		start_thread(http);
	return child;
}

void fake_http_script(
	struct fake_http *http, const struct fake_step *steps, size_t count)
{
	size_t i;

	pthread_mutex_lock(&http->lock);
	http->steps = steps;
	http->step_count = count;
	free(http->left);
	http->left = xcalloc(count + 1, sizeof(*http->left));
	for (i = 0; i < count; i++)
		http->left[i] = steps[i].times ? steps[i].times : 1;
	pthread_mutex_unlock(&http->lock);
}

struct fake_http *fake_http_start(const struct fake_step *steps, size_t count)
{
	struct fake_http *http = xcalloc(1, sizeof(*http));
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);

	http->log = BUF_INIT(0);
	pthread_mutex_init(&http->lock, NULL);
	fake_http_script(http, steps, count);
	http->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (http->listener < 0 ||
		bind(http->listener, (struct sockaddr *)&address,
			sizeof(address)) < 0 ||
		listen(http->listener, 16) < 0 ||
		getsockname(http->listener, (struct sockaddr *)&address,
			&length) < 0)
		abort();
	start_thread(http);
	snprintf(http->url, sizeof(http->url), "http://127.0.0.1:%d",
		ntohs(address.sin_port));
	return http;
}

const char *fake_http_url(const struct fake_http *http)
{
	return http->url;
}

char *fake_http_log(struct fake_http *http)
{
	char *log;

	pthread_mutex_lock(&http->lock);
	log = xstrdup(buf_text(&http->log));
	pthread_mutex_unlock(&http->lock);
	return log;
}

unsigned fake_http_saw(struct fake_http *http, const char *text)
{
	unsigned count = 0;
	size_t i;

	pthread_mutex_lock(&http->lock);
	for (i = 0; i < http->seen_count; i++)
		if (strstr(buf_text(&http->seen[i]), text))
			count++;
	pthread_mutex_unlock(&http->lock);
	return count;
}

void fake_http_stop(struct fake_http *http)
{
	size_t i;

	end_thread(http);
	close(http->listener);
	for (i = 0; i < http->seen_count; i++)
		buf_free(&http->seen[i]);
	free(http->seen);
	free(http->left);
	buf_free(&http->log);
	pthread_mutex_destroy(&http->lock);
	free(http);
}
