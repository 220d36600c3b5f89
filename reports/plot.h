/*
 * plot.h - one figure: a script and its rows in, SVG out.
 *
 * gnuplot runs as a child that reads one stream: the rows as data blocks,
 * then the script. Scripts are ours; what came from elsewhere (names of
 * clients) may only enter as a cell of a row, through plot_cell_text(), and
 * is drawn without markup. One thread at a time.
 */
#ifndef SLUICE_PLOT_H
#define SLUICE_PLOT_H

#include "buf.h"

struct err;

struct plot {
	const char *name; /* letters only: prefix of the SVG's ids */
	unsigned width, height;
	struct buf rows, script;
};

void plot_init(
	struct plot *plot, const char *name, unsigned width, unsigned height);
void plot_free(struct plot *plot);

/* A data block $NAME is what stands between these two. */
void plot_open_rows(struct plot *plot, const char *name);
void plot_close_rows(struct plot *plot);

/* One cell and its separator; NAN becomes a missing value. */
void plot_cell(struct plot *plot, double value);
void plot_cell_text(struct plot *plot, const char *text);

/* Pixels that TEXT takes as plot_cell_text() draws it at 11 points; on the
 * wide side. */
double plot_text_px(const char *text);
void plot_end_row(struct plot *plot);

void plot_script(struct plot *plot, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends an <svg> element to SVG. ERR names the package when gnuplot is
 * not there. */
int plot_render(const struct plot *plot, struct buf *svg, struct err *err);

#endif
