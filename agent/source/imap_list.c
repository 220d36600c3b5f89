/* imap_list.c - see imap_list.h. */
#include "imap_list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "buf.h"
#include "imap_name.h"

#define NAME_MAX_BYTES 4096
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))

struct cursor {
	const char *at, *end;
};

static const struct {
	const char *flag;
	enum special_use use;
} uses[] = {
	{"\\Drafts", SPECIAL_DRAFTS},
	{"\\Sent", SPECIAL_SENT},
	{"\\Trash", SPECIAL_TRASH},
	{"\\Junk", SPECIAL_JUNK},
	{"\\Archive", SPECIAL_ARCHIVE},
	{"\\All", SPECIAL_ALL},
	{"\\Flagged", SPECIAL_FLAGGED},
};

/* For servers without SPECIAL-USE; whole paths, any case. */
static const struct {
	const char *path;
	enum special_use use;
} known[] = {
	{"INBOX", SPECIAL_INBOX},
	{"Drafts", SPECIAL_DRAFTS},
	{"Sent", SPECIAL_SENT},
	{"Sent Items", SPECIAL_SENT},
	{"Sent Messages", SPECIAL_SENT},
	{"Trash", SPECIAL_TRASH},
	{"Deleted Items", SPECIAL_TRASH},
	{"Deleted Messages", SPECIAL_TRASH},
	{"Junk", SPECIAL_JUNK},
	{"Junk E-mail", SPECIAL_JUNK},
	{"Spam", SPECIAL_JUNK},
	{"Archive", SPECIAL_ARCHIVE},
};

static bool skip(struct cursor *c, char byte)
{
	if (c->at == c->end || *c->at != byte)
		return false;
	c->at++;
	return true;
}

static void spaces(struct cursor *c)
{
	while (skip(c, ' '))
		;
}

/* An atom up to a blank or parenthesis; 0 when there is none. */
static size_t atom(struct cursor *c, const char **start)
{
	*start = c->at;
	while (c->at < c->end && *c->at != ' ' && *c->at != '(' &&
		*c->at != ')')
		c->at++;
	return (size_t)(c->at - *start);
}

static bool is(const char *start, size_t length, const char *word)
{
	return strlen(word) == length && strncasecmp(start, word, length) == 0;
}

/* "{5}\r\nhello" or "{5+}\r\nhello". */
static char *literal(struct cursor *c)
{
	size_t bytes = 0;
	char *text;

	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		bytes = bytes * 10 + (size_t)(*c->at - '0');
		if (bytes > NAME_MAX_BYTES)
			return NULL;
	}
	(void)skip(c, '+');
	if (!skip(c, '}') || !skip(c, '\r') || !skip(c, '\n') ||
		(size_t)(c->end - c->at) < bytes)
		return NULL;
	text = xstrndup(c->at, bytes);
	c->at += bytes;
	return text;
}

/* A name: atom, quoted string or literal; for free(), NULL if none. */
static char *string(struct cursor *c)
{
	struct buf text = BUF_INIT(NAME_MAX_BYTES);
	const char *start;
	size_t length;

	if (skip(c, '{'))
		return literal(c);
	if (!skip(c, '"')) {
		/* Unquoted names with parentheses exist in the wild. */
		start = c->at;
		while (c->at < c->end && *c->at != ' ')
			c->at++;
		length = (size_t)(c->at - start);
		return length && length <= NAME_MAX_BYTES
			? xstrndup(start, length)
			: NULL;
	}
	buf_append(&text, "", 0);
	while (c->at < c->end && *c->at != '"') {
		if (*c->at == '\\' && c->at + 1 < c->end)
			c->at++;
		if (buf_append(&text, c->at++, 1) < 0)
			break;
	}
	if (skip(c, '"'))
		return text.data;
	buf_free(&text);
	return NULL;
}

static enum special_use use_of(const char *path, enum special_use flagged)
{
	const char *level = path;
	size_t i;

	if (strcasecmp(path, "INBOX") == 0)
		return SPECIAL_INBOX;
	if (flagged != SPECIAL_NONE)
		return flagged;
	/* Where everything lives under INBOX. */
	if (strncmp(path, "INBOX/", 6) == 0)
		level += 6;
	for (i = 0; i < COUNT(known); i++)
		if (strcasecmp(level, known[i].path) == 0)
			return known[i].use;
	return SPECIAL_NONE;
}

static enum collection_kind kind_of(const char *path, bool notes)
{
	const char *level = path;

	if (strncmp(path, "INBOX/", 6) == 0)
		level += 6;
	return notes || strcasecmp(level, "Notes") == 0 ? COLLECTION_NOTES
							: COLLECTION_MAIL;
}

struct flags {
	bool noselect, gone, notes;
	enum special_use use;
};

