/*
 * offline_files.c - mbox, Maildir, iCalendar and vCard files of `sluice-agent
 * export`. See offline_export.h.
 */
#include "offline_export.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "err.h"
#include "offline_print.h"
#include "store.h"

/* ----------------------------------------------------------------- files */

int export_prepare(struct export *export)
{
	if (export->directory && mkdir(export->directory, 0700) < 0 &&
		errno != EEXIST)
		return err_set_errno(export->err, "%s", export->directory);
	return 0;
}

static bool taken(const struct export *export, const char *name)
{
	for (size_t i = 0; i < export->name_count; i++) {
		if (strcmp(export->names[i], name) == 0)
			return true;
	}
	return false;
}

static char *plain_name(const char *path, unsigned number, const char *suffix)
{
	char *name = number > 1
		? xasprintf("%.200s-%u%s", path, number, suffix)
		: xasprintf("%.200s%s", *path ? path : "_", suffix);

	for (char *c = name; *c; c++) {
		if (*c == '/' || (unsigned char)*c < ' ' || *c == 0x7f ||
			(c == name && *c == '.'))
			*c = '_';
	}
	return name;
}

const char *export_name(
	struct export *export, const char *path, const char *suffix)
{
	char *name = plain_name(path, 1, suffix);

	for (unsigned number = 2; taken(export, name); number++) {
		free(name);
		name = plain_name(path, number, suffix);
	}
	export->names = xrealloc(
		export->names, export->name_count + 1, sizeof(*export->names));
	export->names[export->name_count++] = name;
	return name;
}

void export_end(struct export *export)
{
	for (size_t i = 0; i < export->name_count; i++)
		free(export->names[i]);
	free(export->names);
}

int export_open(
	struct export *export, struct export_file *file, const char *name)
{
	int fd;

	file->name = xasprintf("%s/%s", export->directory, name);
	file->partial = xasprintf("%s.partial", file->name);
	fd = open(
		file->partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	file->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (file->file)
		return 0;
	err_set_errno(export->err, "%s", file->partial);
	free(file->name);
	free(file->partial);
	return -1;
}

int export_close(struct export *export, struct export_file *file, int status)
{
	bool written = !ferror(file->file);

	if (fclose(file->file) != 0)
		written = false;
	if (status == 0 && (!written || rename(file->partial, file->name) < 0))
		status = err_set_errno(export->err, "%s", file->name);
	if (status < 0)
		unlink(file->partial);
	free(file->name);
	free(file->partial);
	return status;
}

/* ------------------------------------------------------------------ mbox */

struct rows {
	struct export *export;
	struct export_file file;
	const char *maildir;
};

/* mboxrd: a line of any number of '>' and "From " gets one '>' more. CRLF
 * becomes LF, as everything that reads mbox expects. */
struct quoting {
	FILE *out;
	unsigned angles; /* held back at the start of a line */
	size_t matched;	 /* of "From " */
	bool line_start;
	bool cr;
};

static void flush_held(struct quoting *quoting, bool quote)
{
	if (quote)
		putc('>', quoting->out);
	for (; quoting->angles; quoting->angles--)
		putc('>', quoting->out);
	fwrite("From ", 1, quoting->matched, quoting->out);
	quoting->matched = 0;
	quoting->line_start = false;
}

static void put_plain(struct quoting *quoting, char c)
{
	if (quoting->cr && c != '\n')
		putc('\r', quoting->out);
	quoting->cr = c == '\r';
	if (!quoting->cr)
		putc(c, quoting->out);
	quoting->line_start = c == '\n';
}

static void put_quoted(struct quoting *quoting, char c)
{
	if (quoting->line_start) {
		if (c == '>' && !quoting->matched) {
			quoting->angles++;
			return;
		}
		if (c == "From "[quoting->matched]) {
			if (++quoting->matched == 5)
				flush_held(quoting, true);
			return;
		}
		flush_held(quoting, false);
	}
	put_plain(quoting, c);
}

static int copy_mbox(struct rows *rows, int64_t id)
{
	struct store_reader *reader = store_read_open(
		rows->export->store, id, STORE_PART_BODY, rows->export->err);
	struct quoting quoting = {.out = rows->file.file, .line_start = true};
	char data[16384];
	ssize_t n;

	if (!reader)
		return -1;
	while ((n = store_read(reader, data, sizeof(data), rows->export->err)) >
		0) {
		for (ssize_t i = 0; i < n; i++)
			put_quoted(&quoting, data[i]);
	}
	store_read_close(reader);
	if (quoting.line_start && (quoting.angles || quoting.matched))
		flush_held(&quoting, false);
	if (!quoting.line_start)
		putc('\n', quoting.out);
	putc('\n', quoting.out);
	return n < 0 ? -1 : 0;
}

/* The address in "Name <address>", for the line before a message. */
static void put_sender(FILE *out, const char *from)
{
	const char *start = strrchr(from, '<');
	size_t length;

	start = start ? start + 1 : from;
	length = strcspn(start, "> \t");
	if (length)
		fprintf(out, "%.*s", (int)length, start);
	else
		fputs("MAILER-DAEMON", out);
}

static int mbox_row(const struct store_row *row, void *arg)
{
	struct rows *rows = arg;
	time_t time = (time_t)row->internal_date_s;
	struct tm tm = {0};
	char date[64] = "";

	if (!row->has_body) {
		rows->export->skipped++;
		return 0;
	}
	gmtime_r(&time, &tm);
	strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm);
	fputs("From ", rows->file.file);
	put_sender(rows->file.file, row->from);
	fprintf(rows->file.file, " %s\n", date);
	rows->export->count++;
	return copy_mbox(rows, row->id);
}

