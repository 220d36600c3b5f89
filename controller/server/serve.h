/*
 * serve.h - `sluice serve`: the daemon.
 */
#ifndef SLUICE_SERVE_H
#define SLUICE_SERVE_H

#include <stdint.h>

struct err;

struct serve_options {
	const char *dir;
	const char *host; /* to listen on */
	uint16_t port;
	const char *cert_file, *key_file; /* NULL: made by our authority */
	const char *name; /* that agents use, for the certificate; or NULL */
};

/* Until SIGTERM or SIGINT; -1 when it could not start or the archive could
 * no longer be written. */
int serve_run(const struct serve_options *options, struct err *err);

#endif
