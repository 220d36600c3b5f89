/*
 * html.c - see html.h. The page from the top: the verdict, the figures in the
 * order in which questions come up, then the tables behind them.
 */
#include "html.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "clock.h"
#include "err.h"
#include "figures.h"
#include "findings.h"
#include "html_tables.h"
#include "markup.h"
#include "style.h"
#include "summary.h"

#define NAMED_SLOWEST 10

static void open_page(struct buf *page, const struct findings *findings)
{
	buf_append_text(page,
		"<!DOCTYPE html>\n<html lang=en><head>"
		"<meta charset=utf-8>"
		"<meta name=viewport content=\"width=device-width\">"
		"<meta http-equiv=Content-Security-Policy content=\""
		"default-src 'none'; style-src 'unsafe-inline'\">"
		"<title>Sluice: ");
	markup_text(page, findings->rollout);
	buf_append_text(page, "</title><style>");
	buf_append_text(page, style_sheet);
	buf_append_text(page, "</style></head>\n<body>\n<header><h1>");
	markup_text(page, findings->rollout);
	if (findings->wave)
		buf_printf(page, ": wave %u", findings->wave);
	buf_append_text(page, "</h1><p class=meta>");
	buf_append_text(page, "Rollout ");
	markup_text(page, findings->state);
	if (findings->from_us) {
		buf_append_text(page, ". From ");
		markup_time(page, findings->from_us);
		buf_append_text(page, " to ");
		markup_time(page, findings->to_us);
		buf_append_text(page, " UTC");
	}
	buf_append_text(page, ". Written ");
	markup_time(page, findings->made_us);
	buf_append_text(page, " UTC by Sluice ");
	markup_text(page, findings->version);
	buf_append_text(page, ".</p></header>\n");
}

static void gain_sentence(struct buf *page, const struct findings *findings)
{
	if (!isfinite(findings->gain) ||
		findings->batch == findings->batch_before)
		return;
	buf_printf(page,
		"<p>Going from %u to %u changes the summed rate by "
		"%+.0f %% (90 %% interval %+.0f to %+.0f %%).</p>",
		findings->batch_before, findings->batch, findings->gain * 100,
		findings->gain_low * 100, findings->gain_high * 100);
}

static void verdict_box(struct buf *page, const struct findings *findings)
{
	const char *word = findings->has_advice ? findings->verdict
						: "NO ADVICE";

	buf_append_text(page, "<section id=verdict class=\"verdict ");
	for (const char *c = findings->has_advice ? word : ""; *c; c++)
		if (isalpha((unsigned char)*c))
			buf_printf(page, "%c", tolower((unsigned char)*c));
	buf_append_text(page, "\"><div class=word>");
	markup_text(page, word);
	buf_append_text(page, "</div>");
	if (!findings->has_advice) {
		buf_append_text(page,
			"<div class=answer>Nothing has been recommended yet"
			"</div><p>A pilot has to run first: "
			"<code>sluice pilot 1</code>.</p></section>\n");
		return;
	}
	buf_printf(page, "<div class=answer>%u synchronisation%s at once</div>",
		findings->batch, findings->batch == 1 ? "" : "s");
	buf_append_text(page, "<p>");
	if (*findings->binding) {
		buf_append_text(page, "Limited by ");
		markup_text(page, findings->binding);
		if (*findings->next_limit) {
			buf_append_text(page, "; next limit: ");
			markup_text(page, findings->next_limit);
		}
		buf_append_text(page, ". ");
	}
	if (findings->advice_wave)
		buf_printf(page, "Recommended after wave %u.",
			findings->advice_wave);
	buf_append_text(page, "</p>");
	gain_sentence(page, findings);
	buf_append_text(page, "<ul>");
	for (size_t i = 0; i < findings->reason_count; i++) {
		buf_append_text(page, "<li>");
		markup_text(page, findings->reasons[i].value);
		buf_append_text(page, "</li>");
	}
	buf_append_text(page, "</ul></section>\n");
}

