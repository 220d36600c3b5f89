/*
 * flags.c - words to bits and keywords.
 *
 * Used by the lanes, to see what changed, and by the writer. Pure.
 */
#include "flags.h"

#include "buf.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	unsigned bit;
} words[] = {
	{"\\Seen", STORE_FLAG_SEEN},
	{"\\Answered", STORE_FLAG_ANSWERED},
	{"\\Flagged", STORE_FLAG_FLAGGED},
	{"\\Deleted", STORE_FLAG_DELETED},
	{"\\Draft", STORE_FLAG_DRAFT},
	{"\\Recent", 0},
};

static void keyword(struct buf *keywords, const char *word, size_t length)
{
	if (!keywords)
		return;
	if (keywords->length)
		buf_append_text(keywords, " ");
	buf_append(keywords, word, length);
}

unsigned flags_parse(const char *text, struct buf *keywords)
{
	unsigned flags = 0;

	while (text && *text) {
		size_t length = strcspn(text, " ");
		size_t i;

		for (i = 0; i < sizeof words / sizeof *words; i++)
			if (strlen(words[i].word) == length &&
				strncasecmp(words[i].word, text, length) == 0)
				break;
		if (i < sizeof words / sizeof *words)
			flags |= words[i].bit;
		else if (length)
			keyword(keywords, text, length);
		text += length;
		text += strspn(text, " ");
	}
	return flags;
}
