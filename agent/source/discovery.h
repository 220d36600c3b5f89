/*
 * discovery.h - from a profile to the places that hold its collections.
 *
 * RFC 6764: the address of the profile first; without one, SRV and TXT of
 * the user's domain; then /.well-known/caldav and /.well-known/carddav; from
 * there current-user-principal and the home sets. Runs on the thread that
 * owns the client.
 */
#ifndef SLUICE_DISCOVERY_H
#define SLUICE_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

struct account;
struct dav_client;
struct err;
struct sockaddr_in;

#define DISCOVERY_HOMES_MAX 16

struct discovery {
	char *principal; /* URL of the current user; NULL: not said */
	char *homes[DISCOVERY_HOMES_MAX];
	size_t count;
	bool hidden; /* of one kind none, but the server was ill: there may be */
};

struct discovery_options {
	const struct sockaddr_in *nameserver; /* NULL: the system's */
	/* Also the services without TLS, _caldav and _carddav. The password
	 * still goes in plain text to loopback only. */
	bool allow_plain;
	/* A server has answered, and URL will be asked on: called once, for
	 * who wants more connections to it. NULL: nobody. */
	void (*reached)(void *context, const char *url);
	void *context;
};

/* OPTIONS may be NULL. ERR_REFUSED when there is no service. Released with
 * discovery_clear(), also after -1. */
int discovery_run(struct discovery *discovery, struct dav_client *client,
	const struct account *account, const struct discovery_options *options,
	struct err *err);
void discovery_clear(struct discovery *discovery);

#endif
