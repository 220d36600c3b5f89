/*
 * client.h - one client under a controller: obeys commands, runs at most one
 * synchronisation, reports.
 *
 * client_tick() does whatever is due and never waits; the owner calls it a
 * few times a second and when woken. One thread calls everything here; the
 * link and the synchronisation have threads of their own.
 */
#ifndef SLUICE_CLIENT_H
#define SLUICE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "sync.h"

struct client;
struct err;
struct host_sample;

struct client_setup {
	struct sync_setup sync; /* what it points to must outlive the client */
	const char *url;	/* of the controller */
	const char *token_file;
	const char *ca_file; /* or NULL */
	const char *name;    /* in the scenario */
	bool upkeep;	     /* index and compact the store when idle */
	bool many;	     /* one of a fleet: see link.h */
	/* Any thread: client_tick() has something to do. */
	void (*wake)(void *context);
	void *context;
};

/* Goes on with a synchronisation that an earlier process did not finish. */
int client_new(struct client **client, const struct client_setup *setup,
	struct err *err);

/* Whether a synchronisation is under way. */
bool client_busy(const struct client *client);

/* HOST goes with the next report. */
void client_tell_host(struct client *client, const struct host_sample *host);

/* -1 when the client cannot go on without a person: ERR says why. */
int client_tick(struct client *client, struct err *err);

/* Tells what runs to stop and does not wait for it: of many, all may stop at
 * once before the first is freed. Nothing but client_free() may follow. */
void client_end(struct client *client);

/* Stops what runs at the next chance and reports it another time; what is
 * committed stays. NULL is fine. */
void client_free(struct client *client);

#endif
