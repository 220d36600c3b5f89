/* refill.c - see refill.h. Called once by the gauge, before its first tick. */
#include "refill.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "archive.h"
#include "generator.h"
#include "slicer.h"

uint32_t refill_boot(const char *boot)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *boot; boot++)
		hash = (hash ^ (unsigned char)*boot) * 16777619u;
	return hash;
}

char *refill_boot_text(uint32_t boot, char text[REFILL_BOOT_BYTES])
{
	(void)snprintf(text, REFILL_BOOT_BYTES, "%08x", (unsigned)boot);
	return text;
}

static int compare(const void *left, const void *right)
{
	const struct sample_row *a = left, *b = right;

	if (a->client != b->client)
		return a->client < b->client ? -1 : 1;
	if (a->received_us != b->received_us)
		return a->received_us < b->received_us ? -1 : 1;
	return a->agent_us < b->agent_us ? -1 : a->agent_us > b->agent_us;
}

/* The rows of one report, as the agent sent them. */
static void put_report(
	struct slicer *slicer, const struct sample_row *rows, size_t count)
{
	struct sample *samples = xcalloc(count, sizeof(*samples));
	char boot[REFILL_BOOT_BYTES];

	for (size_t i = 0; i < count; i++)
		samples[i] = (struct sample){
			.at_us = rows[i].agent_us,
			.phase = rows[i].phase,
			.app_bytes = rows[i].app_bytes,
			.wire_bytes = rows[i].wire_bytes,
			.messages = rows[i].messages,
		};
	(void)slicer_report(slicer, rows->client,
		refill_boot_text(rows->boot, boot),
		rows->received_us - rows->at_us + rows->agent_us,
		rows->received_us, samples, count);
	free(samples);
}

static int put_samples(struct slicer *slicer, struct archive *archive,
	int64_t since_us, struct err *err)
{
	struct sample_row *rows;
	size_t count, first = 0;

	if (archive_samples(archive, since_us, &rows, &count, err) < 0)
		return -1;
	if (count)
		qsort(rows, count, sizeof(*rows), compare);
	for (size_t i = 1; i <= count; i++) {
		if (i < count && rows[i].client == rows[first].client &&
			rows[i].received_us == rows[first].received_us &&
			rows[i].boot == rows[first].boot)
			continue;
		put_report(slicer, &rows[first], i - first);
		first = i;
	}
	free(rows);
	return 0;
}

static int put_waves(struct slicer *slicer, struct archive *archive,
	int64_t since_us, struct err *err)
{
	struct wave_row *waves;
	size_t count;

	if (archive_waves(archive, &waves, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct wave_row *wave = &waves[i];
		bool followed = i + 1 < count &&
			waves[i + 1].started_us <= wave->ended_us;

		if (wave->ended_us && wave->ended_us < since_us)
			continue;
		slicer_wave(slicer, wave->number,
			wave->started_us > since_us ? wave->started_us
						    : since_us);
		if (wave->ended_us && !followed)
			slicer_wave(slicer, 0, wave->ended_us);
	}
	free(waves);
	return 0;
}

static int put_hosts(struct slicer *slicer, struct generator *generator,
	struct archive *archive, int64_t since_us, struct err *err)
{
	struct host_row *rows;
	size_t count;

	if (archive_hosts(archive, since_us, &rows, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (generator_add(generator, rows[i].host, &rows[i].sample,
			    rows[i].at_us))
			slicer_mark(slicer, BUCKET_GENERATOR,
				rows[i].at_us - rows[i].sample.span_us,
				rows[i].at_us);
	free(rows);
	return 0;
}

int refill_slicer(struct slicer *slicer, struct generator *generator,
	struct archive *archive, int64_t since_us, struct err *err)
{
	struct load_row *loads;
	struct probe_row *probes;
	size_t count;

	if (put_samples(slicer, archive, since_us, err) < 0 ||
		put_hosts(slicer, generator, archive, since_us, err) < 0 ||
		archive_loads(archive, since_us, &loads, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		slicer_load(slicer, loads[i].at_us, loads[i].span_us,
			loads[i].load);
	free(loads);
	if (archive_probes(archive, since_us, &probes, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		slicer_probe(slicer, probes[i].start_us, probes[i].latency_us);
	free(probes);
	/* Last: of what is not there yet the slicer knows one wave only. */
	return put_waves(slicer, archive, since_us, err);
}
