/*
 * fake_imap.c - see fake_imap.h. One thread: accepts a connection, serves it
 * to its end, accepts the next.
 */
#include "fake_imap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alloc.h"
#include "buf.h"
#include "deflate.h"
#include "fake_server.h"

#define CAPABILITIES "IMAP4rev1 LITERAL+ LIST-STATUS"

/* ---------------------------------------------------------------- answers */

static void say_message(struct fake_server *server, unsigned seq,
	const struct fake_message *m, const char *command)
{
	bool whole = strstr(command, "BODY.PEEK[]");
	bool head = strstr(command, "BODY.PEEK[HEADER]");
	bool structure = strstr(command, "BODYSTRUCTURE");
	bool huge = m->fault == FAKE_HUGE;
	size_t size = m->bytes && !huge ? m->bytes : strlen(m->text);
	const char *end = memmem(m->text, size, "\r\n\r\n", 4);
	size_t bytes = whole || !end ? size : (size_t)(end - m->text) + 4;
	const char *name = whole ? "BODY[]" : "BODY[HEADER]";

	if (huge)
		size = m->bytes ? m->bytes : 5000000000;
	if (m->fault == FAKE_GARBLED || m->fault == FAKE_GARBLED_NAME) {
		fake_say(server,
			"* %u FETCH (%s%u FLAGS (\\Seen INTERNALDATE\r\n", seq,
			m->fault == FAKE_GARBLED ? "UID " : "FLAGS ",
			(unsigned)m->uid);
		return;
	}
	if (m->fault == FAKE_BODY_FIRST && (whole || head)) {
		fake_say(server, "* %u FETCH (%s {%zu}\r\n", seq, name, bytes);
		fake_put(server, m->text, bytes);
		fake_say(server, " RFC822.SIZE %zu FLAGS () UID %u)\r\n", size,
			(unsigned)m->uid);
		return;
	}
	fake_say(server,
		"* %u FETCH (UID %u FLAGS (\\Seen $x) INTERNALDATE "
		"\" 7-Feb-2024 10:00:00 +0100\" RFC822.SIZE %zu",
		seq, (unsigned)m->uid, size);
	if (structure)
		fake_say(server,
			" BODYSTRUCTURE (\"TEXT\" \"PLAIN\" %s NIL NIL "
			"\"7BIT\" %zu 1)",
			m->fault == FAKE_BAD_STRUCTURE ? "(\"NAME\" \"a"
						       : "NIL",
			size);
	if (huge && whole) {
		fake_say(server, " %s {%zu}\r\nthe beginning", name, size);
		server->over = true;
	} else if (m->fault == FAKE_QUOTED && (whole || head)) {
		fake_say(server, " %s \"%s\"", name, m->text);
	} else if (m->fault == FAKE_NIL && (whole || head)) {
		fake_say(server, " %s NIL", name);
	} else if (whole || head) {
		fake_say(server, " %s %s{%zu}\r\n", name,
			m->fault == FAKE_LITERAL8 ? "~" : "", bytes);
		fake_put(server, m->text, bytes);
	}
	fake_say(server, ")\r\n");
}

/* Is UID in "1:4,7,9:*"? */
static bool in_set(const char *set, uint32_t uid)
{
	while (*set && *set != ' ') {
		unsigned long first = strtoul(set, (char **)&set, 10);
		unsigned long last = first;

		if (*set == ':') {
			set++;
			last = *set == '*' ? UINT32_MAX
					   : strtoul(set, NULL, 10);
			set += strspn(set, "*0123456789");
		}
		if (uid >= first && uid <= last)
			return true;
		set += *set == ',';
	}
	return false;
}

static void fetch(
	struct fake_server *server, const char *tag, const char *command)
{
	const char *set = command + strlen("UID FETCH ");
	const struct fake_message *m = server->selected
		? server->selected->messages
		: NULL;
	const char *answer = server->fake->fetch_answer;
	unsigned seq = 1;

