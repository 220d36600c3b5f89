/*
 * tls.h - one verified TLS session on a socket, by GnuTLS. For stream.c.
 *
 * The authorities are loaded once per file and shared by the sessions of
 * the process. Non-blocking: a call that has to wait says so.
 */
#ifndef SLUICE_TLS_H
#define SLUICE_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct tls;

/* What tls_handshake(), tls_read() and tls_write() answer when the socket is
 * not ready; a handshake asks tls_wants_write() for what. */
#define TLS_AGAIN (-2)

/* The socket's bytes go through these: as recv() and send(), with errno. */
struct tls_io {
	ssize_t (*recv)(void *context, void *data, size_t bytes);
	ssize_t (*send)(void *context, const void *data, size_t bytes);
	void *context;
};

/* HOST is what the certificate must be for: a name or an address. CA_FILE
 * NULL: the system's authorities. Nothing is sent yet. */
int tls_new(struct tls **tls, const char *host, const char *ca_file,
	const struct tls_io *io, struct err *err);

/* 0 done and verified, TLS_AGAIN, or -1. */
int tls_handshake(struct tls *tls, struct err *err);
int tls_wants_write(const struct tls *tls);

/* Bytes moved (> 0), TLS_AGAIN, or -1; the end is an error. A write that
 * said TLS_AGAIN is repeated with the same bytes. */
int64_t tls_read(struct tls *tls, void *data, size_t bytes, struct err *err);
int64_t tls_write(
	struct tls *tls, const void *data, size_t bytes, struct err *err);

/* Says goodbye if that does not wait. NULL is allowed. */
void tls_free(struct tls *tls);

#endif
