/*
 * imap_client.c - IMAP commands and their raw answers, see imap_client.h.
 *
 * Commands are numbered; a small table holds those in flight and keeps the
 * ends that come before somebody waits for them. Runs on its owner's thread.
 */
#include "imap_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "imap_text.h"
#include "wire.h"

#define ANSWER_MAX    (16u * 1024 * 1024)
#define LINE_MAX      (64 * 1024)
#define CAPS_MAX      (16 * 1024)
#define LITERAL_MINUS 4096 /* RFC 7888: at once up to here */
#define LOGOUT_US     (2 * US_PER_S)

struct command {
	uint32_t tag; /* 0: free */
	bool ended;
	struct imap_result result;
};

struct imap_client {
	struct stream *stream;
	struct command commands[IMAP_IN_FLIGHT_MAX];
	uint32_t newest_tag;
	struct command *building; /* between begin and end */
	struct err build_err;	  /* of the parts; sticks until end */
	bool go_ahead;		  /* "+" came */
	bool broken;		  /* after an error: no LOGOUT */
	struct buf answer;
	struct buf caps; /* " IMAP4REV1 LITERAL+ " */
	struct err bye;	 /* what the server said in parting */
	imap_untagged *untagged;
	void *context;
};

bool imap_client_has(const struct imap_client *client, const char *capability)
{
	char word[64];

	snprintf(word, sizeof(word), " %s ", capability);
	return strcasestr(buf_text(&client->caps), word) != NULL;
}

static void note_capabilities(struct imap_client *client, const char *text)
{
	size_t length = strcspn(text, "]\r\n");

	buf_clear(&client->caps);
	if (buf_append(&client->caps, " ", 1) < 0 ||
		buf_append(&client->caps, text, length) < 0 ||
		buf_append(&client->caps, " ", 1) < 0)
		buf_clear(&client->caps);
}

/* Read one whole answer, literals included, without its last CRLF. */
static int read_answer(struct imap_client *client, struct err *err)
{
	struct imap_literal literal;
	const char *data;
	size_t length;
	bool more;

	buf_clear(&client->answer);
	do {
		if (stream_line(client->stream, &data, &length, LINE_MAX, err) <
			0)
			return -1;
		more = imap_literal_at_end(data, length, &literal);
		if (!more)
			while (length &&
				(data[length - 1] == '\n' ||
					data[length - 1] == '\r'))
				stream_consume(client->stream, 1), length--;
		if (buf_append(&client->answer, data, length) < 0)
			goto too_long;
		stream_consume(client->stream, length);
		while (more && literal.bytes) {
			length = stream_peek(client->stream, &data);
			if (length > literal.bytes)
				length = (size_t)literal.bytes;
			if (buf_append(&client->answer, data, length) < 0)
				goto too_long;
			stream_consume(client->stream, length);
			literal.bytes -= length;
			if (literal.bytes &&
				stream_fill(client->stream, 0, err) < 0)
				return -1;
		}
	} while (more);
	return 0;
too_long:
	return err_set(err, ERR_LIMIT, "%s: an answer of more than %zu bytes",
		stream_name(client->stream), client->answer.limit);
}

static void take_untagged(struct imap_client *client)
{
	const char *text = buf_text(&client->answer) + 2;
	size_t length = client->answer.length - 2;

	if (strncasecmp(text, "CAPABILITY ", 11) == 0)
		note_capabilities(client, text + 11);
	else if (strncasecmp(text, "OK [CAPABILITY ", 15) == 0)
		note_capabilities(client, text + 15);
	else if (strncasecmp(text, "BYE", 3) == 0)
		err_set(&client->bye,
			imap_error_kind(
				text + 3 + (text[3] == ' '), ERR_NETWORK),
			"%s: ended the session: %.300s",
			stream_name(client->stream), text);
	if (client->untagged)
		client->untagged(client->context, text, length);
}

static int take_tagged(struct imap_client *client, struct err *err)
{
	const char *text = buf_text(&client->answer);
	struct command *command = NULL;
	char word[4] = "";
	unsigned tag = 0;
	int used = 0;
	size_t i;

	if (sscanf(text, "S%u %3s%n", &tag, word, &used) == 2)
		for (i = 0; i < IMAP_IN_FLIGHT_MAX; i++)
			if (tag && client->commands[i].tag == tag)
				command = &client->commands[i];
	if (!command || command->ended)
		return err_set(err, ERR_PROTOCOL,
			"%s: an answer to nothing we asked: \"%.80s\"",
			stream_name(client->stream), text);
	if (strcasecmp(word, "OK") == 0)
		command->result.status = IMAP_OK;
	else if (strcasecmp(word, "NO") == 0)
		command->result.status = IMAP_NO;
	else
		command->result.status = IMAP_BAD;
	text += used;
	snprintf(command->result.text, sizeof(command->result.text), "%s",
		*text == ' ' ? text + 1 : text);
	if (imap_has_code(command->result.text, "CAPABILITY"))
		note_capabilities(client, command->result.text + 12);
	command->ended = true;
	return 0;
}

