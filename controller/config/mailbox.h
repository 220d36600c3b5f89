/*
 * mailbox.h - what a mailbox of a scenario holds: the key set of a profile.
 *
 * Read by the filler, which makes such mailboxes, and by the plan, which
 * orders clients by their expected volume. Plain data, owned by the scenario.
 */
#ifndef SLUICE_MAILBOX_H
#define SLUICE_MAILBOX_H

#include <stdint.h>

#include "conf.h"

struct mailbox {
	char *name;	       /* the profile's key in the scenario */
	unsigned messages;     /* of the whole account */
	double inbox;	       /* share of the messages that is in the Inbox */
	uint64_t median_bytes; /* of a text; the distribution is log-normal */
	double spread;	       /* sigma of the logarithm of any size */
	double attachments;    /* share of messages with one */
	uint64_t attachment_bytes; /* median of an attachment as sent */
	uint64_t max_bytes;	   /* no text and no attachment is larger */
	double smime;		   /* share signed or encrypted by S/MIME */
	double pgp;	  /* share signed or encrypted by PGP/MIME or inline */
	double eight_bit; /* share with 8-bit text and encoded headers */
	unsigned folders; /* mail folders beside the Inbox */
	unsigned depth;	  /* of the folder tree */
	unsigned width;	  /* folders below one; more when they do not fit */
	unsigned contacts, events, tasks;
	unsigned notes;	     /* VJOURNAL */
	unsigned mail_notes; /* messages in the IMAP folder Notes */
	uint64_t seed;	     /* of its content: the scenario's */
};

extern const struct conf_table mailbox_table;

/* Payload of the account as the default policy copies it: Inbox complete,
 * elsewhere headers and protected messages; an estimate for ordering. */
uint64_t mailbox_expected_bytes(const struct mailbox *mailbox);

#endif
