/*
 * err.h - why something failed, in words an administrator can act on.
 *
 * A function that can fail returns 0 or -1 and takes a `struct err *` as its
 * last argument, which may be NULL. On -1 the error is filled and every other
 * output is untouched; on 0 the error is untouched.
 *
 * The text reads from the outside in: each level adds its own object once
 * with err_context(), so that the user sees
 * "wave 3: agent u007: imap.example.org:993: login: NO over quota".
 * It is UTF-8 without control characters, whatever went into it.
 */
#ifndef SLUICE_ERR_H
#define SLUICE_ERR_H

#define ERR_TEXT_BYTES 1024

/* What failed. The kind decides whether trying again can help. */
enum err_kind {
	ERR_NONE = 0,
	ERR_USAGE,     /* the command line; exit status 2 */
	ERR_CONFIG,    /* a scenario or profile; exit status 2 */
	ERR_IO,	       /* a local file, socket or process */
	ERR_DISK_FULL, /* no space, or a quota, on a local file system */
	ERR_LOCKED,    /* another process owns the object */
	ERR_DATABASE,  /* SQLite refused; the object is damaged or read-only */
	ERR_NETWORK,   /* refused, reset, closed, unresolvable */
	ERR_TIMEOUT,   /* a deadline passed without progress */
	ERR_TLS,       /* handshake, chain or host name */
	ERR_AUTH,      /* the server knows us and says no */
	ERR_PROTOCOL,  /* the peer's answer makes no sense */
	ERR_REFUSED,   /* the peer understood and declined */
	ERR_THROTTLED, /* the peer asks us to come back later */
	ERR_LIMIT,     /* one of our own caps */
	ERR_CANCELLED, /* we were told to stop */
};

/* How long to stay away before another try. */
enum err_retry {
	ERR_RETRY_NEVER, /* a person must change something first */
	ERR_RETRY_SOON,	 /* with back-off */
	ERR_RETRY_LATER, /* not before err.retry_after_s */
};

struct err {
	enum err_kind kind;
	unsigned retry_after_s; /* 0: the peer named no time */
	char text[ERR_TEXT_BYTES];
};

/* A cleared error, for `struct err err = ERR_INIT;`. */
#define ERR_INIT ((struct err){ERR_NONE, 0, ""})

/* Fill ERR from scratch. Always returns -1, so that `return err_set(…)`. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same from errno: ENOSPC and EDQUOT become ERR_DISK_FULL, timeouts
 * ERR_TIMEOUT, socket errors ERR_NETWORK, the rest ERR_IO. Appends the
 * system's words for it. Always returns -1. */
int err_set_errno(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Put "context: " before the text. Always returns -1. */
int err_context(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Append "; next step" to the text. Always returns -1. */
int err_hint(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* An analyser looks at one file at a time and would follow the path where
 * these return 0; the macros let it see the -1. */
static inline int err_failed(void)
{
	return -1;
}
#define err_set(...)	   (err_set(__VA_ARGS__), err_failed())
#define err_set_errno(...) (err_set_errno(__VA_ARGS__), err_failed())
#define err_context(...)   (err_context(__VA_ARGS__), err_failed())
#define err_hint(...)	   (err_hint(__VA_ARGS__), err_failed())

enum err_retry err_retry(const struct err *err);

/* The kind as a stable lower-case word, for JSON and the archive. */
const char *err_kind_name(enum err_kind kind);

/* 2 for what the user typed, 1 for everything else. */
int err_exit_status(const struct err *err);

#endif
