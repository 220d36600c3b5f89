/*
 * imap_reader.c - see imap_reader.h. Runs on the thread of the source; the
 * inner loop of the whole synchronisation is pass_body().
 */
#include "imap_reader.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "err.h"
#include "imap_text.h"
#include "stream.h"

/* A list of half a million UIDs fits. */
#define TEXT_MAX (16u * 1024 * 1024)
#define RAW_MAX	 (64u * 1024)
/* One line of a FETCH answer: a BODYSTRUCTURE of thousands of parts. */
#define LINE_MAX (STREAM_BUFFER_BYTES - 4096)
/* Literals that are no body: names in a BODYSTRUCTURE. */
#define FETCH_TEXT_MAX (1024u * 1024)

void imap_reader_init(struct imap_reader *reader, struct stream *stream)
{
	reader->stream = stream;
	reader->text = BUF_INIT(TEXT_MAX);
	reader->raw = BUF_INIT(RAW_MAX);
	imap_scan_init(&reader->scan);
}

void imap_reader_free(struct imap_reader *reader)
{
	buf_free(&reader->text);
	buf_free(&reader->raw);
	imap_scan_free(&reader->scan);
}

/* As much as fits; what was cut off is only missed by a person. */
static void keep_raw(struct imap_reader *reader, const char *data, size_t bytes)
{
	size_t room = RAW_MAX - reader->raw.length;

	(void)buf_append(&reader->raw, data, bytes < room ? bytes : room);
}

enum pass_to {
	PASS_NOWHERE,
	PASS_SINK,
	PASS_SCAN,
	PASS_RAW,
};

/* Move a literal of BYTES bytes from the stream to where it belongs. */
static int pass_literal(struct imap_reader *reader, uint64_t bytes,
	enum pass_to to, const struct body_sink *sink, struct err *err)
{
	const char *data;
	size_t piece;

	while (bytes) {
		piece = stream_peek(reader->stream, &data);
		if (!piece) {
			if (stream_fill(reader->stream, 0, err) < 0)
				return -1;
			continue;
		}
		if (piece > bytes)
			piece = (size_t)bytes;
		if (to == PASS_SINK &&
			sink->data(sink->context, data, piece, err) < 0)
			return -1;
		if (to == PASS_SCAN)
			imap_scan_text(&reader->scan, data, piece);
		if (to == PASS_RAW)
			keep_raw(reader, data, piece);
		stream_consume(reader->stream, piece);
		bytes -= piece;
	}
	return 0;
}

static int pass_quoted(struct imap_reader *reader, const struct body_sink *sink,
	struct err *err)
{
	const struct buf *body = &reader->scan.body;
	int take = sink->begin(sink->context, &reader->scan, body->length, err);

	if (take <= 0 || !body->length)
		return take;
	return sink->data(sink->context, body->data, body->length, err);
}

/* After a line that ended in a literal. */
static int pass_step(struct imap_reader *reader, enum scan_step step,
	const struct body_sink *sink, struct err *err)
{
	struct imap_scan *scan = &reader->scan;
	enum pass_to to = PASS_NOWHERE;
	int take;

	if (step == SCAN_BODY) {
		take = sink->begin(
			sink->context, scan, scan->literal_bytes, err);
		if (take < 0)
			return -1;
		to = take ? PASS_SINK : PASS_NOWHERE;
	} else if (step == SCAN_SPOILT) {
		to = PASS_RAW;
	} else if (step == SCAN_TEXT) {
		to = PASS_SCAN;
		if (scan->literal_bytes > FETCH_TEXT_MAX)
			return err_set(err, ERR_PROTOCOL,
				"%s: a name of %llu bytes",
				stream_name(reader->stream),
				(unsigned long long)scan->literal_bytes);
	}
	return pass_literal(reader, scan->literal_bytes, to, sink, err);
}

int imap_read_fetch(struct imap_reader *reader, const struct body_sink *sink,
	struct err *err)
{
	enum scan_step step;
	const char *line;
	size_t length;

	imap_scan_start(&reader->scan);
	buf_clear(&reader->raw);
	for (;;) {
		if (stream_line(reader->stream, &line, &length, LINE_MAX, err) <
			0)
			return -1;
		step = imap_scan_line(&reader->scan, line, length);
		keep_raw(reader, line, length);
		stream_consume(reader->stream, length);
		if (step == SCAN_BAD)
			return 0;
		if (step == SCAN_END)
			break;
		if (pass_step(reader, step, sink, err) < 0)
			return -1;
	}
	if (reader->scan.body_quoted && pass_quoted(reader, sink, err) < 0)
		return -1;
	return 1;
}

