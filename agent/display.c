/*
 * display.c - progress as text, the result as JSON and as text.
 *
 * Used by `sync`, on the main thread, while the engine works on another.
 */
#include "display.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "err.h"
#include "latency.h"
#include "sync.h"
#include "units.h"

#define PIPE_US	    (10 * US_PER_S)
#define TERMINAL_US (US_PER_S / 5)
#define BAR_CELLS   24

void display_init(struct display *display, FILE *out)
{
	memset(display, 0, sizeof *display);
	display->out = out;
	display->terminal = isatty(fileno(out)) == 1;
}

static void append_bar(struct buf *line, double fraction)
{
	int full = (int)(fraction * BAR_CELLS);

	buf_append_text(line, "[");
	for (int i = 0; i < BAR_CELLS; i++)
		buf_append_text(line, i < full ? "#" : ".");
	buf_append_text(line, "] ");
}

/* One line without its end: state, bar, percentage, size, speed, rest. */
static void fill_line(struct buf *line, const struct sync_progress *progress,
	const struct meter *meter, bool bar)
{
	char done[UNITS_TEXT_BYTES];
	char total[UNITS_TEXT_BYTES];
	char rest[UNITS_TEXT_BYTES];
	int64_t eta_us;

	buf_printf(line, "%-10s ", sync_state_name(progress->state));
	if (bar)
		append_bar(line, meter_fraction(meter));
	units_format_bytes(progress->app_bytes, done);
	units_format_bytes(progress->total_bytes, total);
	if (progress->total_bytes)
		buf_printf(line, "%3.0f%%  %s of %s",
			100.0 * meter_fraction(meter), done, total);
	else
		buf_printf(line, "%s", done);
	buf_printf(line, "  %.1f MB/min", meter_mb_min(meter));
	if (meter_eta_us(meter, &eta_us))
		buf_printf(
			line, "  ETA %s", units_format_duration(eta_us, rest));
	if (progress->retries)
		buf_printf(line, "  %" PRIu64 " retries", progress->retries);
}

void display_update(struct display *display,
	const struct sync_progress *progress, int64_t now_us)
{
	struct buf line = BUF_INIT(0);
	int64_t every = display->terminal ? TERMINAL_US : PIPE_US;

	meter_update(&display->meter, now_us, progress->app_bytes,
		progress->total_bytes);
	if (!display->last_us && !display->terminal)
		display->last_us = now_us;
	if (now_us - display->last_us < every)
		return;
	display->last_us = now_us;
	fill_line(&line, progress, &display->meter, display->terminal);
	if (display->terminal)
		fprintf(display->out, "\r%s\033[K", buf_text(&line));
	else
		fprintf(display->out, "%s\n", buf_text(&line));
	fflush(display->out);
	buf_free(&line);
}

void display_end(struct display *display)
{
	if (display->terminal && display->last_us)
		fputs("\r\033[K", display->out);
	fflush(display->out);
}

static void add_counts(json_t *object, const struct sync_progress *progress)
{
	const struct store_totals *totals = &progress->totals;
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{"folders", totals->folders},
		{"messages", totals->messages},
		{"bodies", totals->bodies},
		{"signed_or_encrypted", totals->protected_messages},
		{"contacts", totals->contacts},
		{"events", totals->events},
		{"tasks", totals->tasks},
		{"notes", totals->notes},
		{"quarantined", totals->quarantined},
		{"app_bytes", progress->run_app_bytes},
		{"wire_bytes", progress->run_wire_bytes},
		{"stored_bytes", totals->stored_bytes},
		{"predicted_bytes", progress->predicted_bytes},
		{"retries", progress->retries},
		{"missized", progress->missized},
		{"round_trips", progress->round_trips},
		{"connections", progress->connections},
		{"rounds", progress->rounds},
		{"commits", progress->run_commits},
	};

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		json_object_set_new(object, counts[i].key,
			json_integer((json_int_t)counts[i].value));
}

/* What a person at the mail client would have felt, by phase. */
static json_t *latency_json(struct latency *latency)
{
	static const char *const names[] = {
		[LATENCY_BEFORE] = "before",
		[LATENCY_DURING] = "during",
		[LATENCY_AFTER] = "after",
	};
	json_t *object = json_object();

	for (int i = 0; i < LATENCY_PHASES; i++) {
		struct latency_figure figure;

		latency_read(latency, (enum latency_phase)i, &figure);
		json_object_set_new(object, names[i],
			json_pack("{s:I s:f s:f}", "count",
				(json_int_t)figure.count, "p95_ms",
				figure.p95_ms, "max_ms", figure.max_ms));
	}
	return object;
}

char *result_json(const struct sync_progress *progress, struct latency *latency,
	const struct err *err)
{
	json_t *object = json_object();
	double seconds = (double)progress->active_us / US_PER_S;
	char *text;

	json_object_set_new(
		object, "state", json_string(sync_state_name(progress->state)));
	json_object_set_new(
		object, "verified", json_boolean(progress->verified));
	add_counts(object, progress);
	json_object_set_new(object, "seconds", json_real(seconds));
	json_object_set_new(object, "mb_per_min",
		json_real(mb_per_minute(
			progress->run_app_bytes, progress->active_us)));
	if (latency)
		json_object_set_new(object, "ui", latency_json(latency));
	json_object_set_new(object, "error",
		err && err->kind != ERR_NONE ? json_string(err->text)
					     : json_null());
	if (err && err->kind != ERR_NONE)
		json_object_set_new(object, "error_kind",
			json_string(err_kind_name(err->kind)));
	text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(object);
	return text;
}

void result_text(struct buf *text, const struct sync_progress *progress)
{
	const struct store_totals *totals = &progress->totals;
	char bytes[UNITS_TEXT_BYTES];
	char time[UNITS_TEXT_BYTES];

	buf_printf(text,
		"%s%s: %" PRIu64 " folders, %" PRIu64 " messages (%" PRIu64
		" whole, %" PRIu64 " signed or encrypted), %" PRIu64
		" contacts, %" PRIu64 " events, %" PRIu64 " tasks, %" PRIu64
		" notes\n",
		sync_state_name(progress->state),
		progress->verified ? " and verified" : "", totals->folders,
		totals->messages, totals->bodies, totals->protected_messages,
		totals->contacts, totals->events, totals->tasks, totals->notes);
	buf_printf(text, "this run: %s in %s, %.1f MB/min",
		units_format_bytes(progress->run_app_bytes, bytes),
		units_format_duration(progress->active_us, time),
		mb_per_minute(progress->run_app_bytes, progress->active_us));
	buf_printf(text, "; local database %s\n",
		units_format_bytes(totals->stored_bytes, bytes));
	if (totals->quarantined)
		buf_printf(text,
			"%" PRIu64 " items could not be taken; see "
			"sluice-agent status\n",
			totals->quarantined);
}
