/*
 * units.h - numbers with units, as people write and read them.
 *
 * MB = 10^6 bytes, MiB = 2^20; Mbit = 10^6 bits; a rate is per second. The
 * parsers take the whole text or fail, never round through a float where an
 * integer was written, and refuse negative, infinite and overflowing values.
 * The formatters write at most UNITS_TEXT_BYTES and return TEXT. Any thread.
 */
#ifndef SLUICE_UNITS_H
#define SLUICE_UNITS_H

#include <stdint.h>

struct err;

#define UNITS_TEXT_BYTES 32

/* "250ms", "2s", "1.5m", "10m", "2h", "1d"; "0" alone needs no unit. */
int units_parse_duration(const char *text, int64_t *us, struct err *err);

/* "20MB", "16KiB", "3GB", "512" (bytes). */
int units_parse_bytes(const char *text, uint64_t *bytes, struct err *err);

/* "1.5MB/s", "100Mbit/s", "512KiB/s". */
int units_parse_rate(const char *text, uint64_t *bytes_s, struct err *err);

/* "60%" is 0.6; at most 100%. */
int units_parse_percent(const char *text, double *ratio, struct err *err);

/* "3x" is 3.0. */
int units_parse_factor(const char *text, double *factor, struct err *err);

/* "20:00": minutes since midnight. */
int units_parse_time(const char *text, int *minute, struct err *err);

/* "20:00-06:00": minutes since midnight, local time; TO may be before FROM. */
int units_parse_window(
	const char *text, int *from_min, int *to_min, struct err *err);

/* "850ms", "42s", "3m20s", "2h05m", "3d04h". */
char *units_format_duration(int64_t us, char *text);

/* "512 B", "1.5 MB", "213 MB". */
char *units_format_bytes(uint64_t bytes, char *text);

#endif
