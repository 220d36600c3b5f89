/* log.c - see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define LINE_BYTES 2048

static atomic_int max_level = LOG_LEVEL_INFO;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
	atomic_store(&max_level, (int)level);
}

__attribute__((format(printf, 3, 0))) static void write_line(
	enum log_level level, const char *subject, const char *fmt, va_list ap)
{
	char line[LINE_BYTES];
	char stamp[32] = "";
	size_t used;

	if ((int)level > atomic_load(&max_level))
		return;
	if (!getenv("JOURNAL_STREAM"))
		clock_format_utc(clock_wall_us(), stamp);
	snprintf(line, sizeof(line), "%s%s%s %s: ", stamp, *stamp ? " " : "",
		level_names[level], subject);
	used = strlen(line);
	vsnprintf(line + used, sizeof(line) - used - 1, fmt, ap);
	used = strlen(line);
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}

#define DEFINE_LEVEL(function, level)                                          \
	void function(const char *subject, const char *fmt, ...)               \
	{                                                                      \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, fmt);                                             \
		write_line(level, subject, fmt, ap);                           \
		va_end(ap);                                                    \
	}

DEFINE_LEVEL(log_error, LOG_LEVEL_ERROR)
DEFINE_LEVEL(log_warn, LOG_LEVEL_WARN)
DEFINE_LEVEL(log_info, LOG_LEVEL_INFO)
DEFINE_LEVEL(log_debug, LOG_LEVEL_DEBUG)
