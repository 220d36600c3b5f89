/* summary.c - see summary.h. */
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static int slower(const void *left, const void *right)
{
	const struct finding_client *const *a = left, *const *b = right;

	if ((*a)->mb_min != (*b)->mb_min)
		return (*a)->mb_min > (*b)->mb_min ? -1 : 1;
	return *a < *b ? -1 : *a > *b;
}

size_t findings_by_speed(
	const struct findings *findings, const struct finding_client ***sorted)
{
	size_t count = 0;

	*sorted = xcalloc(findings->client_count + 1, sizeof(**sorted));
	for (size_t i = 0; i < findings->client_count; i++)
		if (isfinite(findings->clients[i].mb_min) &&
			findings->clients[i].mb_min > 0)
			(*sorted)[count++] = &findings->clients[i];
	qsort(*sorted, count, sizeof(**sorted), slower);
	return count;
}

size_t findings_slow_tenth(size_t count)
{
	return count >= 5 ? (count + 9) / 10 : 0;
}

struct findings_summary findings_summary(const struct findings *findings)
{
	struct findings_summary sum = {.median_mb_min = NAN};
	const struct finding_client **sorted;
	size_t count = findings_by_speed(findings, &sorted);

	if (count)
		sum.median_mb_min = (sorted[(count - 1) / 2]->mb_min +
					    sorted[count / 2]->mb_min) /
			2;
	free(sorted);
	for (size_t i = 0; i < findings->client_count; i++) {
		const struct finding_client *client = &findings->clients[i];

		sum.clients += !client->excluded;
		sum.verified += client->done && client->verified;
		sum.failed += client->failed;
		sum.started += client->started_us != 0;
		if (isfinite(client->mb))
			sum.mb += client->mb;
	}
	for (size_t i = 0; i < findings->level_count; i++)
		sum.best_mb_min = fmax(
			sum.best_mb_min, findings->levels[i].mb_min);
	return sum;
}

static int rarer(const void *left, const void *right)
{
	const struct finding_cause *a = left, *b = right;

	if (a->clients != b->clients)
		return a->clients > b->clients ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

size_t findings_causes(
	const struct findings *findings, struct finding_cause **causes)
{
	size_t count = 0, at;

	*causes = NULL;
	for (size_t i = 0; i < findings->client_count; i++) {
		const struct finding_client *client = &findings->clients[i];
		struct finding_cause *cause;

		if (!client->failed)
			continue;
		for (at = 0; at < count; at++)
			if (strcmp((*causes)[at].kind, client->cause_kind) == 0)
				break;
		if (at == count) {
			cause = findings_add(causes, &count, sizeof(*cause));
			cause->kind = client->cause_kind;
			cause->first = client;
		}
		(*causes)[at].clients++;
	}
	if (count)
		qsort(*causes, count, sizeof(**causes), rarer);
	return count;
}

double findings_generator_share(const struct finding_wave *wave)
{
	return wave->buckets ? (double)wave->generator / wave->buckets : 0;
}