	if (++server->fake->fetches == server->fake->bye_at) {
		fake_say(server, "* %s\r\n", server->fake->bye);
		server->over = true;
		return;
	}
	if (strstr(command, "CHANGEDSINCE") && server->fake->vanished)
		fake_say(server, "* VANISHED (EARLIER) %s\r\n",
			server->fake->vanished);
	for (; m && m->uid && !server->over; m++, seq++) {
		if (!in_set(set, m->uid) || m->fault == FAKE_EXPUNGED)
			continue;
		if (m->fault == FAKE_REFUSED) {
			fake_say(server, "%s NO [SERVERBUG] cannot read it\r\n",
				tag);
			return;
		}
		if (m->fault == FAKE_CLOSES && strstr(command, "BODY.PEEK")) {
			server->over = true;
			return;
		}
		say_message(server, seq, m, command);
		if (m->fault == FAKE_TWICE)
			say_message(server, seq, m, command);
	}
	if (!server->selected)
		answer = "BAD no mailbox";
	fake_say(server, "%s %s\r\n", tag, answer ? answer : "OK done");
}

static unsigned count_messages(const struct fake_folder *folder)
{
	unsigned count = 0;

	while (folder->messages && folder->messages[count].uid)
		count++;
	return count;
}

static uint32_t next_uid(const struct fake_folder *folder)
{
	unsigned count = count_messages(folder);

	return count ? folder->messages[count - 1].uid + 1 : 1;
}

static void examine(
	struct fake_server *server, const char *tag, const char *line)
{
	const struct fake_folder *folder = server->fake->folders;
	const char *answer = server->fake->examine_answer;
	char quoted[256];

	server->selected = NULL;
	for (; folder && folder->list; folder++) {
		snprintf(quoted, sizeof(quoted), "\"%s\"", folder->name);
		if (strstr(line, quoted))
			server->selected = folder;
	}
	if (answer || !server->selected) {
		server->selected = NULL;
		fake_say(server, "%s %s\r\n", tag,
			answer ? answer : "NO [NONEXISTENT] no such folder");
		return;
	}
	folder = server->selected;
	fake_say(server,
		"* %u EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %u] ok\r\n"
		"* OK [UIDNEXT %u] ok\r\n* OK [HIGHESTMODSEQ 9] ok\r\n"
		"%s OK [READ-ONLY] done\r\n",
		count_messages(folder), (unsigned)folder->uid_validity,
		(unsigned)next_uid(folder), tag);
}

static void list(struct fake_server *server, const char *tag, const char *line)
{
	const struct fake_folder *folder = server->fake->folders;

	for (; folder && folder->list; folder++) {
		fake_say(server, "* LIST %s\r\n", folder->list);
		if (strstr(line, "STATUS") && folder->name)
			fake_say(server,
				"* STATUS \"%s\" (MESSAGES %u UIDNEXT %u "
				"UIDVALIDITY %u HIGHESTMODSEQ 9 MAILBOXID "
				"(x1))\r\n",
				folder->name, count_messages(folder),
				(unsigned)next_uid(folder),
				(unsigned)folder->uid_validity);
	}
	fake_say(server, "%s OK done\r\n", tag);
}

static void search(struct fake_server *server, const char *tag)
{
	const struct fake_message *m = server->selected
		? server->selected->messages
		: NULL;

	fake_say(server, "* SEARCH");
	for (; m && m->uid; m++)
		if (m->fault != FAKE_EXPUNGED)
			fake_say(server, " %u", (unsigned)m->uid);
	fake_say(server, "\r\n%s OK done\r\n", tag);
}

static void status(
	struct fake_server *server, const char *tag, const char *line)
{
	const struct fake_folder *folder = server->fake->folders;
	char quoted[256];

	for (; folder && folder->list; folder++) {
		snprintf(quoted, sizeof(quoted), "\"%s\"", folder->name);
		if (folder->name && strstr(line, quoted))
			fake_say(server,
				"* STATUS %s (MESSAGES %u UIDNEXT %u "
				"UIDVALIDITY %u)\r\n",
				quoted, count_messages(folder),
				(unsigned)next_uid(folder),
				(unsigned)folder->uid_validity);
	}
	fake_say(server, "%s OK done\r\n", tag);
}

