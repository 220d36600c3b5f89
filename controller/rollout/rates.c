/*
 * rates.c - how fast each client may go: its line, the scenario's cap, and
 * its share of what the brake leaves the fleet.
 *
 * Once a second, after the waves; agents hear of it with their next answer.
 */
#include <stdlib.h>

#include "alloc.h"
#include "rollout.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

static bool is_moving(const struct client_row *client)
{
	return client_state_active(client->state) &&
		client->state != CLIENT_PAUSED && !client->braked;
}

static int compare(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* The cap that, put on each of COUNT lines, lets FLEET through together; the
 * lines' own caps, 0 for none, come sorted. */
static uint64_t fair_share(const uint64_t *caps, size_t count, uint64_t fleet)
{
	size_t free_lines = 0;

	while (free_lines < count && caps[free_lines] == 0)
		free_lines++;
	for (size_t i = free_lines; i < count; i++) {
		uint64_t share = fleet / (count - i + free_lines);

		if (caps[i] >= share)
			return share;
		fleet -= caps[i];
	}
	return free_lines ? fleet / free_lines : fleet;
}

static uint64_t share_of(struct rollout *r, uint64_t fleet)
{
	uint64_t *caps = xcalloc(r->client_count + 1, sizeof(*caps)), share;
	size_t count = 0;

	for (size_t i = 0; i < r->client_count; i++)
		if (is_moving(&r->clients[i]))
			caps[count++] = least(r->clients[i].link_bytes_s,
				r->scenario->limits.rate_bytes_s);
	qsort(caps, count, sizeof(*caps), compare);
	share = fair_share(caps, count, fleet);
	free(caps);
	return share ? share : 1;
}

void rollout_share_rate(struct rollout *r, uint64_t fleet_bytes_s)
{
	uint64_t share = fleet_bytes_s ? share_of(r, fleet_bytes_s) : 0;

	for (size_t i = 0; i < r->client_count; i++) {
		struct client_row *client = &r->clients[i];
		uint64_t rate = least(
			client->link_bytes_s, r->scenario->limits.rate_bytes_s);

		if (client_state_active(client->state))
			rate = least(rate, share);
		if (rate == client->rate_bytes_s)
			continue;
		client->rate_bytes_s = rate;
		rollout_touch(r, client);
	}
}
