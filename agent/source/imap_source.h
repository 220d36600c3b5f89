/*
 * imap_source.h - the parts of the IMAP source; included by its own files.
 */
#ifndef SLUICE_IMAP_SOURCE_H
#define SLUICE_IMAP_SOURCE_H

#include "err.h"
#include "imap_list.h"
#include "imap_reader.h"
#include "imap_session.h"
#include "packing.h"
#include "source_driver.h"

struct stream;

/* The list of folders, asked for. */
struct imap_listing {
	struct imap_folders folders;
	unsigned spaces_tag, list_tag; /* 0: not sent */
	bool granted;		       /* all of the answer is there */
};

struct imap_source {
	struct source base;
	struct wire *wire;
	struct endpoint endpoint;
	char *ca_file;
	char *user, *password;
	struct source_options options;
	struct stream *stream; /* NULL: not connected */
	struct imap_session session;
	struct imap_reader reader;
	struct packing packing;
	unsigned newest_tag, answered_tag;
	unsigned trip_tag;    /* the first command of the newest round trip */
	uint64_t round_trips; /* see source_round_trips() */
	struct err bye;	      /* what this session's server said in parting */
	bool idle;	      /* nothing is awaited: LOGOUT may be said */
	struct imap_listing ahead; /* came with the last of a fetch */
};

/* Connect and log in anew, whatever was before. */
int imap_connect(struct imap_source *source, struct err *err);

/* With nothing in flight, make the session compressed or plain, as
 * source->packing says; plain by a new session. */
int imap_repack(struct imap_source *source, struct err *err);

/* Send one command, its tag before it and CRLF behind; returns the tag, or
 * 0 with ERR. Stays buffered until the next flush or read. */
unsigned imap_send(
	struct imap_source *source, const struct buf *command, struct err *err);

/* Send what lists the folders. */
int imap_ask_folders(struct imap_source *source, bool with_status,
	struct imap_listing *listing, struct err *err);

/* What is awaited, of about BYTES, must be here in good time from now: a byte
 * now and then is progress to the stream's watchdog, but not to this one. */
void imap_allow(struct imap_source *source, uint64_t bytes);

/* The next answer (imap_reader.h); commands of imap_send() only. */
int imap_receive(
	struct imap_source *source, struct answer *answer, struct err *err);

/* What a NO or BAD to a command asks of us, in words. Always -1. */
int imap_refusal(const struct imap_source *source, const char *what,
	const char *text, enum err_kind fallback, struct err *err);

/* imap_fetch.c: source_fetch() of source.h. */
int imap_fetch(struct source *source, const struct feed *feed, struct err *err);

#endif
