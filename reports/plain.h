/*
 * plain.h - the report as plain text, 80 columns, for a terminal or a mail.
 *
 * Control characters in names are replaced, so that nothing in the archive
 * can steer the reader's terminal. One thread at a time.
 */
#ifndef SLUICE_PLAIN_H
#define SLUICE_PLAIN_H

struct buf;
struct findings;

void text_report(const struct findings *, struct buf *text);

#endif