/* Read and dispatch one answer. */
static int step(struct imap_client *client, struct err *err)
{
	const char *text;

	if (read_answer(client, err) < 0) {
		client->broken = true;
		/* The parting words say more than the end of the stream. */
		if (client->bye.kind && err && err->kind == ERR_NETWORK)
			*err = client->bye;
		return -1;
	}
	text = buf_text(&client->answer);
	if (text[0] == '*' && text[1] == ' ') {
		take_untagged(client);
		return 0;
	}
	if (text[0] == '+') {
		client->go_ahead = true;
		return 0;
	}
	if (take_tagged(client, err) < 0) {
		client->broken = true;
		return -1;
	}
	return 0;
}

static int read_greeting(struct imap_client *client, struct err *err)
{
	const char *text;

	if (read_answer(client, err) < 0)
		return -1;
	text = buf_text(&client->answer);
	if (strncasecmp(text, "* BYE", 5) == 0)
		return err_set(err,
			imap_error_kind(
				text + 5 + (text[5] == ' '), ERR_THROTTLED),
			"%s: turns us away: %.300s",
			stream_name(client->stream), text + 2);
	if (strncasecmp(text, "* OK", 4) != 0 &&
		strncasecmp(text, "* PREAUTH", 9) != 0)
		return err_set(err, ERR_PROTOCOL,
			"%s: no IMAP greeting but \"%.80s\"; check the port",
			stream_name(client->stream), text);
	take_untagged(client);
	if (client->caps.length)
		return 0;
	return imap_client_run(client, "CAPABILITY", err);
}

int imap_client_open(struct imap_client **out,
	const struct stream_options *options, struct wire *wire,
	struct err *err)
{
	struct imap_client *client = xcalloc(1, sizeof(*client));

	client->answer = BUF_INIT(ANSWER_MAX);
	client->caps = BUF_INIT(CAPS_MAX);
	client->broken = true;
	if (stream_open(&client->stream, options, wire, err) < 0 ||
		read_greeting(client, err) < 0)
		goto fail;
	if (options->endpoint.security == SECURITY_STARTTLS) {
		if (imap_client_run(client, "STARTTLS", err) < 0 ||
			stream_starttls(client->stream, err) < 0 ||
			imap_client_run(client, "CAPABILITY", err) < 0)
			goto fail;
	}
	client->broken = false;
	*out = client;
	return 0;
fail:
	imap_client_close(client);
	return -1;
}

void imap_client_close(struct imap_client *client)
{
	struct imap_result result = {0};
	uint32_t tag;

	if (!client)
		return;
	if (!client->broken) {
		stream_set_deadline(
			client->stream, clock_monotonic_us() + LOGOUT_US);
		imap_client_on_untagged(client, NULL, NULL, 0);
		imap_client_begin(client);
		imap_client_text(client, "LOGOUT");
		/* A server that does not answer has been told at least. */
		if (imap_client_end(client, true, &tag, NULL) == 0)
			(void)imap_client_wait(client, tag, &result, NULL);
	}
	stream_close(client->stream);
	buf_free(&client->answer);
	buf_free(&client->caps);
	free(client);
}

static int authenticate_plain(struct imap_client *client, const char *user,
	const char *password, struct imap_result *result, struct err *err)
{
	char *text = imap_plain(user, password);
	uint32_t tag;
	int status = -1;

	imap_client_begin(client);
	imap_client_text(client, "AUTHENTICATE PLAIN");
	if (imap_client_has(client, "SASL-IR")) {
		imap_client_text(client, " ");
		imap_client_text(client, text);
	}
	client->go_ahead = false;
	if (imap_client_end(client, true, &tag, err) < 0)
		goto forget;
	if (!imap_client_has(client, "SASL-IR")) {
		const struct command *command =
			&client->commands[tag % IMAP_IN_FLIGHT_MAX];

		while (!client->go_ahead && !command->ended)
			if (step(client, err) < 0)
				goto forget;
		if (!command->ended &&
			(stream_write(client->stream, text, strlen(text), err) <
					0 ||
				stream_write(client->stream, "\r\n", 2, err) <
					0 ||
				stream_flush(client->stream, err) < 0))
			goto forget;
	}
	status = imap_client_wait(client, tag, result, err);
forget:
	explicit_bzero(text, strlen(text));
	free(text);
	return status;
}

int imap_client_login(struct imap_client *client, const char *user,
	const char *password, struct err *err)
{
	struct imap_result result = {0};
	uint32_t tag;

	if (imap_client_has(client, "AUTH=PLAIN")) {
		if (authenticate_plain(client, user, password, &result, err) <
			0)
			return -1;
	} else {
		if (imap_client_has(client, "LOGINDISABLED"))
			return err_set(err, ERR_AUTH,
				"%s: takes no password without TLS; set "
				"security to starttls or tls",
				stream_name(client->stream));
		imap_client_begin(client);
		imap_client_text(client, "LOGIN ");
		imap_client_string(client, user);
		imap_client_text(client, " ");
		imap_client_string(client, password);
		if (imap_client_end(client, true, &tag, err) < 0 ||
			imap_client_wait(client, tag, &result, err) < 0)
			return -1;
	}
	if (result.status != IMAP_OK)
		return err_set(err, imap_error_kind(result.text, ERR_AUTH),
			"%s: login of %s refused: %s",
			stream_name(client->stream), user, result.text);
	/* What it can do often changes with the login. */
	if (imap_has_code(result.text, "CAPABILITY"))
		return 0;
	return imap_client_run(client, "CAPABILITY", err);
}

