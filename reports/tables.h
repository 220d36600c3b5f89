/*
 * tables.h - the numbers behind a report, for other programs.
 *
 * CSV as in RFC 4180 (comma, CRLF-free lines, quotes doubled), first line
 * names columns with their units; a value that was not measured is empty.
 * Cells that a spreadsheet would take for a formula get a leading apostrophe.
 */
#ifndef SLUICE_TABLES_H
#define SLUICE_TABLES_H

struct buf;
struct findings;

void tables_clients_csv(const struct findings *, struct buf *csv);
void tables_buckets_csv(const struct findings *, struct buf *csv);

/* The recommendation as it was archived, levels and curve beside it. */
void tables_fit_json(const struct findings *, struct buf *json);

/* The whole report as one object. */
void tables_report_json(const struct findings *, struct buf *json);

#endif
