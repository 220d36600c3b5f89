/*
 * ask.c - see ask.h. One request per call, on the main thread.
 */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "http.h"
#include "secret.h"

#define ANSWER_BYTES_MAX (256u << 20)
#define TIMEOUT_US	 (120 * US_PER_S)

static int read_token(
	const struct common *common, char **token, struct err *err)
{
	if (!common->token_file)
		return 0;
	if (secret_read_file(common->token_file, token, err) < 0)
		return -1;
	(*token)[strcspn(*token, "\r\n")] = '\0';
	return 0;
}

/* What the daemon declined, in its own words. */
static int refused(const struct http_response *response, struct err *err)
{
	json_t *json = json_loads(buf_text(&response->body), 0, NULL);
	const char *text = json_string_value(json_object_get(json, "error"));

	err_set(err,
		response->status == 400		  ? ERR_USAGE
			: response->status == 401 ? ERR_AUTH
						  : ERR_REFUSED,
		"%s", text ? text : "the controller refused");
	json_decref(json);
	return -1;
}

static int read_answer(const struct http_response *response, struct said *said,
	struct err *err)
{
	json_t *json;
	const char *text;

	if (response->status != 200)
		return refused(response, err);
	json = json_loads(buf_text(&response->body), 0, NULL);
	text = json_string_value(json_object_get(json, "text"));
	if (!text) {
		json_decref(json);
		return err_set(err, ERR_PROTOCOL,
			"the answer is not one of a sluice controller");
	}
	said->exit = (int)json_integer_value(json_object_get(json, "exit"));
	said->text = xstrdup(text);
	said->data = json_incref(json_object_get(json, "data"));
	json_decref(json);
	return 0;
}

static int perform(const struct common *common, const char *url,
	const char *socket, const char *token, const char *body,
	struct said *said, struct err *err)
{
	static const char *const headers[] = {
		"Content-Type: application/json", NULL};
	struct http_options options = {
		.ca_file = common->ca_file, .unix_socket = socket};
	struct http_request request = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = body,
		.body_bytes = strlen(body),
		.bearer = token,
		.total_us = TIMEOUT_US,
		.max_bytes = ANSWER_BYTES_MAX,
	};
	struct http_response response = {.status = 0};
	struct http *http = http_new(&options, NULL);
	int result = http_perform(http, &request, &response, err);

	if (result == 0)
		result = read_answer(&response, said, err);
	http_response_free(&response);
	http_free(http);
	return result;
}

int ask(const struct common *common, const char *verb, const json_t *args,
	struct said *said, struct err *err)
{
	char *socket = NULL, *url, *token = NULL;
	char *body = json_dumps(args, JSON_COMPACT);
	int result;

	*said = (struct said){.exit = 1};
	if (common->url) {
		url = xasprintf("%s/v1/operator/%s", common->url, verb);
	} else {
		socket = xasprintf("%s/sluice.sock", common->dir);
		url = xasprintf("http://localhost/v1/operator/%s", verb);
	}
	result = read_token(common, &token, err);
	if (result == 0)
		result = perform(common, url, socket, token, body ? body : "{}",
			said, err);
	if (result < 0 && err && err->kind == ERR_NETWORK && !common->url)
		err_set(err, ERR_NETWORK,
			"no controller answers in %s; start it: sluice serve "
			"--state %s",
			common->dir, common->dir);
	if (token)
		explicit_bzero(token, strlen(token));
	free(token);
	free(socket);
	free(url);
	free(body);
	return result;
}

void said_free(struct said *said)
{
	json_decref(said->data);
	free(said->text);
	*said = (struct said){0};
}

void said_print(const struct common *common, const struct said *said)
{
	char *text;

	if (!common->json) {
		(void)fputs(said->text, stdout);
		return;
	}
	text = json_dumps(said->data, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	(void)puts(text ? text : "{}");
	free(text);
}
