/* generator.c - see generator.h. Fed by the gauge, with each report. */
#include "generator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "message.h"

#define HOSTS_MAX  64
#define NAME_BYTES 96
#define FRESH_US   (15 * US_PER_S) /* who is short of CPU reports late */
#define OWN_SHARE  0.5

struct host {
	char name[NAME_BYTES];
	int64_t seen_us, limited_us; /* in this wave, summed up */
	int64_t last_us;	     /* end of the newest sample */
	bool limited;		     /* in the newest sample */
	char text[GENERATOR_TEXT_BYTES + NAME_BYTES +
		2]; /* of the last limit */
};

struct generator {
	struct host hosts[HOSTS_MAX];
	size_t count;
};

/* A resource that the server shares is not the fleet's alone. */
static bool cpu_limits(const struct host_sample *s)
{
	return s->cpu > GENERATOR_CPU_MAX &&
		(!s->shared || s->cpu_own >= OWN_SHARE * s->cpu);
}

bool generator_limits(
	const struct host_sample *s, char text[GENERATOR_TEXT_BYTES])
{
	if (cpu_limits(s))
		(void)snprintf(text, GENERATOR_TEXT_BYTES, "CPU %.0f %%",
			100 * s->cpu);
	else if (s->memory > GENERATOR_MEMORY_MAX)
		(void)snprintf(text, GENERATOR_TEXT_BYTES, "memory %.0f %%",
			100 * s->memory);
	else if (!s->shared && s->disk_busy > GENERATOR_DISK_MAX &&
		s->disk_await_ms >= GENERATOR_AWAIT_MS)
		(void)snprintf(text, GENERATOR_TEXT_BYTES,
			"disk %.0f %% busy, %.0f ms a request",
			100 * s->disk_busy, s->disk_await_ms);
	else if (!s->shared && s->net_link > GENERATOR_NETWORK_MAX)
		(void)snprintf(text, GENERATOR_TEXT_BYTES, "network %.0f %%",
			100 * s->net_link);
	else
		return false;
	return true;
}

struct generator *generator_new(void)
{
	return xcalloc(1, sizeof(struct generator));
}

void generator_free(struct generator *generator)
{
	free(generator);
}

void generator_wave(struct generator *generator)
{
	for (size_t i = 0; i < generator->count; i++)
		generator->hosts[i].seen_us = generator->hosts[i].limited_us =
			0;
}

/* The last one stands for all there is no room for. */
static struct host *find_host(struct generator *generator, const char *name)
{
	struct host *host;

	for (size_t i = 0; i < generator->count; i++)
		if (strncmp(generator->hosts[i].name, name, NAME_BYTES - 1) ==
			0)
			return &generator->hosts[i];
	if (generator->count == HOSTS_MAX)
		return &generator->hosts[HOSTS_MAX - 1];
	host = &generator->hosts[generator->count++];
	(void)snprintf(host->name, sizeof(host->name), "%s", name);
	return host;
}

bool generator_add(struct generator *generator, const char *name,
	const struct host_sample *sample, int64_t at_us)
{
	struct host *host = find_host(generator, name);
	char text[GENERATOR_TEXT_BYTES];
	bool limited = generator_limits(sample, text);

	if (sample->span_us <= 0)
		return false;
	if (at_us >= host->last_us) {
		host->last_us = at_us;
		host->limited = limited;
	}
	host->seen_us += sample->span_us;
	if (!limited)
		return false;
	host->limited_us += sample->span_us;
	(void)snprintf(
		host->text, sizeof(host->text), "%s: %s", host->name, text);
	return true;
}

static double share_of(const struct host *host)
{
	return host->seen_us ? (double)host->limited_us / (double)host->seen_us
			     : NAN;
}

static const struct host *worst(const struct generator *generator)
{
	const struct host *found = NULL;

	for (size_t i = 0; i < generator->count; i++) {
		const struct host *host = &generator->hosts[i];

		if (host->seen_us &&
			(!found || share_of(host) > share_of(found)))
			found = host;
	}
	return found;
}

double generator_share(const struct generator *generator)
{
	const struct host *host = worst(generator);

	return host ? share_of(host) : NAN;
}

const char *generator_text(const struct generator *generator)
{
	const struct host *host = worst(generator);

	return host && host->limited_us ? host->text : "";
}

const char *generator_now(const struct generator *generator, int64_t now_us)
{
	for (size_t i = 0; i < generator->count; i++) {
		const struct host *host = &generator->hosts[i];

		if (host->limited && now_us - host->last_us < FRESH_US)
			return host->text;
	}
	return NULL;
}
