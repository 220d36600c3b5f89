/*
 * mime.h - the small part of RFC 5322 and RFC 2045 that listing, showing and
 * indexing need.
 *
 * Works on spans of the caller's bytes; lines end in LF or CRLF; nothing is
 * trusted and nothing fails: what is broken reads as absent. Pure. Any
 * thread.
 */
#ifndef SLUICE_MIME_H
#define SLUICE_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

struct span {
	const char *data;
	size_t length;
};

/* Parts within parts are followed this far. */
#define MIME_DEPTH 16

struct mime_field {
	struct span name;  /* without the colon */
	struct span value; /* folded as it came, without the last line end */
};

/* Takes the next field off REST; false at the empty line, which is then
 * taken off too, and at the end. Lines that are no field are skipped. */
bool mime_next_field(struct span *rest, struct mime_field *field);

/* Content-Type and what a reader needs of it; lower case but for the
 * boundary; "" when absent. */
struct mime_type {
	char type[32];
	char subtype[64];
	char boundary[256];
	char charset[64];
	char smime_type[32];
	char x_action[32];
	char name[256]; /* of a file: as it came, or UTF-8 (RFC 2231) */
	bool has_name;
};

/* The default of RFC 2045 5.2 when VALUE is empty or broken. */
void mime_type_parse(struct mime_type *type, struct span value);

bool mime_type_is(
	const struct mime_type *type, const char *main, const char *subtype);

enum mime_encoding {
	MIME_IDENTITY, /* 7bit, 8bit, binary, and what we do not know */
	MIME_BASE64,
	MIME_QUOTED_PRINTABLE,
};

/* One entity: a message or a part. */
struct mime_part {
	struct mime_type type;
	enum mime_encoding encoding;
	bool attachment; /* Content-Disposition says so */
	char name[256];	 /* of the file, as in struct mime_type */
	struct span body;
};

void mime_part_parse(struct mime_part *part, struct span entity);

/* Takes the next part between delimiters of BOUNDARY off REST; false when
 * there is none. A missing last delimiter ends at the end. */
bool mime_next_part(struct span *rest, const char *boundary, struct span *part);

/* Decodes as far as OUT's limit. */
void mime_decode(
	struct buf *out, struct span data, enum mime_encoding encoding);

/* Whether NAME is VALUE, whatever the case. */
bool span_is(struct span name, const char *value);

/* The next line of REST without its end; false at the end. */
bool span_line(struct span *rest, struct span *line);

#endif
