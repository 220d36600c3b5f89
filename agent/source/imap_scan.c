/*
 * imap_scan.c - see imap_scan.h. Pure.
 *
 * An answer is "(NAME value NAME value)". Values are numbers, strings or
 * nested lists; a literal splits the answer into lines, and the state that
 * survives from line to line is: which attribute, how deep.
 */
#include "imap_scan.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "imap_text.h"

enum attribute {
	ATTR_NONE, /* between values: a name comes next */
	ATTR_UID,
	ATTR_SIZE,
	ATTR_DATE,
	ATTR_MODSEQ,
	ATTR_FLAGS,
	ATTR_STRUCTURE,
	ATTR_BODY,
	ATTR_OTHER,
};

static const struct {
	const char *name;
	enum attribute attribute;
} names[] = {
	{"UID", ATTR_UID},
	{"RFC822.SIZE", ATTR_SIZE},
	{"INTERNALDATE", ATTR_DATE},
	{"MODSEQ", ATTR_MODSEQ},
	{"FLAGS", ATTR_FLAGS},
	{"BODYSTRUCTURE", ATTR_STRUCTURE},
	{"RFC822", ATTR_BODY},
	{"RFC822.HEADER", ATTR_BODY},
	{"RFC822.TEXT", ATTR_BODY},
};

struct cursor {
	const char *at, *end;
};

void imap_scan_init(struct imap_scan *scan)
{
	*scan = (struct imap_scan){0};
	scan->flags = BUF_INIT(SCAN_TEXT_MAX);
	scan->structure = BUF_INIT(SCAN_TEXT_MAX);
	scan->body = BUF_INIT(SCAN_TEXT_MAX);
	scan->other = BUF_INIT(SCAN_TEXT_MAX);
}

void imap_scan_free(struct imap_scan *scan)
{
	buf_free(&scan->flags);
	buf_free(&scan->structure);
	buf_free(&scan->body);
	buf_free(&scan->other);
}

void imap_scan_start(struct imap_scan *scan)
{
	struct buf flags = scan->flags;
	struct buf structure = scan->structure;
	struct buf body = scan->body;
	struct buf other = scan->other;

	buf_clear(&flags);
	buf_clear(&structure);
	buf_clear(&body);
	buf_clear(&other);
	*scan = (struct imap_scan){.flags = flags,
		.structure = structure,
		.body = body,
		.other = other};
}

static bool spoil(struct imap_scan *scan, const char *reason)
{
	if (!scan->spoilt)
		scan->reason = reason;
	scan->spoilt = true;
	return false;
}

static bool number(struct cursor *c, uint64_t *value)
{
	const char *start = c->at;
	uint64_t n = 0;

	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, *c->at - '0', &n))
			return false;
	}
	*value = n;
	return c->at > start;
}

