/* plain.c - see plain.h. */
#include "plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "findings.h"
#include "summary.h"
#include "units.h"
#include "utf8.h"

#define WIDTH	     80
#define BAR_WIDTH    32
#define EVENTS_SHOWN 100
#define DAY_CHARS    10
#define SHOWN	     60 /* clients by name; the rest is in clients.csv */

/* At most WIDTH characters of TEXT, then blanks up to it; width 0: all. */
static void put(struct buf *out, const char *text, unsigned width)
{
	unsigned shown = 0;

	for (; text && *text && (!width || shown < width); shown++) {
		size_t length = utf8_length(text);

		if (utf8_printable(text, length))
			buf_append(out, text, length);
		else
			buf_append_text(out, "?");
		text += length ? length : 1;
	}
	for (; shown < width; shown++)
		buf_append_text(out, " ");
}

static void number(struct buf *out, double value, int width, int decimals)
{
	if (isfinite(value))
		buf_printf(out, "%*.*f", width, decimals, value);
	else
		buf_printf(out, "%*s", width, "-");
}

static void heading(struct buf *out, const char *title)
{
	buf_printf(out, "\n%s\n", title);
	for (size_t i = 0; i < strlen(title); i++)
		buf_append_text(out, "-");
	buf_append_text(out, "\n");
}

/* Words of TEXT in lines of WIDTH, each after INDENT blanks. */
static void paragraph(struct buf *out, const char *text, unsigned indent)
{
	unsigned column = indent;

	buf_printf(out, "%*s", (int)indent, "");
	while (*text) {
		size_t length = strcspn(text, " \n");
		struct buf word = BUF_INIT(0);

		for (size_t i = 0; i < length;) {
			size_t bytes = utf8_length(text + i);

			if (utf8_printable(text + i, bytes))
				buf_append(&word, text + i, bytes);
			else
				buf_append_text(&word, "?");
			i += bytes ? bytes : 1;
		}
		if (column > indent && column + 1 + length > WIDTH) {
			buf_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_append_text(out, " ");
			column++;
		}
		buf_append_text(out, buf_text(&word));
		buf_free(&word);
		column += (unsigned)length;
		text += length + (text[length] != '\0');
	}
	buf_append_text(out, "\n");
}

static void opening(struct buf *out, const struct findings *findings)
{
	struct findings_summary sum = findings_summary(findings);
	char from[32], to[32], length[UNITS_TEXT_BYTES];

	buf_append_text(out, "Sluice report: ");
	put(out, findings->rollout, 0);
	if (findings->wave)
		buf_printf(out, ", wave %u", findings->wave);
	buf_append_text(out, "\n");
	buf_append_text(out, "rollout:  ");
	put(out, findings->state, 0);
	buf_append_text(out, "\n");
	if (findings->from_us)
		buf_printf(out, "time:     %s to %s (%s)\n",
			clock_format_utc(findings->from_us, from),
			clock_format_utc(findings->to_us, to),
			units_format_duration(
				findings->to_us - findings->from_us, length));
	buf_printf(out, "clients:  %zu of %zu done and verified, %zu failed\n",
		sum.verified, sum.clients, sum.failed);
	buf_printf(out, "payload:  %.1f MB", sum.mb);
	if (isfinite(sum.median_mb_min))
		buf_printf(
			out, ", median client %.1f MB/min", sum.median_mb_min);
	if (sum.best_mb_min > 0)
		buf_printf(out, ", at best %.1f MB/min all together",
			sum.best_mb_min);
	buf_append_text(out, "\n");
}

