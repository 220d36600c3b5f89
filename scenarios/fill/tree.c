/*
 * tree.c - lay out folders by depth and width, and spread the messages.
 *
 * Pure. Any thread.
 */
#include "tree.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "mailbox.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In this order, so that small trees already have the awkward names. */
static const char *const names[] = {"Sent", "Projects", "Entwürfe & Ablage",
	"Customers", "Заметки", "Archive", "Travel (2025)", "Lists", "日本語",
	"Invoices + Orders", "Team", "Über alles"};

/* How many folders a tree of this shape can hold, at most ENOUGH. */
static size_t capacity(unsigned width, unsigned depth, size_t enough)
{
	size_t level = 1, sum = 0;

	for (unsigned i = 0; i < depth && sum < enough; i++) {
		level *= width;
		sum += level;
	}
	return sum;
}

static char *child_path(const struct tree_folder *parent, size_t index)
{
	const char *name = names[index % COUNT(names)];
	size_t round = index / COUNT(names);
	char *leaf = round ? xasprintf("%s %zu", name, round + 1)
			   : xstrdup(name);
	char *path;

	if (!parent)
		return leaf;
	path = xasprintf("%s%c%s", parent->path, TREE_SEPARATOR, leaf);
	free(leaf);
	return path;
}

/* Breadth first: the folder at INDEX of the tree has its children at
 * WIDTH * (INDEX + 1) and after, as in a heap. */
static void lay_out(struct tree_folder *folder, size_t count, unsigned width)
{
	for (size_t i = 0; i < count; i++) {
		size_t parent = i / width;

		folder[i].path = child_path(
			parent ? &folder[parent - 1] : NULL, i);
	}
}

/* Folders are filled like real ones: the first much, the last little. */
static void spread(struct tree_folder *folder, size_t count, unsigned messages)
{
	double sum = 0, reached = 0;
	unsigned given = 0;

	for (size_t i = 0; i < count; i++)
		sum += 1 / (double)(i + 1);
	for (size_t i = 0; i < count; i++) {
		unsigned until;

		reached += 1 / (double)(i + 1);
		until = (unsigned)lround(messages * reached / sum);
		folder[i].messages = until - given;
		given = until;
	}
}

void tree_make(const struct mailbox *mailbox, struct tree *tree)
{
	unsigned width = mailbox->width;
	unsigned inbox = (unsigned)lround(mailbox->messages * mailbox->inbox);
	size_t others = mailbox->folders;

	if (!others)
		inbox = mailbox->messages;
	while (capacity(width, mailbox->depth, others) < others)
		width++;
	tree->count = 1 + others + (mailbox->mail_notes > 0);
	tree->folder = xcalloc(tree->count, sizeof(*tree->folder));
	tree->folder[0] = (struct tree_folder){xstrdup("INBOX"), inbox};
	lay_out(tree->folder + 1, others, width);
	spread(tree->folder + 1, others, mailbox->messages - inbox);
	if (mailbox->mail_notes)
		tree->folder[tree->count - 1] = (struct tree_folder){
			xstrdup("Notes"), mailbox->mail_notes};
}

void tree_free(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		free(tree->folder[i].path);
	free(tree->folder);
	*tree = (struct tree){NULL, 0};
}

/* The code point at *TEXT, which is valid UTF-8 of our own; moves on. */
static uint32_t code_point(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	unsigned more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
	uint32_t code = more ? *at & (0x3fu >> more) : *at;

	for (unsigned i = 1; i <= more; i++)
		code = code << 6 | (at[i] & 0x3f);
	*text += 1 + more;
	return code;
}

/* The bits of a shifted run, written as modified base64. */
struct shift {
	struct buf *out;
	uint32_t bits;
	unsigned pending;
};

static void shift_unit(struct shift *shift, unsigned unit)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+,";

	shift->bits = shift->bits << 16 | unit;
	shift->pending += 16;
	while (shift->pending >= 6) {
		shift->pending -= 6;
		(void)buf_append(shift->out,
			&digits[shift->bits >> shift->pending & 63], 1);
	}
}

static void shift_end(struct shift *shift)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+,";

	if (shift->pending)
		(void)buf_append(shift->out,
			&digits[shift->bits << (6 - shift->pending) & 63], 1);
	(void)buf_append(shift->out, "-", 1);
}

/* Append the run beyond ASCII that TEXT begins with; returns its end. */
static const char *shifted_run(const char *text, struct buf *out)
{
	struct shift shift = {out, 0, 0};

	(void)buf_append(out, "&", 1);
	while ((unsigned char)*text >= 0x80) {
		uint32_t code = code_point(&text);

		if (code >= 0x10000) {
			code -= 0x10000;
			shift_unit(&shift, 0xd800 | code >> 10);
			code = 0xdc00 | (code & 0x3ff);
		}
		shift_unit(&shift, code);
	}
	shift_end(&shift);
	return text;
}

void tree_server_name(
	const char *path, const char *prefix, char separator, struct buf *out)
{
	if (strcmp(path, "INBOX") != 0)
		(void)buf_append_text(out, prefix);
	while (*path) {
		if ((unsigned char)*path >= 0x80) {
			path = shifted_run(path, out);
			continue;
		}
		if (*path == '&')
			(void)buf_append(out, "&-", 2);
		else if (*path == TREE_SEPARATOR)
			(void)buf_append(out, &separator, 1);
		else
			(void)buf_append(out, path, 1);
		path++;
	}
}
