/*
 * hub_world.h - the whole controller but its sockets, with a real archive;
 * agents, the law that the server follows and the clock are the test's own,
 * and a second takes no time.
 */
#ifndef SLUICE_HUB_WORLD_H
#define SLUICE_HUB_WORLD_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "alloc.h"
#include "clock.h"
#include "err.h"
#include "hub.h"
#include "temp_dir.h"

struct world_agent {
	enum phase phase;
	uint64_t seq, obeyed, rate_bytes_s;
	double bytes, total_bytes, seconds;
	int64_t late_us; /* its reports are under way for so long */
};

struct hub_world {
	char dir[TEMP_DIR_SIZE];
	struct hub hub;
	int64_t now_us;
	struct world_agent *agents; /* as hub.rollout.clients */
	double c0, c1, c2;	    /* minutes per MB: n / X(n) */
	bool dead;		    /* the server answers nobody */
};

static inline void world_must(int result, const struct err *err)
{
	if (result < 0)
		fail_msg("%s", err->text);
}

/* COUNT clients of 240 to 260 MB. */
static inline struct client_row *world_clients(unsigned count)
{
	struct client_row *rows = xcalloc(count, sizeof(*rows));

	for (unsigned i = 0; i < count; i++) {
		rows[i].id = i + 1;
		rows[i].expected_bytes = 240000000 + i % 3 * 10000000;
		(void)snprintf(
			rows[i].name, sizeof(rows[i].name), "u%03u", i + 1);
	}
	return rows;
}

/* SCENARIO must name u001..uCOUNT. */
static inline struct hub_world *world_new(unsigned count, const char *scenario)
{
	struct hub_world *w = xcalloc(1, sizeof(*w));
	struct rollout_row row = {.name = "world", .state = ROLLOUT_PLANNED};
	struct client_row *rows = world_clients(count);
	struct archive *archive = NULL;
	struct err err = ERR_INIT;

	(void)snprintf(w->dir, sizeof(w->dir), "%s/hub_world.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	world_must(archive_create(w->dir, &row, scenario, rows, count, &err),
		&err);
	free(rows);
	world_must(archive_open(&archive, w->dir, ARCHIVE_OWN, &err), &err);
	world_must(archive_set(archive, "scenario_folder", "/", &err), &err);
	archive_close(&archive);
	world_must(hub_open(&w->hub, w->dir, &err), &err);
	w->now_us = gauge_clock_us();
	w->agents = xcalloc(count, sizeof(*w->agents));
	/* 52 MB/min each, however many. */
	w->c0 = 1.0 / 52;
	for (unsigned i = 0; i < count; i++) {
		char version[] = "1.0", host[] = "h", agent[32];
		struct enroll enroll = {.version = version,
			.host = host,
			.store_free_bytes = INT64_C(1) << 40};

		(void)snprintf(agent, sizeof(agent), "agent%u", i);
		w->agents[i].total_bytes =
			(double)w->hub.rollout.clients[i].expected_bytes;
		rollout_enrolled(&w->hub.rollout, &w->hub.rollout.clients[i],
			&enroll, agent, w->now_us);
	}
	return w;
}

static inline void world_free(struct hub_world *w)
{
	hub_close(&w->hub);
	temp_dir_remove(w->dir);
	free(w->agents);
	free(w);
}

static const char scenario[] =
	"rollout: world\n"
	"server: { imap: { host: 127.0.0.1, port: 1, security: none } }\n"
	"clients: { range: u001..u200 }\n"
	"steps: { pilots: [1, 5], order: longest }\n";

static inline struct hub_world *start_with(const char *more)
{
	char *text = xasprintf("%s%s", scenario, more);
	struct hub_world *w = world_new(200, text);

	w->hub.rollout.row.automatic = true;
	free(text);
	return w;
}

static inline struct hub_world *start(void)
{
	return start_with("");
}

#endif
