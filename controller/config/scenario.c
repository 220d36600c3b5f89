/*
 * scenario.c - the tables of a scenario file, and what no table can check.
 *
 * First step of the flow: everything after it works on struct scenario. The
 * list of clients is made in clients.c. Any thread.
 */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clients.h"
#include "clock.h"
#include "conf.h"
#include "err.h"
#include "units.h"

/* ---- server */

static const struct conf_field dav_fields[] = {
	{CONF_AT(struct scenario_server, dav_url), "url", CONF_STRING,
		"where CalDAV and CardDAV discovery starts", .required = true},
	CONF_END,
};

static const struct conf_table dav_table = {
	.name = "server.dav",
	.text = "CalDAV and CardDAV of the server.",
	.fields = dav_fields,
};

static const struct conf_field server_fields[] = {
	{CONF_AT(struct scenario_server, imap), "imap", CONF_TABLE,
		"the IMAP server", .required = true, .table = &endpoint_table},
	{.offset = 0,
		.size = sizeof(struct scenario_server),
		"dav",
		CONF_TABLE,
		"CalDAV and CardDAV; none: mail only",
		.table = &dav_table},
	{CONF_AT(struct scenario_server, exporter), "exporter", CONF_STRING,
		"URL of a Prometheus exporter on the server, as "
		"node_exporter's `/metrics`"},
	{CONF_AT(struct scenario_server, ca_file), "ca_file", CONF_PATH,
		"PEM file of trusted authorities instead of the system's"},
	{CONF_AT(struct scenario_server, disk), "disk", CONF_STRING,
		"block device of the mail store, as `sda`; none: the busiest"},
	{CONF_AT(struct scenario_server, network), "network", CONF_STRING,
		"network interface towards the clients; none: all"},
	{CONF_AT(struct scenario_server, rotational), "rotational", CONF_BOOL,
		"the mail store is one spinning disk, whose busy share then "
		"has a ceiling",
		.fallback = "false"},
	{CONF_AT(struct scenario_server, password_file), "password_file",
		CONF_PATH,
		"password of every account; used by `sluice fill` only"},
	CONF_END,
};

static const struct conf_table server_table = {
	.name = "server",
	.text = "The mail server that the rollout must not bring down.",
	.size = sizeof(struct scenario_server),
	.fields = server_fields,
};

/* ---- clients */

static const struct conf_field user_element = {
	.size = sizeof(char *), .type = CONF_STRING};
static const struct conf_field share_element = {
	CONF_AT(struct scenario_share, share), NULL, CONF_PERCENT};

static const struct conf_field clients_fields[] = {
	{CONF_AT(struct scenario_clients, range), "range", CONF_STRING,
		"`u001..u024`: every number from the first to the last"},
	{CONF_AT(struct scenario_clients, list), "list", CONF_LIST,
		"the mailbox users by name", .element = &user_element,
		.element_size = sizeof(char *),
		.count_offset = offsetof(struct scenario_clients, list_count)},
	{CONF_AT(struct scenario_clients, inventory), "inventory", CONF_PATH,
		"CSV file with a heading; columns `client`, and optionally "
		"`mailbox`, `link`, `size`; or a YAML file with a list "
		"`clients` of these keys"},
	{CONF_AT(struct scenario_clients, mailbox), "mailbox", CONF_MAP,
		"share of the clients that has each mailbox profile, spread "
		"evenly over the list",
		.element = &share_element,
		.element_size = sizeof(struct scenario_share),
		.name_offset = offsetof(struct scenario_share, mailbox),
		.count_offset = offsetof(
			struct scenario_clients, mailbox_count)},
	{CONF_AT(struct scenario_clients, link_bytes_s), "link", CONF_RATE,
		"cap of each client's line; none: no cap"},
	CONF_END,
};

static const struct conf_table clients_table = {
	.name = "clients",
	.text = "Who is to be synchronised: exactly one of `range`, `list` and "
		"`inventory`.",
	.size = sizeof(struct scenario_clients),
	.fields = clients_fields,
};

/* ---- baseline */