/* "* 12 FETCH (" : how many bytes come before the parenthesis; 0 if the
 * line is something else. */
static size_t fetch_prefix(const char *line, size_t length)
{
	size_t at = 2;

	if (length < 10 || line[0] != '*' || line[1] != ' ')
		return 0;
	while (at < length && line[at] >= '0' && line[at] <= '9')
		at++;
	if (at == 2 || length - at < 7 ||
		strncasecmp(line + at, " FETCH ", 7) != 0)
		return 0;
	return at + 7;
}

/* Whether an answer ends in words for people: "* OK", "F3 NO". What looks like
 * a literal in them is none. */
static bool is_prose(const struct buf *text)
{
	static const char *const words[] = {"OK ", "NO ", "BAD ", "BYE "};
	const char *start = buf_text(text);

	if (strncmp(start, "* ", 2) != 0)
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncasecmp(start + 2, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* Gather a line of any length up to the cap, then its literals. */
static int gather(struct imap_reader *reader, struct err *err)
{
	struct imap_literal literal;
	struct buf *text = &reader->text;
	const char *data;
	const char *end;
	size_t held;
	size_t piece;
	size_t line_start = 0;

	buf_clear(text);
	for (;;) {
		held = stream_peek(reader->stream, &data);
		end = held ? memchr(data, '\n', held) : NULL;
		piece = end ? (size_t)(end - data) + 1 : held;
		if (buf_append(text, data, piece) < 0)
			goto too_long;
		stream_consume(reader->stream, piece);
		if (!end) {
			if (stream_fill(reader->stream, 0, err) < 0)
				return -1;
			continue;
		}
		if (is_prose(text) ||
			!imap_literal_at_end(text->data + line_start,
				text->length - line_start, &literal))
			return 0;
		while (literal.bytes) {
			held = stream_peek(reader->stream, &data);
			piece = held < literal.bytes ? held
						     : (size_t)literal.bytes;
			if (buf_append(text, data, piece) < 0)
				goto too_long;
			stream_consume(reader->stream, piece);
			literal.bytes -= piece;
			if (literal.bytes &&
				stream_fill(reader->stream, 0, err) < 0)
				return -1;
		}
		line_start = text->length;
	}
too_long:
	return err_set(err, ERR_LIMIT, "%s: an answer of more than %u bytes",
		stream_name(reader->stream), TEXT_MAX);
}

static int tagged(
	struct imap_reader *reader, struct answer *answer, struct err *err)
{
	const char *text = buf_text(&reader->text);
	char word[4] = "";
	int used = 0;

	answer->kind = ANSWER_TAGGED;
	if (sscanf(text, "F%u %3s%n", &answer->tag, word, &used) != 2)
		return err_set(err, ERR_PROTOCOL,
			"%s: expected an answer and got \"%.60s\"",
			stream_name(reader->stream), text);
	if (strcasecmp(word, "OK") == 0)
		answer->status = ANSWER_OK;
	else if (strcasecmp(word, "NO") == 0)
		answer->status = ANSWER_NO;
	else
		answer->status = ANSWER_BAD;
	answer->text = text + used + (text[used] == ' ');
	answer->length = strlen(answer->text);
	return 0;
}

int imap_read_answer(
	struct imap_reader *reader, struct answer *answer, struct err *err)
{
	const char *data;
	size_t held;
	size_t prefix;
	struct buf *text = &reader->text;

	/* The longest prefix is "* 4294967295 FETCH ". */
	do {
		held = stream_peek(reader->stream, &data);
		if (held >= 20 || (held && memchr(data, '\n', held)))
			break;
	} while (stream_fill(reader->stream, held, err) == 0);
	held = stream_peek(reader->stream, &data);
	if (held < 20 && !(held && memchr(data, '\n', held)))
		return -1;
	prefix = fetch_prefix(data, held);
	if (prefix) {
		stream_consume(reader->stream, prefix);
		answer->kind = ANSWER_FETCH;
		return 0;
	}
	if (gather(reader, err) < 0)
		return -1;
	while (text->length &&
		(text->data[text->length - 1] == '\n' ||
			text->data[text->length - 1] == '\r'))
		text->data[--text->length] = '\0';
	if (text->length < 2 || text->data[0] != '*' || text->data[1] != ' ')
		return tagged(reader, answer, err);
	answer->kind = ANSWER_UNTAGGED;
	answer->text = text->data + 2;
	answer->length = text->length - 2;
	return 0;
}
