/*
 * letter.c - generated messages: their headers and the choice of a kind.
 *
 * Pure. Any thread. The bodies are made in letter_body.c.
 */
#include "letter.h"

#include <stdio.h>
#include <time.h>

#include "dice.h"
#include "letter_private.h"
#include "mailbox.h"
#include "prose.h"

/* The newest message of a folder; every further one is some hours older. */
#define NEWEST_S INT64_C(1767258000) /* 2026-01-01 09:00 UTC */

static const char *const kind_names[LETTER_KIND_COUNT] = {
	[LETTER_PLAIN] = "plain",
	[LETTER_ALTERNATIVE] = "alternative",
	[LETTER_ATTACHMENT] = "attachment",
	[LETTER_SMIME_SIGNED] = "smime-signed",
	[LETTER_SMIME_OPAQUE] = "smime-opaque",
	[LETTER_PGP_SIGNED] = "pgp-signed",
	[LETTER_PGP_ENCRYPTED] = "pgp-encrypted",
	[LETTER_PGP_LISTED] = "pgp-listed",
	[LETTER_PGP_INLINE] = "pgp-inline",
	[LETTER_NOTE] = "note",
};

const char *letter_kind_name(enum letter_kind kind)
{
	return kind_names[kind];
}

static enum letter_kind choose_kind(
	const struct mailbox *mailbox, struct dice *dice, bool inbox)
{
	static const enum letter_kind pgp[] = {LETTER_PGP_SIGNED,
		LETTER_PGP_ENCRYPTED, LETTER_PGP_LISTED, LETTER_PGP_INLINE};
	double point = dice_unit(dice);

	if (point < mailbox->smime)
		return dice_chance(dice, 0.5) ? LETTER_SMIME_SIGNED
					      : LETTER_SMIME_OPAQUE;
	if (point < mailbox->smime + mailbox->pgp)
		return pgp[dice_below(dice, inbox ? 4 : 3)];
	if (dice_chance(dice, mailbox->attachments))
		return LETTER_ATTACHMENT;
	return dice_chance(dice, 0.3) ? LETTER_ALTERNATIVE : LETTER_PLAIN;
}

static bool kind_is_protected(enum letter_kind kind)
{
	return kind >= LETTER_SMIME_SIGNED && kind <= LETTER_PGP_INLINE;
}

static void address(struct dice *dice, const char *field, const char *user,
	bool foreign, struct buf *out)
{
	struct buf name = BUF_INIT(0);

	(void)buf_printf(&name, "%s ", prose_given_name(dice, foreign));
	(void)buf_append_text(&name, prose_family_name(dice, foreign));
	(void)buf_printf(out, "%s: ", field);
	prose_header(buf_text(&name), out);
	if (user)
		(void)buf_printf(out, " <%s@example.org>\r\n", user);
	else
		(void)buf_printf(out, " <person%u@example.net>\r\n",
			dice_below(dice, 10000));
	buf_free(&name);
}

static void write_date(int64_t date_s, struct buf *out)
{
	time_t at = (time_t)date_s;
	struct tm tm;
	char text[64];

	/* The C locale's names: neither program ever sets another. */
	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	(void)buf_printf(out, "Date: %s\r\n", text);
}

/* What the transport of a real message leaves in its header. */
static void write_trace(
	const struct letter *letter, struct dice *dice, struct buf *out)
{
	unsigned hops = 1 + dice_below(dice, 3);

	for (unsigned i = 0; i < hops; i++)
		(void)buf_printf(out,
			"Received: from mx%u.example.net (mx%u.example.net "
			"[192.0.2.%u])\r\n\tby mail.example.org with ESMTPS "
			"id %08x;\r\n\tThu, 1 Jan 2026 08:0%u:00 +0000\r\n",
			i, i, dice_below(dice, 250), (unsigned)dice_next(dice),
			dice_below(dice, 10));
	(void)buf_printf(out, "Message-ID: <%s>\r\n", letter->id);
}

static void write_header(struct letter *letter, const char *user, bool foreign,
	struct dice *dice)
{
	struct buf *out = &letter->text;
	struct buf subject = BUF_INIT(0);

	if (letter->kind != LETTER_NOTE)
		write_trace(letter, dice, out);
	else
		(void)buf_printf(out, "Message-ID: <%s>\r\n", letter->id);
	write_date(letter->date_s, out);
	address(dice, "From", letter->kind == LETTER_NOTE ? user : NULL,
		foreign, out);
	address(dice, "To", user, false, out);
	prose_words(dice, 2 + dice_below(dice, 7), foreign, &subject);
	(void)buf_append_text(out, "Subject: ");
	/* Some senders put the bytes there as they are. */
	if (foreign && dice_chance(dice, 0.15))
		(void)buf_append(out, subject.data, subject.length);
	else
		prose_header(buf_text(&subject), out);
	(void)buf_append_text(out, "\r\nMIME-Version: 1.0\r\n");
	if (letter->kind == LETTER_NOTE)
		(void)buf_printf(out,
			"X-Uniform-Type-Identifier: com.apple.mail-note\r\n"
			"X-Universally-Unique-Identifier: %016llx\r\n",
			(unsigned long long)dice_next(dice));
	buf_free(&subject);
}

void letter_make(const struct mailbox *mailbox, const char *user,
	unsigned folder, bool notes, unsigned index, struct letter *letter)
{
	struct dice dice = dice_for(mailbox->seed, user, folder, index);
	bool foreign = dice_chance(&dice, mailbox->eight_bit);

	*letter = (struct letter){.text = BUF_INIT(0)};
	letter->kind = notes ? LETTER_NOTE
			     : choose_kind(mailbox, &dice, folder == 0);
	letter->is_protected = kind_is_protected(letter->kind);
	letter->seen = dice_chance(&dice, 0.8);
	letter->flagged = dice_chance(&dice, 0.05);
	letter->date_s = NEWEST_S - (int64_t)index * 3600 * 5 -
		dice_below(&dice, 3600);
	snprintf(letter->id, sizeof(letter->id), "%u.%u.%016llx@%.40s.invalid",
		folder, index, (unsigned long long)dice_next(&dice), user);
	write_header(letter, user, foreign, &dice);
	letter_body(mailbox, letter, foreign, &dice);
}

void letter_free(struct letter *letter)
{
	buf_free(&letter->text);
}

char *letter_internal_date(int64_t date_s, char *text)
{
	time_t at = (time_t)date_s;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, 32, "%d-%b-%Y %H:%M:%S +0000", &tm);
	return text;
}
