/* findings.c - see findings.h. */
#include "findings.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

void *findings_add(void *items, size_t *count, size_t size)
{
	void **array = items;
	char *element;

	/* The capacity is the power of two at or above the count. */
	if ((*count & (*count - 1)) == 0)
		*array = xrealloc(*array, *count ? *count * 2 : 1, size);
	element = (char *)*array + *count * size;
	memset(element, 0, size);
	(*count)++;
	return element;
}

const char *activity_name(enum activity activity)
{
	static const char *const names[ACTIVITY_COUNT] = {
		[ACTIVITY_WAITING] = "waiting",
		[ACTIVITY_LISTING] = "listing",
		[ACTIVITY_BULK] = "bulk",
		[ACTIVITY_PAUSED] = "paused",
		[ACTIVITY_VERIFYING] = "verifying",
		[ACTIVITY_FAILED] = "failed",
	};

	return (unsigned)activity < ACTIVITY_COUNT ? names[activity] : "?";
}

static void free_texts(struct finding_text *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(texts[i].name);
		free(texts[i].value);
	}
	free(texts);
}

static void free_clients(struct findings *findings)
{
	for (size_t i = 0; i < findings->client_count; i++) {
		struct finding_client *client = &findings->clients[i];

		free(client->name);
		free(client->host);
		free(client->version);
		free(client->state);
		free(client->cause);
		free(client->cause_kind);
	}
	free(findings->clients);
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->wave_count; i++) {
		free(findings->waves[i].kind);
		free(findings->waves[i].state);
		free(findings->waves[i].verdict);
		free(findings->waves[i].limit);
	}
	for (size_t i = 0; i < findings->gate_count; i++) {
		free(findings->gates[i].name);
		free(findings->gates[i].measured);
		free(findings->gates[i].limit);
		free(findings->gates[i].verdict);
	}
	free_clients(findings);
	free_texts(findings->reasons, findings->reason_count);
	free_texts(findings->parameters, findings->parameter_count);
	free_texts(findings->versions, findings->version_count);
	free_texts(findings->commands, findings->command_count);
	free(findings->waves);
	free(findings->gates);
	free(findings->spans);
	free(findings->levels);
	free(findings->curve);
	free(findings->moments);
	free(findings->buckets);
	free(findings->result_json);
	free(findings->rollout);
	free(findings->scenario);
	free(findings->state);
	free(findings->version);
	free(findings->verdict);
	free(findings->binding);
	free(findings->next_limit);
	memset(findings, 0, sizeof(*findings));
}