static void start_tls(struct fake_server *server)
{
	gnutls_init(&server->tls,
		GNUTLS_SERVER | GNUTLS_NO_SIGNAL | GNUTLS_NO_AUTO_SEND_TICKET);
	if (server->fake->ticket)
		gnutls_session_ticket_enable_server(
			server->tls, &server->ticket_key);
	gnutls_set_default_priority(server->tls);
	gnutls_credentials_set(
		server->tls, GNUTLS_CRD_CERTIFICATE, server->credentials);
	gnutls_transport_set_int(server->tls, server->fd);
	gnutls_handshake_set_timeout(server->tls, 5000);
	if (gnutls_handshake(server->tls) < 0) {
		server->over = true;
		return;
	}
	if (server->fake->ticket &&
		gnutls_session_ticket_send(server->tls, 1, 0))
		abort();
}

static void note(struct fake_imap *fake, const char *command)
{
	size_t used = strlen(fake->log);

	fake->commands++;
	snprintf(fake->log + used, sizeof(fake->log) - used, "%s\n", command);
}

/* Whether a script has its own answer to COMMAND. */
static bool said_instead(struct fake_server *server, const char *command)
{
	struct fake_imap *fake = server->fake;
	const char *text = fake->instead ? fake->instead(fake, command) : NULL;
	const char *at;
	bool over;

	if (!text)
		return false;
	over = !*text || strncmp(text, "* BYE", 5) == 0;
	for (; (at = strchr(text, '@')); text = at + 1) {
		fake_put(server, text, (size_t)(at - text));
		fake_say(server, "%s", server->tag);
	}
	fake_put(server, text, strlen(text));
	server->over |= over;
	return true;
}

static void obey(struct fake_server *server, char *line)
{
	struct fake_imap *fake = server->fake;
	char *command = strchr(line, ' ');

	if (!command) {
		server->over = !said_instead(server, line) || server->over;
		return;
	}
	*command++ = '\0';
	snprintf(server->tag, sizeof server->tag, "%s", line);
	note(fake, command);
	if (fake->before)
		fake->before(fake, command);
	if (said_instead(server, command))
		return;
	if (strncmp(command, "CAPABILITY", 10) == 0)
		fake_say(server, "* CAPABILITY %s\r\n%s OK done\r\n",
			fake->capabilities ? fake->capabilities : CAPABILITIES,
			line);
	else if (strncmp(command, "LOGIN ", 6) == 0)
		fake_say(server, "%s %s\r\n", line,
			fake->login_answer ? fake->login_answer : "OK hello");
	else if (strncmp(command, "ID ", 3) == 0)
		fake_say(server, "* ID %s\r\n%s OK done\r\n",
			fake->id ? fake->id : "NIL", line);
	else if (strncmp(command, "NAMESPACE", 9) == 0)
		fake_say(server, "* NAMESPACE %s\r\n%s OK done\r\n",
			fake->namespaces ? fake->namespaces
					 : "((\"\" \"/\")) NIL NIL",
			line);
	else if (strncmp(command, "LIST ", 5) == 0)
		list(server, line, command);
	else if (strncmp(command, "STATUS ", 7) == 0)
		status(server, line, command);
	else if (strncmp(command, "EXAMINE ", 8) == 0)
		examine(server, line, command);
	else if (strncmp(command, "UID FETCH ", 10) == 0)
		fetch(server, line, command);
	else if (strncmp(command, "UID SEARCH ", 11) == 0)
		search(server, line);
	else if (strncmp(command, "STARTTLS", 8) == 0) {
		fake_say(server, "%s OK go on%s\r\n", line,
			fake->inject ? "\r\n* PREAUTH injected" : "");
		if (!fake->inject)
			start_tls(server);
	} else if (strncmp(command, "COMPRESS", 8) == 0) {
		fake_say(server, "%s OK go on\r\n", line);
		server->deflate = deflate_new();
	} else if (strncmp(command, "LOGOUT", 6) == 0) {
		fake_say(server, "* BYE bye\r\n%s OK done\r\n", line);
		server->over = true;
	} else {
		fake_say(server, "%s OK done\r\n", line);
	}
}

/* What was received, inflated where that is on, to server->in. */
static void take_in(struct fake_server *server, const char *data, size_t bytes)
{
	char piece[4096];
	int64_t got;

	if (!server->deflate) {
		buf_append(&server->in, data, bytes);
		return;
	}
	do {
		got = deflate_read(server->deflate, &data, &bytes, piece,
			sizeof(piece), NULL);
		if (got > 0)
			buf_append(&server->in, piece, (size_t)got);
	} while (got > 0 && (bytes || got == sizeof(piece)));
}