static const struct conf_field baseline_server_fields[] = {
	{CONF_AT(struct scenario_baseline, server_name), "name", CONF_STRING,
		"text that the server's greeting or ID must contain"},
	{CONF_AT(struct scenario_baseline, server_min), "min", CONF_STRING,
		"oldest version of the server"},
	CONF_END,
};
static const struct conf_table baseline_server_table = {
	.name = "baseline.server",
	.text = "What the server must be.",
	.fields = baseline_server_fields,
};
static const struct conf_field baseline_agent_fields[] = {
	{CONF_AT(struct scenario_baseline, agent_min), "min", CONF_STRING,
		"oldest version of the agent", .fallback = "0.1"},
	CONF_END,
};
static const struct conf_table baseline_agent_table = {
	.name = "baseline.agent",
	.text = "What every agent must be; an older one is outdated and waits.",
	.fields = baseline_agent_fields,
};

static const struct conf_field baseline_fields[] = {
	{.offset = 0,
		.size = sizeof(struct scenario_baseline),
		"server",
		CONF_TABLE,
		"the server's version",
		.table = &baseline_server_table},
	{.offset = 0,
		.size = sizeof(struct scenario_baseline),
		"agent",
		CONF_TABLE,
		"the agents' version",
		.table = &baseline_agent_table},
	{CONF_AT(struct scenario_baseline, free_bytes), "free", CONF_BYTES,
		"room that every agent's disk must have", .fallback = "100MB"},
	{CONF_AT(struct scenario_baseline, usable), "usable", CONF_PERCENT,
		"share of the clients that must pass `sluice check`",
		.fallback = "90%"},
	CONF_END,
};
static const struct conf_table baseline_table = {
	.name = "baseline",
	.text = "Step 0: what must be in place before the first client.",
	.size = sizeof(struct scenario_baseline),
	.fields = baseline_fields,
};

/* ---- steps */

static int parse_window(const char *text, void *field, struct err *err)
{
	int *window = field;

	return units_parse_window(text, &window[0], &window[1], err);
}

static const char *const orders[] = {"listed", "longest", NULL};
static const struct conf_field pilot_element = {
	.size = sizeof(unsigned), .type = CONF_INT, .min = 1, .max = 1000};

static const struct conf_field steps_fields[] = {
	{CONF_AT(struct scenario_steps, pilots), "pilots", CONF_LIST,
		"sizes of the pilots that `sluice run` begins with",
		.fallback = "[1, 5]", .element = &pilot_element,
		.element_size = sizeof(unsigned),
		.count_offset = offsetof(struct scenario_steps, pilot_count)},
	{CONF_AT(struct scenario_steps, stagger_us), "stagger", CONF_DURATION,
		"between two starts, up to the largest number that ran before",
		.fallback = "20s"},
	{CONF_AT(struct scenario_steps, stagger_beyond_us), "stagger_beyond",
		CONF_DURATION,
		"between two starts above that number; none: 2.5 times `stagger`"},
	{CONF_AT(struct scenario_steps, wave), "wave", CONF_FACTOR,
		"clients of a wave, times batch size", .fallback = "3x",
		.min = 1, .max = 100},
	{CONF_AT(struct scenario_steps, max_step), "max_step", CONF_INT,
		"largest growth of the batch size from wave to wave, times",
		.fallback = "2", .min = 1, .max = 3},
	{CONF_AT(struct scenario_steps, gate), "gate", CONF_PERCENT,
		"share of a wave that is done before the wave is judged",
		.fallback = "67%"},
	{CONF_AT(struct scenario_steps, failed_wave), "failed_wave",
		CONF_PERCENT,
		"largest share of failures among a wave's started clients (one "
		"is always allowed)",
		.fallback = "10%"},
	{CONF_AT(struct scenario_steps, failed_rollout), "failed_rollout",
		CONF_PERCENT,
		"the same over the whole rollout (three are always allowed)",
		.fallback = "5%"},
	{CONF_AT(struct scenario_steps, retries), "retries", CONF_INT,
		"of a failed client, in later waves", .fallback = "2",
		.max = 20},
	{CONF_AT(struct scenario_steps, backoff_us), "backoff", CONF_DURATION,
		"before the first retry; four times as long before each "
		"further",
		.fallback = "5m"},
	{CONF_AT(struct scenario_steps, heartbeat_us), "heartbeat",
		CONF_DURATION, "silence of an agent after which it is lost",
		.fallback = "60s"},
	{CONF_AT(struct scenario_steps, lost_us), "lost", CONF_DURATION,
		"a client lost for so long has failed, its slot is free",
		.fallback = "10m"},
	{CONF_AT(struct scenario_steps, stall_us), "stall", CONF_DURATION,
		"a client that stores nothing for so long has failed",
		.fallback = "5m"},
	{CONF_AT(struct scenario_steps, longest_first), "order", CONF_ENUM,
		"of clients in waves: as in the file, or the largest mailbox "
		"first",
		.fallback = "listed", .words = orders},
	{CONF_AT(struct scenario_steps, automatic), "auto", CONF_BOOL,
		"a passed gate opens without a person", .fallback = "false"},
	{CONF_AT(struct scenario_steps, window), "window", CONF_TEXT,
		"time of day in which clients may start, as `20:00-06:00`, "
		"if they would also end in it; none: always",
		.parse = parse_window},
	CONF_END,
};
static const struct conf_table steps_table = {
	.name = "steps",
	.text = "How the rollout goes on from one client to all of them.",
	.size = sizeof(struct scenario_steps),
	.fields = steps_fields,
};

