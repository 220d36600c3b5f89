/*
 * figure_clients.c - what each client did when, under n(t).
 *
 * One row a client in order of its start. Rows carry names while they are
 * readable (NAMED_ROWS); beyond that the picture keeps its height and the
 * rows get thinner.
 */
#include <math.h>
#include <stdlib.h>

#include "alloc.h"
#include "axis.h"
#include "buf.h"
#include "figures.h"
#include "findings.h"
#include "plot.h"

#define WIDTH	   960
#define NAMED_ROWS 64
#define ROW_PX	   16.0
#define MIN_PX	   120.0 /* of the rows, however few */
#define MAX_PX	   720.0 /* of the rows, when they have no names */
#define COUNT_PX   110.0
#define TOP_PX	   54.0
#define GAP_PX	   14.0
#define BOTTOM_PX  56.0
#define RIGHT	   0.985

const char *figure_activity_colour(int activity)
{
	static const char *const colours[ACTIVITY_COUNT] = {
		[ACTIVITY_WAITING] = "#d1d5db",
		[ACTIVITY_LISTING] = "#fbbf24",
		[ACTIVITY_BULK] = "#3b82f6",
		[ACTIVITY_PAUSED] = "#a78bfa",
		[ACTIVITY_VERIFYING] = "#14b8a6",
		[ACTIVITY_FAILED] = "#dc2626",
	};

	return (unsigned)activity < ACTIVITY_COUNT ? colours[activity]
						   : "#000000";
}

struct order {
	size_t client;
	int64_t first_us;
};

static int by_first_span(const void *left, const void *right)
{
	const struct order *a = left, *b = right;

	if (a->first_us != b->first_us)
		return a->first_us < b->first_us ? -1 : 1;
	return a->client < b->client ? -1 : a->client > b->client;
}

/* Rows of the clients that have a span, the first started on top: ROW_OF
 * maps a client to its row (from 1), 0 for none. Returns their number. */
static size_t assign_rows(const struct findings *findings, size_t *row_of)
{
	struct order *order = xcalloc(findings->client_count, sizeof(*order));
	size_t rows = 0;

	for (size_t i = 0; i < findings->client_count; i++)
		order[i] = (struct order){i, INT64_MAX};
	for (size_t i = 0; i < findings->span_count; i++) {
		const struct finding_span *span = &findings->spans[i];

		if (span->activity != ACTIVITY_WAITING &&
			span->from_us < order[span->client].first_us)
			order[span->client].first_us = span->from_us;
	}
	qsort(order, findings->client_count, sizeof(*order), by_first_span);
	for (size_t i = 0; i < findings->client_count; i++)
		if (order[i].first_us != INT64_MAX)
			row_of[order[i].client] = ++rows;
	free(order);
	return rows;
}

static void write_spans(struct plot *plot, const struct findings *findings,
	const struct axis *axis, const size_t *row_of)
{
	static const char *const blocks[ACTIVITY_COUNT] = {
		"waiting", "listing", "bulk", "paused", "verifying", "failed"};

	for (int activity = 0; activity < ACTIVITY_COUNT; activity++) {
		plot_open_rows(plot, blocks[activity]);
		for (size_t i = 0; i < findings->span_count; i++) {
			const struct finding_span *span = &findings->spans[i];
			double from = axis_at(axis, span->from_us);
			double to = axis_at(axis, span->to_us);

			if ((int)span->activity != activity ||
				!row_of[span->client])
				continue;
			/* x y xlow xhigh ylow yhigh */
			plot_cell(plot, (from + to) / 2);
			plot_cell(plot, (double)row_of[span->client]);
			plot_cell(plot, from);
			plot_cell(plot, to);
			plot_cell(plot, (double)row_of[span->client] - 0.38);
			plot_cell(plot, (double)row_of[span->client] + 0.38);
			plot_end_row(plot);
		}
		plot_close_rows(plot);
	}
}

static void write_names(struct plot *plot, const struct findings *findings,
	const size_t *row_of)
{
	plot_open_rows(plot, "names");
	for (size_t i = 0; i < findings->client_count; i++) {
		if (!row_of[i])
			continue;
		plot_cell(plot, -1);
		plot_cell(plot, (double)row_of[i]);
		plot_cell_text(plot, findings->clients[i].name);
		plot_end_row(plot);
	}
	plot_close_rows(plot);
}

/* Where the drawing area begins, as a share of the width. */
static double left_edge(const struct findings *findings, const size_t *row_of)
{
	double widest = 40;

	for (size_t i = 0; i < findings->client_count; i++)
		if (row_of[i])
			widest = fmax(widest,
				plot_text_px(findings->clients[i].name));
	return (widest + 30) / WIDTH;
}

static int by_time(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	if (a[0] != b[0])
		return a[0] < b[0] ? -1 : 1;
	return a[1] < b[1] ? -1 : a[1] > b[1];
}

