/*
 * markup.h - words and numbers into HTML. Pure.
 */
#ifndef SLUICE_MARKUP_H
#define SLUICE_MARKUP_H

#include <stdint.h>

#include "buf.h"

/* TEXT with & < > " ' escaped and control characters and broken UTF-8
 * replaced; NULL is nothing. */
void markup_text(struct buf *html, const char *text);

/* The same for a text of several lines: they stay. */
void markup_lines(struct buf *html, const char *text);

/* Table cells; a value that was not measured is an en dash. */
void markup_cell(struct buf *html, const char *text);
void markup_number(struct buf *html, double value, int decimals);
void markup_count(struct buf *html, uint64_t value);

/* A wall clock time as "2026-03-01 12:00:05"; 0 is an en dash. */
void markup_time(struct buf *html, int64_t wall_us);

/* "3m20s"; NAN is an en dash. */
void markup_duration(struct buf *html, double seconds);

/* <table> with its head, from titles separated by '|'. A title that starts
 * with '#' heads a column of numbers. */
void markup_open_table(struct buf *html, const char *titles);
void markup_close_table(struct buf *html);

#endif