/* ---- canary and limits */

static const struct conf_field canary_fields[] = {
	{CONF_AT(struct scenario_canary, user), "user", CONF_STRING,
		"a mailbox of its own, not one of the clients",
		.required = true},
	{CONF_AT(struct scenario_canary, password_file), "password_file",
		CONF_PATH, "its first line is the password"},
	{CONF_AT(struct scenario_canary, password_command), "password_command",
		CONF_STRING, "its first line of output is the password"},
	{CONF_AT(struct scenario_canary, interval_us), "interval",
		CONF_DURATION, "between the starts of two probes",
		.fallback = "1s"},
	{CONF_AT(struct scenario_canary, slo_us), "slo", CONF_DURATION,
		"95 % of the probes must be faster; none: from the idle "
		"baseline"},
	{CONF_AT(struct scenario_canary, idle_us), "idle", CONF_DURATION,
		"how long the idle baseline is measured before a pilot",
		.fallback = "2m"},
	CONF_END,
};
static const struct conf_table canary_table = {
	.name = "canary",
	.text = "A user who works online meanwhile: the probe whose response "
		"time is what people in the queue would feel.",
	.size = sizeof(struct scenario_canary),
	.fields = canary_fields,
};

static const struct conf_field limits_fields[] = {
	{CONF_AT(struct scenario_limits, cpu), "cpu", CONF_PERCENT,
		"ceiling of the server's processors", .fallback = "85%"},
	{CONF_AT(struct scenario_limits, network), "network", CONF_PERCENT,
		"ceiling of its network interface", .fallback = "85%"},
	{CONF_AT(struct scenario_limits, network_bytes_s), "network_speed",
		CONF_RATE, "of the interface; none: as the exporter says"},
	{CONF_AT(struct scenario_limits, disk_busy), "disk_busy", CONF_PERCENT,
		"ceiling of a `rotational` disk's busy share",
		.fallback = "85%"},
	{CONF_AT(struct scenario_limits, memory_available), "memory_available",
		CONF_PERCENT, "lowest share of the server's memory",
		.fallback = "10%"},
	{CONF_AT(struct scenario_limits, disk_await_us), "disk_await",
		CONF_DURATION,
		"ceiling of the mean read latency; none: 20 ms where "
		"`rotational`, else 5 ms"},
	{CONF_AT(struct scenario_limits, connections), "connections", CONF_INT,
		"largest number of IMAP connections of the server; none: "
		"unknown",
		.max = 10000000},
	{CONF_AT(struct scenario_limits, connections_per_client),
		"connections_per_client", CONF_INT, "of one agent",
		.fallback = "3", .min = 1, .max = 100},
	{CONF_AT(struct scenario_limits, user_window_us), "user_window",
		CONF_DURATION, "one user's sync must fit; none: no limit"},
	{CONF_AT(struct scenario_limits, batch_max), "batch_max", CONF_INT,
		"largest batch size ever; none: no limit", .max = 100000},
	{CONF_AT(struct scenario_limits, rate_bytes_s), "rate", CONF_RATE,
		"cap of every client's sync; none: no cap"},
	CONF_END,
};
static const struct conf_table limits_table = {
	.name = "limits",
	.text = "Ceilings that the batch size must keep.",
	.size = sizeof(struct scenario_limits),
	.fields = limits_fields,
};