static int month(const char *name)
{
	static const char all[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	int i;

	for (i = 0; i < 12; i++)
		if (strncasecmp(name, all + 3 * i, 3) == 0)
			return i + 1;
	return 0;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days(int64_t year, int month_of_year, int day)
{
	int64_t y = month_of_year > 2 ? year : year - 1;
	int64_t era = y / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year =
		(153 * (month_of_year + (month_of_year > 2 ? -3 : 9)) + 2) / 5 +
		day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
		of_year - 719468;
}

/* COUNT digits at most, at least one; -1 when there are none. */
static int digits(struct cursor *c, int count)
{
	int value = 0;
	int i;

	assert(c->at);
	for (i = 0;
		i < count && c->at < c->end && *c->at >= '0' && *c->at <= '9';
		i++)
		value = value * 10 + (*c->at++ - '0');
	return i ? value : -1;
}

static bool skip(struct cursor *c, char byte)
{
	if (c->at == c->end || *c->at != byte)
		return false;
	c->at++;
	return true;
}

int64_t imap_date(const char *text, size_t length)
{
	struct cursor c = {text, text + length};
	int day, mon, year, hour, minute, second, zone;
	bool west;

	(void)skip(&c, ' ');
	day = digits(&c, 2);
	if (day < 1 || day > 31 || !skip(&c, '-') || c.end - c.at < 3)
		return -1;
	mon = month(c.at);
	c.at += 3;
	if (!mon || !skip(&c, '-'))
		return -1;
	year = digits(&c, 4);
	if (!skip(&c, ' ') || (hour = digits(&c, 2)) < 0 || !skip(&c, ':') ||
		(minute = digits(&c, 2)) < 0 || !skip(&c, ':') ||
		(second = digits(&c, 2)) < 0 || !skip(&c, ' '))
		return -1;
	west = skip(&c, '-');
	if (year < 0 || (!west && !skip(&c, '+')) || (zone = digits(&c, 4)) < 0)
		return -1;
	zone = (zone / 100 * 60 + zone % 100) * 60;
	return days(year, mon, day) * 86400 + hour * 3600 + minute * 60 +
		second + (west ? zone : -zone);
}

/* Reads "NAME", "NAME[section]" or "NAME[section]<0>". */
static bool name(struct imap_scan *scan, struct cursor *c)
{
	const char *start = c->at;
	size_t length;
	size_t i;

	while (c->at < c->end && !strchr(" []()\"{", *c->at))
		c->at++;
	length = (size_t)(c->at - start);
	if (!length)
		return spoil(scan, "an attribute has no name");
	scan->attribute = ATTR_OTHER;
	if (skip(c, '[')) {
		if ((length == 4 && strncasecmp(start, "BODY", 4) == 0) ||
			(length == 6 && strncasecmp(start, "BINARY", 6) == 0))
			scan->attribute = ATTR_BODY;
		while (c->at < c->end && *c->at != ']')
			c->at++;
		if (!skip(c, ']'))
			return spoil(scan, "a section does not end");
		while (c->at < c->end && *c->at != ' ')
			c->at++;
	} else {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strlen(names[i].name) == length &&
				strncasecmp(names[i].name, start, length) == 0)
				scan->attribute = (int)names[i].attribute;
	}
	while (skip(c, ' '))
		;
	scan->in_value = false;
	scan->depth = 0;
	return true;
}

static bool is_nil(struct cursor *c)
{
	assert(c->at);
	if (c->end - c->at < 3 || strncasecmp(c->at, "NIL", 3) != 0)
		return false;
	c->at += 3;
	return true;
}

/* A quoted string without its quotes and escapes goes to TEXT. */
static bool quoted(struct imap_scan *scan, struct cursor *c, struct buf *text)
{
	if (!skip(c, '"'))
		return spoil(scan, "a string does not begin");
	while (c->at < c->end && *c->at != '"') {
		if (*c->at == '\\' && c->at + 1 < c->end)
			c->at++;
		if (buf_append(text, c->at++, 1) < 0)
			return spoil(scan, "a string is too long");
	}
	return skip(c, '"') || spoil(scan, "a string does not end");
}

static bool date(struct imap_scan *scan, struct cursor *c)
{
	struct buf text = BUF_INIT(64);
	bool ok = is_nil(c) || quoted(scan, c, &text);

	if (ok && text.data) {
		scan->received_s = imap_date(text.data, text.length);
		scan->has_date = scan->received_s >= 0;
	}
	buf_free(&text);
	return ok;
}

static bool flags(struct imap_scan *scan, struct cursor *c)
{
	const char *close;

	if (!skip(c, '('))
		return spoil(scan, "FLAGS is no list");
	close = memchr(c->at, ')', (size_t)(c->end - c->at));
	if (!close)
		return spoil(scan, "FLAGS does not end");
	buf_clear(&scan->flags);
	if (buf_append(&scan->flags, c->at, (size_t)(close - c->at)) < 0)
		return spoil(scan, "FLAGS is too long");
	c->at = close + 1;
	return true;
}

static bool scalar(struct imap_scan *scan, struct cursor *c)
{
	uint64_t value = 0;
	bool nested = scan->attribute == ATTR_MODSEQ && skip(c, '(');

	/* Said, and not known. */
	if (scan->attribute == ATTR_SIZE && is_nil(c))
		return scan->has_size = true;
	if (!number(c, &value))
		return spoil(scan, "a number is none");
	if (nested && !skip(c, ')'))
		return spoil(scan, "MODSEQ does not end");
	if (scan->attribute == ATTR_MODSEQ) {
		scan->modseq = value;
	} else if (scan->attribute == ATTR_SIZE) {
		scan->size = value;
		scan->has_size = true;
	} else {
		if (!value || value > UINT32_MAX)
			return spoil(scan, "a UID out of range");
		scan->uid = (uint32_t)value;
		scan->has_uid = true;
	}
	return true;
}

/* Where the literal at the end of the line begins. */
static const char *literal_start(const struct cursor *c)
{
	const char *at = memrchr(c->at, '{', (size_t)(c->end - c->at));

	if (!at)
		return c->end;
	return at > c->at && at[-1] == '~' ? at - 1 : at;
}

/* How far a quoted string goes, quotes and escapes kept; NULL: no end. */
static const char *quoted_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at < end ? at + 1 : NULL;
}

/*
 * A value of any shape, kept as sent in TEXT. Returns whether it is
 * complete; if not, a literal comes or the answer is spoilt.
 */
