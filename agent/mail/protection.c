/*
 * protection.c - see protection.h. The scanner reads BODYSTRUCTURE as a
 * nesting of lists, strings and atoms and knows only what it must: where a
 * part begins, its type, subtype and parameters. It works in one pass over
 * bytes that a server sent and keeps no more than a small frame for each
 * open parenthesis. Pure.
 */
#include "protection.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "mime.h"

/* Of a text part that is encoded; an armour comes early or not at all. */
#define TEXT_BYTES 16384

static const char *const names[] = {
	[PROTECTION_NONE] = "none",
	[PROTECTION_SIGNED] = "signed",
	[PROTECTION_ENCRYPTED] = "encrypted",
	[PROTECTION_UNKNOWN] = "unknown",
};

const char *protection_name(enum protection protection)
{
	return names[protection];
}

/* Encrypted says more than signed, and both more than a doubt. */
enum protection protection_merge(enum protection a, enum protection b)
{
	static const int weight[] = {
		[PROTECTION_NONE] = 0,
		[PROTECTION_UNKNOWN] = 1,
		[PROTECTION_SIGNED] = 2,
		[PROTECTION_ENCRYPTED] = 3,
	};

	return weight[a] >= weight[b] ? a : b;
}

/* The names that S/MIME gives its files (RFC 8551 3.9). */
static enum protection of_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot)
		return PROTECTION_NONE;
	if (strcasecmp(dot, ".p7s") == 0)
		return PROTECTION_SIGNED;
	return strcasecmp(dot, ".p7m") == 0 || strcasecmp(dot, ".p7c") == 0 ||
			strcasecmp(dot, ".p7z") == 0
		? PROTECTION_ENCRYPTED
		: PROTECTION_NONE;
}

/* What one entity's own type says, and the name of its file. */
static enum protection of_type(const struct mime_type *type, const char *name)
{
	if (mime_type_is(type, "multipart", "signed"))
		return PROTECTION_SIGNED;
	if (mime_type_is(type, "multipart", "encrypted"))
		return PROTECTION_ENCRYPTED;
	if (!mime_type_is(type, "application", NULL))
		return PROTECTION_NONE;
	if (strcmp(type->subtype, "pkcs7-mime") == 0 ||
		strcmp(type->subtype, "x-pkcs7-mime") == 0)
		return strcmp(type->smime_type, "signed-data") == 0 ||
				strcmp(type->smime_type, "certs-only") == 0
			? PROTECTION_SIGNED
			: PROTECTION_ENCRYPTED;
	/* From who knows no better type. */
	if (strcmp(type->subtype, "octet-stream") == 0)
		return of_file(name);
	/* What is left when a gateway has turned the multipart around these
	 * into multipart/mixed. */
	if (strcmp(type->subtype, "pgp-encrypted") == 0)
		return PROTECTION_ENCRYPTED;
	if (strcmp(type->subtype, "pgp-signature") == 0 ||
		strcmp(type->subtype, "pkcs7-signature") == 0 ||
		strcmp(type->subtype, "x-pkcs7-signature") == 0)
		return PROTECTION_SIGNED;
	if (strcmp(type->subtype, "pgp") == 0)
		return strstr(type->x_action, "sign") ? PROTECTION_SIGNED
						      : PROTECTION_ENCRYPTED;
	return PROTECTION_NONE;
}

/* --------------------------------------------------------- BODYSTRUCTURE */

struct scan {
	const char *at;
	const char *end;
	enum protection found;
	bool broken;
};

static void blanks(struct scan *scan)
{
	while (scan->at < scan->end &&
		(*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r' ||
			*scan->at == '\n'))
		scan->at++;
}

/* The next byte that is no blank, or 0 at the end. */
static char peek(struct scan *scan)
{
	blanks(scan);
	return scan->at < scan->end ? *scan->at : '\0';
}

static bool eat(struct scan *scan, char wanted)
{
	if (peek(scan) != wanted)
		return false;
	scan->at++;
	return true;
}

static void keep(char *out, size_t size, size_t *used, char c)
{
	if (*used + 1 < size)
		out[(*used)++] = (char)tolower((unsigned char)c);
}

static void scan_quoted(struct scan *scan, char *out, size_t size)
{
	size_t used = 0;

	scan->at++;
	while (scan->at < scan->end && *scan->at != '"') {
		if (*scan->at == '\\' && scan->at + 1 < scan->end)
			scan->at++;
		keep(out, size, &used, *scan->at++);
	}
	out[used] = '\0';
	if (scan->at == scan->end)
		scan->broken = true;
	else
		scan->at++;
}

