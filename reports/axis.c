/* axis.c - see axis.h. */
#include "axis.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "findings.h"
#include "plot.h"

#define GLYPH_PX 7.5 /* at 11 points, on the wide side */

struct axis axis_of(const struct findings *findings)
{
	struct axis axis = {.from_us = findings->from_us};
	double length_us = (double)(findings->to_us - findings->from_us);

	if (length_us < 180e6) {
		axis.unit_us = 1e6;
		axis.unit = "s";
	} else if (length_us < 3 * 3600e6) {
		axis.unit_us = 60e6;
		axis.unit = "min";
	} else {
		axis.unit_us = 3600e6;
		axis.unit = "h";
	}
	axis.end = length_us > 0 ? length_us / axis.unit_us : 1;
	return axis;
}

double axis_at(const struct axis *axis, int64_t wall_us)
{
	return (double)(wall_us - axis->from_us) / axis->unit_us;
}

void axis_script(const struct axis *axis, struct plot *plot, int labelled)
{
	char start[32];

	plot_script(plot, "set xrange [0:%.6g]\n", axis->end);
	if (!labelled) {
		plot_script(plot, "set xtics format ''\nunset xlabel\n");
		return;
	}
	clock_format_utc(axis->from_us, start);
	start[10] = ' ';
	start[16] = '\0';
	plot_script(plot,
		"set xtics format '%%g'\n"
		"set xlabel 'time since %s UTC (%s)'\n",
		start, axis->unit);
}

static void band_name(char *name, size_t size, const struct finding_wave *wave,
	double width_px)
{
	snprintf(name, size, "wave %u", wave->number);
	if ((double)strlen(name) * GLYPH_PX > width_px)
		snprintf(name, size, "%u", wave->number);
	if ((double)strlen(name) * GLYPH_PX > width_px)
		*name = '\0';
}

void axis_bands(const struct axis *axis, const struct findings *findings,
	struct plot *plot, int named, double width)
{
	for (size_t i = 0; i < findings->wave_count; i++) {
		const struct finding_wave *wave = &findings->waves[i];
		double from = axis_at(axis, wave->from_us);
		double to = wave->to_us ? axis_at(axis, wave->to_us)
					: axis->end;
		char name[32];

		if (!wave->from_us)
			continue;
		plot_script(plot,
			"set object %zu rectangle from first %.6g, "
			"graph 0 to first %.6g, graph 1 behind "
			"fillcolor rgb '%s' fillstyle solid noborder\n",
			i + 1, from, to, i % 2 ? "#e8eef7" : "#f1f5f9");
		band_name(name, sizeof(name), wave,
			(to - from) / axis->end * width);
		if (named && *name)
			plot_script(plot,
				"set label %zu '%s' at first %.6g, "
				"graph 1 center offset 0,1.9 "
				"textcolor rgb '#6b7280' font ',11'\n",
				i + 1, name, (from + to) / 2);
	}
}
