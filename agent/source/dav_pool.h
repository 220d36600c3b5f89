/*
 * dav_pool.h - the connections of a DAV session.
 *
 * The first is the source's own: discovery, and everything else where the
 * server is near. Over a long line a request spends most of its time waiting,
 * so up to three more are opened while the discovery still runs, and whoever
 * works beside others takes one that is free. A connection that the server
 * refuses is done without: it never fails a session.
 */
#ifndef SLUICE_DAV_POOL_H
#define SLUICE_DAV_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "dav_client.h"

#define DAV_POOL_MAX 4

struct dav_pool;

/* With the first connection, which is taken: dav_pool_own(). NULL with ERR.
 * What is passed is used as in dav_source_open(). */
struct dav_pool *dav_pool_new(const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err);
/* Waits for connections that are being opened. NULL is allowed. */
void dav_pool_free(struct dav_pool *pool);

/* The first connection; the caller of dav_pool_new() has it but between
 * dav_pool_lend(), after which anybody may take it, and
 * dav_pool_take_back(), which waits until it is free. */
struct dav_client *dav_pool_own(struct dav_pool *pool);
void dav_pool_lend(struct dav_pool *pool);
void dav_pool_take_back(struct dav_pool *pool);

/* Open connections up to COUNT altogether, in the background, each with a
 * question to URL. Does nothing the second time. */
void dav_pool_open(struct dav_pool *pool, const char *url, unsigned count);

/* How many there are, or may still come. */
unsigned dav_pool_size(struct dav_pool *pool);

/* What the answers to dav_pool_open() say of the server; NULL while there are
 * none. */
const struct dav_quirks *dav_pool_quirks(struct dav_pool *pool);

/* One of the answers to dav_pool_open() had a DAV header. */
bool dav_pool_proved(struct dav_pool *pool);

/* Any thread: a connection that nobody else uses until dav_pool_give(); those
 * who wait get theirs in the order in which they came. */
unsigned dav_pool_queue(struct dav_pool *pool);
struct dav_client *dav_pool_take(struct dav_pool *pool, unsigned number);
void dav_pool_give(struct dav_pool *pool, struct dav_client *client);

/* Of all connections together; while none is in use. */
uint64_t dav_pool_round_trips(const struct dav_pool *pool);

#endif
