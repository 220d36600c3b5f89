/*
 * account.h - where one user's data lives and how to log in to it.
 *
 * Plain data, filled by the readers of profiles and scenarios. Strings are
 * owned by the struct. The controller never sees a password: an agent reads
 * it on its own machine from the file or the command.
 */
#ifndef SLUICE_ACCOUNT_H
#define SLUICE_ACCOUNT_H

#include <stdint.h>

struct conf_table;
struct err;

enum security {
	SECURITY_TLS,	   /* from the first byte */
	SECURITY_STARTTLS, /* upgraded before anything secret is sent */
	SECURITY_NONE,	   /* plain text; loopback only */
};

struct endpoint {
	char *host;
	uint16_t port;
	enum security security;
};

struct account {
	char *user;
	char *password_file;	/* first line is the password; or NULL */
	char *password_command; /* its first line of output; or NULL */
	struct endpoint imap;	/* host NULL: no mail */
	char *dav_url;		/* NULL: discovered from the user's domain */
	char *ca_file;		/* PEM; NULL: the system's authorities */
};

/* The keys of both in profiles and scenarios; account_table checks with
 * account_check(). */
extern const struct conf_table endpoint_table;
extern const struct conf_table account_table;

void account_free(struct account *account);

/* Refuses, with the reason, plain text to anything but loopback. */
int account_check(const struct account *account, struct err *err);

/* Returns the password for free(), or NULL with ERR filled. A password file
 * that others may read is refused. */
char *account_password(const struct account *account, struct err *err);

#endif
