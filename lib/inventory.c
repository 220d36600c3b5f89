/*
 * inventory.c - see inventory.h.
 *
 * Under controller/config and agent/fleet. Any thread.
 */
#include "inventory.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "inventory_yaml.h"
#include "units.h"

#define NAME_BYTES_MAX 80
#define FILE_BYTES_MAX (32u << 20)

int inventory_check_name(const char *name, struct err *err)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_BYTES_MAX)
		return err_set(err, ERR_CONFIG,
			"client name '%.100s': expected 1 to %d characters",
			name, NAME_BYTES_MAX);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || strchr("/\\\"'", *p))
			return err_set(err, ERR_CONFIG,
				"client name '%.100s': spaces, slashes and "
				"quotes are not allowed",
				name);
	return 0;
}

static struct inventory_row *add_row(struct inventory *inventory)
{
	struct inventory_row *row;

	/* The capacity is the power of two at or above the count. */
	if ((inventory->count & (inventory->count - 1)) == 0)
		inventory->rows = xrealloc(inventory->rows,
			inventory->count ? inventory->count * 2 : 1,
			sizeof(*row));
	row = &inventory->rows[inventory->count++];
	*row = (struct inventory_row){.client = NULL};
	return row;
}

void inventory_free(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++) {
		free(inventory->rows[i].client);
		free(inventory->rows[i].mailbox);
		free(inventory->rows[i].password_file);
		free(inventory->rows[i].store);
	}
	free(inventory->rows);
	*inventory = (struct inventory){.rows = NULL};
}

/* ---- range */

/* Split "u001" into "u" and 1 with 3 digits; -1 when it has no number. */
static int split_name(
	const char *text, size_t length, size_t *prefix, unsigned long *number)
{
	size_t i = length;

	while (i > 0 && isdigit((unsigned char)text[i - 1]))
		i--;
	if (i == length || length - i > 9)
		return -1;
	*prefix = i;
	*number = 0;
	for (; i < length; i++)
		*number = *number * 10 + (unsigned long)(text[i] - '0');
	return 0;
}

struct range {
	const char *text;
	size_t prefix;
	int digits; /* of the first number */
	unsigned long first, last;
};

static int parse_range(const char *text, struct range *range, struct err *err)
{
	const char *dots = strstr(text, "..");
	size_t last_prefix = 0;

	*range = (struct range){.text = text};
	if (!dots ||
		split_name(text, (size_t)(dots - text), &range->prefix,
			&range->first) < 0 ||
		split_name(dots + 2, strlen(dots + 2), &last_prefix,
			&range->last) < 0 ||
		range->prefix != last_prefix ||
		strncmp(text, dots + 2, last_prefix) != 0 ||
		range->last < range->first)
		return err_set(err, ERR_CONFIG,
			"expected FIRST..LAST with one prefix, as u001..u024, "
			"found '%.100s'",
			text);
	if (range->last - range->first >= INVENTORY_MAX)
		return err_set(err, ERR_CONFIG,
			"expected at most %d clients, found '%.100s'; make a "
			"rollout of each part",
			INVENTORY_MAX, text);
	range->digits = (int)((size_t)(dots - text) - range->prefix);
	return 0;
}

int inventory_check_range(const char *text, struct err *err)
{
	struct range range;

	return parse_range(text, &range, err);
}

int inventory_expand(
	struct inventory *inventory, const char *text, struct err *err)
{
	struct range range;

	*inventory = (struct inventory){.rows = NULL};
	if (parse_range(text, &range, err) < 0)
		return -1;
	for (unsigned long i = range.first; i <= range.last; i++)
		add_row(inventory)->client = xasprintf("%.*s%0*lu",
			(int)range.prefix, range.text, range.digits, i);
	if (inventory_check_name(inventory->rows->client, err) == 0)
		return 0;
	inventory_free(inventory);
	return -1;
}

/* ---- file */

enum column_type {
	COLUMN_TEXT,
	COLUMN_PATH, /* from the file's folder; "none" stays */
	COLUMN_RATE,
	COLUMN_BYTES,
	COLUMN_DURATION,
};

struct column {
	const char *name;
	enum column_type type;
	size_t offset;
};

static const struct column columns[] = {
	{"client", COLUMN_TEXT, offsetof(struct inventory_row, client)},
	{"mailbox", COLUMN_TEXT, offsetof(struct inventory_row, mailbox)},
	{"link", COLUMN_RATE, offsetof(struct inventory_row, link_bytes_s)},
	{"size", COLUMN_BYTES, offsetof(struct inventory_row, size_bytes)},
	{"password_file", COLUMN_PATH,
		offsetof(struct inventory_row, password_file)},
	{"store", COLUMN_PATH, offsetof(struct inventory_row, store)},
	{"start", COLUMN_DURATION, offsetof(struct inventory_row, start_us)},
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(*columns))
#define COLUMNS_MAX  32

struct reader {
	const char *path;
	size_t folder; /* bytes of PATH up to its last slash */
	unsigned line;
	const struct column *columns[COLUMNS_MAX]; /* NULL: not read */
	unsigned column_count;
};

/* The next field of a line, with the surrounding spaces and quotes taken
 * off; NULL after the last. */
static char *next_field(char **line)
{
	char *field = *line, *end;

	if (!field)
		return NULL;
	end = strchr(field, ',');
	*line = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	while (isspace((unsigned char)*field))
		field++;
	end = field + strlen(field);
	while (end > field && isspace((unsigned char)end[-1]))
		*--end = '\0';
	if (*field == '"' && end > field + 1 && end[-1] == '"') {
		end[-1] = '\0';
		field++;
	}
	return field;
}

