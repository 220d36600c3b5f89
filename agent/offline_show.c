/*
 * offline_show.c - `sluice-agent show ID`: one message or item, as text, as
 * its header, or byte for byte. Reads the store only.
 */
#include "offline.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "columns.h"
#include "err.h"
#include "offline_print.h"
#include "store.h"
#include "text.h"

/* A message is read this far to be shown as text; --raw has no limit. */
#define SHOW_BYTES (16 * 1024 * 1024)
#define TEXT_BYTES (4 * 1024 * 1024)

struct request {
	const char *word;
	int64_t id;
	bool is_item;
	enum {
		SHOW_TEXT,
		SHOW_RAW,
		SHOW_HEADERS
	} how;
	struct store *store;
	bool has_body;
};

static const struct argp_option options[] = {
	{"raw", 'r', NULL, 0, "The stored bytes as they are", 0},
	{"headers", 'H', NULL, 0, "The header block as it is", 0},
	{0},
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'r':
		request->how = SHOW_RAW;
		return 0;
	case 'H':
		request->how = SHOW_HEADERS;
		return 0;
	case ARGP_KEY_ARG:
		if (request->word ||
			!offline_id(word, &request->is_item, &request->id))
			argp_error(state,
				"%s: expected one number as `ls` shows it",
				word);
		request->word = word;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "give the number of a message or an item");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID",
	.doc = "Show a message or an item of the local database. IDs are those "
	       "of `ls` and `search`.",
};

static int copy_out(
	struct store *store, int64_t id, enum store_part part, struct err *err)
{
	struct store_reader *reader = store_read_open(store, id, part, err);
	char data[65536];
	ssize_t n;

	if (!reader)
		return -1;
	while ((n = store_read(reader, data, sizeof(data), err)) > 0) {
		if (fwrite(data, 1, (size_t)n, stdout) != (size_t)n)
			break; /* offline_end() says why */
	}
	store_read_close(reader);
	return n < 0 ? -1 : 0;
}

/* Up to the empty line of a message whose header was never fetched apart. */
static int headers_of_body(struct request *request, struct err *err)
{
	struct store_reader *reader = store_read_open(
		request->store, request->id, STORE_PART_BODY, err);
	char data[65536];
	char last = '\n';
	ssize_t n;

	if (!reader)
		return -1;
	while ((n = store_read(reader, data, sizeof(data), err)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			bool line_end = data[i] == '\n' && last == '\n';

			putchar(data[i]);
			if (line_end)
				goto done;
			if (data[i] != '\r')
				last = data[i];
		}
	}
done:
	store_read_close(reader);
	return n < 0 ? -1 : 0;
}

static int show_headers(struct request *request, struct err *err)
{
	struct err ignored;
	struct store_reader *reader = store_read_open(
		request->store, request->id, STORE_PART_HEADER, &ignored);

	if (!reader)
		return headers_of_body(request, err);
	store_read_close(reader);
	return copy_out(request->store, request->id, STORE_PART_HEADER, err);
}

static void field(const char *name, const char *value)
{
	if (!*value)
		return;
	printf("%-9s", name);
	print_cell(value, 0);
	putchar('\n');
}

static int show_columns(const struct store_row *row, void *arg)
{
	struct request *request = arg;
	char date[32];

	request->has_body = row->has_body;
	field("From:", row->from);
	field("To:", row->to);
	field("Date:", print_date(row->date_s, date));
	field("Subject:", row->subject);
	if (row->protection == PROTECTION_SIGNED ||
		row->protection == PROTECTION_ENCRYPTED)
		field("Mail:", protection_name(row->protection));
	return 0;
}

static int show_text(struct request *request, struct err *err)
{
	struct buf text = BUF_INIT(TEXT_BYTES);
	struct store_reader *reader;
	size_t length = 0;
	size_t size;
	ssize_t n = 0;
	char *data;

	if (!request->has_body) {
		puts("\n[Only the header of this message is stored.]");
		return 0;
	}
	reader = store_read_open(
		request->store, request->id, STORE_PART_BODY, err);
	if (!reader)
		return -1;
	size = store_read_length(reader) < SHOW_BYTES
		? (size_t)store_read_length(reader)
		: SHOW_BYTES;
	data = xcalloc(1, size + 1);
	while (length < size &&
		(n = store_read(reader, data + length, size - length, err)) > 0)
		length += (size_t)n;
	text_from_message(&text, data, length, true);
	putchar('\n');
	fwrite(buf_text(&text), 1, text.length, stdout);
	if (store_read_length(reader) > length || text.length == TEXT_BYTES)
		puts("[cut here; --raw has all of it]");
	buf_free(&text);
	free(data);
	store_read_close(reader);
	return n < 0 ? -1 : 0;
}

static int show_message(struct request *request, struct err *err)
{
	int found;

	switch (request->how) {
	case SHOW_RAW:
		return copy_out(
			request->store, request->id, STORE_PART_BODY, err);
	case SHOW_HEADERS:
		return show_headers(request, err);
	default:
		break;
	}
	found = store_row(
		request->store, request->id, show_columns, request, err);
	if (found == 0)
		return err_set(err, ERR_USAGE,
			"there is no message %s; `ls FOLDER` shows the numbers",
			request->word);
	return found < 0 ? -1 : show_text(request, err);
}

static int show_item(struct request *request, struct err *err)
{
	size_t length;
	char *text = store_item_text(request->store, request->id, &length, err);

	if (!text)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\r' || request->how == SHOW_RAW)
			putchar(text[i]);
	}
	free(text);
	return 0;
}

static int show(struct store *store, void *context, struct err *err)
{
	struct request *request = context;

	request->store = store;
	return request->is_item ? show_item(request, err)
				: show_message(request, err);
}

int verb_show(const char *directory, int argc, char **argv)
{
	struct request request = {0};

	argp_parse(&argp, argc, argv, 0, NULL, &request);
	return offline_run("show", directory, show, &request);
}
