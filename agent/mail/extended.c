/*
 * Parameter values in pieces, see extended.h; used by mime.c for the names of
 * files. Pure.
 */
#include "extended.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "charset.h"

void extended_init(struct extended *extended)
{
	memset(extended->there, 0, sizeof(extended->there));
}

void extended_add(
	struct extended *extended, const char *suffix, const char *value)
{
	size_t number = 0;
	bool coded;

	if (*suffix++ != '*')
		return;
	/* "*" alone is a single piece, with its coding. */
	coded = !*suffix;
	while (isdigit((unsigned char)*suffix) && number < EXTENDED_PIECES)
		number = number * 10 + (size_t)(*suffix++ - '0');
	coded |= strcmp(suffix, "*") == 0;
	if ((*suffix && !coded) || number >= EXTENDED_PIECES)
		return;
	extended->there[number] = true;
	extended->coded[number] = coded;
	(void)snprintf(
		extended->pieces[number], EXTENDED_PIECE_BYTES, "%s", value);
}

static int hex(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0'
					 : tolower((unsigned char)c) - 'a' + 10;
}

static void append_coded(struct buf *bytes, const char *text)
{
	for (; *text; text++) {
		int high = *text == '%' ? hex(text[1]) : -1;
		int low = high < 0 ? -1 : hex(text[2]);
		char c = *text;

		if (low >= 0) {
			c = (char)(high * 16 + low);
			text += 2;
		}
		buf_append(bytes, &c, 1);
	}
}

/* "charset'language'" in front of the first piece goes to CHARSET. */
static const char *after_charset(const char *text, char *charset, size_t size)
{
	const char *quote = strchr(text, '\'');
	const char *second = quote ? strchr(quote + 1, '\'') : NULL;

	if (!second)
		return text;
	(void)snprintf(charset, size, "%.*s", (int)(quote - text), text);
	return second + 1;
}

bool extended_join(const struct extended *extended, char *out, size_t size)
{
	struct buf bytes = BUF_INIT(EXTENDED_PIECES * EXTENDED_PIECE_BYTES);
	struct buf text = BUF_INIT(EXTENDED_PIECES * EXTENDED_PIECE_BYTES * 4);
	char charset[64] = "";
	size_t length;
	size_t i;

	if (!extended->there[0])
		return false;
	for (i = 0; i < EXTENDED_PIECES && extended->there[i]; i++) {
		const char *piece = extended->pieces[i];

		if (extended->coded[i] && i == 0)
			piece = after_charset(piece, charset, sizeof(charset));
		if (extended->coded[i])
			append_coded(&bytes, piece);
		else
			buf_append(&bytes, piece, strlen(piece));
	}
	charset_append(
		&text, (struct span){buf_text(&bytes), bytes.length}, charset);
	length = charset_cut(buf_text(&text), text.length, size - 1);
	memcpy(out, buf_text(&text), length);
	out[length] = '\0';
	buf_free(&bytes);
	buf_free(&text);
	return true;
}
