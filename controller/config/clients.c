/*
 * clients.c - see clients.h. Owns scenario.client and nothing else.
 */
#include "clients.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "err.h"
#include "scenario.h"
#include "units.h"

#define NAME_BYTES_MAX	    80
#define INVENTORY_BYTES_MAX (32u << 20)

/* A name goes into logins, file names and reports. */
static int check_name(const char *name, struct err *err)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_BYTES_MAX)
		return err_set(err, ERR_CONFIG,
			"client name '%.100s': expected 1 to %d characters",
			name, NAME_BYTES_MAX);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || strchr("/\\\"'", *p))
			return err_set(err, ERR_CONFIG,
				"client name '%.100s': spaces, slashes and "
				"quotes are not allowed",
				name);
	return 0;
}

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

/* ---- range */

/* Split "u001" into "u" and 1 with 3 digits; -1 when it has no number. */
static int split_name(
	const char *text, size_t length, size_t *prefix, unsigned long *number)
{
	size_t i = length;

	while (i > 0 && isdigit((unsigned char)text[i - 1]))
		i--;
	if (i == length || length - i > 9)
		return -1;
	*prefix = i;
	*number = 0;
	for (; i < length; i++)
		*number = *number * 10 + (unsigned long)(text[i] - '0');
	return 0;
}

struct range {
	const char *text;
	size_t prefix;
	int digits; /* of the first number */
	unsigned long first, last;
};

static int parse_range(const char *text, struct range *range, struct err *err)
{
	const char *dots = strstr(text, "..");
	size_t last_prefix = 0;

	*range = (struct range){.text = text};
	if (!dots ||
		split_name(text, (size_t)(dots - text), &range->prefix,
			&range->first) < 0 ||
		split_name(dots + 2, strlen(dots + 2), &last_prefix,
			&range->last) < 0 ||
		range->prefix != last_prefix ||
		strncmp(text, dots + 2, last_prefix) != 0 ||
		range->last < range->first)
		return err_set(err, ERR_CONFIG,
			"clients.range: expected FIRST..LAST with one prefix, "
			"as u001..u024, found '%.100s'",
			text);
	if (range->last - range->first >= CLIENTS_MAX)
		return err_set(err, ERR_CONFIG,
			"clients.range: expected at most %d clients, found "
			"'%.100s'; make a rollout of each part",
			CLIENTS_MAX, text);
	range->digits = (int)((size_t)(dots - text) - range->prefix);
	return 0;
}

static int expand_range(struct scenario *scenario, struct err *err)
{
	struct range range;

	if (parse_range(scenario->clients.range, &range, err) < 0)
		return -1;
	for (unsigned long i = range.first; i <= range.last; i++) {
		char *name = xasprintf("%.*s%0*lu", (int)range.prefix,
			range.text, range.digits, i);

		add_client(scenario, name);
		free(name);
	}
	return 0;
}

/* ---- inventory */

enum column {
	COLUMN_CLIENT,
	COLUMN_MAILBOX,
	COLUMN_LINK,
	COLUMN_SIZE,
	COLUMN_OTHER, /* for people; not read */
};

#define COLUMNS_MAX 32

struct inventory {
	const char *path;
	unsigned line;
	enum column columns[COLUMNS_MAX];
	unsigned column_count;
};

/* The next field of a line, with the surrounding spaces and quotes taken
 * off; NULL after the last. */
static char *next_field(char **line)
{
	char *field = *line, *end;

	if (!field)
		return NULL;
	end = strchr(field, ',');
	*line = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	while (isspace((unsigned char)*field))
		field++;
	end = field + strlen(field);
	while (end > field && isspace((unsigned char)end[-1]))
		*--end = '\0';
	if (*field == '"' && end > field + 1 && end[-1] == '"') {
		end[-1] = '\0';
		field++;
	}
	return field;
}

static int read_heading(
	struct inventory *inventory, char *line, struct err *err)
{
	static const char *const names[] = {
		"client", "mailbox", "link", "size"};
	char *field;
	bool named = false;