static bool read_flags(struct cursor *c, struct flags *flags)
{
	const char *start;
	size_t length;
	size_t i;

	if (!skip(c, '('))
		return false;
	for (spaces(c); (length = atom(c, &start)); spaces(c)) {
		if (is(start, length, "\\Noselect"))
			flags->noselect = true;
		else if (is(start, length, "\\NonExistent"))
			flags->noselect = flags->gone = true;
		else if (is(start, length, "\\XNotes"))
			flags->notes = true;
		for (i = 0; i < COUNT(uses); i++)
			if (is(start, length, uses[i].flag))
				flags->use = uses[i].use;
	}
	return skip(c, ')');
}

/* "\"/\"" or NIL; false when it is neither. */
static bool read_delimiter(struct cursor *c, char *delimiter)
{
	*delimiter = '\0';
	if (!skip(c, '"')) {
		const char *start = NULL;
		size_t length = atom(c, &start);

		return is(start, length, "NIL");
	}
	if (skip(c, '"'))
		return true;
	(void)skip(c, '\\');
	if (c->at == c->end)
		return false;
	*delimiter = *c->at++;
	return skip(c, '"');
}

/* The inbox by any case of it. */
static const char *name_of(const char *wire)
{
	return strcasecmp(wire, "INBOX") == 0 ? "INBOX" : wire;
}

static bool same_name(const char *a, const char *b)
{
	return strcmp(name_of(a), name_of(b)) == 0;
}

static struct imap_folder *find(struct imap_folders *folders, const char *wire)
{
	size_t i;

	for (i = 0; i < folders->count; i++) {
		size_t at = (folders->cursor + i) % folders->count;

		if (same_name(folders->folder[at].collection.wire, wire)) {
			folders->cursor = at + 1;
			return &folders->folder[at];
		}
	}
	return NULL;
}

/* No command can hold such a name but as a literal, if at all. */
static bool unspeakable(const char *wire, const char *sent, size_t bytes)
{
	return strpbrk(wire, "\r\n") || memchr(sent, '\0', bytes);
}

static bool take_list(struct imap_folders *folders, struct cursor *c)
{
	struct flags flags = {0};
	struct imap_folder *folder;
	const char *sent;
	char delimiter;
	bool odd;
	char *wire;

	if (!read_flags(c, &flags))
		return false;
	spaces(c);
	if (!read_delimiter(c, &delimiter))
		return false;
	spaces(c);
	sent = c->at;
	wire = string(c);
	if (!wire)
		return false;
	/* The root of a namespace has no name and no messages. */
	odd = unspeakable(wire, sent, (size_t)(c->at - sent));
	if (!*wire || odd || folders->count == IMAP_FOLDERS_MAX) {
		bool root = !*wire && !odd;

		free(wire);
		return root;
	}
	if (folders->count == folders->capacity) {
		folders->capacity = folders->capacity ? folders->capacity * 2
						      : 64;
		folders->folder = xrealloc(folders->folder, folders->capacity,
			sizeof(*folders->folder));
	}
	folder = &folders->folder[folders->count++];
	*folder = (struct imap_folder){.gone = flags.gone};
	folder->collection.wire = wire;
	folder->collection.path = imap_name_path(wire, delimiter);
	folder->collection.delimiter = delimiter;
	folder->collection.selectable = !flags.noselect;
	folder->collection.special = use_of(folder->collection.path, flags.use);
	folder->collection.kind = kind_of(folder->collection.path, flags.notes);
	return true;
}

static void set_state(struct collection *collection, const char *key,
	size_t length, uint64_t value)
{
	if (is(key, length, "MESSAGES"))
		collection->items = value;
	else if (is(key, length, "UIDNEXT") && value <= UINT32_MAX)
		collection->uid_next = (uint32_t)value;
	else if (is(key, length, "UIDVALIDITY") && value <= UINT32_MAX)
		collection->uid_validity = (uint32_t)value;
	else if (is(key, length, "HIGHESTMODSEQ"))
		collection->modseq = value;
	else if (is(key, length, "SIZE"))
		collection->bytes = value;
}

/* A value that is no number: "(id)" of MAILBOXID and the like. */
static void skip_value(struct cursor *c)
{
	unsigned depth = 0;

	do {
		if (*c->at == '(')
			depth++;
		else if (*c->at == ')' && depth)
			depth--;
		else if (!depth && (*c->at == ' ' || *c->at == ')'))
			return;
		c->at++;
	} while (c->at < c->end);
}

static bool take_status(struct imap_folders *folders, struct cursor *c)
{
	struct imap_folder *folder;
	const char *key;
	const char *value;
	size_t length;
	size_t digits;
	char number[24];
	char *wire = string(c);

	if (!wire)
		return false;
	folder = find(folders, wire);
	free(wire);
	spaces(c);
	if (!folder || !skip(c, '('))
		return false;
	for (spaces(c); (length = atom(c, &key)); spaces(c)) {
		spaces(c);
		if (c->at == c->end)
			return false;
		if (*c->at < '0' || *c->at > '9') {
			skip_value(c);
			continue;
		}
		digits = atom(c, &value);
		if (digits >= sizeof(number))
			continue;
		memcpy(number, value, digits);
		number[digits] = '\0';
		set_state(&folder->collection, key, length,
			strtoull(number, NULL, 10));
	}
	folder->collection.state_known = folder->collection.uid_validity != 0;
	return true;
}