static void verdict(struct buf *out, const struct findings *findings)
{
	heading(out, "Verdict");
	if (!findings->has_advice) {
		buf_append_text(out,
			"Nothing has been recommended yet: a "
			"pilot has to run first.\n");
		return;
	}
	put(out, findings->verdict, 0);
	buf_printf(out, ": %u synchronisation%s at once", findings->batch,
		findings->batch == 1 ? "" : "s");
	if (*findings->binding) {
		buf_append_text(out, "; limited by ");
		put(out, findings->binding, 0);
	}
	if (*findings->next_limit) {
		buf_append_text(out, "\nnext limit: ");
		put(out, findings->next_limit, 0);
	}
	buf_append_text(out, "\n");
	if (findings->advice_wave)
		buf_printf(out, "recommended after wave %u\n",
			findings->advice_wave);
	if (isfinite(findings->gain) &&
		findings->batch != findings->batch_before)
		buf_printf(out,
			"from %u to %u: %+.0f %% of the summed rate "
			"(90 %% interval %+.0f to %+.0f %%)\n",
			findings->batch_before, findings->batch,
			findings->gain * 100, findings->gain_low * 100,
			findings->gain_high * 100);
	for (size_t i = 0; i < findings->reason_count; i++) {
		size_t start = out->length;

		paragraph(out, findings->reasons[i].value, 2);
		out->data[start] = '-';
	}
}

/* The curve as bars: what the HTML report draws. */
static void levels(struct buf *out, const struct findings *findings)
{
	double top = findings_summary(findings).best_mb_min;

	if (!(top > 0))
		return;
	heading(out, "All together, by synchronisations at once");
	buf_append_text(out, "   n    MB/min  std.err  each MB/min   data s\n");
	for (size_t i = 0; i < findings->level_count; i++) {
		const struct finding_level *level = &findings->levels[i];
		int bar = (int)lround(level->mb_min / top * BAR_WIDTH);

		buf_printf(out, "%4.0f", level->n);
		number(out, level->mb_min, 10, 1);
		number(out, level->error, 9, 1);
		number(out, level->n > 0 ? level->mb_min / level->n : NAN, 13,
			1);
		number(out, level->seconds, 9, 0);
		buf_append_text(out, "  ");
		for (int c = 0; c < bar; c++)
			buf_append_text(out, "=");
		buf_append_text(out,
			findings->has_advice && level->n == findings->batch
				? "  <- batch size\n"
				: "\n");
	}
}

static void waves(struct buf *out, const struct findings *findings)
{
	if (!findings->wave_count)
		return;
	heading(out, "Waves");
	buf_append_text(out,
		"wave kind     state         verdict       at once"
		" clients  done failed   lasted\n");
	for (size_t i = 0; i < findings->wave_count; i++) {
		const struct finding_wave *wave = &findings->waves[i];
		char length[UNITS_TEXT_BYTES] = "-";

		if (wave->from_us && wave->to_us)
			units_format_duration(
				wave->to_us - wave->from_us, length);
		buf_printf(out, "%4u ", wave->number);
		put(out, wave->kind, 8);
		buf_append_text(out, " ");
		put(out, wave->state, 13);
		buf_append_text(out, " ");
		put(out, wave->verdict, 12);
		buf_printf(out, " %8u %7u %5u %6u %8s\n", wave->batch,
			wave->clients, wave->done, wave->failed, length);
		if (wave->generator)
			buf_printf(out,
				"     the load generator was the bottleneck in "
				"%.0f %% of it: figures are a lower bound\n",
				100 * findings_generator_share(wave));
	}
}

static void comparison(struct buf *out, const struct findings *findings)
{
	if (!findings->wave_count)
		return;
	heading(out, "Waves side by side");
	buf_append_text(out,
		"wave at once clients  MB/min    n   MB/min canary brake "
		"verdict      size limited by\n"
		"                     per cl.      at that n p95 ms\n");
	for (size_t i = 0; i < findings->wave_count; i++) {
		const struct finding_wave *wave = &findings->waves[i];

		buf_printf(out, "%4u %7u %7u", wave->number, wave->batch,
			wave->clients);
		number(out, wave->median_mb_min, 8, 1);
		number(out, wave->n, 5, 0);
		number(out, wave->n_mb_min, 9, 1);
		number(out, wave->canary_p95_ms, 7, 0);
		buf_printf(out, " %5u ", wave->brakes);
		put(out, wave->verdict, 12);
		number(out, wave->limit ? wave->advised : NAN, 5, 0);
		buf_printf(out, " %s\n", wave->limit ? wave->limit : "-");
	}
}

