/*
 * link_wire.c - enrolment and reports as HTTPS requests.
 *
 * Called by the link's thread only.
 */
#include "link_wire.h"

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "http.h"
#include "link.h"
#include "message.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The controller holds an idle agent's report for up to 25 s. */
#define REQUEST_US	 (60 * US_PER_S)
#define ANSWER_BYTES_MAX (64u << 10)
#define BUFFER_BYTES	 ((size_t)16 << 10)
#define TOKEN_BYTES_MAX	 512

struct link_wire {
	struct wire *wire;
	struct http *http;
	char *ca_file;
};

struct link_wire *link_wire_new(const char *ca_file)
{
	struct link_wire *link = xcalloc(1, sizeof *link);
	struct http_options options = {
		.stall_us = REQUEST_US,
		.buffer_bytes = BUFFER_BYTES,
	};

	link->ca_file = xstrdup(ca_file);
	options.ca_file = link->ca_file;
	link->wire = wire_new();
	link->http = http_new(&options, link->wire);
	return link;
}

void link_wire_free(struct link_wire *link)
{
	if (!link)
		return;
	http_free(link->http);
	wire_free(link->wire);
	free(link->ca_file);
	free(link);
}

void link_wire_cancel(struct link_wire *link)
{
	wire_cancel(link->wire);
}

/* Posts BODY; the answer's text for free(). */
static char *post(struct link_wire *link, const char *url, const char *path,
	const char *bearer, const char *body, struct err *err)
{
	static const char *const headers[] = {
		"Content-Type: application/json", NULL};
	size_t length = strlen(url);
	struct http_request request = {
		.method = "POST",
		.headers = headers,
		.body = body,
		.body_bytes = strlen(body),
		.bearer = bearer,
		.total_us = REQUEST_US,
		.max_bytes = ANSWER_BYTES_MAX,
	};
	struct http_response response;
	char *full = xasprintf("%.*s%s",
		(int)(length && url[length - 1] == '/' ? length - 1 : length),
		url, path);
	char *text = NULL;

	request.url = full;
	if (http_perform(link->http, &request, &response, err) == 0 &&
		http_check(&request, &response, err) == 0)
		text = xstrdup(buf_text(&response.body));
	else if (response.status >= 400 && response.body.length)
		err_hint(err, "the controller says: %.*s",
			(int)strcspn(buf_text(&response.body), "\r\n"),
			buf_text(&response.body));
	http_response_free(&response);
	free(full);
	return text;
}

static int read_token(const char *path, char *token, struct err *err)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return err_set_errno(err, "enrolment token %s", path);
	if (!fgets(token, TOKEN_BYTES_MAX, file))
		token[0] = '\0';
	fclose(file);
	token[strcspn(token, "\r\n")] = '\0';
	if (!*token)
		return err_set(err, ERR_CONFIG,
			"enrolment token %s is empty; print one with "
			"`sluice token`",
			path);
	return 0;
}

static int64_t free_bytes(const char *directory)
{
	struct statvfs fs;

	if (statvfs(directory, &fs))
		return 0;
	return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}

int link_enrol(struct link_wire *link, const struct link_setup *setup,
	struct enrolled *enrolled, struct err *err)
{
	char token[TOKEN_BYTES_MAX];
	char host[256] = "";
	struct enroll enroll = {
		.protocol = PROTOCOL_VERSION,
		.token = token,
		.client = (char *)setup->client,
		.host = host,
		.version = SLUICE_VERSION,
		.store_free_bytes = free_bytes(setup->directory),
	};
	char *body;
	char *text;
	int status = -1;

	if (read_token(setup->token_file, token, err))
		return -1;
	gethostname(host, sizeof host - 1);
	body = enroll_encode(&enroll);
	text = post(link, setup->url, "/v1/enroll", NULL, body, err);
	if (text)
		status = enrolled_decode(enrolled, text, err);
	else
		err_context(err, "enrolment of %s", setup->client);
	explicit_bzero(token, sizeof token);
	explicit_bzero(body, strlen(body));
	free(body);
	free(text);
	return status;
}

int link_send(struct link_wire *link, const char *url, const char *bearer,
	const char *report, struct answer *answer, struct err *err)
{
	char *text = post(link, url, "/v1/agent/report", bearer, report, err);
	int status = text ? answer_decode(answer, text, err) : -1;

	free(text);
	return status ? err_context(err, "controller") : 0;
}

char *link_boot_id(void)
{
	char text[64] = "unknown";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (file) {
		if (!fgets(text, sizeof text, file))
			text[0] = '\0';
		fclose(file);
	}
	text[strcspn(text, "\n")] = '\0';
	return xstrdup(text);
}
