/*
 * standing.h - where the rollout, its waves and its clients stand.
 *
 * The state machines work on these structs and the archive keeps them as they
 * are. Times are wall clock, microseconds since 1970; 0: not yet. Text is cut
 * to its field. Plain data without pointers.
 */
#ifndef SLUICE_STANDING_H
#define SLUICE_STANDING_H

#include <stdbool.h>
#include <stdint.h>

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
	int64_t lost_us;     /* when it fell silent */
	bool braked;	     /* paused by the brake, not by a person */

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
	uint64_t start_id;     /* of the last start: older reports are past */
	uint64_t accept_id;    /* of the acceptance; 0: none was asked */
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
	unsigned admitted;   /* told to start so far */
	unsigned peak;	     /* most that were active at once */
	int64_t grown_us;    /* when more than ever before were active */
	int64_t accept_us;   /* the acceptance was asked; 0: not */
	bool barrier;	     /* all start together */
	bool explore;	     /* tries a size never seen; ends once it is seen */
	int64_t started_us, ended_us;
	char verdict[ROW_NAME_BYTES];	  /* PASS FAIL INCONCLUSIVE, or "" */
	char skipped[ROW_REASON_BYTES];	  /* why a person passed the gate */
	char gates[8 * ROW_REASON_BYTES]; /* JSON: every rule and its figure */
};

struct transition_row {
	int64_t at_us;
	char object[ROW_NAME_BYTES]; /* "rollout", "wave 3", "client u007" */
	char from[32], to[32];
	char reason[ROW_REASON_BYTES];
	char who[ROW_NAME_BYTES]; /* "controller", "agent", "uid 1000" */
};

#endif
