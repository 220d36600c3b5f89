/*
 * figure_load.c - the server over time, one panel a quantity.
 *
 * Panels share the time axis and the waves behind it, so that a rise of the
 * disk's await can be read down to the wave that caused it. A panel whose
 * quantity was never measured is left out.
 */
#include <math.h>
#include <stdio.h>

#include "axis.h"
#include "buf.h"
#include "figures.h"
#include "findings.h"
#include "plot.h"

#define WIDTH	  960
#define PANEL_PX  160
#define TOP_PX	  54
#define BOTTOM_PX 56
#define LEFT	  0.085
#define RIGHT	  0.985

static void write_rows(struct plot *plot, const struct findings *findings,
	const struct axis *axis)
{
	int64_t last_us = 0;

	plot_open_rows(plot, "load");
	for (size_t i = 0; i < findings->moment_count; i++) {
		const struct finding_moment *moment = &findings->moments[i];

		/* a gap in the data is a gap in the curve */
		if (last_us && moment->at_us > last_us + 3 * moment->width_us)
			plot_end_row(plot);
		last_us = moment->at_us;
		plot_cell(plot,
			axis_at(axis, moment->at_us + moment->width_us / 2));
		plot_cell(plot, moment->mb_min / 60);
		plot_cell(plot, moment->read_mb_s);
		plot_cell(plot, moment->write_mb_s);
		plot_cell(plot, moment->read_await_ms);
		plot_cell(plot, moment->write_await_ms);
		plot_cell(plot, moment->queue);
		plot_cell(plot, moment->cpu * 100);
		plot_cell(plot, moment->n);
		plot_cell(plot, moment->iowait * 100);
		plot_end_row(plot);
	}
	plot_close_rows(plot);
}

struct curve {
	unsigned column;
	const char *title, *colour;
};

struct panel {
	const char *label;
	const char *range;
	struct curve curves[3];
};

/* Columns are those of write_rows(). */
static const struct panel panels[] = {
	{"MB/s", "[0:*]",
		{{2, "synchronised", "#2563eb"}, {3, "disk read", "#15803d"},
			{4, "disk written", "#b45309"}}},
	{"disk await (ms)", "[0:*]",
		{{5, "reads", "#15803d"}, {6, "writes", "#b45309"}}},
	{"disk queue", "[0:*]", {{7, "requests in the disk queue", "#7c3aed"}}},
	{"CPU (%)", "[0:105]",
		{{8, "busy", "#be123c"},
			{10, "waiting for the disk", "#f59e0b"}}},
	{"n(t)", "[0:*]", {{9, "synchronisations in bulk", "#111827"}}},
};

#define PANELS (sizeof(panels) / sizeof(panels[0]))

static double column_value(const struct finding_moment *moment, unsigned column)
{
	switch (column) {
	case 2:
		return moment->mb_min;
	case 3:
		return moment->read_mb_s;
	case 4:
		return moment->write_mb_s;
	case 5:
		return moment->read_await_ms;
	case 6:
		return moment->write_await_ms;
	case 7:
		return moment->queue;
	case 8:
		return moment->cpu;
	case 10:
		return moment->iowait;
	default:
		return moment->n;
	}
}

static bool measured(const struct findings *findings, const struct panel *panel)
{
	for (size_t i = 0; i < findings->moment_count; i++)
		for (size_t c = 0; c < 3 && panel->curves[c].title; c++)
			if (isfinite(column_value(&findings->moments[i],
				    panel->curves[c].column)))
				return true;
	return false;
}

static void script_panel(
	struct plot *plot, const struct panel *panel, bool points)
{
	plot_script(plot,
		"set ylabel '%s'\nset yrange %s\n"
		"set offsets 0, 0, graph 0.08, 0\n"
		"set key at graph 1, graph 1.02 right bottom horizontal "
		"samplen 1.5 width -1 font ',11' "
		"textcolor rgb '#374151'\nplot ",
		panel->label, panel->range);
	for (size_t c = 0; c < 3 && panel->curves[c].title; c++)
		plot_script(plot,
			"%s$load using 1:%u with %s linewidth 1.4 "
			"pointtype 7 pointsize 0.3 "
			"linecolor rgb '%s' title '%s'",
			c ? ", " : "", panel->curves[c].column,
			points ? "linespoints" : "lines",
			panel->curves[c].colour, panel->curves[c].title);
	plot_script(plot, "\n");
}

int figure_load(
	const struct findings *findings, struct buf *svg, struct err *err)
{
	struct axis axis = axis_of(findings);
	struct plot plot;
	size_t shown = 0, drawn = 0;
	double height;
	int result;

	for (size_t p = 0; p < PANELS; p++)
		shown += measured(findings, &panels[p]);
	if (!shown)
		return 0;
	height = TOP_PX + (double)shown * PANEL_PX + BOTTOM_PX;
	plot_init(&plot, "load", WIDTH, (unsigned)height);
	write_rows(&plot, findings, &axis);
	plot_script(&plot,
		"set multiplot\nset lmargin at screen %g\n"
		"set rmargin at screen %g\nset ytics autofreq\n",
		LEFT, RIGHT);
	for (size_t p = 0; p < PANELS; p++) {
		double top = 1 - (TOP_PX + (double)drawn * PANEL_PX) / height;
		double foot = top - (PANEL_PX - 30) / height;

		if (!measured(findings, &panels[p]))
			continue;
		plot_script(&plot,
			"set tmargin at screen %.5f\n"
			"set bmargin at screen %.5f\nunset label\n",
			top, foot);
		axis_script(&axis, &plot, drawn + 1 == shown);
		axis_bands(&axis, findings, &plot, drawn == 0,
			WIDTH * (RIGHT - LEFT));
		script_panel(&plot, &panels[p], findings->moment_count < 200);
		drawn++;
	}
	plot_script(&plot, "unset multiplot\n");
	result = plot_render(&plot, svg, err);
	plot_free(&plot);
	return result < 0 ? -1 : 1;
}
