/*
 * offline_print.c - see offline_print.h.
 */
#include "offline_print.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include "columns.h"
#include "err.h"
#include "store.h"
#include "store_message.h"
#include "units.h"

#define MARK_COLUMNS 6
#define NAME_COLUMNS 24
#define SIZE_COLUMNS 8

static const struct {
	const char *word;
	unsigned flag;
	char letter; /* of Maildir */
} flags_known[] = {
	{"\\Draft", STORE_FLAG_DRAFT, 'D'},
	{"\\Flagged", STORE_FLAG_FLAGGED, 'F'},
	{"\\Answered", STORE_FLAG_ANSWERED, 'R'},
	{"\\Seen", STORE_FLAG_SEEN, 'S'},
	{"\\Deleted", STORE_FLAG_DELETED, 'T'},
};
#define FLAGS (sizeof(flags_known) / sizeof(flags_known[0]))

int offline_fail(const char *verb, const struct err *err)
{
	fflush(stdout);
	fprintf(stderr, "sluice-agent %s: %s\n", verb, err->text);
	return err_exit_status(err);
}

int offline_end(const char *verb)
{
	bool failed = ferror(stdout);
	struct err err;

	if (fflush(stdout) != 0)
		err_set_errno(&err, "standard output");
	else if (failed)
		err_set(&err, ERR_IO,
			"standard output: not all of it could be written; is "
			"there room, and does anybody read it?");
	else
		return 0;
	return offline_fail(verb, &err);
}

int offline_run(const char *verb, const char *directory,
	int (*work)(struct store *store, void *request, struct err *err),
	void *request)
{
	struct err err = ERR_INIT;
	struct store *store = store_open(directory, STORE_READ, &err);
	int status;

	if (!store)
		return offline_fail(verb, &err);
	status = work(store, request, &err);
	store_close(store);
	return status < 0 ? offline_fail(verb, &err) : offline_end(verb);
}

/* Wide characters need a locale that knows them; the user's own is kept for
 * everything else. */
static void know_unicode(void)
{
	static bool known;

	if (!known && !setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
	known = true;
}

void print_cell(const char *text, unsigned width)
{
	size_t left = strlen(text);
	mbstate_t state = {0};
	unsigned used = 0;

	know_unicode();
	while (left) {
		wchar_t wide;
		size_t n = mbrtowc(&wide, text, left, &state);
		int columns;

		if (n == 0 || n > left) {
			n = 1;
			wide = L'?';
			memset(&state, 0, sizeof(state));
		}
		columns = wcwidth(wide);
		if (columns < 0) {
			wide = L'?';
			columns = 1;
		}
		if (width && used + (unsigned)columns > width)
			break;
		if (wide == L'?')
			putchar('?');
		else
			fwrite(text, 1, n, stdout);
		used += (unsigned)columns;
		text += n;
		left -= n;
	}
	for (; used < width; used++)
		putchar(' ');
}

char *print_date(int64_t seconds, char *text)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	memcpy(text, "-", 2);
	if (seconds != COLUMNS_NO_DATE && localtime_r(&time, &tm) &&
		strftime(text, 32, "%Y-%m-%d %H:%M", &tm) == 0)
		memcpy(text, "-", 2);
	return text;
}

char *flag_letters(unsigned flags, char *text)
{
	size_t used = 0;

	for (size_t i = 0; i < FLAGS; i++) {
		if (flags & flags_known[i].flag)
			text[used++] = flags_known[i].letter;
	}
	text[used] = '\0';
	return text;
}

char *flag_words(unsigned flags, char *text)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < FLAGS; i++) {
		if (flags & flags_known[i].flag)
			used += (size_t)snprintf(text + used, 64 - used, "%s%s",
				used ? " " : "", flags_known[i].word);
	}
	return text;
}

/* New, flagged, answered; whole or header; signed or encrypted; a file. */
static void marks_of(const struct store_row *row, char *marks)
{
	marks[0] = row->flags & STORE_FLAG_SEEN ? ' ' : 'N';
	marks[1] = row->flags & STORE_FLAG_FLAGGED ? '!' : ' ';
	marks[2] = row->flags & STORE_FLAG_ANSWERED ? 'R' : ' ';
	marks[3] = row->has_body ? 'F' : 'h';
	marks[4] = row->protection == PROTECTION_SIGNED	  ? 'S'
		: row->protection == PROTECTION_ENCRYPTED ? 'E'
							  : ' ';
	marks[5] = row->attachment ? '@' : ' ';
	marks[6] = '\0';
}

