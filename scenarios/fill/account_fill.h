/*
 * account_fill.h - fill one account over IMAP and over DAV.
 *
 * Nothing but standard protocols, so that any staging server will do. What
 * is there already is found and left alone. One thread per account; it
 * blocks.
 */
#ifndef SLUICE_ACCOUNT_FILL_H
#define SLUICE_ACCOUNT_FILL_H

#include <stdatomic.h>
#include <stdint.h>

#include "account.h"

struct err;
struct mailbox;
struct manifest;

/* Shared by all threads. */
struct fill_counts {
	_Atomic uint64_t messages, items, bytes; /* put by this run */
	_Atomic uint64_t found; /* messages and items that were there */
};

struct account_fill {
	const char *user;
	const char *password;
	const struct endpoint *imap;
	const char *dav_url;
	const char *ca_file;
	const struct mailbox *mailbox;
	struct manifest *manifest; /* or NULL */
	struct fill_counts *counts;
};

/* Folders and messages. */
int fill_mail(const struct account_fill *fill, struct err *err);

/* Contacts, events, tasks, notes; makes the collections that are missing. */
int fill_items(const struct account_fill *fill, struct err *err);

#endif
