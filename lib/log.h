/*
 * log.h - what a program tells its operator, one line an event.
 *
 * Only programs log; libraries return errors. A line is
 * "2026-03-01T12:00:00Z level subject: text" on stderr, or without the time
 * under a service manager that adds its own (JOURNAL_STREAM is set). Secrets
 * never get here. Any thread; a line is one write.
 */
#ifndef SLUICE_LOG_H
#define SLUICE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Lines above LEVEL are dropped; the default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* SUBJECT names the object: "agent u007", "wave 3", "archive". */
void log_error(const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_warn(const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_info(const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void log_debug(const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