int export_mbox(struct export *export, const struct store_folder *folder)
{
	struct rows rows = {.export = export};
	const char *name = export_name(export, folder->path, ".mbox");
	int status = export_open(export, &rows.file, name);

	if (status < 0)
		return -1;
	status = store_rows(
		export->store, folder->id, 0, mbox_row, &rows, export->err);
	return export_close(export, &rows.file, status);
}

/* --------------------------------------------------------------- Maildir */

static int copy_bytes(struct rows *rows, int64_t id)
{
	struct store_reader *reader = store_read_open(
		rows->export->store, id, STORE_PART_BODY, rows->export->err);
	char data[16384];
	ssize_t n;

	if (!reader)
		return -1;
	while ((n = store_read(reader, data, sizeof(data), rows->export->err)) >
		0)
		fwrite(data, 1, (size_t)n, rows->file.file);
	store_read_close(reader);
	return n < 0 ? -1 : 0;
}

static int maildir_row(const struct store_row *row, void *arg)
{
	struct rows *rows = arg;
	char letters[64];
	char *name;
	int status;

	if (!row->has_body) {
		rows->export->skipped++;
		return 0;
	}
	name = xasprintf("%s/%s/%" PRId64 ".%" PRId64 ".sluice:2,%s",
		rows->maildir, row->flags ? "cur" : "new", row->internal_date_s,
		row->id, flag_letters(row->flags, letters));
	status = export_open(rows->export, &rows->file, name);
	free(name);
	if (status < 0)
		return -1;
	rows->export->count++;
	return export_close(
		rows->export, &rows->file, copy_bytes(rows, row->id));
}

static int make_maildir(struct export *export, const char *name)
{
	static const char *const parts[] = {"", "/cur", "/new", "/tmp"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *path = xasprintf(
			"%s/%s%s", export->directory, name, parts[i]);
		int failed = mkdir(path, 0700) < 0 && errno != EEXIST;

		if (failed)
			err_set_errno(export->err, "%s", path);
		free(path);
		if (failed)
			return -1;
	}
	return 0;
}

int export_maildir(struct export *export, const struct store_folder *folder)
{
	const char *name = export_name(export, folder->path, "");
	struct rows rows = {.export = export, .maildir = name};
	int status = make_maildir(export, name);

	if (status == 0)
		status = store_rows(export->store, folder->id, 0, maildir_row,
			&rows, export->err);
	return status;
}

/* ----------------------------------------------------------------- items */

/* Objects one after another: a stream of them is what RFC 5545 3.4 and RFC
 * 6350 3.3 define. */
static int item_text(const struct store_item *item, void *arg)
{
	struct rows *rows = arg;
	size_t length;
	char *text = store_item_text(
		rows->export->store, item->id, &length, rows->export->err);

	if (!text)
		return -1;
	fwrite(text, 1, length, rows->file.file);
	if (length && text[length - 1] != '\n')
		fputs("\r\n", rows->file.file);
	free(text);
	rows->export->count++;
	return 0;
}

int export_items(struct export *export, const struct store_folder *folder)
{
	struct rows rows = {.export = export};
	const char *name = export_name(export, folder->path,
		export->format == EXPORT_ICS ? ".ics" : ".vcf");
	int status = export_open(export, &rows.file, name);

	if (status < 0)
		return -1;
	status = store_item_each(
		export->store, folder->id, item_text, &rows, export->err);
	return export_close(export, &rows.file, status);
}
