/*
 * secret.h - random secrets, their hashes, and the controller's certificate.
 *
 * GnuTLS does all of it. Any thread.
 */
#ifndef SLUICE_SECRET_H
#define SLUICE_SECRET_H

struct err;

#define SECRET_HASH_BYTES 32
#define SECRET_TEXT_BYTES 65 /* 32 random bytes in hex and a NUL */

/* 256 bits from the system's generator, as hex. */
int secret_make(char text[SECRET_TEXT_BYTES], struct err *err);

/* SHA-256. */
void secret_hash(const char *text, unsigned char hash[SECRET_HASH_BYTES]);

/* An authority of our own in DIR: ca.pem for the agents, ca.key (0600). Does
 * nothing when it is there. */
int secret_make_authority(const char *dir, struct err *err);

/* A certificate for HOST, this machine's name and loopback, signed by DIR's
 * authority; both PEM texts for free(). */
int secret_make_certificate(const char *dir, const char *host, char **cert_pem,
	char **key_pem, struct err *err);

/* The content of a small file for free(). */
int secret_read_file(const char *path, char **text, struct err *err);

#endif