void print_row(const struct store_row *row, const char *folder)
{
	char marks[MARK_COLUMNS + 1];
	char size[UNITS_TEXT_BYTES];
	char date[32];

	marks_of(row, marks);
	units_format_bytes(row->size, size);
	printf("%7" PRId64 "  %s  %-16s  ", row->id, marks,
		print_date(row->date_s, date));
	print_cell(row->from, NAME_COLUMNS);
	printf("  %*s  ", SIZE_COLUMNS, size);
	if (folder) {
		print_cell(folder, 0);
		fputs(": ", stdout);
	}
	print_cell(row->subject, 0);
	putchar('\n');
}

void print_item(const struct store_item *item, const char *folder)
{
	char date[32] = "-";
	char id[24];

	if (item->start_us != PIM_NO_TIME)
		print_date(item->start_us / 1000000, date);
	snprintf(id, sizeof(id), "i%" PRId64, item->id);
	printf("%7s  %-*s  %-16s  ", id, MARK_COLUMNS + 1,
		pim_kind_name(item->kind), date);
	if (folder) {
		print_cell(folder, 0);
		fputs(": ", stdout);
	}
	print_cell(*item->summary ? item->summary : item->href, 0);
	if (*item->email) {
		fputs(" <", stdout);
		print_cell(item->email, 0);
		putchar('>');
	}
	putchar('\n');
}

static void print_json(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

void print_row_json(const struct store_row *row, const char *folder)
{
	char words[64];

	print_json(json_pack(
		"{s:I s:s s:I s:I s:I s:s s:s s:b s:b s:s s:s s:s s:s}", "id",
		(json_int_t)row->id, "folder", folder, "uid",
		(json_int_t)row->uid, "size", (json_int_t)row->size, "date",
		(json_int_t)row->date_s, "flags", flag_words(row->flags, words),
		"protection", protection_name(row->protection), "complete",
		row->has_body, "attachment", row->attachment, "from", row->from,
		"to", row->to, "subject", row->subject, "message_id",
		row->message_id));
}

static json_t *time_or_null(int64_t us)
{
	return us == PIM_NO_TIME ? json_null() : json_integer(us / 1000000);
}

void print_item_json(const struct store_item *item, const char *folder)
{
	char id[24];

	snprintf(id, sizeof(id), "i%" PRId64, item->id);
	print_json(json_pack("{s:s s:s s:s s:s s:s s:s s:s s:o s:o}", "id", id,
		"folder", folder, "kind", pim_kind_name(item->kind), "href",
		item->href, "uid", item->uid, "summary", item->summary, "email",
		item->email, "start", time_or_null(item->start_us), "end",
		time_or_null(item->end_us)));
}

bool offline_limit(const char *word, uint64_t *limit)
{
	char *end;

	*limit = strtoull(word, &end, 10);
	return !*end && *word >= '0' && *word <= '9';
}

bool offline_id(const char *word, bool *is_item, int64_t *id)
{
	char *end;

	*is_item = *word == 'i';
	word += *is_item;
	errno = 0;
	*id = strtoll(word, &end, 10);
	return !errno && *word >= '0' && *word <= '9' && !*end && *id > 0;
}

/* "calendar:Tasks" is meant where a mail folder has the same path. */
struct wanted {
	enum store_kind kind;
	const char *path;
	int64_t id;
};

static int match(const struct store_folder *folder, void *arg)
{
	struct wanted *wanted = arg;

	if (folder->kind == wanted->kind &&
		strcmp(folder->path, wanted->path) == 0)
		wanted->id = folder->id;
	return 0;
}

static int find_by_kind(struct store *store, const char *path,
	struct store_folder *folder, struct err *err)
{
	const char *colon = strchr(path, ':');

	for (int kind = STORE_KIND_MAIL; colon && kind <= STORE_KIND_CALENDAR;
		kind++) {
		const char *name = store_kind_name((enum store_kind)kind);
		struct wanted wanted = {(enum store_kind)kind, colon + 1, 0};

		if (strlen(name) != (size_t)(colon - path) ||
			strncmp(name, path, strlen(name)) != 0)
			continue;
		if (store_folder_each(store, match, &wanted, err) < 0)
			return -1;
		return wanted.id
			? store_folder_get(store, wanted.id, folder, err)
			: 0;
	}
	return 0;
}

int offline_folder(struct store *store, const char *path,
	struct store_folder *folder, struct err *err)
{
	int found = store_folder_by_path(store, path, folder, err);

	if (found == 0)
		found = find_by_kind(store, path, folder, err);
	if (found == 0)
		return err_set(err, ERR_USAGE,
			"%s: no such folder in the store; `sluice-agent ls` "
			"lists them",
			path);
	return found < 0 ? -1 : 0;
}