static void serve(struct fake_server *server)
{
	struct fake_imap *fake = server->fake;
	char bytes[4096];
	char *end;
	ssize_t got;

	server->sent = 0;
	server->over = false;
	server->selected = NULL;
	buf_clear(&server->in);
	if (fake->tls)
		start_tls(server);
	if (!server->over)
		fake_say(server, "%s\r\n",
			fake->greeting ? fake->greeting : "* OK fake ready");
	while (!server->over) {
		end = server->in.data ? strchr(server->in.data, '\n') : NULL;
		if (end) {
			char *line = xstrndup(server->in.data,
				(size_t)(end - server->in.data));

			buf_consume(&server->in,
				(size_t)(end - server->in.data) + 1);
			line[strcspn(line, "\r")] = '\0';
			obey(server, line);
			free(line);
			continue;
		}
		got = fake_recv(server, bytes, sizeof(bytes));
		if (got <= 0)
			break;
		take_in(server, bytes, (size_t)got);
	}
	deflate_free(server->deflate);
	server->deflate = NULL;
	if (server->tls)
		gnutls_deinit(server->tls);
	server->tls = NULL;
	/* Closing with bytes unread would reset what was sent. */
	shutdown(server->fd, SHUT_WR);
	while (fake_wait(server, server->fd, POLLIN) &&
		recv(server->fd, bytes, sizeof(bytes), 0) > 0)
		;
	close(server->fd);
}

/* Who asks whether all is quiet is answered when nobody is waiting. */
static bool wait_for_client(struct fake_server *server)
{
	struct pollfd fds[] = {{.fd = server->stop[0], .events = POLLIN},
		{.fd = server->listener, .events = POLLIN},
		{.fd = server->ask[1], .events = POLLIN}};
	char byte;

	do {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return false;
		if (fds[2].revents && !fds[1].revents && !fds[0].revents &&
			(read(server->ask[1], &byte, 1) != 1 ||
				write(server->ask[1], &byte, 1) != 1))
			abort();
	} while (!fds[0].revents && !fds[1].revents);
	return !fds[0].revents;
}

static void *run(void *context)
{
	struct fake_server *server = context;

	while (wait_for_client(server)) {
		server->fd = accept(server->listener, NULL, NULL);
		if (server->fd < 0)
			break;
		server->fake->connections++;
		serve(server);
	}
	return NULL;
}

void fake_imap_settle(struct fake_imap *fake)
{
	struct fake_server *server = fake->private;
	char byte = 's';

	if (write(server->ask[0], &byte, 1) != 1 ||
		read(server->ask[0], &byte, 1) != 1)
		abort();
}

void fake_imap_start(struct fake_imap *fake)
{
	struct fake_server *server = xcalloc(1, sizeof(*server));
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);

	server->fake = fake;
	fake->private = server;
	server->in = BUF_INIT(1 << 20);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server->listener, (struct sockaddr *)&address, length) ||
		listen(server->listener, 8) ||
		getsockname(server->listener, (struct sockaddr *)&address,
			&length) ||
		pipe(server->stop) ||
		socketpair(AF_UNIX, SOCK_STREAM, 0, server->ask))
		abort();
	fake->port = ntohs(address.sin_port);
	if (fake->cert_file) {
		gnutls_certificate_allocate_credentials(&server->credentials);
		if (fake->ticket &&
			gnutls_session_ticket_key_generate(&server->ticket_key))
			abort();
		if (gnutls_certificate_set_x509_key_file(server->credentials,
			    fake->cert_file, fake->key_file,
			    GNUTLS_X509_FMT_PEM) < 0)
			abort();
	}
	if (pthread_create(&server->thread, NULL, run, server))
		abort();
}

void fake_imap_stop(struct fake_imap *fake)
{
	struct fake_server *server = fake->private;

	close(server->stop[1]);
	pthread_join(server->thread, NULL);
	close(server->stop[0]);
	close(server->ask[0]);
	close(server->ask[1]);
	close(server->listener);
	if (server->credentials)
		gnutls_certificate_free_credentials(server->credentials);
	gnutls_free(server->ticket_key.data);
	buf_free(&server->in);
	free(server);
}
