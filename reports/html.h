/*
 * html.h - the report as one HTML file.
 *
 * Self-contained: styles and figures are in the file, nothing is fetched, no
 * script runs; it can be mailed and printed. Every text from the archive is
 * escaped. One thread at a time.
 */
#ifndef SLUICE_HTML_H
#define SLUICE_HTML_H

struct buf;
struct err;
struct findings;

/* Appends the page. */
int html_report(const struct findings *, struct buf *page, struct err *);

#endif