static int read_heading(struct reader *reader, char *line, struct err *err)
{
	bool named = false;
	char *field;

	/* Spreadsheets begin a file in UTF-8 with a byte order mark. */
	if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3;
	while ((field = next_field(&line))) {
		size_t i = 0;

		while (i < COLUMN_COUNT && strcmp(columns[i].name, field) != 0)
			i++;
		if (reader->column_count == COLUMNS_MAX)
			return err_set(err, ERR_CONFIG,
				"%s:1: more than %d columns", reader->path,
				COLUMNS_MAX);
		reader->columns[reader->column_count++] = i < COLUMN_COUNT
			? &columns[i]
			: NULL;
		named = named || i == 0;
	}
	return named ? 0
		     : err_set(err, ERR_CONFIG,
			       "%s:1: no column is called client; the first "
			       "line names the columns, with commas",
			       reader->path);
}

static int read_field(const struct reader *reader, const struct column *column,
	const char *field, struct inventory_row *row, struct err *err)
{
	void *at = (char *)row + column->offset;
	bool absolute = *field == '/' || strcmp(field, "none") == 0;

	switch (column->type) {
	case COLUMN_RATE:
		return units_parse_rate(field, at, err);
	case COLUMN_BYTES:
		return units_parse_bytes(field, at, err);
	case COLUMN_DURATION:
		return units_parse_duration(field, at, err);
	case COLUMN_TEXT:
	case COLUMN_PATH:
		break;
	}
	free(*(char **)at);
	if (column->type == COLUMN_PATH && !absolute)
		*(char **)at = xasprintf(
			"%.*s%s", (int)reader->folder, reader->path, field);
	else
		*(char **)at = xstrdup(field);
	return 0;
}

static int read_row(struct inventory *inventory, const struct reader *reader,
	char *line, struct err *err)
{
	struct inventory_row *row = add_row(inventory);
	char *field;
	int status = 0;

	row->line = reader->line;
	for (unsigned i = 0; !status && (field = next_field(&line)); i++)
		if (i < reader->column_count && reader->columns[i] && *field)
			status = read_field(
				reader, reader->columns[i], field, row, err);
	if (!status)
		status = inventory_check_name(
			row->client ? row->client : "", err);
	return status ? err_context(err, "%s:%u", reader->path, reader->line)
		      : 0;
}

static int read_lines(struct inventory *inventory, struct reader *reader,
	FILE *file, struct err *err)
{
	char *line = NULL;
	size_t capacity = 0, bytes = 0;
	ssize_t length;
	int status = 0;

	while (!status && (length = getline(&line, &capacity, file)) >= 0) {
		reader->line++;
		bytes += (size_t)length;
		if (bytes > FILE_BYTES_MAX || inventory->count > INVENTORY_MAX)
			status = err_set(err, ERR_LIMIT,
				"%s:%u: more than %d clients or 32 MiB",
				reader->path, reader->line, INVENTORY_MAX);
		else if (reader->line == 1)
			status = read_heading(reader, line, err);
		else if (line[strspn(line, " \t\r\n")])
			status = read_row(inventory, reader, line, err);
	}
	if (!status && ferror(file))
		status = err_set_errno(err, "%s", reader->path);
	free(line);
	return status;
}

static int compare_rows(const void *left, const void *right)
{
	const struct inventory_row *const *a = left;
	const struct inventory_row *const *b = right;
	int order = strcmp((*a)->client, (*b)->client);

	return order ? order : (*a)->line < (*b)->line ? -1 : 1;
}

static int check_unique(
	const struct inventory *inventory, const char *path, struct err *err)
{
	const struct inventory_row **sorted = xcalloc(
		inventory->count + 1, sizeof(struct inventory_row *));
	int status = 0;

	for (size_t i = 0; i < inventory->count; i++)
		sorted[i] = &inventory->rows[i];
	qsort(sorted, inventory->count, sizeof(*sorted), compare_rows);
	for (size_t i = 1; !status && i < inventory->count; i++)
		if (strcmp(sorted[i - 1]->client, sorted[i]->client) == 0)
			status = err_set(err, ERR_CONFIG,
				"%s: %s stands twice, in lines %u and %u; "
				"remove one",
				path, sorted[i]->client, sorted[i - 1]->line,
				sorted[i]->line);
	free(sorted);
	return status;
}

static int load_csv(
	struct inventory *inventory, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	struct reader reader = {
		.path = path,
		.folder = slash ? (size_t)(slash - path) + 1 : 0,
	};
	FILE *file = fopen(path, "re");
	int status;

	if (!file) {
		err_set_errno(err, "%s", path);
		if (err)
			err->kind = ERR_CONFIG;
		return -1;
	}
	status = read_lines(inventory, &reader, file, err);
	(void)fclose(file);
	return status;
}

/* A list in YAML has no lines; its places count instead. */
static int load_yaml(
	struct inventory *inventory, const char *path, struct err *err)
{
	if (inventory_load_yaml(inventory, path, err) < 0)
		return -1;
	for (size_t i = 0; i < inventory->count; i++) {
		inventory->rows[i].line = (unsigned)i + 1;
		if (inventory_check_name(inventory->rows[i].client, err) < 0)
			return err_context(err, "%s: client %zu", path, i + 1);
	}
	return 0;
}

int inventory_load(
	struct inventory *inventory, const char *path, struct err *err)
{
	int status;

	*inventory = (struct inventory){.rows = NULL};
	status = inventory_is_yaml(path) ? load_yaml(inventory, path, err)
					 : load_csv(inventory, path, err);
	if (!status)
		status = check_unique(inventory, path, err);
	if (status)
		inventory_free(inventory);
	return status;
}
