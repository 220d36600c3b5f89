/*
 * letter_body.c - MIME structures as they are found in real mailboxes.
 *
 * Pure. Any thread. Signatures and ciphertext are noise of the right shape:
 * nothing here verifies them, what matters is where they stand.
 */
#include "letter_private.h"

#include <stdio.h>

#include "buf.h"
#include "dice.h"
#include "letter.h"
#include "mailbox.h"
#include "prose.h"

#define SIGNATURE_BYTES 2800
#define PGP_BYTES	820
#define CIPHER_PART	3 /* ciphertext is up to this times the text */

/* A message under construction. */
struct draft {
	const struct mailbox *mailbox;
	struct letter *letter;
	struct dice *dice;
	struct buf *out;
	bool foreign;
	char boundary[32];
};

static void end_header(struct draft *draft)
{
	(void)buf_append_text(draft->out, "\r\n");
	draft->letter->header_bytes = draft->out->length;
}

static uint64_t text_bytes(struct draft *draft)
{
	const struct mailbox *mailbox = draft->mailbox;

	return dice_size(draft->dice, (double)mailbox->median_bytes,
		mailbox->spread, mailbox->max_bytes);
}

static uint64_t attachment_bytes(struct draft *draft)
{
	const struct mailbox *mailbox = draft->mailbox;

	return dice_size(draft->dice, (double)mailbox->attachment_bytes,
		mailbox->spread, mailbox->max_bytes);
}

static void text_fields(struct draft *draft, const char *subtype)
{
	(void)buf_printf(draft->out,
		"Content-Type: text/%s; charset=%s\r\n"
		"Content-Transfer-Encoding: %s\r\n",
		subtype, draft->foreign ? "utf-8" : "us-ascii",
		draft->foreign ? "8bit" : "7bit");
}

static void text_part(struct draft *draft, uint64_t bytes)
{
	text_fields(draft, "plain");
	(void)buf_append_text(draft->out, "\r\n");
	prose_text(draft->dice, bytes, draft->foreign, draft->out);
}

/* A multipart of the given type; PARAMETERS with a leading "; " or "". */
static void begin_multipart(
	struct draft *draft, const char *subtype, const char *parameters)
{
	snprintf(draft->boundary, sizeof(draft->boundary), "=_%016llx",
		(unsigned long long)dice_next(draft->dice));
	(void)buf_printf(draft->out,
		"Content-Type: multipart/%s%s;\r\n\tboundary=\"%s\"\r\n",
		subtype, parameters, draft->boundary);
}

static void next_part(struct draft *draft)
{
	(void)buf_printf(draft->out, "--%s\r\n", draft->boundary);
}

static void end_multipart(struct draft *draft)
{
	(void)buf_printf(draft->out, "--%s--\r\n", draft->boundary);
}

static void base64_part(
	struct draft *draft, const char *type, const char *name, uint64_t bytes)
{
	(void)buf_printf(draft->out,
		"Content-Type: %s; name=\"%s\"\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment; filename=\"%s\"\r\n\r\n",
		type, name, name);
	dice_base64(draft->dice, bytes, draft->out);
}

static void pgp_armour(struct draft *draft, const char *what, uint64_t bytes)
{
	(void)buf_printf(draft->out, "-----BEGIN PGP %s-----\r\n\r\n", what);
	dice_base64(draft->dice, bytes, draft->out);
	(void)buf_printf(draft->out, "=%04x\r\n-----END PGP %s-----\r\n",
		(unsigned)dice_next(draft->dice) & 0xffff, what);
}

static void body_plain(struct draft *draft)
{
	text_fields(draft, "plain");
	end_header(draft);
	prose_text(draft->dice, text_bytes(draft), draft->foreign, draft->out);
}

static void body_alternative(struct draft *draft)
{
	uint64_t bytes = text_bytes(draft);

	begin_multipart(draft, "alternative", "");
	end_header(draft);
	next_part(draft);
	text_part(draft, bytes / 2 + 1);
	next_part(draft);
	text_fields(draft, "html");
	(void)buf_append_text(draft->out, "\r\n<html><body><p>\r\n");
	prose_text(draft->dice, bytes / 2 + 1, draft->foreign, draft->out);
	(void)buf_append_text(draft->out, "</p></body></html>\r\n");
	end_multipart(draft);
}

static void body_attachment(struct draft *draft)
{
	static const char *const types[] = {"application/pdf", "image/jpeg",
		"application/zip", "application/octet-stream"};
	unsigned type = dice_below(draft->dice, 4);
	char name[32];

	snprintf(name, sizeof(name), "file-%u.bin",
		dice_below(draft->dice, 1000));
	begin_multipart(draft, "mixed", "");
	end_header(draft);
	next_part(draft);
	text_part(draft, text_bytes(draft));
	next_part(draft);
	base64_part(draft, types[type], name, attachment_bytes(draft));
	end_multipart(draft);
}