static const struct conf_field measure_fields[] = {
	{CONF_AT(struct scenario_measure, bucket_us), "bucket", CONF_DURATION,
		"time over which throughput and load are averaged; whole "
		"seconds, at most 60",
		.fallback = "5s"},
	{CONF_AT(struct scenario_measure, settle_us), "settle", CONF_DURATION,
		"after each start, left out of the averages",
		.fallback = "10s"},
	{CONF_AT(struct scenario_measure, observed_us), "observed",
		CONF_DURATION,
		"so much usable data at one number of clients and it counts "
		"as observed",
		.fallback = "30s"},
	{CONF_AT(struct scenario_measure, explored_us), "explored",
		CONF_DURATION,
		"so much of it at a size never tried before, and the wave "
		"that tries it ends",
		.fallback = "2m"},
	{CONF_AT(struct scenario_measure, again_us), "again", CONF_DURATION,
		"inside other waves of `run --auto`, between two looks at "
		"the recommended size",
		.fallback = "5m"},
	CONF_END,
};
static int check_measure(void *object, struct err *err)
{
	const struct scenario_measure *measure = object;

	if (measure->bucket_us < US_PER_S ||
		measure->bucket_us > 60 * US_PER_S ||
		measure->bucket_us % US_PER_S)
		return err_set(err, ERR_CONFIG,
			"bucket: give 1s to 60s in whole seconds");
	return 0;
}
static const struct conf_table measure_table = {
	.name = "measure",
	.text = "How fine the measurements are. The defaults suit syncs that "
		"take minutes; shorter ones need shorter times.",
	.size = sizeof(struct scenario_measure),
	.fields = measure_fields,
	.check = check_measure,
};

/* ---- brake */

static const struct conf_field brake_fields[] = {
	{CONF_AT(struct scenario_brake, cap_us), "cap", CONF_DURATION,
		"of holding new starts in vain, before the fleet's rate is "
		"capped",
		.fallback = "30s"},
	{CONF_AT(struct scenario_brake, pause_us), "pause", CONF_DURATION,
		"of the same trouble, before the newest sync is paused",
		.fallback = "60s"},
	{CONF_AT(struct scenario_brake, again_us), "again", CONF_DURATION,
		"after the cap and after each pause, before the next one",
		.fallback = "20s"},
	{CONF_AT(struct scenario_brake, release_us), "release", CONF_DURATION,
		"of calm before each step back; none: 30 s where waiting users "
		"suffered, 5 s where data was missing, else 60 s"},
	CONF_END,
};
static int check_brake(void *object, struct err *err)
{
	const struct scenario_brake *brake = object;

	if (brake->cap_us < US_PER_S || brake->pause_us < US_PER_S ||
		brake->again_us < US_PER_S ||
		(brake->release_us && brake->release_us < US_PER_S))
		return err_set(err, ERR_CONFIG,
			"give 1s or more: the brake looks once a second");
	return 0;
}
static const struct conf_table brake_table = {
	.name = "brake",
	.text = "How patient the brake is. The defaults suit syncs that take "
		"minutes.",
	.size = sizeof(struct scenario_brake),
	.fields = brake_fields,
	.check = check_brake,
};

/* ---- the file */

static const struct conf_field mailbox_element = {
	.size = sizeof(struct mailbox),
	.type = CONF_TABLE,
	.table = &mailbox_table,
};

