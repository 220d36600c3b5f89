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
#include "states.h"

#define ROW_NAME_BYTES	 96
#define ROW_REASON_BYTES 256

struct rollout_row {
	char name[ROW_NAME_BYTES];
	enum rollout_state state;
	char reason[ROW_REASON_BYTES];
	int64_t created_us, started_us, ended_us;
	unsigned batch_size; /* in force; 0 before the first wave */
	bool automatic;
	unsigned auto_pilot; /* pilots that `run --auto` has done */
};

struct client_row {
	unsigned id; /* position in the scenario, from 1 */
	char name[ROW_NAME_BYTES];
	char mailbox[ROW_NAME_BYTES];
	uint64_t link_bytes_s;
	uint64_t expected_bytes;
	enum client_state state;
	char reason[ROW_REASON_BYTES];
	unsigned wave;	   /* the last it was in; 0: none */
	unsigned attempts; /* starts so far */
	int64_t not_before_us;
	int64_t admitted_us; /* told to start, last attempt */
	int64_t bulk_us;     /* first report in its bulk phase */
	int64_t finished_us; /* done, failed or given up */
	int64_t progress_us; /* last time a byte was stored */
	int64_t flagged_us;  /* first seen far slower than predicted */

	/* of its agent; agent[0] is 0 before it enrolled */
	char agent[ROW_NAME_BYTES];
	char version[ROW_NAME_BYTES];
	char host[ROW_NAME_BYTES];
	int64_t free_bytes;
	int64_t enrolled_us, seen_us;
	uint64_t seq; /* highest report counted */
	enum phase phase;
	enum command command; /* last one given, and its id */
	uint64_t command_id;
	uint64_t command_done; /* highest id the agent says it obeyed */
	uint64_t rate_bytes_s; /* cap given to it; 0: none */
	uint64_t app_bytes, wire_bytes;
	struct progress progress;
	bool accepted; /* the functional acceptance after its sync passed */
};

struct wave_row {
	unsigned number; /* from 1 */
	enum wave_kind kind;
	enum wave_state state;
	char reason[ROW_REASON_BYTES];
	unsigned batch_size; /* syncs kept active */
	unsigned clients;    /* planned */
	bool barrier;	     /* all start together */
	int64_t started_us, ended_us;
	char verdict[ROW_NAME_BYTES];	  /* PASS FAIL INCONCLUSIVE, or "" */
	char skipped[ROW_REASON_BYTES];	  /* why a person passed the gate */
	char gates[4 * ROW_REASON_BYTES]; /* JSON: every rule and its figure */
};

struct transition_row {
	int64_t at_us;
	char object[ROW_NAME_BYTES]; /* "rollout", "wave 3", "client u007" */
	char from[32], to[32];
	char reason[ROW_REASON_BYTES];
	char who[ROW_NAME_BYTES]; /* "controller", "agent", "uid 1000" */
};

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