static void body_smime_signed(struct draft *draft)
{
	/* Older software writes x-pkcs7, RFC 8551 asks to accept both. */
	bool old = dice_chance(draft->dice, 0.5);

	begin_multipart(draft, "signed",
		old ? "; micalg=sha1;\r\n\t"
		      "protocol=\"application/x-pkcs7-signature\""
		    : "; micalg=sha-256;\r\n\t"
		      "protocol=\"application/pkcs7-signature\"");
	end_header(draft);
	next_part(draft);
	text_part(draft, text_bytes(draft));
	(void)buf_append_text(draft->out, "\r\n");
	next_part(draft);
	base64_part(draft,
		old ? "application/x-pkcs7-signature"
		    : "application/pkcs7-signature",
		"smime.p7s", SIGNATURE_BYTES);
	end_multipart(draft);
}

static void body_smime_opaque(struct draft *draft)
{
	bool old = dice_chance(draft->dice, 0.3);
	bool enveloped = dice_chance(draft->dice, 0.7);

	(void)buf_printf(draft->out,
		"Content-Type: application/%spkcs7-mime; smime-type=%s;\r\n"
		"\tname=\"smime.p7m\"\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment; filename=\"smime.p7m\"\r\n",
		old ? "x-" : "", enveloped ? "enveloped-data" : "signed-data");
	end_header(draft);
	dice_base64(draft->dice, CIPHER_PART * text_bytes(draft), draft->out);
}

static void pgp_signed_parts(struct draft *draft)
{
	next_part(draft);
	text_part(draft, text_bytes(draft));
	(void)buf_append_text(draft->out, "\r\n");
	next_part(draft);
	(void)buf_append_text(draft->out,
		"Content-Type: application/pgp-signature; "
		"name=\"signature.asc\"\r\n\r\n");
	pgp_armour(draft, "SIGNATURE", PGP_BYTES);
	end_multipart(draft);
}

static const char pgp_signed_parameters[] =
	"; micalg=pgp-sha512;\r\n\tprotocol=\"application/pgp-signature\"";

static void body_pgp_signed(struct draft *draft)
{
	begin_multipart(draft, "signed", pgp_signed_parameters);
	end_header(draft);
	pgp_signed_parts(draft);
}

static void body_pgp_encrypted(struct draft *draft)
{
	begin_multipart(draft, "encrypted",
		";\r\n\tprotocol=\"application/pgp-encrypted\"");
	end_header(draft);
	next_part(draft);
	(void)buf_append_text(draft->out,
		"Content-Type: application/pgp-encrypted\r\n\r\n"
		"Version: 1\r\n\r\n");
	next_part(draft);
	(void)buf_append_text(draft->out,
		"Content-Type: application/octet-stream; "
		"name=\"encrypted.asc\"\r\n\r\n");
	pgp_armour(draft, "MESSAGE", CIPHER_PART * text_bytes(draft));
	end_multipart(draft);
}

/* multipart/mixed { multipart/signed { … }, footer }: a mailing list has
 * been at it, and the signed part is no longer at the top. */
static void body_pgp_listed(struct draft *draft)
{
	struct draft inner = *draft;

	begin_multipart(draft, "mixed", "");
	(void)buf_append_text(draft->out,
		"List-Id: Announcements <announce.lists.example.net>\r\n");
	end_header(draft);
	next_part(draft);
	begin_multipart(&inner, "signed", pgp_signed_parameters);
	(void)buf_append_text(draft->out, "\r\n");
	pgp_signed_parts(&inner);
	next_part(draft);
	(void)buf_append_text(draft->out,
		"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
		"______________________________________________\r\n"
		"announce mailing list\r\n");
	end_multipart(draft);
}

static void body_pgp_inline(struct draft *draft)
{
	text_fields(draft, "plain");
	end_header(draft);
	if (dice_chance(draft->dice, 0.5)) {
		pgp_armour(draft, "MESSAGE", text_bytes(draft));
		return;
	}
	(void)buf_append_text(draft->out,
		"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA512\r\n\r\n");
	prose_text(draft->dice, text_bytes(draft), draft->foreign, draft->out);
	pgp_armour(draft, "SIGNATURE", PGP_BYTES);
}

static void body_note(struct draft *draft)
{
	text_fields(draft, "html");
	end_header(draft);
	(void)buf_append_text(draft->out, "<html><body><div>\r\n");
	prose_text(draft->dice, 400, draft->foreign, draft->out);
	(void)buf_append_text(draft->out, "</div></body></html>\r\n");
}

static void (*const bodies[LETTER_KIND_COUNT])(struct draft *) = {
	[LETTER_PLAIN] = body_plain,
	[LETTER_ALTERNATIVE] = body_alternative,
	[LETTER_ATTACHMENT] = body_attachment,
	[LETTER_SMIME_SIGNED] = body_smime_signed,
	[LETTER_SMIME_OPAQUE] = body_smime_opaque,
	[LETTER_PGP_SIGNED] = body_pgp_signed,
	[LETTER_PGP_ENCRYPTED] = body_pgp_encrypted,
	[LETTER_PGP_LISTED] = body_pgp_listed,
	[LETTER_PGP_INLINE] = body_pgp_inline,
	[LETTER_NOTE] = body_note,
};

void letter_body(const struct mailbox *mailbox, struct letter *letter,
	bool foreign, struct dice *dice)
{
	struct draft draft = {
		.mailbox = mailbox,
		.letter = letter,
		.dice = dice,
		.out = &letter->text,
		.foreign = foreign,
	};

	bodies[letter->kind](&draft);
}
