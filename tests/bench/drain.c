/*
 * drain.c - the speed of the wire: a raw socket (or GnuTLS session) that logs
 * in, examines the Inbox, sends the FETCH that an initial sync needs and
 * throws the answer away. Nothing that stores mail can be faster.
 *
 * usage: drain PORT USER PASSWORD_FILE [--tls CA_FILE]   (host 127.0.0.1)
 * prints one JSON object: bytes received and seconds from connect to the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"

#define CHUNK_BYTES (256 << 10)
#define LINE_BYTES  4096 /* capabilities come in one line */

struct drain {
	int fd;
	gnutls_session_t tls; /* NULL: plain */
	char chunk[CHUNK_BYTES];
	char tail[LINE_BYTES]; /* the last bytes received */
	size_t tail_length;
	uint64_t bytes;
};

static void die(const char *what)
{
	fprintf(stderr, "drain: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put(struct drain *drain, const char *text)
{
	size_t length = strlen(text);
	ssize_t sent = drain->tls ? gnutls_record_send(drain->tls, text, length)
				  : send(drain->fd, text, length, 0);

	if (sent != (ssize_t)length)
		die("send");
}

/* Keeps the last LINE_BYTES in TAIL, for the line that ends an answer. */
static void take(struct drain *drain)
{
	ssize_t got;
	size_t kept;

	do
		got = drain->tls
			? gnutls_record_recv(
				  drain->tls, drain->chunk, CHUNK_BYTES)
			: recv(drain->fd, drain->chunk, CHUNK_BYTES, 0);
	while (drain->tls &&
		(got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED));
	if (got <= 0)
		die("the server closed the connection");
	drain->bytes += (uint64_t)got;
	if ((size_t)got >= LINE_BYTES - 1) {
		memcpy(drain->tail, drain->chunk + got - (LINE_BYTES - 1),
			LINE_BYTES - 1);
		drain->tail_length = LINE_BYTES - 1;
	} else {
		kept = drain->tail_length;
		if (kept > LINE_BYTES - 1 - (size_t)got)
			kept = LINE_BYTES - 1 - (size_t)got;
		memmove(drain->tail, drain->tail + drain->tail_length - kept,
			kept);
		memcpy(drain->tail + kept, drain->chunk, (size_t)got);
		drain->tail_length = kept + (size_t)got;
	}
	drain->tail[drain->tail_length] = '\0';
}

/* Is the last line received "TAG …"? */
static int ended(const struct drain *drain, const char *tag)
{
	size_t length = drain->tail_length;
	const char *line;

	if (length < 2 || memcmp(drain->tail + length - 2, "\r\n", 2) != 0)
		return 0;
	line = memrchr(drain->tail, '\n', length - 1);
	line = line ? line + 1 : drain->tail;
	return strncmp(line, tag, strlen(tag)) == 0 && line[strlen(tag)] == ' ';
}

static void command(struct drain *drain, const char *tag, const char *text)
{
	char line[LINE_BYTES], good[64];

	snprintf(line, sizeof(line), "%s %s\r\n", tag, text);
	put(drain, line);
	do
		take(drain);
	while (!ended(drain, tag));
	snprintf(good, sizeof(good), "%s OK", tag);
	if (!strstr(drain->tail, good)) {
		fprintf(stderr, "drain: %s", drain->tail);
		exit(1);
	}
}

static void open_plain(struct drain *drain, const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

	struct timeval patience = {60, 0};

	drain->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (drain->fd < 0 ||
		connect(drain->fd, (struct sockaddr *)&address,
			sizeof(address)) < 0)
		die("connect");
	setsockopt(drain->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience));
}

static void open_tls(struct drain *drain, const char *ca_file)
{
	gnutls_certificate_credentials_t credentials;

	gnutls_certificate_allocate_credentials(&credentials);
	if (gnutls_certificate_set_x509_trust_file(
		    credentials, ca_file, GNUTLS_X509_FMT_PEM) <= 0)
		die(ca_file);
	gnutls_init(&drain->tls, GNUTLS_CLIENT);
	gnutls_set_default_priority(drain->tls);
	gnutls_credentials_set(drain->tls, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_session_set_verify_cert(drain->tls, NULL, 0);
	gnutls_transport_set_int(drain->tls, drain->fd);
	gnutls_handshake_set_timeout(drain->tls, 10000);
	if (gnutls_handshake(drain->tls) < 0)
		die("TLS handshake");
}

static void read_password(const char *path, char *password)
{
	FILE *file = fopen(path, "r");

	if (!file || !fgets(password, 128, file))
		die(path);
	fclose(file);
	password[strcspn(password, "\r\n")] = '\0';
}

int main(int argc, char **argv)
{
	static struct drain drain;
	char password[128], login[400];
	int64_t start_us;
	double seconds;

	if (argc != 4 && argc != 6) {
		fputs("usage: drain PORT USER PASSWORD_FILE [--tls CA_FILE]\n",
			stderr);
		return 2;
	}
	read_password(argv[3], password);
	start_us = clock_monotonic_us();
	open_plain(&drain, argv[1]);
	if (argc == 6)
		open_tls(&drain, argv[5]);
	take(&drain);
	snprintf(login, sizeof(login), "LOGIN \"%.128s\" \"%s\"", argv[2],
		password);
	command(&drain, "d1", login);
	command(&drain, "d2", "EXAMINE INBOX");
	drain.bytes = 0;
	command(&drain, "d3-end-of-drain",
		"UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE "
		"BODY.PEEK[])");
	seconds = (double)(clock_monotonic_us() - start_us) / 1e6;
	printf("{\"bytes\": %" PRIu64 ", \"seconds\": %.6f}\n", drain.bytes,
		seconds);
	return 0;
}