static const struct conf_field scenario_fields[] = {
	{CONF_AT(struct scenario, rollout), "rollout", CONF_STRING,
		"its name in reports", .required = true},
	{CONF_AT(struct scenario, seed), "seed", CONF_INT,
		"of everything drawn at random, as the content of mailboxes",
		.fallback = "1", .max = 9007199254740992.0},
	{CONF_AT(struct scenario, server), "server", CONF_TABLE,
		"the mail server", .required = true, .table = &server_table},
	{CONF_AT(struct scenario, clients), "clients", CONF_TABLE,
		"who is to be synchronised", .required = true,
		.table = &clients_table},
	{CONF_AT(struct scenario, mailboxes), "mailboxes", CONF_MAP,
		"profiles of mailboxes", .element = &mailbox_element,
		.element_size = sizeof(struct mailbox),
		.name_offset = offsetof(struct mailbox, name),
		.count_offset = offsetof(struct scenario, mailbox_count)},
	{CONF_AT(struct scenario, baseline), "baseline", CONF_TABLE,
		"versions that must be in place", .table = &baseline_table},
	{CONF_AT(struct scenario, steps), "steps", CONF_TABLE,
		"pilots, waves and gates", .table = &steps_table},
	{CONF_AT(struct scenario, canary), "canary", CONF_TABLE,
		"the online probe; none: not measured", .table = &canary_table},
	{CONF_AT(struct scenario, limits), "limits", CONF_TABLE,
		"ceilings of the server", .table = &limits_table},
	{CONF_AT(struct scenario, measure), "measure", CONF_TABLE,
		"how fine the measurements are", .table = &measure_table},
	{CONF_AT(struct scenario, brake), "brake", CONF_TABLE,
		"how patient the brake is", .table = &brake_table},
	CONF_END,
};

static int check_password_sources(
	const struct scenario_canary *canary, struct err *err)
{
	if (canary->user && !canary->password_file == !canary->password_command)
		return err_set(err, ERR_CONFIG,
			"canary: name exactly one of password_file and "
			"password_command");
	return 0;
}

static int check_server(const struct scenario_server *server, struct err *err)
{
	/* account_check() knows the rules for plain text; the user and the
	 * password are the agents' business. */
	char user[] = "any", file[] = "any";
	struct account account = {
		.user = user,
		.password_file = file,
		.imap = server->imap,
		.dav_url = server->dav_url,
	};

	if (account_check(&account, err) < 0)
		return err_context(err, "server");
	if (server->exporter && strncmp(server->exporter, "http://", 7) != 0 &&
		strncmp(server->exporter, "https://", 8) != 0)
		return err_set(err, ERR_CONFIG,
			"server.exporter: expected http:// or https://, found "
			"'%.80s'",
			server->exporter);
	return 0;
}

/* And what follows from what was read. */
static int check_scenario(void *object, struct err *err)
{
	struct scenario *scenario = object;
	struct scenario_steps *steps = &scenario->steps;

	if (check_server(&scenario->server, err) < 0 ||
		check_password_sources(&scenario->canary, err) < 0 ||
		clients_check(scenario, err) < 0)
		return -1;
	steps->has_window = steps->window[0] != steps->window[1];
	if (clients_expand(scenario, err) == 0)
		return 0;
	clients_free(scenario);
	return -1;
}

static const struct conf_table scenario_table = {
	.name = "scenario",
	.text = "One rollout: one mail server and the clients whose mailboxes "
		"are on it.",
	.size = sizeof(struct scenario),
	.fields = scenario_fields,
	.check = check_scenario,
};

int scenario_load(struct scenario *scenario, const char *path, struct err *err)
{
	return conf_load(&scenario_table, scenario, path, err);
}

int scenario_parse(struct scenario *scenario, const char *text, size_t length,
	const char *name, const char *folder, struct err *err)
{
	return conf_parse(
		&scenario_table, scenario, text, length, name, folder, err);
}

void scenario_free(struct scenario *scenario)
{
	clients_free(scenario);
	conf_free(&scenario_table, scenario);
}

const struct mailbox *scenario_mailbox(
	const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; name && i < scenario->mailbox_count; i++)
		if (strcmp(scenario->mailboxes[i].name, name) == 0)
			return &scenario->mailboxes[i];
	return NULL;
}

void scenario_document(struct buf *out)
{
	(void)buf_append_text(out,
		"# The scenario file\n\n"
		"A scenario is one YAML file that describes one rollout. "
		"`sluice init FILE --state DIR` reads it once and keeps its "
		"text in the archive.\n\n"
		"Durations are written `250ms`, `2s`, `10m`, `1h`; sizes "
		"`20MB`, `16KiB` (MB = 10^6 bytes, MiB = 2^20); rates "
		"`1.5MB/s`, `100Mbit/s`; percentages `60%`; factors `3x`. "
		"Paths are relative to the file. A key that is not listed "
		"here is an error.\n\n");
	conf_document(&scenario_table, out);
}