/* "(prefix delimiter extension…)", whose first parenthesis is read. */
static bool take_space(struct imap_folders *folders, struct cursor *c,
	enum collection_space space)
{
	struct imap_space one = {string(c), '\0', space};
	unsigned depth = 1;
	bool quoted = false;

	spaces(c);
	if (!one.prefix || !read_delimiter(c, &one.delimiter) ||
		folders->space_count == IMAP_SPACES_MAX) {
		free(one.prefix);
		return false;
	}
	folders->spaces[folders->space_count++] = one;
	for (; c->at < c->end && depth; c->at++) {
		if (*c->at == '"')
			quoted = !quoted;
		else if (!quoted && *c->at == '(')
			depth++;
		else if (!quoted && *c->at == ')')
			depth--;
	}
	return !depth;
}

static bool take_namespace(struct imap_folders *folders, struct cursor *c)
{
	static const enum collection_space order[] = {
		SPACE_PERSONAL, SPACE_OTHER_USERS, SPACE_SHARED};
	const char *word;

	for (size_t i = 0; i < COUNT(order); i++) {
		spaces(c);
		if (!skip(c, '(')) {
			size_t length = atom(c, &word);

			if (!is(word, length, "NIL"))
				return false;
			continue;
		}
		for (spaces(c); skip(c, '('); spaces(c))
			if (!take_space(folders, c, order[i]))
				return false;
		if (!skip(c, ')'))
			return false;
	}
	return true;
}

/* Is WIRE in SPACE, or the folder at its top? */
static bool within(const struct imap_space *space, const char *wire)
{
	size_t length = strlen(space->prefix);
	bool inbox = strncasecmp(space->prefix, "INBOX", 5) == 0;

	if (length && space->prefix[length - 1] == space->delimiter &&
		strlen(wire) == length - 1)
		length--;
	return inbox ? strncasecmp(wire, space->prefix, length) == 0
		     : strncmp(wire, space->prefix, length) == 0;
}

/* The longest prefix decides; personal ones come first, so that they win a
 * draw. */
static enum collection_space space_of(
	const struct imap_folders *folders, const char *wire)
{
	const struct imap_space *found = NULL;

	if (strcasecmp(wire, "INBOX") == 0)
		return SPACE_PERSONAL;
	for (size_t i = 0; i < folders->space_count; i++) {
		const struct imap_space *space = &folders->spaces[i];

		if (within(space, wire) &&
			(!found ||
				strlen(space->prefix) > strlen(found->prefix)))
			found = space;
	}
	return found ? found->space : SPACE_PERSONAL;
}

/* By name, and among equals the one first whose state is known. */
static int by_name(const void *left, const void *right)
{
	const struct collection *a =
		&(*(struct imap_folder *const *)left)->collection;
	const struct collection *b =
		&(*(struct imap_folder *const *)right)->collection;

	int order = strcmp(name_of(a->wire), name_of(b->wire));

	if (order)
		return order;
	return a->state_known != b->state_known
		? b->state_known - a->state_known
		: (a > b) - (a < b);
}

/* What was named twice is there once. */
static void drop_doubles(struct imap_folders *folders)
{
	struct imap_folder **sorted = xcalloc(
		folders->count + 1, sizeof(struct imap_folder *));

	for (size_t i = 0; i < folders->count; i++)
		sorted[i] = &folders->folder[i];
	qsort(sorted, folders->count, sizeof(struct imap_folder *), by_name);
	for (size_t i = 1; i < folders->count; i++) {
		struct collection *one = &sorted[i]->collection;

		if (!same_name(sorted[i - 1]->collection.wire, one->wire))
			continue;
		sorted[i]->gone = true;
		one->selectable = false;
	}
	free(sorted);
}

void imap_folders_settle(struct imap_folders *folders)
{
	for (size_t i = 0; i < folders->count; i++) {
		struct collection *one = &folders->folder[i].collection;

		one->space = space_of(folders, one->wire);
	}
	drop_doubles(folders);
}

void imap_folders_take(
	struct imap_folders *folders, const char *text, size_t length)
{
	struct cursor c = {text, text + length};
	const char *word;
	size_t word_length = atom(&c, &word);
	bool understood = true;

	spaces(&c);
	if (is(word, word_length, "LIST")) {
		understood = take_list(folders, &c);
		folders->unread += !understood;
	} else if (is(word, word_length, "STATUS"))
		understood = take_status(folders, &c);
	else if (is(word, word_length, "NAMESPACE"))
		understood = take_namespace(folders, &c);
	folders->dropped += !understood;
}

void imap_folders_free(struct imap_folders *folders)
{
	size_t i;

	for (i = 0; i < folders->count; i++)
		collection_free(&folders->folder[i].collection);
	for (i = 0; i < folders->space_count; i++)
		free(folders->spaces[i].prefix);
	folders->space_count = 0;
	free(folders->folder);
	folders->folder = NULL;
	folders->count = folders->capacity = 0;
}
