/*
 * figure_burndown.c - MB and clients still to go, and where that leads.
 *
 * A client counts when it is done and verified; the dashed end is the
 * estimate that came with the recommendation.
 */
#include <math.h>
#include <stdlib.h>

#include "alloc.h"
#include "axis.h"
#include "buf.h"
#include "figures.h"
#include "findings.h"
#include "plot.h"
#include "summary.h"

static int by_end(const void *left, const void *right)
{
	const struct finding_client *const *a = left, *const *b = right;

	if ((*a)->ended_us != (*b)->ended_us)
		return (*a)->ended_us < (*b)->ended_us ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

static void row(struct plot *plot, double at, double clients, double mb)
{
	plot_cell(plot, at);
	plot_cell(plot, clients);
	plot_cell(plot, mb);
	plot_end_row(plot);
}

/* Returns how many clients are left at the end. */
static double write_rows(struct plot *plot, const struct findings *findings,
	const struct axis *axis)
{
	const struct finding_client **done = xcalloc(
		findings->client_count + 1, sizeof(const void *));
	double clients = (double)findings_summary(findings).clients, mb = 0;
	size_t count = 0;

	for (size_t i = 0; i < findings->client_count; i++) {
		const struct finding_client *client = &findings->clients[i];

		if (!client->done || !client->ended_us)
			continue;
		done[count++] = client;
		mb += client->mb;
	}
	qsort(done, count, sizeof(const void *), by_end);
	plot_open_rows(plot, "togo");
	row(plot, 0, clients, mb);
	for (size_t i = 0; i < count; i++) {
		clients--;
		mb -= done[i]->mb;
		row(plot, axis_at(axis, done[i]->ended_us), clients,
			fmax(mb, 0));
	}
	row(plot, axis->end, clients, fmax(mb, 0));
	plot_close_rows(plot);
	free(done);
	return clients;
}

int figure_burndown(
	const struct findings *findings, struct buf *svg, struct err *err)
{
	struct axis axis = axis_of(findings);
	double end = axis.end, left;
	struct plot plot;
	int result;
	bool eta;

	if (!findings->client_count || !findings->from_us)
		return 0;
	plot_init(&plot, "burndown", 960, 320);
	left = write_rows(&plot, findings, &axis);
	eta = left > 0 && findings->has_advice && isfinite(findings->eta_s) &&
		findings->eta_s > 0;
	if (eta) {
		plot_open_rows(&plot, "eta");
		row(&plot, axis.end, left, NAN);
		end = axis.end + findings->eta_s * 1e6 / axis.unit_us;
		row(&plot, end, 0, NAN);
		plot_close_rows(&plot);
	}
	plot_script(&plot,
		"set lmargin 10\nset rmargin 10\nset tmargin 4\n"
		"set border 11\n");
	axis_script(&axis, &plot, 1);
	axis_bands(&axis, findings, &plot, 1, 780 * axis.end / end);
	plot_script(&plot,
		"set xrange [0:%.6g]\nset yrange [0:*]\n"
		"set y2range [0:*]\nset y2tics nomirror\n"
		"set ylabel 'clients to go' textcolor rgb '#1d4ed8'\n"
		"set y2label 'MB to go' textcolor rgb '#b45309'\n"
		"set key at graph 0.99, graph 0.97 right top\n"
		"plot $togo using 1:2 with steps linewidth 2 "
		"linecolor rgb '#2563eb' title 'clients', "
		"$togo using 1:3 axes x1y2 with steps linewidth 1.5 "
		"linecolor rgb '#f59e0b' "
		"title 'MB of the clients done so far'%s\n",
		end,
		eta ? ", $eta using 1:2 with lines linewidth 2 "
		      "dashtype 2 linecolor rgb '#2563eb' "
		      "title 'estimate'"
		    : "");
	result = plot_render(&plot, svg, err);
	plot_free(&plot);
	return result < 0 ? -1 : 1;
}
