/*
 * conf_private.h - between the parts of conf: the reader of files, the
 * converter of scalars and the printer of the reference.
 */
#ifndef SLUICE_CONF_PRIVATE_H
#define SLUICE_CONF_PRIVATE_H

#include "conf.h"

/* Convert TEXT to FIELD's type at AT (field->size bytes). PLAIN: it stood
 * without quotes. FOLDER serves CONF_PATH and may be NULL. The error says
 * what was expected and found, without the place. */
int conf_scalar(const struct conf_field *field, void *at, const char *text,
	bool plain, const char *folder, struct err *err);

/* What a field of this type looks like, for errors: "a duration, as 10m". */
const char *conf_expected(const struct conf_field *field);

/* Where OBJECT counts the elements of FIELD; NULL: it has none. */
size_t *conf_count(const struct conf_field *field, void *object);

#endif
