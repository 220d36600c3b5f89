/*
 * prose.c - the vocabulary of generated mail.
 *
 * Pure. Any thread.
 */
#include "prose.h"

#include <string.h>

#include "buf.h"
#include "dice.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LINE_WIDTH   72

static const char *const words[] = {"account", "after", "agenda", "answer",
	"around", "attached", "before", "board", "budget", "building", "call",
	"change", "client", "comment", "contract", "copy", "customer", "date",
	"delivery", "department", "detail", "draft", "early", "enclosed",
	"figure", "final", "following", "forward", "from", "garden", "general",
	"have", "holiday", "however", "idea", "important", "into", "invoice",
	"journey", "keep", "kitchen", "late", "letter", "light", "list",
	"machine", "manager", "market", "meeting", "minutes", "morning", "next",
	"notes", "number", "offer", "office", "order", "paper", "part",
	"people", "plan", "please", "price", "project", "proposal", "quarter",
	"question", "quick", "ready", "reason", "regards", "remember", "report",
	"request", "result", "review", "river", "room", "schedule", "second",
	"send", "service", "short", "signed", "since", "some", "summary",
	"table", "team", "thank", "their", "there", "this", "ticket", "today",
	"together", "train", "travel", "under", "update", "visit", "water",
	"week", "weather", "where", "which", "window", "with", "work", "year",
	"yesterday"};

static const char *const foreign_words[] = {"schöne", "Grüße", "über", "naïve",
	"déjà", "café", "señor", "mañana", "příští", "týden", "žlutý", "kůň",
	"łódź", "привет", "встреча", "завтра", "καλημέρα", "会議", "明日",
	"ありがとう", "größer", "Straße", "façade"};

static const char *const given[] = {"Anna", "Ben", "Clara", "David", "Emma",
	"Felix", "Grace", "Hugo", "Ida", "Jonas", "Kate", "Liam", "Mara",
	"Nils", "Olga", "Paul", "Rosa", "Simon", "Tina", "Victor"};
static const char *const foreign_given[] = {
	"Žofie", "Jürgen", "Zoë", "Łukasz", "Søren", "Мария", "健太"};
static const char *const family[] = {"Adams", "Baker", "Clark", "Dalton",
	"Evans", "Fischer", "Garner", "Hansen", "Irwin", "Jensen", "Keller",
	"Lindqvist", "Moreau", "Novak", "Olsen", "Parker", "Quinn", "Rossi",
	"Schmidt", "Turner"};
static const char *const foreign_family[] = {
	"Nováková", "Müller", "Brontë", "Wałęsa", "Ørsted", "Иванова", "山田"};

static const char *any(struct dice *dice, const char *const *list, size_t count)
{
	return list[dice_below(dice, (unsigned)count)];
}

static const char *word(struct dice *dice, bool foreign)
{
	if (foreign && dice_chance(dice, 0.15))
		return any(dice, foreign_words, COUNT(foreign_words));
	return any(dice, words, COUNT(words));
}

static void capital(struct buf *out, const char *text)
{
	char first = *text;

	if (first >= 'a' && first <= 'z')
		first = (char)(first - 'a' + 'A');
	(void)buf_append(out, &first, 1);
	(void)buf_append_text(out, text + 1);
}

void prose_words(
	struct dice *dice, unsigned count, bool foreign, struct buf *out)
{
	for (unsigned i = 0; i < count; i++) {
		if (i) {
			(void)buf_append(out, " ", 1);
			(void)buf_append_text(out, word(dice, foreign));
		} else {
			capital(out, word(dice, foreign));
		}
	}
}

void prose_text(
	struct dice *dice, uint64_t bytes, bool foreign, struct buf *out)
{
	size_t end = out->length + bytes;
	size_t line = out->length;
	unsigned in_sentence = 0;

	while (out->length < end) {
		const char *next = word(dice, foreign);

		if (in_sentence++)
			(void)buf_append_text(out, next);
		else
			capital(out, next);
		if (in_sentence > 6 && dice_chance(dice, 0.2)) {
			(void)buf_append(out, ".", 1);
			in_sentence = 0;
		}
		if (out->length - line < LINE_WIDTH - 14) {
			(void)buf_append(out, " ", 1);
			continue;
		}
		(void)buf_append_text(
			out, dice_chance(dice, 0.1) ? "\r\n\r\n" : "\r\n");
		line = out->length;
	}
	if (out->length != line)
		(void)buf_append_text(out, "\r\n");
}

const char *prose_given_name(struct dice *dice, bool foreign)
{
	if (foreign && dice_chance(dice, 0.5))
		return any(dice, foreign_given, COUNT(foreign_given));
	return any(dice, given, COUNT(given));
}

const char *prose_family_name(struct dice *dice, bool foreign)
{
	if (foreign && dice_chance(dice, 0.5))
		return any(dice, foreign_family, COUNT(foreign_family));
	return any(dice, family, COUNT(family));
}

/* One encoded word, in the B encoding (RFC 2047 section 4.1). */
static void encoded_word(const char *text, size_t length, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	(void)buf_append_text(out, "=?UTF-8?B?");
	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i < 3 ? length - i : 3;
		unsigned bits = 0;
		char four[4];

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 |
				(k < left ? (unsigned char)text[i + k] : 0);
		for (unsigned k = 0; k < 4; k++)
			four[k] = k <= left ? digits[bits >> (18 - 6 * k) & 63]
					    : '=';
		(void)buf_append(out, four, 4);
	}
	(void)buf_append_text(out, "?=");
}

void prose_header(const char *text, struct buf *out)
{
	size_t length = strlen(text);
	bool ascii = true;

	for (size_t i = 0; i < length; i++)
		ascii = ascii && (unsigned char)text[i] < 0x80;
	if (ascii) {
		(void)buf_append(out, text, length);
		return;
	}
	for (size_t at = 0; at < length;) {
		size_t cut = length - at < 42 ? length - at : 42;

		/* Not between the bytes of one character. */
		while (at + cut < length &&
			((unsigned char)text[at + cut] & 0xc0) == 0x80)
			cut--;
		if (at)
			(void)buf_append_text(out, "\r\n ");
		encoded_word(text + at, cut, out);
		at += cut;
	}
}
