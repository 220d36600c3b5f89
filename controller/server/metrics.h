/*
 * metrics.h - the reference of every metric, printed from the tables.
 */
#ifndef SLUICE_METRICS_H
#define SLUICE_METRICS_H

struct buf;

/* Markdown: what the controller exposes and what it reads. */
void metrics_document(struct buf *out);

#endif
