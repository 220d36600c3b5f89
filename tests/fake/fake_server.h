/*
 * fake_server.h - the connection of fake_imap.c, and how bytes go over it:
 * all, or until they are cut off, or slowly. Its thread's.
 */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"

struct deflate;
struct fake_folder;
struct fake_imap;

struct fake_server {
	struct fake_imap *fake;
	int listener, fd;
	int stop[2]; /* a pipe: closed at the end */
	int ask[2];  /* a pair: a byte comes back when nobody is served */
	pthread_t thread;
	gnutls_session_t tls; /* NULL: plain */
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t ticket_key; /* empty: no tickets */
	struct deflate *deflate;   /* NULL: not compressed */
	struct buf in;
	size_t sent;  /* on this connection */
	bool over;    /* close it */
	char tag[16]; /* of the newest command */
	const struct fake_folder *selected;
};

/* True when EVENTS came on FD, false when the server is to end. */
bool fake_wait(struct fake_server *server, int fd, short events);

ssize_t fake_recv(struct fake_server *server, char *data, size_t bytes);

/* Sets server->over at the end of the connection. */
void fake_put(struct fake_server *server, const char *data, size_t bytes);
void fake_say(struct fake_server *server, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
