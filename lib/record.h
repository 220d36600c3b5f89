/*
 * record.h - structs as JSON objects, by one table per struct.
 *
 * Serves the control link and the operator's interface: the table names each
 * key once for both directions. Decoding ignores unknown keys, refuses a
 * missing required key, a wrong type and a number that does not fit, and
 * names the key. Any thread.
 */
#ifndef SLUICE_RECORD_H
#define SLUICE_RECORD_H

#include <stdbool.h>
#include <stddef.h>

struct err;

#define RECORD_TEXT_MAX (8u << 20) /* a larger JSON text is refused */

enum record_type {
	RECORD_UINT,   /* uint64_t or unsigned; up to 2^63 - 1 on the wire */
	RECORD_INT,    /* int64_t or int */
	RECORD_DOUBLE, /* finite; anything else is sent as 0 */
	RECORD_BOOL,
	RECORD_TEXT,  /* char *, NULL is left out; ours after decoding */
	RECORD_WORD,  /* an enum counted from 0, sent by name */
	RECORD_TABLE, /* a nested struct */
	RECORD_ARRAY, /* pointer to structs and a size_t; ours after decoding */
};

struct record_field {
	size_t offset;
	size_t size;
	const char *key;
	enum record_type type;
	bool optional;		  /* may be missing: then 0 or NULL */
	size_t length_max;	  /* RECORD_TEXT bytes, RECORD_ARRAY elements */
	const char *const *words; /* RECORD_WORD */
	size_t word_count;
	const struct record_table *table; /* RECORD_TABLE, RECORD_ARRAY */
	size_t count_offset;		  /* RECORD_ARRAY */
};

struct record_table {
	size_t size;
	const struct record_field *fields; /* ends with a field without key */
};

#define RECORD_AT(type, member)                                                \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define RECORD_END                                                             \
	{                                                                      \
		.key = NULL                                                    \
	}

/* A JSON text for free(). */
char *record_encode(const struct record_table *table, const void *object);

/* Fills OBJECT, of any content; on failure nothing is left to free. */
int record_decode(const struct record_table *table, void *object,
	const char *text, struct err *err);
void record_free(const struct record_table *table, void *object);

#endif
