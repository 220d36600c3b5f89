/* utf8.c - see utf8.h. RFC 3629. */
#include "utf8.h"

#include <stdint.h>

static size_t announced(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

static uint32_t decode(const char *text, size_t length)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = (unsigned char)*text & masks[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

size_t utf8_length(const char *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = announced((unsigned char)*text);
	uint32_t code;

	for (size_t i = 1; i < length; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	if (!length)
		return 0;
	code = decode(text, length);
	if (code < least[length] || code > 0x10ffff ||
		(code >= 0xd800 && code < 0xe000))
		return 0;
	return length;
}

bool utf8_printable(const char *text, size_t length)
{
	uint32_t code = length ? decode(text, length) : 0;

	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	/* marks and embeddings of direction, separators, the byte order mark */
	if (code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
		(code >= 0x2028 && code <= 0x202e) ||
		(code >= 0x2060 && code <= 0x206f) || code == 0xfeff)
		return false;
	return code < 0xfff0 || code > 0xffff;
}
