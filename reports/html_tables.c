/* html_tables.c - see html_tables.h. A table with no row is left out. */
#include "html_tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"
#include "markup.h"
#include "summary.h"

static void open_section(struct buf *page, const char *id, const char *title)
{
	buf_printf(page, "<section id=%s><h2>%s</h2><div class=scroll>", id,
		title);
}

static void close_section(struct buf *page)
{
	markup_close_table(page);
	buf_append_text(page, "</div></section>\n");
}

static void waves(struct buf *page, const struct findings *findings)
{
	if (!findings->wave_count)
		return;
	open_section(page, "waves", "Waves");
	markup_open_table(page,
		"#wave|kind|state|verdict|#at once|#clients|"
		"#done|#failed|#MB|started (UTC)|#lasted|load generator");
	for (size_t i = 0; i < findings->wave_count; i++) {
		const struct finding_wave *wave = &findings->waves[i];
		double limited = findings_generator_share(wave);

		buf_append_text(page, "<tr>");
		markup_count(page, wave->number);
		markup_cell(page, wave->kind);
		markup_cell(page, wave->state);
		markup_cell(page, wave->verdict);
		markup_count(page, wave->batch);
		markup_count(page, wave->clients);
		markup_count(page, wave->done);
		markup_count(page, wave->failed);
		markup_number(page, wave->mb, 1);
		buf_append_text(page, "<td>");
		markup_time(page, wave->from_us);
		buf_append_text(page, "</td><td class=n>");
		markup_duration(page,
			wave->from_us && wave->to_us
				? (double)(wave->to_us - wave->from_us) / 1e6
				: NAN);
		buf_append_text(page, "</td><td>");
		if (limited > 0)
			buf_printf(page,
				"the bottleneck in %.0f&nbsp;%%: a lower bound",
				100 * limited);
		buf_append_text(page, "</td></tr>\n");
	}
	close_section(page);
}

/* What each wave moved and what it cost, one beside the other. */
static void comparison(struct buf *page, const struct findings *findings)
{
	if (!findings->wave_count)
		return;
	open_section(page, "comparison", "Waves side by side");
	markup_open_table(page,
		"#wave|#at once|#clients|#each client, median (MB/min)|"
		"#n for longest|#all together at n (MB/min)|"
		"#canary p95 (ms)|#actions of the brake|verdict|"
		"#size advised then|limited by");
	for (size_t i = 0; i < findings->wave_count; i++) {
		const struct finding_wave *wave = &findings->waves[i];

		buf_append_text(page, "<tr>");
		markup_count(page, wave->number);
		markup_count(page, wave->batch);
		markup_count(page, wave->clients);
		markup_number(page, wave->median_mb_min, 1);
		markup_number(page, wave->n, 0);
		markup_number(page, wave->n_mb_min, 1);
		markup_number(page, wave->canary_p95_ms, 0);
		markup_count(page, wave->brakes);
		markup_cell(page, wave->verdict);
		markup_number(page, wave->limit ? wave->advised : NAN, 0);
		markup_cell(page, wave->limit ? wave->limit : "not asked");
		buf_append_text(page, "</tr>\n");
	}
	close_section(page);
}

static const char *verdict_class(const struct finding_gate *gate)
{
	if (strcmp(gate->verdict, "PASS") == 0)
		return "good";
	return strcmp(gate->verdict, "FAIL") == 0 ? "bad" : "unsure";
}

static void gates(struct buf *page, const struct findings *findings)
{
	if (!findings->gate_count)
		return;
	open_section(page, "gates", "Gates");
	markup_open_table(page, "#wave|rule|measured|limit|verdict");
	for (size_t i = 0; i < findings->gate_count; i++) {
		const struct finding_gate *gate = &findings->gates[i];

		buf_append_text(page, "<tr>");
		markup_count(page, gate->wave);
		markup_cell(page, gate->name);
		markup_cell(page, gate->measured);
		markup_cell(page, gate->limit);
		buf_printf(page, "<td class=%s>", verdict_class(gate));
		markup_text(page, gate->verdict);
		buf_append_text(page, gate->advisory ? " (advisory)" : "");
		buf_append_text(page, "</td></tr>\n");
	}
	close_section(page);
}