/* "{123}" or "{123+}", a line end, so many bytes (RFC 3501 4.3). */
static void scan_literal(struct scan *scan, char *out, size_t size)
{
	uint64_t length = 0;
	size_t used = 0;

	scan->at++;
	while (scan->at < scan->end && isdigit((unsigned char)*scan->at) &&
		length < UINT32_MAX)
		length = length * 10 + (uint64_t)(*scan->at++ - '0');
	if (scan->at < scan->end && *scan->at == '+')
		scan->at++;
	if (scan->at < scan->end && *scan->at == '}')
		scan->at++;
	if (scan->at < scan->end && *scan->at == '\r')
		scan->at++;
	if (scan->at < scan->end && *scan->at == '\n')
		scan->at++;
	if (length > (uint64_t)(scan->end - scan->at)) {
		scan->broken = true;
		length = (uint64_t)(scan->end - scan->at);
	}
	for (; length; length--)
		keep(out, size, &used, *scan->at++);
	out[used] = '\0';
}

/* A string, number or NIL, in lower case and cut at SIZE. */
static void scan_word(struct scan *scan, char *out, size_t size)
{
	size_t used = 0;
	char c = peek(scan);

	out[0] = '\0';
	if (c == '"') {
		scan_quoted(scan, out, size);
		return;
	}
	if (c == '{') {
		scan_literal(scan, out, size);
		return;
	}
	while (scan->at < scan->end && !strchr(" \t\r\n()\"", *scan->at))
		keep(out, size, &used, *scan->at++);
	out[used] = '\0';
	if (!used)
		scan->broken = true;
	if (strcmp(out, "nil") == 0)
		out[0] = '\0';
}

/* One element whatever it is; lists by counting, not by recursion. */
static void skip(struct scan *scan)
{
	unsigned depth = 0;
	char word[2];

	do {
		char c = peek(scan);

		if (!c) {
			scan->broken = true;
		} else if (c == '(') {
			depth++;
			scan->at++;
		} else if (c == ')') {
			if (!depth) {
				scan->broken = true;
				return;
			}
			depth--;
			scan->at++;
		} else {
			scan_word(scan, word, sizeof(word));
		}
	} while (depth && !scan->broken);
}

/* VALUE, which has room for as much, to OUT, cut at SIZE. */
static void cut(char *out, size_t size, const char *value)
{
	memcpy(out, value, size);
	out[size - 1] = '\0';
}

/* "(name value ...)" or NIL. */
static void scan_parameters(struct scan *scan, struct mime_type *type)
{
	if (!eat(scan, '(')) {
		skip(scan);
		return;
	}
	while (!scan->broken && peek(scan) != ')') {
		char name[32];
		char value[sizeof(type->name)] = "";

		scan_word(scan, name, sizeof(name));
		if (peek(scan) == '(' || peek(scan) == ')')
			continue;
		scan_word(scan, value, sizeof(value));
		if (strcmp(name, "smime-type") == 0)
			cut(type->smime_type, sizeof(type->smime_type), value);
		else if (strcmp(name, "x-action") == 0)
			cut(type->x_action, sizeof(type->x_action), value);
		else if (strstr(name, "name") &&
			of_file(value) != PROTECTION_NONE)
			cut(type->name, sizeof(type->name), value);
	}
	eat(scan, ')');
}

static void scan_body(struct scan *scan, unsigned depth);

static void scan_multipart(
	struct scan *scan, struct mime_type *type, unsigned depth)
{
	while (!scan->broken && peek(scan) == '(')
		scan_body(scan, depth + 1);
	memcpy(type->type, "multipart", sizeof("multipart"));
	if (!scan->broken && peek(scan) != ')')
		scan_word(scan, type->subtype, sizeof(type->subtype));
}

static void scan_single(
	struct scan *scan, struct mime_type *type, unsigned depth)
{
	scan_word(scan, type->type, sizeof(type->type));
	if (scan->broken || peek(scan) == ')' || peek(scan) == '(') {
		scan->broken = true;
		return;
	}
	scan_word(scan, type->subtype, sizeof(type->subtype));
	if (!scan->broken && peek(scan) != ')')
		scan_parameters(scan, type);
	if (!mime_type_is(type, "message", "rfc822") &&
		!mime_type_is(type, "message", "global"))
		return;
	/* id, description, encoding, size, envelope; then the body. */
	for (int i = 0; i < 5 && !scan->broken && peek(scan) != ')'; i++)
		skip(scan);
	if (!scan->broken && peek(scan) == '(')
		scan_body(scan, depth + 1);
}

