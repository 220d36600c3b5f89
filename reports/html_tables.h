/*
 * html_tables.h - the tables of the HTML report, below its figures.
 */
#ifndef SLUICE_HTML_TABLES_H
#define SLUICE_HTML_TABLES_H

struct buf;
struct findings;

void html_tables(struct buf *page, const struct findings *findings);

#endif
