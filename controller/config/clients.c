/*
 * clients.c - see clients.h. Owns scenario.client and nothing else.
 */
#include "clients.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "inventory.h"
#include "scenario.h"

static struct scenario_client *add_client(
	struct scenario *scenario, const char *name)
{
	struct scenario_client *client;

	scenario->client = xrealloc(
		scenario->client, scenario->client_count + 1, sizeof(*client));
	client = &scenario->client[scenario->client_count++];
	*client = (struct scenario_client){
		.name = xstrdup(name),
		.link_bytes_s = scenario->clients.link_bytes_s,
	};
	return client;
}

/* ---- range and inventory */

static int add_row(struct scenario *scenario, const struct inventory_row *row,
	struct err *err)
{
	struct scenario_client *client = add_client(scenario, row->client);

	client->mailbox = xstrdup(row->mailbox);
	client->expected_bytes = row->size_bytes;
	if (row->link_bytes_s)
		client->link_bytes_s = row->link_bytes_s;
	if (!row->mailbox || scenario_mailbox(scenario, row->mailbox))
		return 0;
	return err_set(err, ERR_CONFIG,
		"%s:%u: no profile '%.80s' stands under mailboxes",
		scenario->clients.inventory, row->line, row->mailbox);
}

static int add_rows(struct scenario *scenario, struct err *err)
{
	const struct scenario_clients *clients = &scenario->clients;
	struct inventory inventory;
	int result = clients->range
		? inventory_expand(&inventory, clients->range, err)
		: inventory_load(&inventory, clients->inventory, err);

	if (result < 0)
		return err_context(err, "clients.%s",
			clients->range ? "range" : "inventory");
	for (size_t i = 0; result == 0 && i < inventory.count; i++)
		result = add_row(scenario, &inventory.rows[i], err);
	inventory_free(&inventory);
	return result;
}

/* ---- all */

int clients_check(const struct scenario *scenario, struct err *err)
{
	const struct scenario_clients *clients = &scenario->clients;
	double sum = 0;

	if (!!clients->range + !!clients->list + !!clients->inventory != 1)
		return err_set(err, ERR_CONFIG,
			"clients: name exactly one of range, list and "
			"inventory");
	if (clients->range && inventory_check_range(clients->range, err) < 0)
		return err_context(err, "clients.range");
	for (size_t i = 0; i < clients->mailbox_count; i++) {
		if (!scenario_mailbox(scenario, clients->mailbox[i].mailbox))
			return err_set(err, ERR_CONFIG,
				"clients.mailbox.%s: no such profile stands "
				"under mailboxes; add it there or correct the "
				"name",
				clients->mailbox[i].mailbox);
		sum += clients->mailbox[i].share;
	}
	if (clients->mailbox_count && fabs(sum - 1) > 0.001)
		return err_set(err, ERR_CONFIG,
			"clients.mailbox: the shares add up to %.1f%%, "
			"expected 100%%",
			100 * sum);
	return 0;
}

static void assign_mailboxes(struct scenario *scenario)
{
	const struct scenario_clients *clients = &scenario->clients;
	size_t *given = xcalloc(clients->mailbox_count + 1, sizeof(*given));

	for (size_t i = 0, n = 1; i < scenario->client_count; i++) {
		struct scenario_client *client = &scenario->client[i];
		const struct mailbox *mailbox;
		size_t best = 0;
		double most = -1;

		if (!client->mailbox && clients->mailbox_count) {
			for (size_t k = 0; k < clients->mailbox_count; k++) {
				double due = clients->mailbox[k].share *
						(double)n -
					(double)given[k];

				if (due > most + 1e-9) {
					most = due;
					best = k;
				}
			}
			given[best]++;
			n++;
			client->mailbox = xstrdup(
				clients->mailbox[best].mailbox);
		}
		mailbox = scenario_mailbox(scenario, client->mailbox);
		if (!client->expected_bytes && mailbox)
			client->expected_bytes = mailbox_expected_bytes(
				mailbox);
	}
	free(given);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_unique(const struct scenario *scenario, struct err *err)
{
	size_t count = scenario->client_count;
	const char **names = xcalloc(count + 1, sizeof(*names));
	int result = 0;

	for (size_t i = 0; i < count; i++)
		names[i] = scenario->client[i].name;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count && result == 0; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			result = err_set(err, ERR_CONFIG,
				"clients.list: %s stands twice; remove one",
				names[i]);
	if (result == 0 && scenario->canary.user)
		for (size_t i = 0; i < count && result == 0; i++)
			if (strcmp(names[i], scenario->canary.user) == 0)
				result = err_set(err, ERR_CONFIG,
					"canary.user: %s is one of the "
					"clients; its own sync would disturb "
					"the probe: name another mailbox",
					names[i]);
	free(names);
	return result;
}

int clients_expand(struct scenario *scenario, struct err *err)
{
	const struct scenario_clients *clients = &scenario->clients;

	if ((clients->range || clients->inventory) &&
		add_rows(scenario, err) < 0)
		return -1;
	for (size_t i = 0; i < clients->list_count; i++)
		add_client(scenario, clients->list[i]);
	if (scenario->client_count == 0)
		return err_set(err, ERR_CONFIG,
			"clients: there are none; name at least one");
	for (size_t i = 0; i < scenario->client_count; i++)
		if (inventory_check_name(scenario->client[i].name, err) < 0)
			return err_context(err, "clients.list");
	if (check_unique(scenario, err) < 0)
		return -1;
	assign_mailboxes(scenario);
	return 0;
}

void clients_free(struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->client_count; i++) {
		free(scenario->client[i].name);
		free(scenario->client[i].mailbox);
	}
	free(scenario->client);
	scenario->client = NULL;
	scenario->client_count = 0;
}