/* What follows the fields of a part: its disposition has a file's name. */
static void scan_extension(struct scan *scan, struct mime_type *type)
{
	char word[32];

	if (!eat(scan, '(')) {
		skip(scan);
		return;
	}
	if (peek(scan) != '(')
		scan_word(scan, word, sizeof(word));
	if (peek(scan) == '(')
		scan_parameters(scan, type);
	while (!scan->broken && peek(scan) && peek(scan) != ')')
		skip(scan);
	if (!eat(scan, ')'))
		scan->broken = true;
}

static void scan_body(struct scan *scan, unsigned depth)
{
	struct mime_type type = {0};

	if (depth > MIME_DEPTH * 2 || !eat(scan, '(')) {
		scan->broken = true;
		return;
	}
	if (peek(scan) == '(')
		scan_multipart(scan, &type, depth);
	else
		scan_single(scan, &type, depth);
	while (!scan->broken && peek(scan) && peek(scan) != ')') {
		if (mime_type_is(&type, "application", "octet-stream"))
			scan_extension(scan, &type);
		else
			skip(scan);
	}
	scan->found = protection_merge(scan->found, of_type(&type, type.name));
	if (!eat(scan, ')'))
		scan->broken = true;
}

enum protection protection_from_bodystructure(const char *text, size_t length)
{
	struct scan scan = {text, text + length, PROTECTION_NONE, false};

	scan_body(&scan, 0);
	return scan.broken ? protection_merge(scan.found, PROTECTION_UNKNOWN)
			   : scan.found;
}

/* --------------------------------------------------------------- message */

enum protection protection_from_header(const char *text, size_t length)
{
	struct mime_part part;

	mime_part_parse(&part, (struct span){text, length});
	return of_type(&part.type, part.name);
}

/* After the armour's first line comes a header of its own or an empty line
 * (RFC 9580 6.2); text that only talks about armour has neither. */
static bool armour_follows(struct span rest)
{
	static const char *const keys[] = {
		"Version:", "Comment:", "Hash:", "Charset:", "MessageID:"};
	struct span line;

	if (!span_line(&rest, &line))
		return true;
	if (!line.length || line.data[0] == ' ')
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t length = strlen(keys[i]);

		if (line.length >= length &&
			strncasecmp(line.data, keys[i], length) == 0)
			return true;
	}
	return false;
}

static enum protection of_armour(struct span body)
{
	static const char begin[] = "-----BEGIN PGP ";
	const size_t length = sizeof(begin) - 1;
	const char *start = body.data;
	const char *hit;

	while ((hit = memmem(body.data, body.length, begin, length))) {
		const char *before = hit;
		struct span line;

		body.length -= (size_t)(hit - body.data);
		body.data = hit;
		span_line(&body, &line);
		while (before > start &&
			(before[-1] == ' ' || before[-1] == '\t'))
			before--;
		if ((before > start && before[-1] != '\n') ||
			!armour_follows(body))
			continue;
		line.data += length;
		line.length -= length;
		if (line.length >= 12 &&
			memcmp(line.data, "MESSAGE-----", 12) == 0)
			return PROTECTION_ENCRYPTED;
		if (line.length >= 19 &&
			memcmp(line.data, "SIGNED MESSAGE-----", 19) == 0)
			return PROTECTION_SIGNED;
	}
	return PROTECTION_NONE;
}

/* An armour may have gone through a transfer encoding like any text. */
static enum protection of_text(const struct mime_part *part)
{
	struct buf text = BUF_INIT(TEXT_BYTES);
	enum protection found;

	if (part->encoding == MIME_IDENTITY)
		return of_armour(part->body);
	mime_decode(&text, part->body, part->encoding);
	found = of_armour((struct span){buf_text(&text), text.length});
	buf_free(&text);
	return found;
}

static enum protection of_entity(struct span entity, unsigned depth)
{
	enum protection found;
	struct mime_part part;
	struct span child;

	mime_part_parse(&part, entity);
	found = of_type(&part.type, part.name);
	if (depth >= MIME_DEPTH)
		return found;
	if (mime_type_is(&part.type, "multipart", NULL)) {
		while (mime_next_part(&part.body, part.type.boundary, &child))
			found = protection_merge(
				found, of_entity(child, depth + 1));
		return found;
	}
	if (mime_type_is(&part.type, "message", "rfc822"))
		return protection_merge(found, of_entity(part.body, depth + 1));
	if (mime_type_is(&part.type, "text", NULL))
		found = protection_merge(found, of_text(&part));
	return found;
}

enum protection protection_from_message(const char *text, size_t length)
{
	return of_entity((struct span){text, length}, 0);
}
