/*
 * crowd.c - an IMAP server on loopback with a mailbox of any size, whose
 * messages are made at the moment in which they are sent: the empty Inbox
 * and "Crowd". Knows what a first synchronisation asks for and nothing else;
 * any user and password will do. A thread a connection; ends on a signal.
 *
 * usage: crowd MESSAGES
 * prints the port it listens on.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"

#define LINE_BYTES  (256 * 1024)
#define FLUSH_BYTES (64 * 1024)
#define SIZE	    2048 /* of each message, as announced */
#define CAPABILITY  "CAPABILITY IMAP4rev1 LITERAL+ LIST-EXTENDED LIST-STATUS"

static uint32_t messages;

struct client {
	int fd;
	FILE *in;
	struct buf out;
	uint32_t exists; /* in the folder that is open */
	bool gone;
};

static void flush(struct client *client)
{
	size_t sent = 0;

	while (!client->gone && sent < client->out.length) {
		ssize_t n = send(client->fd, client->out.data + sent,
			client->out.length - sent, MSG_NOSIGNAL);

		client->gone = n <= 0;
		sent += n > 0 ? (size_t)n : 0;
	}
	buf_clear(&client->out);
}

/* Every message is a little different, as mail is. */
static void put_header(struct client *client, uint32_t uid)
{
	char text[1024];
	int length = snprintf(text, sizeof(text),
		"Return-Path: <sender%" PRIu32 "@example.org>\r\n"
		"Received: from mx%" PRIu32 ".example.org by mail.example.com"
		" with ESMTPS id %08" PRIx32 "; Tue, 3 Mar 2020 10:%02" PRIu32
		":%02" PRIu32 " +0000\r\n"
		"Message-ID: <%08" PRIx32 ".%" PRIu32 "@example.org>\r\n"
		"Date: Tue, 3 Mar 2020 10:%02" PRIu32 ":%02" PRIu32 " +0000\r\n"
		"From: \"Person number %" PRIu32 "\" <sender%" PRIu32
		"@example.org>\r\n"
		"To: somebody@example.com, team%" PRIu32 "@example.com\r\n"
		"Subject: Report %" PRIu32 " of the week, and what follows\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n\r\n",
		uid % 997, uid % 7, uid * 2654435761u, uid / 60 % 60, uid % 60,
		uid * 2246822519u, uid, uid / 60 % 60, uid % 60, uid % 997,
		uid % 997, uid % 31, uid);

	buf_printf(&client->out,
		" INTERNALDATE \"03-Mar-2020 10:%02" PRIu32 ":%02" PRIu32
		" +0000\" BODYSTRUCTURE (\"TEXT\" \"PLAIN\" (\"CHARSET\""
		" \"utf-8\") NIL NIL \"8BIT\" 1400 20 NIL NIL NIL NIL)"
		" BODY[HEADER] {%d}\r\n",
		uid / 60 % 60, uid % 60, length);
	buf_append(&client->out, text, (size_t)length);
}

static void put_range(
	struct client *client, uint32_t first, uint32_t last, bool headers)
{
	for (uint32_t uid = first; uid <= last && !client->gone; uid++) {
		buf_printf(&client->out,
			"* %" PRIu32 " FETCH (UID %" PRIu32
			" FLAGS (\\Seen) RFC822.SIZE %d",
			uid, uid, SIZE);
		if (headers)
			put_header(client, uid);
		buf_append_text(&client->out, ")\r\n");
		if (client->out.length >= FLUSH_BYTES)
			flush(client);
	}
}

/* "12,17:19,40:*" and what is wanted of them. */
static void fetch(struct client *client, char *set)
{
	bool headers = strstr(set, "BODY.PEEK[HEADER]") != NULL;

	while (*set >= '0' && *set <= '9') {
		uint32_t first = (uint32_t)strtoul(set, &set, 10);
		uint32_t last = first;

		if (*set == ':' && *++set == '*') {
			last = client->exists;
			set++;
		} else if (set[-1] == ':') {
			last = (uint32_t)strtoul(set, &set, 10);
		}
		if (last > client->exists)
			last = client->exists;
		put_range(client, first, last, headers);
		set += *set == ',';
	}
}

static void list(struct client *client)
{
	static const char status[] = "* LIST (\\HasNoChildren) \"/\" \"%s\"\r\n"
				     "* STATUS \"%s\" (MESSAGES %" PRIu32
				     " UIDNEXT %" PRIu32 " UIDVALIDITY 1)\r\n";

	buf_printf(&client->out, status, "INBOX", "INBOX", 0, 1);
	buf_printf(
		&client->out, status, "Crowd", "Crowd", messages, messages + 1);
}

/* One command, without its tag. False: it is the last one. */
static bool obey(struct client *client, char *command)
{
	if (strncasecmp(command, "UID FETCH ", 10) == 0) {
		fetch(client, command + 10);
	} else if (strncasecmp(command, "EXAMINE", 7) == 0) {
		client->exists = strstr(command, "Crowd") ? messages : 0;
		buf_printf(&client->out,
			"* %" PRIu32 " EXISTS\r\n* OK [UIDVALIDITY 1] .\r\n"
			"* OK [UIDNEXT %" PRIu32 "] .\r\n",
			client->exists, client->exists + 1);
	} else if (strncasecmp(command, "LIST", 4) == 0) {
		list(client);
	} else if (strncasecmp(command, "CAPABILITY", 10) == 0) {
		buf_append_text(&client->out, "* " CAPABILITY "\r\n");
	}
	return strncasecmp(command, "LOGOUT", 6) != 0;
}

static void *serve(void *argument)
{
	struct client *client = argument;
	char *line = xcalloc(1, LINE_BYTES);
	bool more = true;

	buf_append_text(&client->out, "* OK [" CAPABILITY "] crowd\r\n");
	flush(client);
	while (more && !client->gone && fgets(line, LINE_BYTES, client->in)) {
		char *blank = strchr(line, ' ');

		if (!blank)
			break;
		*blank = '\0';
		more = obey(client, blank + 1);
		buf_printf(&client->out, "%s OK done\r\n", line);
		flush(client);
	}
	fclose(client->in);
	buf_free(&client->out);
	free(line);
	free(client);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	messages = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	if (!messages) {
		fputs("usage: crowd MESSAGES\n", stderr);
		return 2;
	}
	if (listener < 0 ||
		bind(listener, (struct sockaddr *)&address, length) < 0 ||
		listen(listener, 16) < 0 ||
		getsockname(listener, (struct sockaddr *)&address, &length) <
			0) {
		perror("crowd");
		return 1;
	}
	printf("%u\n", (unsigned)ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		struct client *client = xcalloc(1, sizeof(*client));
		pthread_t thread;

		client->fd = accept(listener, NULL, NULL);
		client->in = client->fd < 0 ? NULL : fdopen(client->fd, "r");
		if (!client->in ||
			pthread_create(&thread, NULL, serve, client)) {
			perror("crowd");
			return 1;
		}
		pthread_detach(thread);
	}
}