	while ((field = next_field(&line))) {
		enum column column = COLUMN_CLIENT;

		while (column < COLUMN_OTHER &&
			strcmp(names[column], field) != 0)
			column++;
		if (inventory->column_count == COLUMNS_MAX)
			return err_set(err, ERR_CONFIG,
				"%s:1: more than %d columns", inventory->path,
				COLUMNS_MAX);
		inventory->columns[inventory->column_count++] = column;
		named = named || column == COLUMN_CLIENT;
	}
	return named ? 0
		     : err_set(err, ERR_CONFIG,
			       "%s:1: no column is called client; the first "
			       "line names the columns",
			       inventory->path);
}

static int read_row(struct scenario *scenario,
	const struct inventory *inventory, char *line, struct err *err)
{
	struct scenario_client *client = add_client(scenario, "");
	char *field;
	int result = 0;

	for (unsigned i = 0; (field = next_field(&line)) && result == 0; i++) {
		if (i >= inventory->column_count || !*field)
			continue;
		switch (inventory->columns[i]) {
		case COLUMN_CLIENT:
			free(client->name);
			client->name = xstrdup(field);
			break;
		case COLUMN_MAILBOX:
			free(client->mailbox);
			client->mailbox = xstrdup(field);
			break;
		case COLUMN_LINK:
			result = units_parse_rate(
				field, &client->link_bytes_s, err);
			break;
		case COLUMN_SIZE:
			result = units_parse_bytes(
				field, &client->expected_bytes, err);
			break;
		case COLUMN_OTHER:
			break;
		}
	}
	if (result == 0)
		result = check_name(client->name, err);
	if (result == 0 && client->mailbox &&
		!scenario_mailbox(scenario, client->mailbox))
		result = err_set(err, ERR_CONFIG,
			"no profile '%.80s' stands under mailboxes",
			client->mailbox);
	if (result < 0)
		return err_context(
			err, "%s:%u", inventory->path, inventory->line);
	return 0;
}

static int read_inventory(struct scenario *scenario, struct err *err)
{
	struct inventory inventory = {.path = scenario->clients.inventory};
	FILE *file = fopen(inventory.path, "re");
	char *line = NULL;
	size_t capacity = 0, bytes = 0;
	ssize_t length;
	int result = 0;

	if (!file) {
		err_set_errno(err, "clients.inventory: %s", inventory.path);
		if (err)
			err->kind = ERR_CONFIG;
		return -1;
	}
	while (result == 0 && (length = getline(&line, &capacity, file)) >= 0) {
		inventory.line++;
		bytes += (size_t)length;
		if (bytes > INVENTORY_BYTES_MAX ||
			scenario->client_count > CLIENTS_MAX)
			result = err_set(err, ERR_LIMIT,
				"%s:%u: more than %d clients or 32 MiB",
				inventory.path, inventory.line, CLIENTS_MAX);
		else if (inventory.line == 1)
			result = read_heading(&inventory, line, err);
		else if (line[strspn(line, " \t\r\n")])
			result = read_row(scenario, &inventory, line, err);
	}
	if (result == 0 && ferror(file))
		result = err_set_errno(err, "%s", inventory.path);
	free(line);
	(void)fclose(file);
	return result;
}

/* ---- all */

int clients_check(const struct scenario *scenario, struct err *err)
{
	const struct scenario_clients *clients = &scenario->clients;
	struct range range;
	double sum = 0;

	if (!!clients->range + !!clients->list + !!clients->inventory != 1)
		return err_set(err, ERR_CONFIG,
			"clients: name exactly one of range, list and "
			"inventory");
	if (clients->range && parse_range(clients->range, &range, err) < 0)
		return -1;
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
				"clients: %s stands twice; remove one",
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

	if (clients->range && expand_range(scenario, err) < 0)
		return -1;
	if (clients->inventory && read_inventory(scenario, err) < 0)
		return -1;
	for (size_t i = 0; i < clients->list_count; i++)
		add_client(scenario, clients->list[i]);
	if (scenario->client_count == 0)
		return err_set(err, ERR_CONFIG,
			"clients: there are none; name at least one");
	for (size_t i = 0; i < scenario->client_count; i++)
		if (check_name(scenario->client[i].name, err) < 0)
			return err_context(err, "clients");
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
