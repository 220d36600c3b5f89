/*
 * link.h - the control link: brings reports to the controller and answers
 * back (docs/protocol.md).
 *
 * A thread of its own enrols when need be, keeps every report in the outbox
 * until it is acknowledged, sends them in order, and waits with backoff
 * while the controller is away. At most one request is under way. The calls
 * below may come from one other thread.
 */
#ifndef SLUICE_LINK_H
#define SLUICE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"

struct err;
struct link;

struct link_setup {
	const char *directory; /* of the store: the outbox is there */
	const char *url;       /* of the controller */
	const char *token_file;
	const char *ca_file; /* or NULL */
	bool many; /* hundreds in this process: small buffers, and the outbox
		      does not wait for the disk (outbox.h) */
	const char *client;  /* our name in the scenario */
	const char *subject; /* for the log */
	/* On the link's thread: an answer has come, or the link has given up
	 * (link_failed() says why). */
	void (*wake)(void *context);
	void *context;
};

/* SETUP's strings must outlive the link. */
int link_start(
	struct link **link, const struct link_setup *setup, struct err *err);

/* Tells the thread to end and does not wait for it, as link_stop() does. */
void link_cancel(struct link *link);

/* Ends the thread, at once. Reports stay in the outbox. NULL is fine. */
void link_stop(struct link *link);

/*
 * What the next report shall say; a report that has not left yet is brought
 * up to date instead. Strings and samples of REPORT are copied; seq, boot,
 * command, version and sent_us are the link's. URGENT: do not wait for the
 * time that the controller named.
 */
void link_post(struct link *link, const struct report *report, bool urgent);

/* True and the latest answer, once for each that came. */
bool link_answer(struct link *link, struct answer *answer);

/* Commands up to ID are obeyed; survives a restart. */
void link_obeyed(struct link *link, uint64_t id);
uint64_t link_last_obeyed(struct link *link);

/* The wave whose synchronisation is not finished, 0: none; survives a
 * restart. */
void link_set_active(struct link *link, unsigned wave);
unsigned link_active(struct link *link);

/* True when a person must do something before the controller will have us:
 * wrong token, untrusted certificate. */
bool link_failed(struct link *link, struct err *err);

#endif