void imap_client_on_untagged(struct imap_client *client, imap_untagged *call,
	void *context, size_t max_bytes)
{
	client->untagged = call;
	client->context = context;
	client->answer.limit = max_bytes ? max_bytes : ANSWER_MAX;
}

static void write_part(
	struct imap_client *client, const void *data, size_t bytes)
{
	if (client->build_err.kind || client->building->ended)
		return;
	if (stream_write(client->stream, data, bytes, &client->build_err) < 0)
		client->broken = true;
}

void imap_client_begin(struct imap_client *client)
{
	uint32_t tag = ++client->newest_tag;
	struct command *command = &client->commands[tag % IMAP_IN_FLIGHT_MAX];
	char text[16];
	int length = snprintf(text, sizeof(text), "S%u ", (unsigned)tag);

	client->build_err = ERR_INIT;
	client->building = command;
	if (command->tag) {
		/* Its place in the table is taken: too much in flight. */
		err_set(&client->build_err, ERR_LIMIT,
			"%s: more than %d commands in flight",
			stream_name(client->stream), IMAP_IN_FLIGHT_MAX);
		return;
	}
	*command = (struct command){.tag = tag};
	write_part(client, text, (size_t)length);
}

void imap_client_text(struct imap_client *client, const char *text)
{
	write_part(client, text, strlen(text));
}

void imap_client_string(struct imap_client *client, const char *text)
{
	struct buf quoted = BUF_INIT(LINE_MAX);

	if (imap_quotable(text) && imap_quote(&quoted, text) == 0)
		write_part(client, quoted.data, quoted.length);
	else
		imap_client_literal(client, text, strlen(text));
	buf_free(&quoted);
}

void imap_client_literal(
	struct imap_client *client, const void *data, size_t bytes)
{
	bool at_once = imap_client_has(client, "LITERAL+") ||
		(imap_client_has(client, "LITERAL-") && bytes <= LITERAL_MINUS);
	char head[32];

	snprintf(head, sizeof(head), "{%zu%s}\r\n", bytes, at_once ? "+" : "");
	imap_client_text(client, head);
	if (!at_once && !client->build_err.kind) {
		client->go_ahead = false;
		if (stream_flush(client->stream, &client->build_err) < 0)
			client->broken = true;
		while (!client->build_err.kind && !client->go_ahead &&
			!client->building->ended)
			(void)step(client, &client->build_err);
	}
	/* A command that was refused at its literal is over: the rest of it
	 * is not sent. */
	write_part(client, data, bytes);
}

int imap_client_end(
	struct imap_client *client, bool flush, uint32_t *tag, struct err *err)
{
	write_part(client, "\r\n", 2);
	if (!client->build_err.kind && flush &&
		stream_flush(client->stream, &client->build_err) < 0)
		client->broken = true;
	if (client->build_err.kind) {
		if (err)
			*err = client->build_err;
		return -1;
	}
	*tag = client->building->tag;
	return 0;
}

int imap_client_wait(struct imap_client *client, uint32_t tag,
	struct imap_result *result, struct err *err)
{
	struct command *command = &client->commands[tag % IMAP_IN_FLIGHT_MAX];

	if (!tag || command->tag != tag)
		return err_set(err, ERR_PROTOCOL, "%s: no command %u in flight",
			stream_name(client->stream), (unsigned)tag);
	while (!command->ended)
		if (step(client, err) < 0)
			return -1;
	*result = command->result;
	command->tag = 0;
	return 0;
}

int imap_result_check(
	const struct imap_result *result, const char *what, struct err *err)
{
	if (result->status == IMAP_OK)
		return 0;
	return err_set(err, imap_error_kind(result->text, ERR_REFUSED),
		"%s: %s %s", what, result->status == IMAP_NO ? "NO" : "BAD",
		result->text);
}

int imap_client_run(
	struct imap_client *client, const char *command, struct err *err)
{
	struct imap_result result = {0};
	uint32_t tag;

	imap_client_begin(client);
	imap_client_text(client, command);
	if (imap_client_end(client, true, &tag, err) < 0 ||
		imap_client_wait(client, tag, &result, err) < 0)
		return -1;
	if (imap_result_check(&result, command, err) < 0)
		return err_context(err, "%s", stream_name(client->stream));
	return 0;
}

void imap_client_set_deadline(struct imap_client *client, int64_t at_us)
{
	stream_set_deadline(client->stream, at_us);
}
