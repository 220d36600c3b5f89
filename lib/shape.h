/*
 * shape.h - structs as JSON objects, by one table per struct.
 *
 * Serves the control link and the operator's interface: the table names each
 * key once for both directions. Decoding ignores unknown keys, refuses a
 * missing required key, a wrong type and a number that does not fit, and
 * names the key. Any thread.
 */
#ifndef SLUICE_SHAPE_H
#define SLUICE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

struct err;

#define SHAPE_TEXT_MAX (8u << 20) /* a larger JSON text is refused */

enum shape_type {
	SHAPE_UINT,   /* uint64_t or unsigned; up to 2^63 - 1 on the wire */
	SHAPE_INT,    /* int64_t or int */
	SHAPE_DOUBLE, /* finite; anything else is sent as 0 */
	SHAPE_BOOL,
	SHAPE_TEXT,  /* char *, NULL is left out; ours after decoding */
	SHAPE_WORD,  /* an enum counted from 0, sent by name */
	SHAPE_TABLE, /* a nested struct */
	SHAPE_ARRAY, /* pointer to structs and a size_t; ours after decoding */
};

struct shape_field {
	size_t offset;
	size_t size;
	const char *key;
	enum shape_type type;
	bool optional;		  /* may be missing: then 0 or NULL; an array
				     of none is left out */
	size_t length_max;	  /* SHAPE_TEXT bytes, SHAPE_ARRAY elements */
	const char *const *words; /* SHAPE_WORD */
	size_t word_count;
	const struct shape_table *table; /* SHAPE_TABLE, SHAPE_ARRAY */
	size_t count_offset;		 /* SHAPE_ARRAY */
};

struct shape_table {
	size_t size;
	const struct shape_field *fields; /* ends with a field without key */
};

#define SHAPE_AT(type, member)                                                 \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define SHAPE_END                                                              \
	{                                                                      \
		.key = NULL                                                    \
	}

/* A JSON text for free(). */
char *shape_encode(const struct shape_table *table, const void *object);

/* Fills OBJECT, of any content; on failure nothing is left to free. */
int shape_decode(const struct shape_table *table, void *object,
	const char *text, struct err *err);
void shape_free(const struct shape_table *table, void *object);

#endif