/* n(t) exactly, from the ends of the bulk spans. */
static void write_count(struct plot *plot, const struct findings *findings,
	const struct axis *axis)
{
	int64_t(*edges)[2] = xcalloc(
		findings->span_count * 2 + 1, sizeof(*edges));
	size_t count = 0;
	int64_t n = 0;

	for (size_t i = 0; i < findings->span_count; i++) {
		const struct finding_span *span = &findings->spans[i];

		if (span->activity != ACTIVITY_BULK)
			continue;
		edges[count][0] = span->from_us;
		edges[count++][1] = 1;
		edges[count][0] = span->to_us;
		edges[count++][1] = -1;
	}
	qsort(edges, count, sizeof(*edges), by_time);
	plot_open_rows(plot, "count");
	plot_cell(plot, 0);
	plot_cell(plot, 0);
	plot_end_row(plot);
	for (size_t i = 0; i < count; i++) {
		n += edges[i][1];
		plot_cell(plot, axis_at(axis, edges[i][0]));
		plot_cell(plot, (double)n);
		plot_end_row(plot);
	}
	plot_cell(plot, axis->end);
	plot_cell(plot, (double)n);
	plot_end_row(plot);
	plot_close_rows(plot);
	free(edges);
}

static void script_count(struct plot *plot, const struct axis *axis,
	const struct findings *findings, double height, double left)
{
	plot_script(plot,
		"set multiplot\nset lmargin at screen %.4f\n"
		"set rmargin at screen %g\n"
		"set tmargin at screen %.5f\nset bmargin at screen %.5f\n"
		"set ylabel 'n(t)'\nset yrange [0:*]\n"
		"set offsets 0, 0, graph 0.1, 0\n",
		left, RIGHT, 1 - TOP_PX / height,
		1 - (TOP_PX + COUNT_PX) / height);
	axis_script(axis, plot, 0);
	axis_bands(axis, findings, plot, 1, WIDTH * (RIGHT - left));
	plot_script(plot,
		"plot $count using 1:2 with fillsteps "
		"fillcolor rgb '#bfdbfe' notitle, "
		"$count using 1:2 with steps linewidth 1.4 "
		"linecolor rgb '#1d4ed8' title 'in bulk'\n");
}

static void script_rows(struct plot *plot, const struct axis *axis,
	const struct findings *findings, size_t rows, double height)
{
	plot_script(plot,
		"unset label\nunset object\nset offsets 0, 0, 0, 0\n"
		"set tmargin at screen %.5f\nset bmargin at screen %.5f\n"
		"set yrange [%zu.6:0.4]\nset ytics scale 0\n",
		1 - (TOP_PX + COUNT_PX + GAP_PX) / height, BOTTOM_PX / height,
		rows);
	axis_script(axis, plot, 1);
	axis_bands(axis, findings, plot, 0, 0);
	plot_script(plot,
		"set style fill solid 1 noborder\n"
		"unset grid\nset grid xtics linetype 1 "
		"linecolor rgb '#e5e7eb'\n");
	if (rows <= NAMED_ROWS)
		plot_script(plot, "unset ylabel\nset ytics font ',11'\n");
	else
		plot_script(plot, "set ylabel 'clients in order of start'\n");
	plot_script(plot, "plot ");
	for (int a = 0; a < ACTIVITY_COUNT; a++)
		plot_script(plot,
			"$%s using 1:2:3:4:5:6 with boxxyerror "
			"fillcolor rgb '%s' notitle, ",
			activity_name((enum activity)a),
			figure_activity_colour(a));
	plot_script(plot,
		rows <= NAMED_ROWS ? "$names using 1:2:yticlabel(3) "
				     "with points pointtype 0 notitle\n"
				   : "NaN notitle\n");
	plot_script(plot, "unset multiplot\n");
}

int figure_clients(
	const struct findings *findings, struct buf *svg, struct err *err)
{
	struct axis axis = axis_of(findings);
	size_t *row_of = xcalloc(findings->client_count + 1, sizeof(*row_of));
	size_t rows = assign_rows(findings, row_of);
	bool named = rows <= NAMED_ROWS;
	double rows_px, height;
	struct plot plot;
	int result;

	if (!rows) {
		free(row_of);
		return 0;
	}
	rows_px = named ? fmax(MIN_PX, (double)rows * ROW_PX) : MAX_PX;
	height = ceil(TOP_PX + COUNT_PX + GAP_PX + rows_px + BOTTOM_PX);
	plot_init(&plot, "clients", WIDTH, (unsigned)height);
	write_spans(&plot, findings, &axis, row_of);
	write_names(&plot, findings, row_of);
	write_count(&plot, findings, &axis);
	script_count(&plot, &axis, findings, height,
		named ? left_edge(findings, row_of) : 0.085);
	script_rows(&plot, &axis, findings, rows, height);
	result = plot_render(&plot, svg, err);
	plot_free(&plot);
	free(row_of);
	return result < 0 ? -1 : 1;
}
