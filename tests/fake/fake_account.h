/*
 * fake_account.h - an account in memory behind the contract of a source, for
 * tests of the engine: it can change at any window, lose connections, and
 * counts what was asked for.
 *
 * One thread at a time.
 */
#ifndef SLUICE_FAKE_ACCOUNT_H
#define SLUICE_FAKE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

#define FAKE_FOLDERS  16
#define FAKE_MESSAGES 700

struct fake_message {
	uint32_t uid; /* DAV: the href is "/dav/FOLDER/UID.ics" */
	char *text;   /* the whole message or object */
	size_t length;
	const char *flags;
	uint64_t modseq;
	int64_t received_s;
	unsigned served_headers, served_bodies;
	int off_listed, off_fetched; /* RFC822.SIZE is so much too large */
	bool poison;		     /* the server's answer makes no sense */
	bool lethal; /* asking for it among others ends the connection */
};

struct fake_folder {
	const char *path;
	enum collection_kind kind;
	bool dav, gone;
	uint32_t validity, uid_next;
	uint64_t modseq;
	struct fake_message messages[FAKE_MESSAGES];
	size_t count;
};

enum fake_failure {
	FAKE_NETWORK,
	FAKE_AUTH,
	FAKE_THROTTLED,
};

struct fake_account {
	struct fake_folder folders[FAKE_FOLDERS];
	size_t count;
	unsigned windows;  /* served so far, over all sessions */
	unsigned sessions; /* mail sessions asked for so far */
	unsigned refused;  /* of them */
	unsigned open;	   /* of them, now */
	unsigned arrived;  /* of them, asked to serve a window */
	/* Behaviour. */
	unsigned fail_open; /* so many more opens fail */
	enum fake_failure fail_kind;
	unsigned cut_window;   /* the connection dies in this one; 0: never */
	unsigned cut_item;     /* after so many of its items, within the next */
	int64_t round_trip_us; /* of the line; 0: near */
	uint64_t further_trips; /* a window takes in sessions after the first */
	unsigned open_max;	/* mail sessions at once; 0: any number */
	/* Nothing is served before so many mail sessions each have a window
	 * to serve, or were refused; within ten seconds. */
	unsigned await;
	/* This session's connection dies for good, after cut_item items of
	 * its first window; 0: none. */
	unsigned cut_session;
	/* Called before each window is served; may change everything. */
	void (*before)(struct fake_account *account, unsigned window);
	void *context;
};

struct fake_folder *fake_add_folder(struct fake_account *account,
	const char *path, enum collection_kind kind, bool dav);
struct fake_folder *fake_folder(struct fake_account *account, const char *path);

/* TEXT is copied; LENGTH 0: its strlen(). */
struct fake_message *fake_add(
	struct fake_folder *folder, const char *text, size_t length);
/* A message with a subject and id of its own and a body of BYTES. */
struct fake_message *fake_add_mail(struct fake_folder *folder, size_t bytes);
void fake_expunge(struct fake_folder *folder, uint32_t uid);
struct fake_message *fake_find(struct fake_folder *folder, uint32_t uid);

/* The account that the two openers serve; they have the type sync_open. */
void fake_serve(struct fake_account *account);
int fake_open_mail(struct source **source, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err);
int fake_open_dav(struct source **source, const struct account *account,
	const char *password, const struct source_options *options,
	struct wire *wire, struct err *err);

void fake_free(struct fake_account *account);

#endif
