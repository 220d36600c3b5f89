/* archived.c - see archived.h. */
#include "archived.h"

#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "err.h"

static int read_all(
	struct archive *archive, struct archived *a, struct err *err)
{
	if (archive_rollout(archive, &a->rollout, err) < 0 ||
		archive_scenario(archive, &a->scenario, err) < 0 ||
		archive_clients(archive, &a->clients, &a->client_count, err) <
			0 ||
		archive_waves(archive, &a->waves, &a->wave_count, err) < 0 ||
		archive_transitions(archive, NULL, &a->transitions,
			&a->transition_count, err) < 0 ||
		archive_events(archive, &a->events, &a->event_count, err) < 0)
		return -1;
	if (archive_buckets(archive, &a->buckets, &a->bucket_count, err) < 0 ||
		archive_loads(archive, 0, &a->loads, &a->load_count, err) < 0 ||
		archive_probes(archive, 0, &a->probes, &a->probe_count, err) <
			0 ||
		archive_recommendations(
			archive, &a->advice, &a->advice_count, err) < 0)
		return -1;
	return 0;
}

int archived_read(struct archived *archived, const char *dir, struct err *err)
{
	struct archive *archive = NULL;
	int result;

	memset(archived, 0, sizeof(*archived));
	if (archive_open(&archive, dir, ARCHIVE_READ, err) < 0)
		return -1;
	result = read_all(archive, archived, err);
	archive_close(&archive);
	if (result < 0)
		archived_free(archived);
	return result;
}

void archived_free(struct archived *archived)
{
	free(archived->scenario);
	free(archived->clients);
	free(archived->waves);
	free(archived->transitions);
	free(archived->events);
	free(archived->buckets);
	free(archived->loads);
	free(archived->probes);
	archive_recommendations_free(archived->advice, archived->advice_count);
	memset(archived, 0, sizeof(*archived));
}
