/*
 * pass_dav.h - the part of a pass that knows items by href and etag.
 *
 * Only pass.c includes this; same thread.
 */
#ifndef SLUICE_PASS_DAV_H
#define SLUICE_PASS_DAV_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct item;
struct batch;
struct pass;
struct pass_tools;
struct plan_pace;
struct store;

/* What the store has, for a listing that may turn out complete, and what is
 * in quarantine. */
int pass_dav_load(
	struct pass *pass, const struct pass_tools *tools, struct err *err);

/* Something went into quarantine in an earlier run and is due. */
bool pass_dav_owed(const struct pass *pass, const struct pass_tools *tools);

/* True when all that the last listing named is stored or in quarantine, so
 * that what changed since its token is all there can be to do. The pass then
 * counts as complete under that token. */
bool pass_dav_settle(struct pass *pass, const struct pass_tools *tools);

/* Of a collection of which the store has nothing: may all its objects be
 * asked for before they are listed? */
bool pass_dav_early(const struct pass *pass, const struct pass_tools *tools);

/* Fills BATCH with a window of all there are. */
void pass_dav_entire(struct pass *pass, struct batch *batch);

/* An object of that window. */
void pass_dav_came(struct pass *pass, const char *href);

/* The server has this item: is it ours already, with this etag? */
void pass_dav_listed(struct pass *pass, const struct pass_tools *tools,
	const struct item *item);

/* It named this object, and has it not. */
void pass_dav_vanished(const struct pass *pass, const struct pass_tools *tools,
	const char *href);

/* The next stored href that was not listed; NULL at the end. */
const char *pass_dav_gone(const struct pass *pass, size_t *at);

/* Fills BATCH with the next objects to fetch; false when none are left, or
 * as long as the window of all of them is under way. */
bool pass_dav_next(struct pass *pass, const struct pass_tools *tools,
	const struct plan_pace *pace, struct batch *batch);

void pass_dav_free(struct pass *pass);

#endif
