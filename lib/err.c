/*
 * err.c - error values. Pure; no allocation, so that it also works when
 * memory is what ran out. Any thread.
 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Here the functions themselves are meant. */
#undef err_set
#undef err_set_errno
#undef err_context
#undef err_hint

static const struct {
	const char *name;
	enum err_retry retry;
} kinds[] = {
	[ERR_NONE] = {"none", ERR_RETRY_NEVER},
	[ERR_USAGE] = {"usage", ERR_RETRY_NEVER},
	[ERR_CONFIG] = {"config", ERR_RETRY_NEVER},
	[ERR_IO] = {"io", ERR_RETRY_NEVER},
	[ERR_DISK_FULL] = {"disk_full", ERR_RETRY_NEVER},
	[ERR_LOCKED] = {"locked", ERR_RETRY_NEVER},
	[ERR_DATABASE] = {"database", ERR_RETRY_NEVER},
	[ERR_NETWORK] = {"network", ERR_RETRY_SOON},
	[ERR_TIMEOUT] = {"timeout", ERR_RETRY_SOON},
	[ERR_TLS] = {"tls", ERR_RETRY_NEVER},
	[ERR_AUTH] = {"auth", ERR_RETRY_NEVER},
	[ERR_PROTOCOL] = {"protocol", ERR_RETRY_SOON},
	[ERR_REFUSED] = {"refused", ERR_RETRY_NEVER},
	[ERR_THROTTLED] = {"throttled", ERR_RETRY_LATER},
	[ERR_LIMIT] = {"limit", ERR_RETRY_NEVER},
	[ERR_CANCELLED] = {"cancelled", ERR_RETRY_NEVER},
};

/* Bytes of the character at TEXT; 0: it is no UTF-8, or moves a terminal. */
static size_t character(const char *text)
{
	static const uint32_t least[] = {0x20, 0xa0, 0x800, 0x10000};
	unsigned char first = (unsigned char)*text;
	size_t more = (first >= 0xc0) + (first >= 0xe0) + (first >= 0xf0);
	uint32_t code = more ? first & (0x3fu >> more) : first;

	if ((first & 0xc0) == 0x80 || first > 0xf4 || first == 0x7f)
		return 0;
	for (size_t i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	}
	return code < least[more] || code > 0x10ffff || code >> 11 == 0x1b
		? 0
		: more + 1;
}

/* What a server or a file says may be anything; the text ends on terminals and
 * in JSON. */
static void clean(struct err *err)
{
	char *text = err->text;

	while (*text) {
		size_t bytes = character(text);

		if (!bytes)
			*text = '?';
		text += bytes ? bytes : 1;
	}
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	err->kind = kind;
	err->retry_after_s = 0;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	clean(err);
	return -1;
}

static enum err_kind kind_of_errno(int code)
{
	switch (code) {
	case ENOSPC:
	case EDQUOT:
		return ERR_DISK_FULL;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENOTCONN:
		return ERR_NETWORK;
	default:
		return ERR_IO;
	}
}

int err_set_errno(struct err *err, const char *fmt, ...)
{
	int code = errno;
	size_t used;
	va_list ap;

	if (!err)
		return -1;
	err->kind = kind_of_errno(code);
	err->retry_after_s = 0;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s",
		strerror(code));
	clean(err);
	return -1;
}

int err_context(struct err *err, const char *fmt, ...)
{
	char context[ERR_TEXT_BYTES / 2];
	size_t length;
	size_t rest;
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	length = strlen(context);
	rest = strlen(err->text);
	if (rest > sizeof(err->text) - length - 3)
		rest = sizeof(err->text) - length - 3;
	memmove(err->text + length + 2, err->text, rest);
	err->text[length + 2 + rest] = '\0';
	memcpy(err->text, context, length);
	memcpy(err->text + length, ": ", 2);
	clean(err);
	return -1;
}

int err_hint(struct err *err, const char *fmt, ...)
{
	size_t used;
	va_list ap;

	if (!err)
		return -1;
	used = strlen(err->text);
	if (used + 3 >= sizeof(err->text))
		return -1;
	memcpy(err->text + used, "; ", 3);
	va_start(ap, fmt);
	vsnprintf(err->text + used + 2, sizeof(err->text) - used - 2, fmt, ap);
	va_end(ap);
	clean(err);
	return -1;
}

enum err_retry err_retry(const struct err *err)
{
	return kinds[err->kind].retry;
}

const char *err_kind_name(enum err_kind kind)
{
	return kinds[kind].name;
}

int err_exit_status(const struct err *err)
{
	return err->kind == ERR_USAGE || err->kind == ERR_CONFIG ? 2 : 1;
}
