/*
 * mailbox.c - the keys of a mailbox profile, and what such a mailbox weighs.
 *
 * Pure. Any thread.
 */
#include "mailbox.h"

#include <math.h>

/* What the copy of a message without its body weighs, and of one item. */
#define HEADER_BYTES 900
#define ITEM_BYTES   500

#define MESSAGES_MAX 10000000
#define FOLDERS_MAX  20000
#define ITEMS_MAX    1000000

static const struct conf_field mailbox_fields[] = {
	{CONF_AT(struct mailbox, messages), "messages", CONF_INT,
		"messages of the whole account, notes not counted",
		.fallback = "200", .max = MESSAGES_MAX},
	{CONF_AT(struct mailbox, inbox), "inbox", CONF_PERCENT,
		"share of the messages that is in the Inbox",
		.fallback = "50%"},
	{CONF_AT(struct mailbox, median_bytes), "median", CONF_BYTES,
		"median size of a message's text; sizes are log-normal",
		.fallback = "6kB"},
	{CONF_AT(struct mailbox, spread), "spread", CONF_NUMBER,
		"sigma of the logarithm of every size", .fallback = "1.0",
		.max = 4},
	{CONF_AT(struct mailbox, attachments), "attachments", CONF_PERCENT,
		"share of the messages with an attachment", .fallback = "20%"},
	{CONF_AT(struct mailbox, attachment_bytes), "attachment", CONF_BYTES,
		"median size of an attachment as it is sent",
		.fallback = "150kB"},
	{CONF_AT(struct mailbox, max_bytes), "max", CONF_BYTES,
		"largest text or attachment", .fallback = "4MB"},
	{CONF_AT(struct mailbox, smime), "smime", CONF_PERCENT,
		"share signed or encrypted by S/MIME", .fallback = "3%"},
	{CONF_AT(struct mailbox, pgp), "pgp", CONF_PERCENT,
		"share signed or encrypted by PGP/MIME", .fallback = "3%"},
	{CONF_AT(struct mailbox, eight_bit), "eight_bit", CONF_PERCENT,
		"share with 8-bit text and encoded headers", .fallback = "30%"},
	{CONF_AT(struct mailbox, folders), "folders", CONF_INT,
		"mail folders beside the Inbox", .fallback = "6",
		.max = FOLDERS_MAX},
	{CONF_AT(struct mailbox, depth), "depth", CONF_INT,
		"levels of the folder tree", .fallback = "2", .min = 1,
		.max = 20},
	{CONF_AT(struct mailbox, width), "width", CONF_INT,
		"folders below one folder; more when the others do not fit",
		.fallback = "4", .min = 1, .max = FOLDERS_MAX},
	{CONF_AT(struct mailbox, contacts), "contacts", CONF_INT,
		"contacts (vCard)", .fallback = "40", .max = ITEMS_MAX},
	{CONF_AT(struct mailbox, events), "events", CONF_INT,
		"calendar events, some of them recurring", .fallback = "30",
		.max = ITEMS_MAX},
	{CONF_AT(struct mailbox, tasks), "tasks", CONF_INT, "tasks (VTODO)",
		.fallback = "10", .max = ITEMS_MAX},
	{CONF_AT(struct mailbox, notes), "notes", CONF_INT,
		"notes in the calendar (VJOURNAL)", .fallback = "5",
		.max = ITEMS_MAX},
	{CONF_AT(struct mailbox, mail_notes), "mail_notes", CONF_INT,
		"notes in the mail folder Notes", .fallback = "3",
		.max = ITEMS_MAX},
	CONF_END,
};

const struct conf_table mailbox_table = {
	.name = "mailboxes.NAME",
	.text = "A kind of mailbox: how much of what it holds. The filler "
		"makes mailboxes after it; the plan estimates their volume.",
	.size = sizeof(struct mailbox),
	.fields = mailbox_fields,
};

/* Mean of the log-normal distribution, cut off at the largest size. */
static double mean_bytes(double median, double spread, double max)
{
	double mean = median * exp(spread * spread / 2);

	return mean < max ? mean : max;
}

uint64_t mailbox_expected_bytes(const struct mailbox *mailbox)
{
	double max = (double)mailbox->max_bytes;
	double message = HEADER_BYTES +
		mean_bytes(
			(double)mailbox->median_bytes, mailbox->spread, max) +
		mailbox->attachments *
			mean_bytes((double)mailbox->attachment_bytes,
				mailbox->spread, max);
	double complete = mailbox->inbox +
		(1 - mailbox->inbox) * (mailbox->smime + mailbox->pgp);
	double items = (double)mailbox->contacts + mailbox->events +
		mailbox->tasks + mailbox->notes + mailbox->mail_notes;

	if (complete > 1)
		complete = 1;
	return (uint64_t)(mailbox->messages *
			(complete * message + (1 - complete) * HEADER_BYTES) +
		items * ITEM_BYTES);
}
