/*
 * figure_rate.c - X(n): what the server gave in all, and what was chosen.
 *
 * The one figure that answers the question. Vertical lines (batch size,
 * knee, step limit, largest n observed) often fall on the same n: lines at
 * one n share one label, and labels go up and down in turn.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "figures.h"
#include "findings.h"
#include "plot.h"

#define WIDTH	 960
#define HEIGHT	 460
#define MARK_MAX 4

struct mark {
	double n;
	char text[96];
	bool chosen;
};

static void add_mark(struct mark *marks, size_t *count, unsigned n,
	const char *text, bool chosen)
{
	size_t length;

	if (!n)
		return;
	for (size_t i = 0; i < *count; i++)
		if (marks[i].n == (double)n) {
			length = strlen(marks[i].text);
			snprintf(marks[i].text + length,
				sizeof(marks[i].text) - length, ", %s", text);
			return;
		}
	marks[*count].n = n;
	marks[*count].chosen = chosen;
	snprintf(marks[*count].text, sizeof(marks[*count].text), "%s", text);
	(*count)++;
}

static size_t collect_marks(const struct findings *findings, double right,
	struct mark marks[MARK_MAX])
{
	char text[48];
	size_t count = 0;

	if (!findings->has_advice)
		return 0;
	snprintf(text, sizeof(text), "batch size %u", findings->batch);
	add_mark(marks, &count, findings->batch, text, true);
	if (findings->knee <= right)
		add_mark(marks, &count, findings->knee, "knee", false);
	add_mark(marks, &count, findings->step_cap, "step limit", false);
	add_mark(marks, &count, findings->observed, "largest observed", false);
	return count;
}

/* A label stands right of its line, or left of it near the right edge. */
static void script_marks(
	struct plot *plot, const struct mark *marks, size_t count, double right)
{
	for (size_t i = 0; i < count; i++) {
		const struct mark *mark = &marks[i];
		double y = 0.07 + 0.075 * (double)i;
		bool flip = mark->n > right * 0.62;
		const char *colour = mark->chosen ? "#15803d" : "#6b7280";

		plot_script(plot,
			"set arrow from first %g, graph 0 to first %g, "
			"graph 1 nohead linewidth %s dashtype %s "
			"linecolor rgb '%s'\n",
			mark->n, mark->n, mark->chosen ? "2" : "1",
			mark->chosen ? "1" : "2", colour);
		plot_script(plot,
			"set label '%s' at first %g, graph %g %s "
			"offset %s,0 textcolor rgb '%s' front\n",
			mark->text, mark->n, y, flip ? "right" : "left",
			flip ? "-0.8" : "0.8", colour);
	}
}

static void write_rows(struct plot *plot, const struct findings *findings)
{
	plot_open_rows(plot, "levels");
	for (size_t i = 0; i < findings->level_count; i++) {
		const struct finding_level *level = &findings->levels[i];

		plot_cell(plot, level->n);
		plot_cell(plot, level->mb_min);
		plot_cell(plot, level->error);
		plot_cell(plot, level->n > 0 ? level->mb_min / level->n : NAN);
		plot_end_row(plot);
	}
	plot_close_rows(plot);
	plot_open_rows(plot, "curve");
	for (size_t i = 0; i < findings->curve_count; i++) {
		const struct finding_curve *point = &findings->curve[i];

		plot_cell(plot, point->n);
		plot_cell(plot, point->mb_min);
		plot_cell(plot, point->low);
		plot_cell(plot, point->high);
		plot_cell(plot, point->n > 0 ? point->mb_min / point->n : NAN);
		plot_end_row(plot);
	}
	plot_close_rows(plot);
}

struct extent {
	double right, top, top_each, observed;
};

static struct extent measure(const struct findings *findings)
{
	struct extent extent = {0};

	for (size_t i = 0; i < findings->level_count; i++) {
		const struct finding_level *level = &findings->levels[i];
		double error = isfinite(level->error) ? level->error : 0;

		if (!isfinite(level->mb_min) || !(level->n > 0))
			continue;
		extent.observed = fmax(extent.observed, level->n);
		extent.top = fmax(extent.top, level->mb_min + error);
		extent.top_each = fmax(
			extent.top_each, level->mb_min / level->n);
	}
	extent.right = extent.observed;
	for (size_t i = 0; i < findings->curve_count; i++) {
		extent.right = fmax(extent.right, findings->curve[i].n);
		/* a band that explodes must not flatten the data */
		if (isfinite(findings->curve[i].mb_min))
			extent.top = fmax(
				extent.top, findings->curve[i].mb_min * 1.15);
	}
	extent.right = fmax(extent.right, findings->batch) + 0.6;
	return extent;
}

static void script_axes(struct plot *plot, const struct extent *extent)
{
	plot_script(plot,
		"set border 11\n"
		"set lmargin 11\nset rmargin 11\nset tmargin 3.5\n"
		"set xrange [0:%g]\nset yrange [0:%g]\n"
		"set y2range [0:%g]\n"
		"set xtics %g\nset ytics nomirror\nset y2tics nomirror\n"
		"set xlabel 'synchronisations at once, n'\n"
		"set ylabel 'all together (MB/min)' "
		"textcolor rgb '#1d4ed8'\n"
		"set y2label 'each client (MB/min)' "
		"textcolor rgb '#b45309'\n",
		extent->right, extent->top * 1.1, extent->top_each * 1.25,
		extent->right <= 16 ? 1.0
			: extent->right <= 40
			? 2.0
			: ceil(extent->right / 20 / 5) * 5);
	plot_script(plot,
		"set key at graph 0.5, graph 1.1 center "
		"horizontal samplen 2 width 1 "
		"textcolor rgb '#374151'\n");
}

int figure_rate(
	const struct findings *findings, struct buf *svg, struct err *err)
{
	struct extent extent = measure(findings);
	struct mark marks[MARK_MAX];
	struct plot plot;
	int result;

	if (!(extent.top > 0))
		return 0;
	plot_init(&plot, "rate", WIDTH, HEIGHT);
	write_rows(&plot, findings);
	script_axes(&plot, &extent);
	script_marks(&plot, marks, collect_marks(findings, extent.right, marks),
		extent.right);
	plot_script(&plot, "plot ");
	if (findings->curve_count)
		plot_script(&plot,
			"$curve using 1:3:4 with filledcurves "
			"fillcolor rgb '#dbeafe' title '90 %% band', "
			"$curve using ($1<=%g?$1:NaN):2 with lines "
			"linewidth 2 linecolor rgb '#2563eb' title 'fit', "
			"$curve using ($1>=%g?$1:NaN):2 with lines "
			"linewidth 2 dashtype 2 linecolor rgb '#2563eb' "
			"title 'fit, not yet observed', "
			"$curve using 1:5 axes x1y2 with lines linewidth 1.5 "
			"linecolor rgb '#f59e0b' title 'each client', ",
			extent.observed + 1e-6, extent.observed - 1e-6);
	plot_script(&plot,
		"$levels using 1:2:3 with yerrorbars pointtype 7 "
		"pointsize 0.6 linewidth 1.2 linecolor rgb '#111827' "
		"title 'measured (mean, standard error)', "
		"$levels using 1:4 axes x1y2 with points pointtype 6 "
		"pointsize 0.6 linecolor rgb '#b45309' %s\n",
		findings->curve_count ? "notitle" : "title 'each client'");
	result = plot_render(&plot, svg, err);
	plot_free(&plot);
	return result < 0 ? -1 : 1;
}
