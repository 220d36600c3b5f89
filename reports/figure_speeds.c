/*
 * figure_speeds.c - MB/min of every client, the fastest first.
 *
 * The slowest tenth is coloured, for that is where a person looks next;
 * names stand under the bars while there is room for them.
 */
#include <math.h>
#include <stdlib.h>

#include "buf.h"
#include "figures.h"
#include "findings.h"
#include "plot.h"
#include "summary.h"

#define WIDTH	   960
#define BARS_PX	   260.0
#define NAMED_BARS 48

/* Height of the longest name, which stands at 60 degrees. */
static double names_px(const struct finding_client **sorted, size_t count)
{
	double widest = 0;

	for (size_t i = 0; i < count; i++)
		widest = fmax(widest, plot_text_px(sorted[i]->name));
	return ceil(widest * 0.87 + 30);
}

int figure_speeds(
	const struct findings *findings, struct buf *svg, struct err *err)
{
	const struct finding_client **sorted;
	size_t count = findings_by_speed(findings, &sorted);
	size_t slow = count - findings_slow_tenth(count);
	bool named = count <= NAMED_BARS;
	struct plot plot;
	double middle = findings_summary(findings).median_mb_min;
	int result;

	if (!count) {
		free(sorted);
		return 0;
	}
	plot_init(&plot, "speeds", WIDTH,
		(unsigned)(BARS_PX + (named ? names_px(sorted, count) : 60)));
	plot_open_rows(&plot, "bars");
	for (size_t i = 0; i < count; i++) {
		plot_cell(&plot, (double)i + 1);
		plot_cell(&plot, sorted[i]->mb_min);
		plot_cell(&plot, i >= slow);
		plot_cell_text(&plot, sorted[i]->name);
		plot_end_row(&plot);
	}
	plot_close_rows(&plot);
	plot_script(&plot,
		"set xrange [0.4:%zu.6]\nset yrange [0:*]\n"
		"set ylabel 'MB/min'\nset lmargin 10\nset rmargin 3\n"
		"set tmargin 2.5\n"
		"set style fill solid 1 noborder\nset boxwidth %s\n"
		"unset grid\nset grid ytics linetype 1 "
		"linecolor rgb '#e5e7eb'\n",
		count, count <= 200 ? "0.75" : "1");
	if (named)
		plot_script(&plot,
			"set xtics rotate by 60 right font ',11' "
			"scale 0\nset bmargin at screen %g\n",
			names_px(sorted, count) /
				(BARS_PX + names_px(sorted, count)));
	else
		plot_script(&plot, "set xlabel 'clients, the fastest first'\n");
	plot_script(&plot,
		"set arrow from graph 0, first %g to graph 1, first %g "
		"nohead dashtype 2 linecolor rgb '#111827' front\n"
		"set label 'median %.3g MB/min' at graph 1, first %g right "
		"offset 0,0.7 front textcolor rgb '#111827'\n",
		middle, middle, middle, middle);
	plot_script(&plot,
		"plot $bars using 1:($3==0?$2:NaN)%s with boxes "
		"fillcolor rgb '#3b82f6' notitle, "
		"$bars using 1:($3==1?$2:NaN) with boxes "
		"fillcolor rgb '#f97316' notitle\n",
		named ? ":xticlabel(4)" : "");
	result = plot_render(&plot, svg, err);
	plot_free(&plot);
	free(sorted);
	return result < 0 ? -1 : 1;
}
