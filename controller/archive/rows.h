/*
 * rows.h - what the archive holds, as plain structs.
 *
 * Times are wall clock, microseconds since 1970; 0: not yet. Text is cut to
 * its field. Figures that nobody measured are NaN. Rows own no memory but
 * where a char * is shown.
 */
#ifndef SLUICE_ROWS_H
#define SLUICE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "bucket.h"
#include "message.h"
#include "standing.h"

/* A raw sample of an agent: cumulative counters. */
struct sample_row {
	unsigned client;  /* client_row.id */
	unsigned boot;	  /* changes when the agent's clock starts over */
	int64_t agent_us; /* the agent's monotonic clock */
	int64_t at_us;	  /* the same mapped to the controller's wall clock */
	int64_t received_us;
	enum phase phase;
	uint64_t app_bytes, wire_bytes, messages;
};

/* One scrape of the server's exporter: rates over the SPAN_US before. */
struct load_row {
	int64_t at_us;
	int64_t span_us;
	float load[LOAD_COUNT]; /* bucket.h; NaN: the exporter did not say */
};

/* One online probe; latency from its intended start, -1: failed. */
#define ROW_PROBE_STEPS 8

struct probe_row {
	int64_t start_us;
	int64_t latency_us;
	int64_t step_us[ROW_PROBE_STEPS]; /* in the canary's order; -1: none */
};

/* The machine of a fleet, as one of its clients reported it; times on the
 * controller's clock. */
struct host_row {
	char host[ROW_NAME_BYTES];
	int64_t at_us;
	struct host_sample sample; /* NaN: the machine does not tell */
};

struct event_row {
	int64_t at_us;
	char subject[ROW_NAME_BYTES];
	char text[2 * ROW_REASON_BYTES];
};

struct recommendation_row {
	unsigned id;
	int64_t at_us;
	unsigned wave; /* the last wave it knew */
	char verdict[32];
	unsigned batch_size;
	char binding[ROW_NAME_BYTES];
	char *inputs_json; /* all that went in: replay needs nothing else */
	char *result_json;
};

#endif
