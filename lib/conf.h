/*
 * conf.h - YAML files read against one table per struct.
 *
 * The table of a struct is the only place where a key exists: it gives the
 * key, its type, range, default and meaning, so that an error can say
 * "FILE:LINE:COLUMN: key: what was expected, what was found; next step" and
 * the reference documentation is printed from it. A field that the file does
 * not name gets its default; a nested table that the file does not name gets
 * the defaults of its fields, and its required keys are then not required.
 * Anchors, aliases, tags and several documents in one file are refused, size
 * and depth are capped. Any thread.
 */
#ifndef SLUICE_CONF_H
#define SLUICE_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

struct err;
struct conf_field;

#define CONF_FILE_BYTES_MAX (4u << 20)

enum conf_type {
	CONF_STRING,   /* char *, not empty */
	CONF_PATH,     /* char *, made relative to the file's folder */
	CONF_BOOL,     /* bool: true, false, yes, no */
	CONF_INT,      /* an integer of any width, within min..max */
	CONF_NUMBER,   /* double, within min..max */
	CONF_DURATION, /* int64_t, microseconds: 250ms 2s 10m 1h */
	CONF_BYTES,    /* uint64_t: 20MB 16KiB */
	CONF_RATE,     /* uint64_t, bytes a second: 1.5MB/s 100Mbit/s */
	CONF_PERCENT,  /* double, a ratio: 60% is 0.6 */
	CONF_FACTOR,   /* double: 3x is 3.0 */
	CONF_ENUM,     /* an enum counted from 0, named by words */
	CONF_TEXT,     /* what parse() makes of a scalar; owns no memory */
	CONF_TABLE,    /* a nested struct */
	CONF_LIST,     /* array of elements and a size_t */
	CONF_MAP,      /* the same with the key in each element; file order */
};

/* A struct. CHECK, if any, sees it filled, may complete what no field names,
 * and refuses with err_set(); the place in the file is put before its text:
 * that of the key whose path below the table the text begins with, as
 * "imap.port: …", and in a list that of the element the text then begins
 * with; else the table's. What it made it frees itself when it refuses. */
struct conf_table {
	const char *name; /* heading of its chapter in the reference */
	const char *text; /* what it describes, one or two sentences */
	size_t size;
	const struct conf_field *fields; /* ends with a field without key */
	int (*check)(void *object, struct err *err);
};

/* One key; made with the macros below and designated initialisers, as in
 * {CONF_AT(struct account, user), "user", CONF_STRING, "the mailbox user",
 *  .required = true}. */
struct conf_field {
	size_t offset;
	size_t size;
	const char *key;
	enum conf_type type;
	const char *text; /* one line for the reference */
	bool required;
	const char *fallback; /* the default, as it would stand in the file */
	double min, max;      /* both 0: no range */
	const char *const *words; /* CONF_ENUM: ends with NULL; CONF_PATH: what
				     is no path and stays as it is */
	int (*parse)(const char *text, void *field, struct err *err);
	const struct conf_table *table; /* CONF_TABLE */

	/* CONF_LIST, CONF_MAP: one element is ELEMENT_SIZE bytes and read as
	 * ELEMENT says; COUNT_OFFSET is in the outer struct, NAME_OFFSET (a
	 * char *, the key of a map) in the element. */
	const struct conf_field *element;
	size_t element_size;
	size_t count_offset;
	size_t name_offset;
};

#define CONF_AT(type, member)                                                  \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define CONF_END                                                               \
	{                                                                      \
		.key = NULL                                                    \
	}

/* Fill OBJECT, table->size bytes of any content, from the file at PATH. On
 * failure nothing is left to free. */
int conf_load(const struct conf_table *table, void *object, const char *path,
	struct err *err);

/* The same from memory. NAME stands for the file in errors, FOLDER is what
 * CONF_PATH is relative to. */
int conf_parse(const struct conf_table *table, void *object, const char *text,
	size_t length, const char *name, const char *folder, struct err *err);

/* Release the strings and arrays that loading made; OBJECT itself stays the
 * caller's and is zeroed. */
void conf_free(const struct conf_table *table, void *object);

/* Append the reference in Markdown: a chapter for TABLE and one for every
 * table below it. */
void conf_document(const struct conf_table *table, struct buf *out);

#endif
