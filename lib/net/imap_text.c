/* imap_text.c - see imap_text.h. */
#include "imap_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "buf.h"

/* Servers limit a command's line; longer strings travel as literals. */
#define QUOTED_MAX 512

static const struct {
	const char *code;
	enum err_kind kind;
} codes[] = {
	{"AUTHENTICATIONFAILED", ERR_AUTH},
	{"AUTHORIZATIONFAILED", ERR_AUTH},
	{"EXPIRED", ERR_AUTH},
	{"PRIVACYREQUIRED", ERR_AUTH},
	{"CONTACTADMIN", ERR_AUTH},
	{"UNAVAILABLE", ERR_THROTTLED},
	{"INUSE", ERR_THROTTLED},
	{"LIMIT", ERR_THROTTLED},
	{"THROTTLED", ERR_THROTTLED},
	{"SERVERBUG", ERR_PROTOCOL},
	{"CORRUPTION", ERR_REFUSED},
	{"NOPERM", ERR_REFUSED},
	{"NONEXISTENT", ERR_REFUSED},
	{"OVERQUOTA", ERR_LIMIT},
};

static const struct {
	const char *words;
	enum err_kind kind;
} phrases[] = {
	{"too many", ERR_THROTTLED},
	{"maximum number of connections", ERR_THROTTLED},
	{"connection limit", ERR_THROTTLED},
	{"try again", ERR_THROTTLED},
	{"try later", ERR_THROTTLED},
	{"temporar", ERR_THROTTLED},
	{"throttl", ERR_THROTTLED},
	{"rate limit", ERR_THROTTLED},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool imap_literal_at_end(
	const char *line, size_t length, struct imap_literal *literal)
{
	struct imap_literal found = {0, false};
	uint64_t unit = 1;
	bool digits = false;

	if (length && line[length - 1] == '\n')
		length--;
	if (length && line[length - 1] == '\r')
		length--;
	if (length < 3 || line[length - 1] != '}')
		return false;
	length--;
	if (line[length - 1] == '+') {
		found.at_once = true;
		length--;
	}
	for (; length && line[length - 1] >= '0' && line[length - 1] <= '9';
		length--) {
		uint64_t digit = (uint64_t)(line[length - 1] - '0');

		/* Twenty digits overflow: no server means that. */
		if (unit > UINT64_MAX / 100)
			return false;
		found.bytes += digit * unit;
		unit *= 10;
		digits = true;
	}
	if (!digits || !length || line[length - 1] != '{')
		return false;
	*literal = found;
	return true;
}

bool imap_quotable(const char *text)
{
	size_t length = 0;

	for (; text[length]; length++)
		if (text[length] < ' ' || text[length] > '~')
			return false;
	return length <= QUOTED_MAX;
}

int imap_quote(struct buf *buf, const char *text)
{
	int status = buf_append(buf, "\"", 1);

	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			status |= buf_append(buf, "\\", 1);
		status |= buf_append(buf, text, 1);
	}
	return status | buf_append(buf, "\"", 1) ? -1 : 0;
}

bool imap_has_code(const char *text, const char *code)
{
	size_t length = strlen(code);

	return text[0] == '[' && strncasecmp(text + 1, code, length) == 0 &&
		(text[1 + length] == ']' || text[1 + length] == ' ');
}

enum err_kind imap_error_kind(const char *text, enum err_kind fallback)
{
	size_t i;

	for (i = 0; i < COUNT(codes); i++)
		if (imap_has_code(text, codes[i].code))
			return codes[i].kind;
	for (i = 0; i < COUNT(phrases); i++)
		if (strcasestr(text, phrases[i].words))
			return phrases[i].kind;
	return fallback;
}

/* For free(). */
static char *base64(const void *data, size_t bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = data;
	char *text = xcalloc(bytes / 3 + 1, 4 + 1);
	char *out = text;
	size_t i;

	for (i = 0; i < bytes; i += 3) {
		unsigned three = (unsigned)in[i] << 16;

		if (i + 1 < bytes)
			three |= (unsigned)in[i + 1] << 8;
		if (i + 2 < bytes)
			three |= in[i + 2];
		*out++ = digits[three >> 18];
		*out++ = digits[three >> 12 & 63];
		*out++ = i + 1 < bytes ? digits[three >> 6 & 63] : '=';
		*out++ = i + 2 < bytes ? digits[three & 63] : '=';
	}
	return text;
}

char *imap_plain(const char *user, const char *password)
{
	size_t user_bytes = strlen(user);
	size_t bytes = user_bytes + strlen(password) + 2;
	char *secret = xcalloc(bytes + 1, 1);
	char *text;

	memcpy(secret + 1, user, user_bytes);
	memcpy(secret + user_bytes + 2, password, strlen(password));
	text = base64(secret, bytes);
	explicit_bzero(secret, bytes);
	free(secret);
	return text;
}