static bool nested(struct imap_scan *scan, struct cursor *c, struct buf *text,
	const char *literal)
{
	const char *start = c->at;
	const char *next;

	if (scan->in_value && !scan->depth)
		return true; /* its literal was all of it */
	for (; c->at < c->end; c->at = next) {
		next = c->at + 1;
		if (c->at == literal) {
			next = c->end;
		} else if (*c->at == '"') {
			next = quoted_end(c->at, c->end);
			if (!next)
				return spoil(scan, "a string does not end");
		} else if (*c->at == '(') {
			scan->depth++;
		} else if (*c->at == ')' || *c->at == ' ') {
			if (!scan->depth)
				break;
			scan->depth -= *c->at == ')';
		}
		if (next == c->end && c->at == literal) {
			scan->in_value = true;
			if (buf_append(text, start, (size_t)(next - start)) ||
				buf_append(text, "\r\n", 2))
				spoil(scan, "a value is too long");
			c->at = next;
			return false;
		}
		if (!scan->depth && (*c->at == ')' || *c->at == '"')) {
			c->at = next;
			break;
		}
	}
	if (scan->depth)
		return spoil(scan, "parentheses do not match");
	if (buf_append(text, start, (size_t)(c->at - start)) < 0)
		return spoil(scan, "a value is too long");
	return c->at > start || spoil(scan, "a value is missing");
}

/* Whether the value is complete; if not as in nested(). */
static bool value(struct imap_scan *scan, struct cursor *c, const char *literal)
{
	struct buf *text = &scan->other;

	switch ((enum attribute)scan->attribute) {
	case ATTR_UID:
	case ATTR_SIZE:
	case ATTR_MODSEQ:
		return scalar(scan, c);
	case ATTR_DATE:
		return date(scan, c);
	case ATTR_FLAGS:
		return flags(scan, c);
	case ATTR_BODY:
		if (scan->in_value)
			return true;
		scan->in_value = c->at < c->end && c->at == literal;
		if (scan->in_value)
			return false;
		if (scan->has_body)
			return is_nil(c) || quoted(scan, c, text);
		scan->has_body = true;
		scan->body_quoted = true;
		return is_nil(c) || quoted(scan, c, &scan->body);
	case ATTR_STRUCTURE:
		text = &scan->structure;
		break;
	case ATTR_NONE:
	case ATTR_OTHER:
		break;
	}
	return nested(scan, c, text, literal);
}

/* Walk one line. True at the end of the answer. */
static bool walk(struct imap_scan *scan, struct cursor *c, const char *literal)
{
	if (!scan->open && !skip(c, '('))
		return spoil(scan, "a FETCH answer is no list");
	scan->open = true;
	for (;;) {
		if (scan->attribute == ATTR_NONE) {
			while (skip(c, ' '))
				;
			if (skip(c, ')'))
				break;
			if (!name(scan, c))
				return false;
		}
		if (!value(scan, c, literal))
			return false;
		scan->attribute = ATTR_NONE;
		buf_clear(&scan->other);
	}
	while (skip(c, ' '))
		;
	return c->at == c->end || spoil(scan, "text after the answer");
}

static enum scan_step literal_step(struct imap_scan *scan)
{
	if (scan->spoilt)
		return SCAN_SPOILT;
	if (scan->attribute != ATTR_BODY)
		return SCAN_TEXT;
	if (scan->has_body)
		return SCAN_SKIP;
	scan->has_body = true;
	return SCAN_BODY;
}

enum scan_step imap_scan_line(
	struct imap_scan *scan, const char *line, size_t length)
{
	struct imap_literal literal = {0, false};
	struct cursor c = {line, line + length};
	bool has_literal = imap_literal_at_end(line, length, &literal);
	bool end = false;

	if (c.end > c.at && c.end[-1] == '\n')
		c.end--;
	if (c.end > c.at && c.end[-1] == '\r')
		c.end--;
	if (!scan->spoilt)
		end = walk(scan, &c, has_literal ? literal_start(&c) : c.end);
	if (end && !has_literal)
		return SCAN_END;
	if (!has_literal) {
		spoil(scan, "the answer ends early");
		return SCAN_BAD;
	}
	if (end)
		spoil(scan, "text after the answer");
	scan->literal_bytes = literal.bytes;
	return literal_step(scan);
}

void imap_scan_text(struct imap_scan *scan, const char *data, size_t bytes)
{
	struct buf *text = scan->attribute == ATTR_STRUCTURE ? &scan->structure
							     : &scan->other;

	if (!scan->spoilt && buf_append(text, data, bytes) < 0)
		spoil(scan, "a value is too long");
}
