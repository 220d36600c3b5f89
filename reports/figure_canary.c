/*
 * figure_canary.c - what a user who waits for his turn felt meanwhile.
 */
#include <math.h>

#include "axis.h"
#include "buf.h"
#include "figures.h"
#include "findings.h"
#include "plot.h"

static void script_slo(struct plot *plot, double slo_ms)
{
	if (!(slo_ms > 0))
		return;
	plot_script(plot,
		"set arrow 900 from graph 0, first %g to graph 1, "
		"first %g nohead linewidth 1.4 dashtype 2 "
		"linecolor rgb '#dc2626' front\n"
		"set label 900 'objective %.4g ms' at graph 0.005, "
		"first %g left offset 0,0.6 front "
		"textcolor rgb '#dc2626'\n",
		slo_ms, slo_ms, slo_ms, slo_ms);
}

int figure_canary(
	const struct findings *findings, struct buf *svg, struct err *err)
{
	struct axis axis = axis_of(findings);
	double top = findings->canary_slo_ms;
	struct plot plot;
	int result;

	if (!(top > 0))
		top = 0;
	plot_init(&plot, "canary", 960, 340);
	plot_open_rows(&plot, "canary");
	for (size_t i = 0; i < findings->moment_count; i++) {
		const struct finding_moment *moment = &findings->moments[i];

		if (!isfinite(moment->p95_ms))
			continue;
		top = fmax(top, fmax(moment->p95_ms, moment->p99_ms));
		plot_cell(&plot,
			axis_at(&axis, moment->at_us + moment->width_us / 2));
		plot_cell(&plot, moment->p50_ms);
		plot_cell(&plot, moment->p95_ms);
		plot_cell(&plot, moment->p99_ms);
		plot_end_row(&plot);
	}
	plot_close_rows(&plot);
	plot_script(&plot, "set lmargin 10\nset rmargin 3\nset tmargin 4.5\n");
	axis_script(&axis, &plot, 1);
	axis_bands(&axis, findings, &plot, 1, 840);
	script_slo(&plot, findings->canary_slo_ms);
	plot_script(&plot,
		"set yrange [0:%g]\nset ylabel 'latency (ms)'\n"
		"set key at graph 1, graph 1.02 right bottom horizontal "
		"samplen 1.5 font ',11'\n"
		"plot $canary using 1:4 with lines linewidth 1 "
		"linecolor rgb '#64748b' title 'p99', "
		"$canary using 1:3 with lines linewidth 1.6 "
		"linecolor rgb '#7c3aed' title 'p95', "
		"$canary using 1:2 with lines linewidth 1.2 "
		"linecolor rgb '#2563eb' title 'p50'\n",
		top * 1.12);
	result = top > 0 && plot.rows.length > 40 ? plot_render(&plot, svg, err)
						  : 1;
	plot_free(&plot);
	return result < 0 ? -1 : !result;
}

int figure_canary_levels(
	const struct findings *findings, struct buf *svg, struct err *err)
{
	double top = 0, right = 0;
	struct plot plot;
	int result = 0;

	plot_init(&plot, "canarylevels", 960, 320);
	plot_open_rows(&plot, "levels");
	for (size_t i = 0; i < findings->level_count; i++) {
		const struct finding_level *level = &findings->levels[i];

		if (!isfinite(level->canary_p95_ms))
			continue;
		top = fmax(top, level->canary_p95_ms);
		right = fmax(right, level->n);
		plot_cell(&plot, level->n);
		plot_cell(&plot, level->canary_p95_ms);
		plot_end_row(&plot);
	}
	plot_close_rows(&plot);
	plot_open_rows(&plot, "fit");
	for (size_t i = 0; i < findings->curve_count; i++) {
		const struct finding_curve *point = &findings->curve[i];

		plot_cell(&plot, point->n);
		plot_cell(&plot, point->canary_p95_ms);
		plot_end_row(&plot);
		right = fmax(right, point->n);
	}
	plot_close_rows(&plot);
	if (top > 0) {
		top = fmax(top, findings->canary_slo_ms);
		plot_script(&plot,
			"set lmargin 10\nset rmargin 3\n"
			"set xlabel 'synchronisations at once, n'\n"
			"set ylabel 'p95 latency (ms)'\n");
		script_slo(&plot, findings->canary_slo_ms);
		plot_script(&plot,
			"set xrange [0:%g]\nset yrange [0:%g]\n"
			"set key at graph 0.99, graph 0.05 right bottom\n"
			"plot $fit using 1:2 with lines linewidth 2 "
			"linecolor rgb '#7c3aed' title 'fit', "
			"$levels using 1:2 with points pointtype 7 "
			"pointsize 0.6 linecolor rgb '#111827' "
			"title 'measured'\n",
			right + 0.6, top * 1.2);
		result = plot_render(&plot, svg, err) < 0 ? -1 : 1;
	}
	plot_free(&plot);
	return result;
}