static void tile(struct buf *page, const char *caption, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void tile(struct buf *page, const char *caption, const char *fmt, ...)
{
	char text[96];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_printf(page, "<div class=tile><b>%s</b><span>%s</span></div>", text,
		caption);
}

static void tiles(struct buf *page, const struct findings *findings)
{
	struct findings_summary sum = findings_summary(findings);
	struct buf length = BUF_INIT(0);

	buf_append_text(page, "<section id=summary class=tiles>");
	tile(page, "clients done and verified", "%zu of %zu", sum.verified,
		sum.clients);
	tile(page, "clients failed", "%zu", sum.failed);
	tile(page, "synchronised", "%.*f MB", sum.mb < 100 ? 1 : 0, sum.mb);
	tile(page, "best measured rate, all together",
		sum.best_mb_min > 0 ? "%.0f MB/min" : "\xe2\x80\x93",
		sum.best_mb_min);
	tile(page, "median of one client",
		isfinite(sum.median_mb_min) ? "%.3g MB/min" : "\xe2\x80\x93",
		sum.median_mb_min);
	markup_duration(&length,
		findings->from_us
			? (double)(findings->to_us - findings->from_us) / 1e6
			: NAN);
	tile(page, "from the first start to the last end", "%s",
		buf_text(&length));
	buf_free(&length);
	buf_append_text(page, "</section>\n");
}

static void legend(struct buf *page)
{
	buf_append_text(page, "<div class=legend>");
	for (int a = 0; a < ACTIVITY_COUNT; a++)
		buf_printf(page,
			"<span><i style=\"background:%s\"></i>%s</span>",
			figure_activity_colour(a),
			activity_name((enum activity)a));
	buf_append_text(page, "</div>");
}

static void slowest(struct buf *page, const struct findings *findings)
{
	const struct finding_client **sorted;
	size_t count = findings_by_speed(findings, &sorted);
	size_t slow = findings_slow_tenth(count);

	if (slow)
		buf_append_text(page, " The slowest tenth is orange: ");
	for (size_t i = 0; i < slow && i < NAMED_SLOWEST; i++) {
		const struct finding_client *client = sorted[count - 1 - i];

		buf_append_text(page, i ? ", " : "");
		markup_text(page, client->name);
		buf_printf(page, " (%.3g MB/min)", client->mb_min);
	}
	if (slow)
		buf_append_text(
			page, slow > NAMED_SLOWEST ? " \xe2\x80\xa6" : ".");
	free(sorted);
}

/* What a reader has to know to read the figure; the figure itself has no
 * sentence in it. */
struct section {
	const char *id, *title;
	int (*draw)(const struct findings *, struct buf *, struct err *);
	const char *caption;
	const char *absent; /* instead of it, when nothing was measured */
	void (*before)(struct buf *);
	void (*after)(struct buf *, const struct findings *);
};

static const struct section sections[] = {
	{"rate", "How many at once", figure_rate,
		"Each point is the mean of the buckets in which exactly n "
		"clients were in their bulk phase, with its standard error. "
		"The fit is the capacity law n/X = c0 + c1(n-1) + c2 n(n-1) "
		"or, where that fits better, a straight line up to a "
		"ceiling.",
		"No bucket with a steady number of clients has been measured.",
		NULL, NULL},
	{"speeds", "Speed of each client", figure_speeds,
		"Payload stored per minute from start to end of each client's "
		"synchronisation, the fastest first.",
		"No client has finished.", NULL, slowest},
	{"load", "Load on the server", figure_load,
		"Shaded bands are waves. Await is the mean time of a disk "
		"request in queue and service.",
		"Nothing has been measured yet.", NULL, NULL},
	{"clients", "What each client did", figure_clients,
		"One row a client in order of start, n(t) above: the number in "
		"their bulk phase.",
		"No client has started.", legend, NULL},
	{"canary", "What waiting users felt", figure_canary,
		"Latency of a probe that does what an online user does, "
		"counted from its intended start.",
		NULL, NULL, NULL},
	{"canarylevels", "Waiting users against n", figure_canary_levels,
		"95th percentile of the probe's latency at each number of "
		"synchronisations.",
		NULL, NULL, NULL},
	{"burndown", "What is left", figure_burndown,
		"Clients count when they are done and verified.",
		"No client has started.", NULL, NULL},
};

static int draw(struct buf *page, const struct section *section,
	const struct findings *findings, struct err *err)
{
	size_t start = page->length;
	int drawn;

	buf_printf(page, "<section><h2 id=%s-title>%s</h2>", section->id,
		section->title);
	buf_append_text(page, "<figure>");
	if (section->before)
		section->before(page);
	drawn = section->draw(findings, page, err);
	if (drawn < 0)
		return err_context(err, "section \"%s\"", section->title);
	if (drawn) {
		buf_printf(page, "<figcaption>%s", section->caption);
		if (section->after)
			section->after(page, findings);
		buf_append_text(page, "</figcaption></figure></section>\n");
		return 0;
	}
	/* take back the opened figure */
	page->length = start;
	page->data[start] = '\0';
	if (section->absent)
		buf_printf(page,
			"<section id=%s><h2>%s</h2><p class=none>%s</p>"
			"</section>\n",
			section->id, section->title, section->absent);
	return 0;
}

int html_report(
	const struct findings *findings, struct buf *page, struct err *err)
{
	open_page(page, findings);
	verdict_box(page, findings);
	tiles(page, findings);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (draw(page, &sections[i], findings, err) < 0)
			return -1;
	html_tables(page, findings);
	buf_append_text(page, "</body></html>\n");
	return 0;
}
