/*
 * server.h - `sluice serve`: the daemon.
 */
#ifndef SLUICE_SERVER_H
#define SLUICE_SERVER_H

#include <stdint.h>

struct err;

struct server_options {
	const char *dir;
	const char *host; /* to listen on */
	uint16_t port;
	const char *cert_file, *key_file; /* NULL: made by our authority */
	const char *name; /* that agents use, for the certificate; or NULL */
};

/* Until SIGTERM or SIGINT; -1 when it could not start or the archive could
 * no longer be written. */
int server_run(const struct server_options *options, struct err *err);

#endif
