/*
 * history.c - gather_history(): gates, and what was done by whom. Pure.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "archived.h"
#include "clock.h"
#include "findings.h"
#include "gather.h"

/* "13.2" for a number, the text itself for a string. */
static char *figure_of(const json_t *value)
{
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	if (json_is_number(value))
		return xasprintf("%.4g", json_number_value(value));
	return xstrdup("");
}

static void gather_gates(struct findings *findings, const struct wave_row *wave)
{
	json_t *rules = json_loads(wave->gates, 0, NULL);
	json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule)
	{
		struct finding_gate *gate = findings_add(
			&findings->gates, &findings->gate_count, sizeof(*gate));

		gate->wave = wave->number;
		gate->name = figure_of(json_object_get(rule, "rule"));
		gate->measured = figure_of(json_object_get(rule, "measured"));
		gate->limit = figure_of(json_object_get(rule, "limit"));
		gate->verdict = figure_of(json_object_get(rule, "verdict"));
		gate->advisory = json_is_true(
			json_object_get(rule, "advisory"));
	}
	json_decref(rules);
	if (*wave->skipped) {
		struct finding_gate *gate = findings_add(
			&findings->gates, &findings->gate_count, sizeof(*gate));

		gate->wave = wave->number;
		gate->name = xstrdup("passed by a person");
		gate->measured = xstrdup(wave->skipped);
		gate->limit = xstrdup("");
		gate->verdict = xstrdup("SKIPPED");
	}
}

struct entry {
	int64_t at_us;
	size_t order; /* as archived */
	char *text;
};

static int by_time(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->at_us != b->at_us)
		return a->at_us < b->at_us ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static bool in_time(const struct findings *findings, int64_t at_us)
{
	return !findings->wave ||
		(at_us >= findings->from_us && at_us <= findings->to_us);
}

/* Rollout and waves only: what a client did stands in the figure. */
static size_t collect(const struct findings *findings,
	const struct archived *archived, struct entry **entries)
{
	size_t count = 0;

	for (size_t i = 0; i < archived->transition_count; i++) {
		const struct transition_row *row = &archived->transitions[i];
		struct entry *entry;

		if (strncmp(row->object, "client ", 7) == 0 ||
			!in_time(findings, row->at_us))
			continue;
		entry = findings_add(entries, &count, sizeof(*entry));
		entry->at_us = row->at_us;
		entry->order = i;
		entry->text = xasprintf("%s: %s -> %s%s%s (%s)", row->object,
			row->from, row->to, *row->reason ? ": " : "",
			row->reason, row->who);
	}
	for (size_t i = 0; i < archived->event_count; i++) {
		const struct event_row *row = &archived->events[i];
		struct entry *entry;

		if (!in_time(findings, row->at_us))
			continue;
		entry = findings_add(entries, &count, sizeof(*entry));
		entry->at_us = row->at_us;
		entry->order = archived->transition_count + i;
		entry->text = xasprintf("%s: %s", row->subject, row->text);
	}
	return count;
}

void gather_history(struct findings *findings, const struct archived *archived)
{
	struct entry *entries = NULL;
	size_t count = collect(findings, archived, &entries);

	for (size_t i = 0; i < archived->wave_count; i++)
		if (!findings->wave ||
			archived->waves[i].number == findings->wave)
			gather_gates(findings, &archived->waves[i]);
	if (count)
		qsort(entries, count, sizeof(*entries), by_time);
	for (size_t i = 0; i < count; i++) {
		struct finding_text *row = findings_add(&findings->commands,
			&findings->command_count, sizeof(*row));
		char time[32];

		clock_format_utc(entries[i].at_us, time);
		time[10] = ' ';
		time[19] = '\0';
		row->name = xstrdup(time);
		row->value = entries[i].text;
	}
	free(entries);
}