static void levels(struct buf *page, const struct findings *findings)
{
	if (!findings->level_count)
		return;
	open_section(page, "levels", "Measured rates");
	markup_open_table(page,
		"#at once, n|#all together (MB/min)|"
		"#standard error (MB/min)|"
		"#each client (MB/min)|#data (s)|#buckets|"
		"#canary p95 (ms)");
	for (size_t i = 0; i < findings->level_count; i++) {
		const struct finding_level *level = &findings->levels[i];

		buf_append_text(page, "<tr>");
		markup_number(page, level->n, 0);
		markup_number(page, level->mb_min, 1);
		markup_number(page, level->error, 1);
		markup_number(
			page, level->n > 0 ? level->mb_min / level->n : NAN, 1);
		markup_number(page, level->seconds, 0);
		markup_count(page, level->buckets);
		markup_number(page, level->canary_p95_ms, 0);
		buf_append_text(page, "</tr>\n");
	}
	close_section(page);
}

static void client_row(struct buf *page, const struct finding_client *client)
{
	buf_append_text(page, "<tr>");
	markup_cell(page, client->name);
	markup_count(page, client->wave);
	buf_printf(page, "<td class=%s>",
		client->failed	       ? "bad"
			: client->done ? "good"
				       : "unsure");
	markup_text(page, client->state);
	buf_append_text(page, "</td>");
	markup_count(page, client->messages);
	markup_count(page, client->bodies);
	markup_count(page, client->items);
	markup_count(page, client->folders);
	markup_number(page, client->mb, 1);
	markup_number(page, client->seconds, 1);
	markup_number(page, client->mb_min, 1);
	markup_number(page, client->paused_s, 0);
	markup_count(page, client->retries);
	markup_count(page, client->quarantined);
	markup_cell(page, client->verified ? "yes" : "no");
	markup_cell(page, client->version);
	buf_append_text(page, "</tr>\n");
}

static void clients(struct buf *page, const struct findings *findings)
{
	if (!findings->client_count)
		return;
	open_section(page, "clienttable", "Clients");
	markup_open_table(page,
		"client|#wave|state|#messages|#complete|"
		"#contacts, events, tasks, notes|#folders|#MB|"
		"#seconds|#MB/min|#paused (s)|#retries|"
		"#quarantined|verified|agent");
	for (size_t i = 0; i < findings->client_count; i++)
		client_row(page, &findings->clients[i]);
	close_section(page);
}

static void failures(struct buf *page, const struct findings *findings)
{
	struct finding_cause *causes;
	size_t count = findings_causes(findings, &causes);

	if (!count)
		return;
	open_section(page, "failures", "Failures by cause");
	markup_open_table(page, "cause|#clients|first of them|what it said");
	for (size_t i = 0; i < count; i++) {
		buf_append_text(page, "<tr>");
		markup_cell(page, causes[i].kind);
		markup_count(page, causes[i].clients);
		markup_cell(page, causes[i].first->name);
		markup_cell(page, causes[i].first->cause);
		buf_append_text(page, "</tr>\n");
	}
	close_section(page);
	free(causes);
}

static void texts(struct buf *page, const char *id, const char *title,
	const char *titles, const struct finding_text *rows, size_t count)
{
	if (!count)
		return;
	open_section(page, id, title);
	markup_open_table(page, titles);
	for (size_t i = 0; i < count; i++) {
		buf_append_text(page, "<tr>");
		markup_cell(page, rows[i].name);
		buf_append_text(page, "<td><code>");
		markup_text(page, rows[i].value);
		buf_append_text(page, "</code></td></tr>\n");
	}
	close_section(page);
}

void html_tables(struct buf *page, const struct findings *findings)
{
	waves(page, findings);
	comparison(page, findings);
	gates(page, findings);
	levels(page, findings);
	failures(page, findings);
	clients(page, findings);
	texts(page, "parameters", "Parameters of the recommendation",
		"parameter|value", findings->parameters,
		findings->parameter_count);
	texts(page, "versions", "Versions", "what|version", findings->versions,
		findings->version_count);
	texts(page, "commands", "What was done", "time (UTC)|what",
		findings->commands, findings->command_count);
	if (!findings->scenario || !*findings->scenario)
		return;
	buf_append_text(page,
		"<section id=scenario><h2>Scenario</h2>"
		"<pre class=scroll><code>");
	markup_lines(page, findings->scenario);
	buf_append_text(page, "</code></pre></section>\n");
}