static void gates(struct buf *out, const struct findings *findings)
{
	if (!findings->gate_count)
		return;
	heading(out, "Gates");
	for (size_t i = 0; i < findings->gate_count; i++) {
		const struct finding_gate *gate = &findings->gates[i];

		buf_printf(out, "wave %u  ", gate->wave);
		put(out, gate->verdict, 13);
		put(out, gate->name, 0);
		buf_append_text(out, ": ");
		put(out, gate->measured, 0);
		if (*gate->limit) {
			buf_append_text(out, " (limit ");
			put(out, gate->limit, 0);
			buf_append_text(out, ")");
		}
		buf_append_text(out, "\n");
	}
}

static void client_line(struct buf *out, const struct finding_client *client)
{
	put(out, client->name, 16);
	buf_printf(out, " %4u ", client->wave);
	put(out, client->state, 10);
	buf_printf(out, "%8llu", (unsigned long long)client->messages);
	number(out, client->mb, 9, 1);
	buf_printf(out, "%6llu", (unsigned long long)client->folders);
	number(out, client->seconds, 8, 1);
	number(out, client->mb_min, 8, 1);
	buf_printf(out, "%4llu %s\n", (unsigned long long)client->retries,
		client->verified ? "yes" : "no");
}

static void clients(struct buf *out, const struct findings *findings)
{
	if (!findings->client_count)
		return;
	heading(out, "Clients");
	buf_append_text(out,
		"client           wave state     messages       MB"
		" fold. seconds  MB/min rtr verified\n");
	for (size_t i = 0; i < findings->client_count && i < SHOWN; i++)
		client_line(out, &findings->clients[i]);
	if (findings->client_count > SHOWN)
		buf_printf(out, "and %zu more: `sluice report --csv DIR`\n",
			findings->client_count - SHOWN);
}

static void failures(struct buf *out, const struct findings *findings)
{
	struct finding_cause *causes;
	size_t count = findings_causes(findings, &causes);

	if (count)
		heading(out, "Failures by cause");
	for (size_t i = 0; i < count; i++) {
		buf_printf(out, "%5zu  ", causes[i].clients);
		put(out, causes[i].kind, 0);
		buf_append_text(out, "; first: ");
		put(out, causes[i].first->name, 0);
		buf_append_text(out, "\n");
		paragraph(out, causes[i].first->cause, 7);
	}
	free(causes);
}

/* The brake, gates, people: newest last. */
static void history(struct buf *out, const struct findings *findings)
{
	size_t count = findings->command_count;
	size_t first = count > EVENTS_SHOWN ? count - EVENTS_SHOWN : 0;
	const char *day = "";

	if (!count)
		return;
	heading(out, "What was done (UTC)");
	if (first)
		buf_printf(out, "%zu earlier: in the HTML report\n", first);
	for (size_t i = first; i < count; i++) {
		/* "2026-03-01 20:00:00" */
		const char *time = findings->commands[i].name;
		char *line = xasprintf("%s %s", time + DAY_CHARS + 1,
			findings->commands[i].value);

		if (strncmp(day, time, DAY_CHARS) != 0)
			buf_printf(out, "%.*s\n", DAY_CHARS, time);
		day = time;
		paragraph(out, line, 2);
		free(line);
	}
}

void text_report(const struct findings *findings, struct buf *text)
{
	opening(text, findings);
	verdict(text, findings);
	levels(text, findings);
	waves(text, findings);
	comparison(text, findings);
	gates(text, findings);
	failures(text, findings);
	clients(text, findings);
	history(text, findings);
}
