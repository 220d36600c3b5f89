/*
 * alloc.h - memory that is either there or ends the process.
 *
 * No caller handles running out of memory: a load test that goes on with
 * half its state would print a wrong batch size. Sizes that come from the
 * network or a file are capped by the caller before they get here. All
 * memory is zeroed and released with free(). Any thread.
 */
#ifndef SLUICE_ALLOC_H
#define SLUICE_ALLOC_H

#include <stddef.h>

void *xcalloc(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull));

/* Grows POINTER to COUNT elements; the new part is not zeroed. */
void *xrealloc(void *pointer, size_t count, size_t size)
	__attribute__((returns_nonnull));

/* NULL stays NULL. */
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length)
	__attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), returns_nonnull));

#endif
