/*
 * verb_outlook.c - `sluice simulate`: the table, the burn-down, the JSON.
 *
 * Takes the law that verb_simulate.c has chosen, runs the forecast for each
 * batch size and prints. One thread.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "verb_simulate.h"

#define BATCHES_MAX 16
#define KNEE	    0.95
#define BAR	    50 /* columns of the burn-down */
#define SHORT_H	    3  /* in minutes up to here */

static double p95_at(const struct outlook *o, unsigned n)
{
	return o->p95_ms ? o->p95_ms(o->p95_law, n) : NAN;
}

/* What was advised, else the least n with 95 % of the best X; fewer where the
 * SLO is not kept. */
static unsigned automatic(const struct outlook *o)
{
	double best = 0;
	unsigned most = OUTLOOK_BATCH_MAX;
	unsigned n;

	for (n = o->advised; n; n--)
		if (n == 1 || !(o->slo_ms > 0 && p95_at(o, n) > o->slo_ms))
			return n;
	for (n = 1; n <= most; n++) {
		if (o->slo_ms > 0 && p95_at(o, n) > o->slo_ms)
			most = n > 1 ? n - 1 : 1;
		else
			best = fmax(best, o->law.x_mb_min(o->law.law, n));
	}
	for (n = 1; n < most; n++)
		if (o->law.x_mb_min(o->law.law, n) >= KNEE * best)
			break;
	return n;
}

static int read_batches(
	const struct outlook *o, unsigned *batch, unsigned *count)
{
	const char *at = o->batches;

	for (*count = 0; *at && *count < BATCHES_MAX;) {
		char *end;
		unsigned long n = strtoul(at, &end, 10);
		if (strncmp(at, "auto", 4) == 0) {
			n = automatic(o);
			end = (char *)at + 4;
		}
		if (n == 0 || n > OUTLOOK_BATCH_MAX || end == at ||
			(*end && *end != ','))
			return -1;
		batch[(*count)++] = (unsigned)n;
		at = *end ? end + 1 : end;
	}
	return *count && !*at ? 0 : -1;
}

static void print_head(const struct outlook *o)
{
	const struct forecast_plan *plan = &o->plan;

	printf("%s\n%u client%s, median %.0f MB", o->source, plan->clients,
		plan->clients == 1 ? "" : "s", plan->median_mb);
	if (plan->window_from_h != plan->window_to_h)
		printf(", starts from %02.0f:%02.0f to %02.0f:%02.0f",
			floor(plan->window_from_h),
			fmod(plan->window_from_h * 60, 60),
			floor(plan->window_to_h),
			fmod(plan->window_to_h * 60, 60));
	puts("\n\nbatch    MB/min  a user's    one sync, min   median user  "
	     "    all done, h          online\n"
	     "                  MB/min   median    90 %      done, h   "
	     "median (90 % range)    p95, ms");
}

static void print_row(
	const struct outlook *o, unsigned batch, const struct forecast *f)
{
	char range[32];
	char p95[16] = "-";
	double ms = p95_at(o, batch);
	int digits = f->hours_high < 10 ? 2 : 1;

	snprintf(range, sizeof(range), "(%.*f..%.*f)", digits, f->hours_low,
		digits, f->hours_high);
	if (isfinite(ms))
		snprintf(p95, sizeof(p95), "%.0f", ms);
	printf("%5u %9.0f %9.1f %8.1f %7.1f %12.*f %8.*f %-15s %7s\n", batch,
		f->x_mb_min, f->user_mb_min, f->user_minutes,
		f->user_minutes_p90, digits, f->waits_h, digits, f->hours,
		range, p95);
}

static void print_burn_down(
	const struct forecast *f, unsigned batch, unsigned clients)
{
	bool short_one = f->hours_high < SHORT_H;

	printf("\nClients left over time, batch %u (#: median; -: 90 %% "
	       "cone)\n",
		batch);
	for (int p = 0; p < FORECAST_POINTS; p += 2) {
		char bar[BAR + 1];
		int low = (int)lround(f->left_low[p] * BAR / clients);
		int mid = (int)lround(f->left[p] * BAR / clients);
		int high = (int)lround(f->left_high[p] * BAR / clients);
		for (int i = 0; i < BAR; i++)
			bar[i] = (char)(i < mid		       ? '#'
					: i >= low && i < high ? '-'
							       : ' ');
		bar[BAR] = '\0';
		printf("%8.1f %s |%s| %.0f\n",
			f->hours_high * (short_one ? 60 : 1) * p /
				(FORECAST_POINTS - 1),
			short_one ? "min" : "h", bar, f->left[p]);
	}
}

static json_t *forecast_json(
	const struct outlook *o, unsigned batch, const struct forecast *f)
{
	json_t *points = json_array();
	double ms = p95_at(o, batch);

	for (int p = 0; p < FORECAST_POINTS; p++)
		json_array_append_new(points,
			json_pack("[f,f,f,f]",
				f->hours_high * p / (FORECAST_POINTS - 1),
				f->left_low[p], f->left[p], f->left_high[p]));
	return json_pack("{s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:o}",
		"batch", (int)batch, "clients", (int)o->plan.clients, "mb_min",
		f->x_mb_min, "user_mb_min", f->user_mb_min, "user_minutes",
		f->user_minutes, "user_minutes_p90", f->user_minutes_p90,
		"median_done_hours", f->waits_h, "hours", f->hours, "hours_low",
		f->hours_low, "hours_high", f->hours_high, "online_p95_ms",
		isfinite(ms) ? json_real(ms) : json_null(), "left", points);
}

int outlook_print(const struct outlook *o, bool json)
{
	struct forecast_plan plan = o->plan;
	struct forecast f;
	unsigned batch[BATCHES_MAX];
	unsigned count;

	if (read_batches(o, batch, &count) < 0) {
		fprintf(stderr,
			"sluice: simulate: --batch \"%s\": at most %d "
			"sizes from 1 to %d or auto, with commas\n",
			o->batches, BATCHES_MAX, OUTLOOK_BATCH_MAX);
		return 2;
	}
	json_t *list = json_array();
	if (!json)
		print_head(o);
	for (unsigned i = 0; i < count; i++) {
		plan.batch = batch[i];
		forecast_run(&f, &o->law, &plan);
		if (json)
			json_array_append_new(
				list, forecast_json(o, batch[i], &f));
		else
			print_row(o, batch[i], &f);
	}
	if (json) {
		json_dumpf(
			list, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else {
		print_burn_down(&f, batch[count - 1], plan.clients);
	}
	json_decref(list);
	return 0;
}
